"""Bytes to values and back. The only file that knows RADIUS's octets, and the only one that imports pyrad.

Requests and replies go through a small codec of our own, because pyrad 2.6.0 decodes an attribute that overruns its
packet, accepts more than 4,096 octets, and spends 98 µs where this spends about 10. pyrad encodes what is rare (the
Disconnect-Request) and is the tests' second opinion. Never trusts a length, never decides.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from pyrad.dictionary import Dictionary
from pyrad.packet import CoAPacket, PacketError

from hotspot.errors import WireError

PACKET_BYTES_MAX = 4_096
"""RFC 2865 section 3."""

HEADER_BYTES = 20
ATTRIBUTES_MAX = 200
"""FreeRADIUS's own bound; no NAS comes near it."""

PROXY_STATES_MAX = 10
"""Proxy-State attributes that a reply copies; a request with more is refused."""

_ZEROS = bytes(16)
_PROXY_STATE = 33
_MESSAGE_AUTHENTICATOR = 80


class Code(IntEnum):
    """RFC 2865, 2866, 5176, 5997."""

    ACCESS_REQUEST = 1
    ACCESS_ACCEPT = 2
    ACCESS_REJECT = 3
    ACCOUNTING_REQUEST = 4
    ACCOUNTING_RESPONSE = 5
    ACCESS_CHALLENGE = 11
    STATUS_SERVER = 12
    DISCONNECT_REQUEST = 40
    DISCONNECT_ACK = 41
    DISCONNECT_NAK = 42


class Attr(IntEnum):
    """Attribute types (RFC 2865, 2866, 2869)."""

    USER_NAME = 1
    USER_PASSWORD = 2
    CHAP_PASSWORD = 3
    NAS_IP_ADDRESS = 4
    SERVICE_TYPE = 6
    FRAMED_IP_ADDRESS = 8
    REPLY_MESSAGE = 18
    CLASS = 25
    VENDOR_SPECIFIC = 26
    SESSION_TIMEOUT = 27
    IDLE_TIMEOUT = 28
    CALLED_STATION_ID = 30
    CALLING_STATION_ID = 31
    NAS_IDENTIFIER = 32
    PROXY_STATE = 33
    ACCT_STATUS_TYPE = 40
    ACCT_DELAY_TIME = 41
    ACCT_INPUT_OCTETS = 42
    ACCT_OUTPUT_OCTETS = 43
    ACCT_SESSION_ID = 44
    ACCT_SESSION_TIME = 46
    ACCT_TERMINATE_CAUSE = 49
    ACCT_INPUT_GIGAWORDS = 52
    ACCT_OUTPUT_GIGAWORDS = 53
    EVENT_TIMESTAMP = 55
    CHAP_CHALLENGE = 60
    EAP_MESSAGE = 79
    MESSAGE_AUTHENTICATOR = 80
    ACCT_INTERIM_INTERVAL = 85
    CHARGEABLE_USER_IDENTITY = 89


class StatusType(IntEnum):
    """Acct-Status-Type (RFC 2866 section 5.1)."""

    START = 1
    STOP = 2
    INTERIM = 3
    ON = 7
    OFF = 8


TERMINATE_CAUSES = {
    1: "User-Request",
    2: "Lost-Carrier",
    3: "Lost-Service",
    4: "Idle-Timeout",
    5: "Session-Timeout",
    6: "Admin-Reset",
    7: "Admin-Reboot",
    8: "Port-Error",
    9: "NAS-Error",
    10: "NAS-Request",
    11: "NAS-Reboot",
    12: "Port-Unneeded",
    13: "Port-Preempted",
    14: "Port-Suspended",
    15: "Service-Unavailable",
    16: "Callback",
    17: "User-Error",
    18: "Host-Request",
}
"""Acct-Terminate-Cause (RFC 2866 section 5.10)."""

