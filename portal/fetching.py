"""Asking another server over HTTP: no redirect is followed, and no answer is longer or slower than may be.

What an answer means, and what becomes of a fault, is the caller's (`captive.provider`, `staff.prometheus_history`).
"""

from __future__ import annotations

import http.client
import time
from typing import Any
from urllib.request import HTTPRedirectHandler, Request, build_opener

FAULTS = (OSError, http.client.HTTPException, ValueError)
"""What `fetch` raises; an answer of 4xx or 5xx is urllib's HTTPError, which is an OSError."""

_PART = 65_536


class _NoRedirect(HTTPRedirectHandler):
    """A secret goes to the address that was named, and to no other."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = build_opener(_NoRedirect)


def fetch(request: Request, *, seconds: float, octets_max: int) -> bytes:
    """The answer's body. One of `FAULTS`, ValueError where it is too long or takes more than `seconds` in all."""
    end = time.monotonic() + seconds
    parts: list[bytes] = []
    size = 0
    with _OPENER.open(request, timeout=seconds) as answer:
        while part := answer.read1(_PART):
            parts.append(part)
            size += len(part)
            if size > octets_max or time.monotonic() > end:
                raise ValueError("the answer is too long or too slow")
    return b"".join(parts)
