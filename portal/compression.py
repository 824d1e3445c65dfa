"""Smaller pages for browsers that take gzip, so that the first one fits into the first flight of a TCP connection.

Never for a request that carries a cookie: what a page says to a member of staff must not be guessed from its length
(BREACH). A residents' page says nothing but what its own address asked for (docs/adr/0015).
"""

from __future__ import annotations

import gzip

from flask import Request, Response

BYTES_MIN = 1_000
"""A smaller body fits into one packet as it is."""

LEVEL = 6
"""A tenth of a millisecond a page; level 9 saves nothing more."""

TYPES = frozenset({"text/html", "application/json", "text/plain"})


def compress(request: Request, response: Response) -> Response:
    """The response with its body in gzip, where that is safe, wanted and worth it."""
    if response.mimetype not in TYPES or response.direct_passthrough:
        return response
    response.vary.add("Accept-Encoding")  # whoever asks: another city's cookie is answered as none is
    body = response.get_data()
    takes = request.accept_encodings.quality("gzip") > 0 and not request.headers.get("Cookie")
    if takes and len(body) >= BYTES_MIN and "Content-Encoding" not in response.headers:
        response.set_data(gzip.compress(body, LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
