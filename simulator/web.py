"""The small strict HTTP server of a NAS: GET only, one request a connection, every size and time bounded.

It never interprets what it serves: a handler turns a request into an answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from hotspot.errors import WireError

REQUEST_MAX = 16_384
"""Octets of request line and headers."""

REQUEST_SECONDS = 10.0
CONNECTIONS_MAX = 256
PARAMETERS_MAX = 20

log = logging.getLogger("simulator.web")


@dataclass(frozen=True, slots=True)
class Request:
    """A parsed GET. Of a parameter given twice the first counts."""

    path: str
    parameters: Mapping[str, str]
    cookies: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. `location` makes it a 302."""

    status: int
    body: str = ""
    location: str | None = None
    cookie: str | None = None


Handler = Callable[[Request], Awaitable[Answer]]
_PHRASES = {
    200: "OK",
    302: "Found",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}


def parse(head: bytes) -> Request:
    """Request line and headers; WireError for anything that is not a plain GET."""
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise WireError("malformed")
    if parts[0] != "GET":
        raise WireError("not_get")
    try:
        target = urlsplit(parts[1])
        pairs = parse_qsl(target.query, keep_blank_values=True, max_num_fields=PARAMETERS_MAX)
    except ValueError as error:
        raise WireError("malformed") from error
    cookies: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if line and not colon:
            raise WireError("malformed")
        if name.lower() == "cookie":
            cookies |= _cookies(value)
    return Request(target.path or "/", dict(reversed(pairs)), cookies)


def _cookies(header: str) -> dict[str, str]:
    pairs = (each.partition("=") for each in header.split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def render(answer: Answer) -> bytes:
    """The answer's octets. Nothing a NAS says may be kept by a browser."""
    body = answer.body.encode()
    headers = [
        f"HTTP/1.1 {answer.status} {_PHRASES[answer.status]}",
        "Content-Type: text/html; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Connection: close",
    ]
    if answer.location is not None:
        headers.append(f"Location: {answer.location}")
    if answer.cookie is not None:
        headers.append(f"Set-Cookie: {answer.cookie}; Path=/; HttpOnly; SameSite=Lax")
    assert not any("\r" in line or "\n" in line for line in headers)
    return "\r\n".join(headers).encode("latin-1") + b"\r\n\r\n" + body


class WebServer:
    """Listens on one address and hands each request to the handler."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, address: str, port: int) -> None:
        """Bind; OSError where that does not work."""
        self._server = await asyncio.start_server(self._connected, address, port, limit=REQUEST_MAX)

    async def stop(self) -> None:
        """Close the listener and let go of what is under way."""
        if self._server is None:
            return
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(render(await self._answer(reader)))
            await asyncio.wait_for(writer.drain(), REQUEST_SECONDS)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            log.debug("a client went away")
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> Answer:
        if len(self._tasks) > CONNECTIONS_MAX:
            return Answer(503)
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), REQUEST_SECONDS)
            return await self._handler(parse(head[:-4]))
        except asyncio.LimitOverrunError:
            return Answer(400)
        except WireError as error:
            return Answer(405 if error.reason == "not_get" else 400)
