"""A town in a box: access points, NASes and residents as a separate party.

It speaks only the public protocols (SNMP, RADIUS, HTTP) and imports nothing of ours but `hotspot`.
"""
