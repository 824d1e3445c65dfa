"""The ground floor: what the system means, as values and pure functions.

Nothing here may read a clock, a file, a socket or a random source, or import another of our rooms.
"""
