"""By Host to a city's app. An unknown Host gets 421: a city's pages answer to its own names only (DESIGN section 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]


class Dispatcher:
    """The process's one WSGI application. It knows hosts and apps, no city."""

    def __init__(self, apps: Mapping[str, WsgiApp], ready: Callable[[], bool]) -> None:
        self._apps = dict(apps)
        self._ready = ready

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        if path == "/healthz":
            return _plain(start_response, "200 OK", b"ok\n")
        if path == "/readyz":
            ready = self._ready()
            return _plain(
                start_response,
                "200 OK" if ready else "503 Service Unavailable",
                b"ready\n" if ready else b"a database is away\n",
            )
        app = self._apps.get(host_of(environ))
        if app is None:
            return _plain(start_response, "421 Misdirected Request", b"No city answers to this name here.\n")
        return app(environ, start_response)


def host_of(environ: Environ) -> str:
    """The Host header without a port, in lower case; an IPv6 address keeps its brackets."""
    host = str(environ.get("HTTP_HOST", "")).lower()
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() and not name.endswith(":") else host


def _plain(start_response: StartResponse, status: str, body: bytes) -> list[bytes]:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]
