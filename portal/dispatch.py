"""By Host to a city's app. An unknown Host gets 421: a city's pages answer to its own names only (DESIGN section 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]


class Dispatcher:
    """The process's one WSGI application. It knows hosts and apps, no city. `away`: seconds, by city, where it is."""

    def __init__(self, apps: Mapping[str, WsgiApp], away: Callable[[], Mapping[str, float]]) -> None:
        self._apps = dict(apps)
        self._away = away

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        if path == "/healthz":
            return _plain(start_response, "200 OK", b"ok\n")
        if path == "/readyz":
            return _readiness(start_response, self._away())
        app = self._apps.get(host_of(environ))
        if app is None:
            return _plain(start_response, "421 Misdirected Request", b"No city answers to this name here.\n")
        return app(environ, start_response)


def _readiness(start_response: StartResponse, away: Mapping[str, float]) -> list[bytes]:
    """Known beforehand, so that a database which hangs does not hang the answer."""
    if not away:
        return _plain(start_response, "200 OK", b"ready\n")
    lines = (f"{city}: its database has been away for {seconds:.0f} s\n" for city, seconds in sorted(away.items()))
    return _plain(start_response, "503 Service Unavailable", "".join(lines).encode())


def host_of(environ: Environ) -> str:
    """The Host header without a port, in lower case; an IPv6 address keeps its brackets."""
    host = str(environ.get("HTTP_HOST", "")).lower()
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() and not name.endswith(":") else host


def _plain(start_response: StartResponse, status: str, body: bytes) -> list[bytes]:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]