Attribute = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Packet:
    """A request whose framing is sound. Reading an attribute checks its form; nothing else is believed yet.

    `first` holds the first attribute of each type: what is read a dozen times a packet is looked up, not searched.
    `signature_at` is where the Message-Authenticator's value begins, 0 where there is none, -1 where it is malformed.
    """

    code: int
    identifier: int
    authenticator: bytes
    attributes: tuple[Attribute, ...]
    raw: bytes
    first: dict[int, bytes]
    signature_at: int

    def octets(self, kind: int) -> bytes | None:
        """The first attribute of that type."""
        return self.first.get(kind)

    def text(self, kind: int) -> str | None:
        """UTF-8 text; WireError where it is not (RFC 2865 section 5)."""
        value = self.first.get(kind)
        try:
            return None if value is None else value.decode()
        except UnicodeDecodeError:
            raise WireError("bad_attribute") from None

    def integer(self, kind: int) -> int | None:
        """32 bits, unsigned; WireError for any other length."""
        value = self.first.get(kind)
        if value is None:
            return None
        if len(value) != 4:
            raise WireError("bad_attribute")
        return int.from_bytes(value, "big")

    def address(self, kind: int) -> str | None:
        """An IPv4 address in dots; WireError for any other length."""
        value = self.first.get(kind)
        if value is None:
            return None
        if len(value) != 4:
            raise WireError("bad_attribute")
        return ".".join(map(str, value))


def parse(datagram: bytes) -> Packet:
    """Check the framing and take the attributes apart. WireError names what is wrong (RFC 2865 section 3).

    Octets beyond the Length field are padding and ignored; fewer than it claims is an error.
    """
    size = len(datagram)
    if size < HEADER_BYTES:
        raise WireError("too_short")
    length = datagram[2] << 8 | datagram[3]
    if not HEADER_BYTES <= length <= PACKET_BYTES_MAX or length > size:
        raise WireError("bad_length")
    raw = datagram if length == size else datagram[:length]
    attributes, first, signature_at = _attributes(raw)
    return Packet(raw[0], raw[1], raw[4:20], attributes, raw, first, signature_at)


def _attributes(raw: bytes) -> tuple[tuple[Attribute, ...], dict[int, bytes], int]:
    """All attributes in order, the first of each type, and where the Message-Authenticator's value stands."""
    found: list[Attribute] = []
    first: dict[int, bytes] = {}
    signature_at = proxy_states = 0
    at, end = HEADER_BYTES, len(raw)
    while at < end:
        size = raw[at + 1] if at + 1 < end else 0
        following = at + size
        if size < 2 or following > end:
            raise WireError("attribute_overrun")
        kind, value = raw[at], raw[at + 2 : following]
        found.append((kind, value))
        if kind not in first:
            first[kind] = value
        if kind == _MESSAGE_AUTHENTICATOR:  # two are wrong, and so is another length
            signature_at = at + 2 if not signature_at and size == 18 else -1
        elif kind == _PROXY_STATE:
            proxy_states += 1
        at = following
    if len(found) > ATTRIBUTES_MAX:
        raise WireError("too_many_attributes")
    if proxy_states > PROXY_STATES_MAX:
        raise WireError("too_many_proxy_states")
    return tuple(found), first, signature_at


# Authentication of packets ---------------------------------------------------------------------------


def message_authenticator_ok(packet: Packet, secret: bytes) -> bool | None:
    """RFC 3579 section 3.2, compared in constant time; None where the packet carries none. Two are wrong."""
    at = packet.signature_at
    if at <= 0:
        return None if at == 0 else False
    signs_request = packet.code in (Code.ACCESS_REQUEST, Code.STATUS_SERVER)
    authenticator = packet.authenticator if signs_request else _ZEROS
    raw = packet.raw
    signed = b"".join((raw[:4], authenticator, raw[20:at], _ZEROS, raw[at + 16 :]))
    return hmac.compare_digest(hmac.digest(secret, signed, "md5"), raw[at : at + 16])


def accounting_authenticator_ok(packet: Packet, secret: bytes) -> bool:
    """Request Authenticator of an Accounting-Request (RFC 2866 section 3)."""
    digest = _md5(packet.raw[:4] + _ZEROS + packet.raw[20:] + secret)
    return hmac.compare_digest(digest, packet.authenticator)


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def decrypt_password(hidden: bytes, secret: bytes, authenticator: bytes) -> bytes:
    """User-Password in the clear (RFC 2865 section 5.2), its padding removed. WireError for a wrong length."""
    if not hidden or len(hidden) % 16 or len(hidden) > 128:
        raise WireError("bad_attribute")
    plain, previous = b"", authenticator
    for at in range(0, len(hidden), 16):
        block = hidden[at : at + 16]
        mask = _md5(secret + previous)
        plain += (int.from_bytes(block, "big") ^ int.from_bytes(mask, "big")).to_bytes(16, "big")
        previous = block
    return plain.rstrip(b"\0")


