"""RADIUS as a NAS speaks it: requests out, verified replies in, and the answers to Disconnect and CoA requests.

The only file of the simulator that imports pyrad (2.6.0), and it distrusts it: pyrad lets an attribute overrun the
packet, takes packets above RFC 2865's 4,096 octets, reads octets that begin with "0x" as hex, raises on reading what
it decoded, and sets SO_REUSEADDR on its sockets. So framing is checked here, octets are set by their number, every
value is read once behind one WireError, and the sockets are asyncio's. A reply that does not verify never happened.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import cast

from pyrad.dictionary import Dictionary
from pyrad.packet import AcctPacket, AuthPacket, CoAPacket, Packet, PacketError

from hotspot.errors import WireError

DATAGRAM_MAX = 4096
"""RFC 2865 section 3."""

HEADER = 20
IDENTIFIERS = 256
Value = str | int | bytes
Attributes = Mapping[str, tuple[Value, ...]]
"""What a packet told, by attribute name; attributes the dictionary does not know are left out."""

Pairs = Sequence[tuple[str, Value]]
"""What a packet shall tell, in order."""


class Code(IntEnum):
    """Packet codes (RFC 2865, 2866, 5176)."""

    ACCESS_REQUEST = 1
    ACCESS_ACCEPT = 2
    ACCESS_REJECT = 3
    ACCOUNTING_REQUEST = 4
    ACCOUNTING_RESPONSE = 5
    DISCONNECT_REQUEST = 40
    DISCONNECT_ACK = 41
    DISCONNECT_NAK = 42
    COA_REQUEST = 43
    COA_ACK = 44
    COA_NAK = 45


class ErrorCause(IntEnum):
    """Error-Cause values that a NAK carries here (RFC 5176 section 3.5)."""

    MISSING_ATTRIBUTE = 402
    NAS_IDENTIFICATION_MISMATCH = 403
    SESSION_CONTEXT_NOT_FOUND = 503


_ANSWERS = {
    Code.ACCESS_REQUEST: (Code.ACCESS_ACCEPT, Code.ACCESS_REJECT),
    Code.ACCOUNTING_REQUEST: (Code.ACCOUNTING_RESPONSE,),
}


@dataclass(frozen=True, slots=True)
class Chap:
    """CHAP: the response, identifier 0 in front of it on the wire, and the challenge it answers."""

    response: bytes
    challenge: bytes


@dataclass(frozen=True, slots=True)
class Pap:
    """A password, hidden in User-Password (RFC 2865 section 5.2)."""

    password: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it went out. A retransmission is the same octets."""

    code: Code
    identifier: int
    octets: bytes
    packet: Packet = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that verified."""

    code: Code
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class DynamicRequest:
    """A Disconnect-Request or CoA-Request that verified."""

    code: Code
    identifier: int
    authenticator: bytes
    attributes: Attributes
    packet: Packet = field(repr=False)


class Codec:
    """Octets to values and back, under one shared secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._dictionary = Dictionary(str(Path(__file__).with_name("dictionary")))

    def access_request(self, identifier: int, pairs: Pairs, proof: Chap | Pap) -> Sent:
        """An Access-Request with its Message-Authenticator first (against BlastRADIUS)."""
        packet = AuthPacket(id=identifier, secret=self._secret, authenticator=os.urandom(16), dict=self._dictionary)
        packet.add_message_authenticator()
        self._fill(packet, pairs)
        if isinstance(proof, Chap):
            packet[3] = [b"\0" + proof.response]
            packet[60] = [proof.challenge]
        else:
            packet[2] = [packet.PwCrypt(proof.password)]
        return Sent(Code.ACCESS_REQUEST, identifier, packet.RequestPacket(), packet)

    def accounting_request(self, identifier: int, pairs: Pairs) -> Sent:
        """An Accounting-Request; its authenticator is computed over the packet (RFC 2866 section 3)."""
        packet = AcctPacket(id=identifier, secret=self._secret, dict=self._dictionary)
        self._fill(packet, pairs)
        return Sent(Code.ACCOUNTING_REQUEST, identifier, packet.RequestPacket(), packet)

    def reply(self, sent: Sent, octets: bytes) -> Reply:
        """The reply to `sent`; WireError unless both authenticators verify and the code answers the request."""
        octets = _framed(octets)
        try:
            packet = sent.packet.CreateReply(packet=octets)
        except (PacketError, ValueError) as error:
            raise WireError("malformed") from error
        if packet.code not in _ANSWERS[sent.code]:
            raise WireError("unexpected_code")
        if not sent.packet.VerifyReply(packet, octets, enforce_ma=True):
            raise WireError("bad_authenticator")
        return Reply(Code(packet.code), self._read(packet))

    def dynamic_request(self, octets: bytes) -> DynamicRequest:
        """A Disconnect- or CoA-Request; WireError unless its authenticator (and Message-Authenticator) verify."""
        octets = _framed(octets)
        if octets[0] not in (Code.DISCONNECT_REQUEST, Code.COA_REQUEST):
            raise WireError("unexpected_code")
        try:
            packet = CoAPacket(code=octets[0], secret=self._secret, packet=octets, dict=self._dictionary)
        except (PacketError, ValueError) as error:
            raise WireError("malformed") from error
        if not packet.VerifyCoARequest():
            raise WireError("bad_authenticator")
        if packet.message_authenticator and not packet.verify_message_authenticator():
            raise WireError("bad_message_authenticator")
        return DynamicRequest(Code(packet.code), packet.id, packet.authenticator, self._read(packet), packet)

    def dynamic_reply(self, request: DynamicRequest, refused: ErrorCause | None = None) -> bytes:
        """The ACK, or the NAK with its Error-Cause; a Message-Authenticator where the request had one."""
        packet = request.packet.CreateReply()
        if refused is not None:
            packet.code = request.code + 2
            packet.AddAttribute("Error-Cause", int(refused))
        if request.packet.message_authenticator:
            packet.add_message_authenticator()
        octets: bytes = packet.ReplyPacket()
        return octets

    def _fill(self, packet: Packet, pairs: Pairs) -> None:
        for name, value in pairs:
            if isinstance(value, bytes):  # by number: pyrad reads b"0x…" as hex
                packet.setdefault(packet._EncodeKey(name), []).append(value)
            else:
                packet.AddAttribute(name, value)

    def _read(self, packet: Packet) -> Attributes:
        found: dict[str, tuple[Value, ...]] = {}
        for name in packet.keys():  # noqa: SIM118 - pyrad's keys() gives names, iteration gives numbers
            if not isinstance(name, str):
                continue
            try:
                found[name] = tuple(packet[name])
            except Exception as error:  # pyrad lets ValueError, struct.error and its own through
                raise WireError("malformed_attribute") from error
        return found


