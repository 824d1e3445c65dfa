"""The city's redirect listener: whatever host and path were asked for, the answer leads to the portal.

For gateways that can only turn a stranger's port 80 to an address. It says 302 and `no-store` and nothing else: no
vendor's success text, so that every device notices the portal (docs/nas/README.md). One thread and its event loop serve
all cities of the process; what is asked for is never looked at, and a connection is read and answered once.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from prometheus_client import Counter

log = logging.getLogger(__name__)

REQUEST_MAX = 8_192
"""Octets of a request's head; what comes behind it is not read."""

REQUEST_SECONDS = 5.0
"""How long a connection may last."""

CONNECTIONS_MAX = 256
"""Connections of a city at once; further ones are closed unanswered."""

BACKLOG = 128

REDIRECTED, MALFORMED, SLOW, FULL = "redirected", "malformed", "slow", "full"
RESULTS = (REDIRECTED, MALFORMED, SLOW, FULL)


@dataclass(frozen=True, slots=True)
class Redirection:
    """One city's listener: where it listens (`address:port`), and where it sends everybody."""

    listen: str
    location: str
    counter: Counter


def bind(redirection: Redirection) -> socket.socket:
    """The listening socket. OSError where the address cannot be had.

    SO_REUSEPORT: a second portal process, and the next worker at a reload, listen beside this one (socket(7)).
    """
    host, _, port = redirection.listen.rpartition(":")
    host = host.strip("[]")
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, int(port)))
        bound.listen(BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def serve(redirections: Sequence[Redirection]) -> None:
    """Listen for each, in a thread that ends with the process. One that cannot be had is named; the others stand."""
    bound: list[tuple[Redirection, socket.socket]] = []
    for each in redirections:
        try:
            bound.append((each, bind(each)))
        except OSError as error:
            log.error("portal.redirect_listen %s: %s", each.listen, error.strerror or error)
    if bound:
        threading.Thread(target=asyncio.run, args=(_serve(bound),), name="redirects", daemon=True).start()


async def _serve(bound: Sequence[tuple[Redirection, socket.socket]]) -> None:
    listeners = [Listener(each) for each, _ in bound]
    servers = [
        await asyncio.start_server(listener.handle, sock=each, limit=REQUEST_MAX)
        for listener, (_, each) in zip(listeners, bound, strict=True)
    ]
    await asyncio.gather(*(server.serve_forever() for server in servers))


class Listener:
    """Answers one city's connections."""

    def __init__(self, redirection: Redirection) -> None:
        self._counter = redirection.counter
        self._answer = answer(redirection.location)
        self._open = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request's head and answer it."""
        self._open += 1
        try:
            result = FULL if self._open > CONNECTIONS_MAX else await self._redirect(reader, writer)
        except TimeoutError:
            result = SLOW
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            result = MALFORMED
        finally:
            self._open -= 1
            writer.close()
        self._counter.labels(result).inc()

    async def _redirect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        async with asyncio.timeout(REQUEST_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
            if not _is_request(head):
                return MALFORMED
            writer.write(self._answer.partition(b"<")[0] if head.startswith(b"HEAD ") else self._answer)
            await writer.drain()
        return REDIRECTED


def _is_request(head: bytes) -> bool:
    """Whether the first line is one of HTTP/1 (RFC 9112 section 3)."""
    words = head.partition(b"\r\n")[0].split(b" ")
    return len(words) == 3 and words[0].isalpha() and words[2].startswith(b"HTTP/1.")


def answer(location: str) -> bytes:
    """The one answer that there is."""
    body = f'<!doctype html><title>Wi-Fi</title><a href="{escape(location)}">{escape(location)}</a>\n'.encode()
    head = (
        "HTTP/1.1 302 Found",
        f"Location: {location}",
        "Cache-Control: no-store",
        "Content-Type: text/html; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "\r\n".join((*head, "", "")).encode("ascii") + body
