"""A closed loop of browsers over keep-alive connections: each does a dialogue of requests, and then the next one.

Python threads would compete for the interpreter; this is one thread and a selector. A dialogue counts only when every
answer in it came whole and was the one that was wanted.
"""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

BROWSERS = 64
RESPONSE_MAX = 262_144
WARM_SHARE = 0.15
"""Of the time, before anything is counted: caches fill and threads start."""

_LENGTH = re.compile(rb"^content-length: *(\d+)\r?$", re.IGNORECASE | re.MULTILINE)
_CLOSES = re.compile(rb"^connection: *close\r?$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. `head` has status line and headers."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        found = re.search(rb"^%s: *(.*?)\r?$" % name.encode(), self.head, re.IGNORECASE | re.MULTILINE)
        return found[1].decode("latin-1") if found else ""


Dialogue = Generator[bytes, Response, bool]
"""Yields requests, is sent the answers, and returns whether all was well."""

Visit = Callable[[int], Dialogue]
"""What the n-th visitor does."""


class Wrong(Exception):
    """An answer that is not what was wanted: then no figure is worth printing."""


@dataclass
class Tally:
    """Dialogues that ended well while it counted, and how long each took (seconds)."""

    waits: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.waits) / self.seconds if self.seconds else 0.0

    @property
    def p99_ms(self) -> float:
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))] * 1_000 if ordered else 0.0


class _Browser:
    """One connection and its dialogue."""

    def __init__(self, port: int, dialogue: Dialogue) -> None:
        self._port = port
        self.socket = self._connect()
        self.begin(dialogue)

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def begin(self, dialogue: Dialogue) -> None:
        self.dialogue, self.began_at = dialogue, time.perf_counter()
        self._send(next(dialogue))

    def _send(self, request: bytes) -> None:
        self.socket.sendall(request)

    def close(self) -> None:
        self.socket.close()

    def take(self) -> bool | None:
        """Read one answer and send what follows it; how the dialogue ended, None while it goes on."""
        response = _read(self.socket)
        if _CLOSES.search(response.head):
            self.socket.close()
            self.socket = self._connect()
        try:
            self._send(self.dialogue.send(response))
        except StopIteration as ended:
            return bool(ended.value)
        return None


def run(port: int, visit: Visit, seconds: float, *, browsers: int = BROWSERS) -> Tally:
    """So many browsers at once for so long. Wrong where a dialogue did not end well."""
    tally, number = Tally(), 0
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
        for _ in range(browsers):
            browser = _Browser(port, visit(number))
            number += 1
            selector.register(browser.socket, selectors.EVENT_READ, browser)
            stack.callback(browser.close)
        begun = time.perf_counter()
        counted_from, end = begun + WARM_SHARE * seconds, begun + (1 + WARM_SHARE) * seconds
        while (now := time.perf_counter()) < end:
            for key, _ in selector.select(1.0):
                browser = key.data
                ended = browser.take()
                if browser.socket is not key.fileobj:
                    selector.unregister(key.fileobj)
                    selector.register(browser.socket, selectors.EVENT_READ, browser)
                if ended is None:
                    continue
                if not ended:
                    raise Wrong(f"visitor {number} was not answered as wanted")
                if now > counted_from:
                    tally.waits.append(time.perf_counter() - browser.began_at)
                browser.begin(visit(number))
                number += 1
        tally.seconds = time.perf_counter() - counted_from
    return tally


def _read(connection: socket.socket) -> Response:
    data = connection.recv(RESPONSE_MAX)
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    found = _LENGTH.search(head)
    length = int(found[1]) if found else 0
    while len(body) < length:
        body += _more(connection)
    return Response(int(head.split(b" ", 2)[1]), head, body)


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(RESPONSE_MAX)
    if not data:
        raise Wrong("the server closed the connection in the middle of an answer")
    return data


def get(host: str, path: str, *headers: str) -> bytes:
    """A GET request's octets."""
    lines = (f"GET {path} HTTP/1.1", f"Host: {host}", "Accept-Language: de", *headers)
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def post(host: str, path: str, body: str, *headers: str) -> bytes:
    """A form's."""
    kind = "Content-Type: application/x-www-form-urlencoded"
    lines = (f"POST {path} HTTP/1.1", f"Host: {host}", kind, f"Content-Length: {len(body)}", *headers)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body.encode()
