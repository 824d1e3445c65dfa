"""The NAS's ear for Disconnect-Requests and CoA-Requests (RFC 5176): a socket, verification, a duplicate cache.

It never says a word to a packet that does not verify, and answers a retransmission with the same octets.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import cast

from hotspot.errors import WireError
from simulator.radius_client import Codec, DynamicRequest, ErrorCause, first_number

REMEMBERED_MAX = 128
"""Replies kept for retransmitted requests."""

CLOCK_SECONDS = 300
"""An Event-Timestamp further away than this is a replay (RFC 5176 section 6.3)."""

Verdict = ErrorCause | bool
"""True: ACK. An Error-Cause: NAK with it. False: silence."""

Judge = Callable[[DynamicRequest], Verdict]


class DynamicListener(asyncio.DatagramProtocol):
    """Answers what verifies; what to do about it is the judge's."""

    def __init__(self, codec: Codec, judge: Judge, wall: Callable[[], float] = time.time) -> None:
        self._codec, self._judge, self._wall = codec, judge, wall
        self._answered: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._transport: asyncio.DatagramTransport | None = None
        self.ignored: dict[str, int] = {}
        """Datagrams met with silence, by reason."""

    @classmethod
    async def listen(cls, codec: Codec, judge: Judge, address: str, port: int) -> DynamicListener:
        """Bind; OSError where that does not work."""
        loop = asyncio.get_running_loop()
        _, listener = await loop.create_datagram_endpoint(lambda: cls(codec, judge), local_addr=(address, port))
        return listener

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # 3.11 does not derive it from that

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            octets = self._answer(data, addr)
        except WireError as error:
            self.ignored[error.reason] = self.ignored.get(error.reason, 0) + 1
            return
        assert self._transport is not None
        self._transport.sendto(octets, addr)

    def _answer(self, data: bytes, addr: tuple[str, int]) -> bytes:
        request = self._codec.dynamic_request(data)
        sent_at = first_number(request.attributes, "Event-Timestamp")
        if sent_at is not None and abs(self._wall() - sent_at) > CLOCK_SECONDS:
            raise WireError("old_timestamp")
        key = (addr, request.code, request.identifier, request.authenticator)
        if key in self._answered:
            return self._answered[key]
        verdict = self._judge(request)
        if verdict is False:
            raise WireError("not_for_us")
        octets = self._codec.dynamic_reply(request, verdict if isinstance(verdict, ErrorCause) else None)
        self._answered[key] = octets
        if len(self._answered) > REMEMBERED_MAX:
            self._answered.popitem(last=False)
        return octets