_SIGNED_REPLIES = frozenset({Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE})
_UNSIGNED = bytes((_MESSAGE_AUTHENTICATOR, 18)) + _ZEROS

# Replies --------------------------------------------------------------------------------------------


def integer(kind: Attr, value: int) -> Attribute:
    """A 32-bit attribute; a value beyond 32 bits is capped, which every one of ours may be."""
    return kind, min(value, 0xFFFFFFFF).to_bytes(4, "big")


def vendor_integer(vendor: int, kind: int, value: int) -> Attribute:
    """A Vendor-Specific attribute with one 32-bit value (RFC 2865 section 5.26)."""
    inner = bytes((kind, 6)) + min(value, 0xFFFFFFFF).to_bytes(4, "big")
    return Attr.VENDOR_SPECIFIC, vendor.to_bytes(4, "big") + inner


def encode_reply(request: Packet, code: Code, attributes: Sequence[Attribute], secret: bytes) -> bytes:
    """A reply with Proxy-States copied in order; access replies begin with a Message-Authenticator.

    First, so that a forger cannot put a collision in front of it (BlastRADIUS, CVE-2024-3596).
    """
    return seal_reply(request, code, encode_attributes(attributes), secret)


def encode_attributes(attributes: Sequence[Attribute]) -> bytes:
    """Attributes as they stand in a packet (RFC 2865 section 5)."""
    return b"".join([bytes((kind, len(value) + 2)) + value for kind, value in attributes])


def seal_reply(request: Packet, code: Code, body: bytes, secret: bytes) -> bytes:
    """`encode_reply` for attributes that are encoded already."""
    if _PROXY_STATE in request.first:
        body += b"".join([bytes((k, len(v) + 2)) + v for k, v in request.attributes if k == _PROXY_STATE])
    signed = code in _SIGNED_REPLIES or request.code == Code.STATUS_SERVER
    length = HEADER_BYTES + len(body) + (18 if signed else 0)
    head = bytes((code, request.identifier, length >> 8, length & 0xFF))
    if signed:
        mac = hmac.digest(secret, b"".join((head, request.authenticator, _UNSIGNED, body)), "md5")
        body = b"".join((_UNSIGNED[:2], mac, body))
    return b"".join((head, _md5(b"".join((head, request.authenticator, body, secret))), body))


# Dynamic authorization ------------------------------------------------------------------------------

_DICTIONARY = Dictionary(str(Path(__file__).parent / "dictionary" / "kogge"))


@dataclass(frozen=True, slots=True)
class Answered:
    """What a NAS said to a Disconnect-Request. `error_cause`: RFC 5176 section 3.5, None where it gave none."""

    acknowledged: bool
    error_cause: int | None


def encode_disconnect(identifier: int, secret: bytes, attributes: dict[str, str | int]) -> bytes:
    """A Disconnect-Request (RFC 5176 section 2.1). Its authenticator is a hash, so equal requests are equal bytes."""
    packet = CoAPacket(code=Code.DISCONNECT_REQUEST, id=identifier, secret=secret, dict=_DICTIONARY)
    for name, value in attributes.items():
        packet[name] = value
    return bytes(packet.RequestPacket())


def decode_disconnect_reply(datagram: bytes, request: bytes, secret: bytes) -> Answered:
    """Verify and read the answer to `request`. WireError where it is not one."""
    packet = parse(datagram)
    if packet.code not in (Code.DISCONNECT_ACK, Code.DISCONNECT_NAK) or packet.identifier != request[1]:
        raise WireError("not_an_answer")
    digest = _md5(packet.raw[:4] + request[4:20] + packet.raw[20:] + secret)
    if not hmac.compare_digest(digest, packet.authenticator):
        raise WireError("bad_authenticator")
    try:
        answer = CoAPacket(secret=secret, dict=_DICTIONARY, packet=packet.raw)
        causes = answer["Error-Cause"] if "Error-Cause" in answer else []  # noqa: SIM401 (pyrad's get() is raw)
    except (PacketError, ValueError):
        raise WireError("bad_attribute") from None
    return Answered(packet.code == Code.DISCONNECT_ACK, int(causes[0]) if causes else None)
