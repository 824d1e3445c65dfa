"""What the three services share: opening cities, the metrics listener, logging, signals, texts.

A room of its own because portal, radius and monitor never import one another (docs/adr).
"""
