"""The access log, where `log.access` asks for one: a line a request, with nothing in it that is somebody's.

No client address, no query string, and for the path the route as it is written (`/staff/invite/<token>`): queries hold
MAC addresses and visits, and some paths a token.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any

from portal.dispatch import Environ, StartResponse, WsgiApp

log = logging.getLogger("portal.access")

ROUTE = "kogge.route"
"""Where in the environ the application leaves its route; what came to no route is logged as `-`."""


def logged(app: WsgiApp, city: str) -> WsgiApp:
    """The same application, with a line a request: city, method, route, status, milliseconds, octets of the body."""

    def logging_app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        began, said = time.perf_counter(), ["-", "-"]

        def start(status: str, headers: Sequence[tuple[str, str]], *rest: Any) -> Any:
            octets = next((value for name, value in headers if name.lower() == "content-length"), "-")
            said[:] = status[:3], octets
            return start_response(status, headers, *rest)

        try:
            return app(environ, start)
        finally:
            took_ms = (time.perf_counter() - began) * 1000
            method = environ.get("REQUEST_METHOD", "-")[:10]
            log.info("%s %s %s %s %.0fms %s", city, method, environ.get(ROUTE, "-"), said[0], took_ms, said[1])

    return logging_app