def _framed(octets: bytes) -> bytes:
    """The packet without padding; WireError unless its length and every attribute's length add up."""
    if len(octets) < HEADER:
        raise WireError("short")
    length = struct.unpack_from("!H", octets, 2)[0]
    if not HEADER <= length <= min(len(octets), DATAGRAM_MAX):
        raise WireError("bad_length")
    at = HEADER
    while at < length:
        size = octets[at + 1] if at + 1 < length else 0
        if size < 2 or at + size > length:
            raise WireError("bad_attribute_length")
        at += size
    return octets[:length]


def first_text(attributes: Attributes, name: str) -> str | None:
    """The first value of a text attribute; None where it is absent or not UTF-8."""
    value = attributes.get(name, (None,))[0]
    return value if isinstance(value, str) else None


def first_number(attributes: Attributes, name: str) -> int | None:
    """The first value of an integer attribute, or None."""
    value = attributes.get(name, (None,))[0]
    return value if isinstance(value, int) else None


class RadiusClient(asyncio.DatagramProtocol):
    """Asks one RADIUS server port from one source address. At most 256 requests are in flight: the identifiers."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._waiting: dict[int, tuple[Sent, asyncio.Future[Reply]]] = {}
        self._free = asyncio.Semaphore(IDENTIFIERS)
        self._next = itertools.cycle(range(IDENTIFIERS))
        self._transport: asyncio.DatagramTransport | None = None
        self.ignored: dict[str, int] = {}
        """Datagrams that did not count as a reply, by reason."""

    @classmethod
    async def connect(cls, codec: Codec, server: tuple[str, int], source: str) -> RadiusClient:
        """A client bound to `source` (the NAS's address: by it the server knows us), talking to `server` only."""
        loop = asyncio.get_running_loop()
        _, client = await loop.create_datagram_endpoint(lambda: cls(codec), local_addr=(source, 0), remote_addr=server)
        return client

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        for _, future in self._waiting.values():
            future.cancel()

    async def access(self, pairs: Pairs, proof: Chap | Pap, waits: Sequence[float]) -> Reply:
        """Ask for access; `waits` are the seconds given to each transmission. TimeoutError where none was answered."""
        async with self._free:
            sent = self._codec.access_request(self._identifier(), pairs, proof)
            return await self._exchange(sent, waits)

    async def account(self, pairs: Pairs, waits: Sequence[float]) -> Reply:
        """Deliver an accounting record; TimeoutError where nobody acknowledged it."""
        async with self._free:
            sent = self._codec.accounting_request(self._identifier(), pairs)
            return await self._exchange(sent, waits)

    def _identifier(self) -> int:
        """The next free one, going round so that a late reply rarely meets a new request."""
        return next(number for number in self._next if number not in self._waiting)

    async def _exchange(self, sent: Sent, waits: Sequence[float]) -> Reply:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[sent.identifier] = (sent, future)
        try:
            for wait in waits:
                if self._transport is None or self._transport.is_closing():
                    break
                self._transport.sendto(sent.octets)
                done, _ = await asyncio.wait((future,), timeout=wait)
                if done:
                    return future.result()
            raise TimeoutError("no RADIUS reply")
        finally:
            del self._waiting[sent.identifier]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # 3.11 does not derive it from that

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        sent, future = self._waiting.get(data[1] if len(data) > 1 else -1, (None, None))
        try:
            if sent is None or future is None or future.done():
                raise WireError("unasked")
            future.set_result(self._codec.reply(sent, data))
        except WireError as error:
            self.ignored[error.reason] = self.ignored.get(error.reason, 0) + 1

    def error_received(self, exc: Exception) -> None:
        """ICMP port unreachable: the server is away. The retransmission goes on; it may come back."""
