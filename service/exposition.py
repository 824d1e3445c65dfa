"""The metrics listener of a process: `/cities/<key>/metrics`, each behind that city's own token, and beside it
`/cities/<key>/targets`, which tells Prometheus where all of the city's pages stand.

The city is taken from the path, the right to read it from the token; a wrong token and an unknown city look alike.
"""

from __future__ import annotations

import hmac
import logging
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any

from prometheus_client import CollectorRegistry

from hotspot.errors import ConfigError
from service import page as pages
from service import targets as scrape_targets
from service.cities import City
from service.negotiation import accepts_gzip

log = logging.getLogger(__name__)

REQUEST_TIMEOUT_S = 10

PAGE_SECONDS_MAX = 60.0
"""Whoever reads a page more slowly is cut off: it would keep what the page was begun with."""

GZIP_LEVEL = 1
"""A tenth of the size for the least time."""

PAGES = ("metrics", "targets")

NOWHERE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Target:
    """One city's registry and the token that opens it."""

    registry: CollectorRegistry
    token: str


Healthy = Callable[[], bool]


class MetricsListener:
    """Serves on its own threads until `close`, on a socket that is bound already."""

    def __init__(
        self,
        bound: socket.socket,
        targets: Mapping[str, Target],
        healthy: Healthy = lambda: True,
        listens: Mapping[str, str] = NOWHERE,
    ) -> None:
        """`listens`: the metrics listeners by service, this one and its sisters, as `/targets` tells them."""
        parts = {"targets": dict(targets), "healthy": staticmethod(healthy), "listens": dict(listens)}
        handler = type("Handler", (_Handler,), parts)
        self._server = _Server(bound, handler)
        self.port = int(bound.getsockname()[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, bound: socket.socket, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(bound.getsockname()[:2], handler, bind_and_activate=False)
        self.socket.close()
        self.socket = bound
        self.server_activate()


def bind(listen: str) -> socket.socket:
    """The socket for a listener; processes that are forked later share it. ConfigError where the port is taken."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        return socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ConfigError(f"metrics_listen {listen}: cannot listen there ({error.strerror})") from None


def serve_on(
    bound: socket.socket,
    cities: Iterable[City],
    healthy: Healthy = lambda: True,
    listens: Mapping[str, str] = NOWHERE,
) -> MetricsListener:
    """Start the listener of a process that carries these cities."""
    targets: dict[str, Target] = {city.key: Target(city.registry, city.store.keys.metrics_token) for city in cities}
    return MetricsListener(bound, targets, healthy, listens)


def serve(
    listen: str, cities: Iterable[City], healthy: Healthy = lambda: True, listens: Mapping[str, str] = NOWHERE
) -> MetricsListener:
    """The same, binding first. ConfigError where the port is taken."""
    return serve_on(bind(listen), cities, healthy, listens)


class _Handler(BaseHTTPRequestHandler):
    targets: Mapping[str, Target]
    healthy: Healthy
    listens: Mapping[str, str]
    timeout = REQUEST_TIMEOUT_S
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "kogge", ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/healthz":
            self._reply(200 if self.healthy() else 503, b"ok\n" if self.healthy() else b"not healthy\n")
            return
        key, _, page = path.removeprefix("/cities/").partition("/")
        target = self._authorised(key) if path == f"/cities/{key}/{page}" and page in PAGES else None
        if target is None:
            self._reply(401, b"wrong or missing token\n", ("WWW-Authenticate", "Bearer"))
            return
        if page == "targets":
            found = scrape_targets.document(key, self.listens, self.connection.getsockname()[0])
            self._reply(200, found, ("Content-Type", "application/json"))
            return
        self._page(target.registry)

    def _authorised(self, key: str) -> Target | None:
        target = self.targets.get(key)
        offered = self.headers.get("Authorization", "").removeprefix("Bearer ").encode("latin-1", "replace")
        wanted = (target.token if target else "none").encode()
        return target if hmac.compare_digest(offered, wanted) else None

    def _page(self, registry: CollectorRegistry) -> None:
        """Written while it is made, in chunks (RFC 9112 section 7.1) or, to HTTP/1.0, until the connection ends."""
        chosen = pages.choose(self.headers.get("Accept", ""))
        body: Iterator[bytes] = (piece.encode() for piece in pages.pieces(registry, chosen))
        headers = [("Content-Type", chosen.content_type), ("Vary", "Accept, Accept-Encoding")]
        if accepts_gzip(self.headers.get("Accept-Encoding", "")):
            body = _packed(body)
            headers.append(("Content-Encoding", "gzip"))
        chunked = self.request_version != "HTTP/1.0"
        if chunked:
            body = _chunks(body)
            headers.append(("Transfer-Encoding", "chunked"))
        self._head(200, headers)
        until = time.monotonic() + PAGE_SECONDS_MAX
        for octets in body:
            if time.monotonic() > until:
                log.warning("%s: a page took its reader more than %d s: cut off", self.path, PAGE_SECONDS_MAX)
                break
            self.wfile.write(octets)

    def _reply(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self._head(status, [*headers, ("Content-Length", str(len(body)))])
        self.wfile.write(body)

    def _head(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Connection", "close")):
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)


def _packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """As one gzip member; the compressor works without Python's lock."""
    packer = zlib.compressobj(GZIP_LEVEL, wbits=zlib.MAX_WBITS | 16)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """An empty piece would end the body, and is left out."""
    for piece in pieces:
        if piece:
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"
