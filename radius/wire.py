"""Bytes to values and back. The only file that knows RADIUS's octets, and the only one that imports pyrad.

Requests and replies go through a small codec of our own, because pyrad 2.6.0 decodes an attribute that overruns its
packet, accepts more than 4,096 octets, and spends 98 µs where this spends about 9. pyrad encodes what is rare (the
Disconnect-Request) and is the tests' second opinion. Never trusts a length, never decides.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network
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

SECRETS_MAX = 4_096
"""Secrets whose half-done HMAC is kept at once; one that was forgotten costs a microsecond more."""

_ZEROS = bytes(16)
_STATUS_SERVER = 12
_SIGNED_AS_SENT = frozenset({1, _STATUS_SERVER})
"""Access-Request and Status-Server: their Message-Authenticator signs the authenticator that they carry."""

_SIGNED_REPLIES = frozenset({2, 3, 11})
"""Access-Accept, -Reject and -Challenge."""

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
    """Attribute types (RFC 2865, 2866, 2868, 2869, 3162, 4372, 4818, 5176, 6911)."""

    USER_NAME = 1
    USER_PASSWORD = 2
    CHAP_PASSWORD = 3
    NAS_IP_ADDRESS = 4
    SERVICE_TYPE = 6
    FRAMED_IP_ADDRESS = 8
    REPLY_MESSAGE = 18
    STATE = 24
    CLASS = 25
    VENDOR_SPECIFIC = 26
    SESSION_TIMEOUT = 27
    IDLE_TIMEOUT = 28
    TERMINATION_ACTION = 29
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
    TUNNEL_TYPE = 64
    TUNNEL_MEDIUM_TYPE = 65
    EAP_MESSAGE = 79
    MESSAGE_AUTHENTICATOR = 80
    TUNNEL_PRIVATE_GROUP_ID = 81
    ACCT_INTERIM_INTERVAL = 85
    CHARGEABLE_USER_IDENTITY = 89
    NAS_IPV6_ADDRESS = 95
    FRAMED_IPV6_PREFIX = 97
    ERROR_CAUSE = 101
    DELEGATED_IPV6_PREFIX = 123
    FRAMED_IPV6_ADDRESS = 168


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


@dataclass(slots=True)
class Packet:
    """A request whose framing is sound. Reading an attribute checks its form; nothing else is believed yet.

    `first` holds the first attribute of each type: what is read a dozen times a packet is looked up, not searched.
    `signature_at` is where the Message-Authenticator's value begins, 0 where there is none, -1 where it is malformed.
    Nobody changes one; a frozen dataclass takes 0.7 µs longer to make, and every packet is made.
    """

    code: int
    identifier: int
    authenticator: bytes
    raw: bytes
    first: dict[int, bytes]
    signature_at: int

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """All of them in their order, taken apart once more: `parse` has checked their lengths."""
        found: list[Attribute] = []
        at, raw = HEADER_BYTES, self.raw
        while at < len(raw):
            following = at + raw[at + 1]
            found.append((raw[at], raw[at + 2 : following]))
            at = following
        return tuple(found)

    def every(self, kind: int) -> list[bytes]:
        """The values of all attributes of that type, in their order."""
        return [value for each, value in self.attributes if each == kind] if kind in self.first else []

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


def ipv6_address(value: bytes) -> str:
    """The canonical text of an IPv6 address (RFC 3162 section 2.1); WireError for any other length."""
    if len(value) != 16:
        raise WireError("bad_attribute")
    return str(IPv6Address(value))


def ipv6_prefix(value: bytes) -> str:
    """The canonical text of an IPv6 prefix (RFC 3162 section 2.3). WireError for a length that cannot be.

    Octets that are left out are 0, as the RFC allows; bits beyond the prefix, which it forbids, are taken as 0.
    """
    if not 2 <= len(value) <= 18 or value[1] > 128:
        raise WireError("bad_attribute")
    return str(IPv6Network((value[2:].ljust(16, b"\0"), value[1]), strict=False))


def asks_identity(packet: Packet) -> bool:
    """Whether an Accept must carry a Chargeable-User-Identity: the request has one, "nul or otherwise".

    A NAS asks with a single NUL octet, and on authenticating anew with the one it got (RFC 4372 section 2.2).
    """
    return Attr.CHARGEABLE_USER_IDENTITY in packet.first


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
    first: dict[int, bytes] = {}
    signature_at = _take_apart(raw, first)
    return Packet(raw[0], raw[1], raw[4:20], raw, first, signature_at)


def _take_apart(raw: bytes, first: dict[int, bytes]) -> int:
    """Fill in the first attribute of each type; the answer is where the Message-Authenticator's value stands."""
    again: list[int] = []
    signature_at = 0
    at, end = HEADER_BYTES, len(raw)
    while at < end:
        size = raw[at + 1] if at + 1 < end else 0
        following = at + size
        if size < 2 or following > end:
            raise WireError("attribute_overrun")
        kind = raw[at]
        if kind in first:
            again.append(kind)
        else:
            first[kind] = raw[at + 2 : following]
            if kind == _MESSAGE_AUTHENTICATOR:
                signature_at = at + 2 if size == 18 else -1
        at = following
    if len(first) + len(again) > ATTRIBUTES_MAX:
        raise WireError("too_many_attributes")
    if again.count(_PROXY_STATE) >= PROXY_STATES_MAX:
        raise WireError("too_many_proxy_states")
    return -1 if _MESSAGE_AUTHENTICATOR in again else signature_at  # two are wrong


# Authentication of packets ---------------------------------------------------------------------------


def message_authenticator_ok(packet: Packet, secret: bytes) -> bool | None:
    """RFC 3579 section 3.2, compared in constant time; None where the packet carries none. Two are wrong."""
    at, raw = packet.signature_at, packet.raw
    if at <= 0:
        return None if at == 0 else False
    if packet.code in _SIGNED_AS_SENT:
        signed = raw[:at] + _ZEROS + raw[at + 16 :]
    else:
        signed = b"".join((raw[:4], _ZEROS, raw[20:at], _ZEROS, raw[at + 16 :]))
    return hmac.compare_digest(_hmac(secret, signed), raw[at : at + 16])


def accounting_authenticator_ok(packet: Packet, secret: bytes) -> bool:
    """Request Authenticator of an Accounting-Request (RFC 2866 section 3)."""
    raw = packet.raw
    digest = _md5(b"".join((raw[:4], _ZEROS, raw[20:], secret)))
    return hmac.compare_digest(digest, packet.authenticator)


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _hmac(secret: bytes, data: bytes) -> bytes:
    """HMAC-MD5 (RFC 2104) from the two half-done hashes of the secret: half of what `hmac.digest` takes."""
    inner, outer = _half_done(secret)
    inside, outside = inner.copy(), outer.copy()
    inside.update(data)
    outside.update(inside.digest())
    return outside.digest()


@lru_cache(SECRETS_MAX)
def _half_done(secret: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    key = (_md5(secret) if len(secret) > 64 else secret).ljust(64, b"\0")
    pads = (bytes(octet ^ mask for octet in key) for mask in (0x36, 0x5C))
    inner, outer = (hashlib.md5(pad, usedforsecurity=False) for pad in pads)
    return inner, outer


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


_SIGNATURE_HEAD = bytes((_MESSAGE_AUTHENTICATOR, 18))
_UNSIGNED = _SIGNATURE_HEAD + _ZEROS

# Replies --------------------------------------------------------------------------------------------


def integer(kind: Attr, value: int) -> Attribute:
    """A 32-bit attribute; a value beyond 32 bits is capped, which every one of ours may be."""
    return kind, min(value, 0xFFFFFFFF).to_bytes(4, "big")


def vendor_integer(vendor: int, kind: int, value: int) -> Attribute:
    """A Vendor-Specific attribute with one 32-bit value (RFC 2865 section 5.26), capped like `integer`."""
    return _vendor(vendor, kind, min(value, 0xFFFFFFFF).to_bytes(4, "big"))


def vendor_text(vendor: int, kind: int, value: str) -> Attribute:
    """A Vendor-Specific attribute with one text of at most 247 octets."""
    return _vendor(vendor, kind, value.encode())


def _vendor(vendor: int, kind: int, value: bytes) -> Attribute:
    return Attr.VENDOR_SPECIFIC, vendor.to_bytes(4, "big") + bytes((kind, len(value) + 2)) + value


def encode_attributes(attributes: Sequence[Attribute]) -> bytes:
    """Their octets. ValueError where a value is longer than 253: it would be ours."""
    return b"".join([bytes((kind, len(value) + 2)) + value for kind, value in attributes])


def encode_reply(request: Packet, code: Code, attributes: Sequence[Attribute], secret: bytes) -> bytes:
    """A reply with these attributes; see `seal`."""
    return seal(request, code, encode_attributes(attributes), secret)


def seal(request: Packet, code: Code, body: bytes, secret: bytes) -> bytes:
    """A reply with encoded attributes and the request's Proxy-States in order; access replies are signed.

    The Message-Authenticator comes first, so that a forger cannot put a collision in front of it (BlastRADIUS,
    CVE-2024-3596).
    """
    if _PROXY_STATE in request.first:
        body += encode_attributes([(_PROXY_STATE, value) for value in request.every(_PROXY_STATE)])
    signed = code in _SIGNED_REPLIES or request.code == _STATUS_SERVER
    length = (HEADER_BYTES + 18 if signed else HEADER_BYTES) + len(body)
    head = bytes((code, request.identifier, length >> 8, length & 0xFF))
    if signed:
        mac = _hmac(secret, b"".join((head, request.authenticator, _UNSIGNED, body)))
        body = b"".join((_SIGNATURE_HEAD, mac, body))
    return b"".join((head, _md5(b"".join((head, request.authenticator, body, secret))), body))


# Dynamic authorization ------------------------------------------------------------------------------

_DICTIONARY = Dictionary(str(Path(__file__).parent / "dictionary" / "kogge"))


class DynamicCode(IntEnum):
    """The two requests of RFC 5176 section 2.3. Each one's ACK has the next code, its NAK the one after."""

    DISCONNECT = 40
    COA = 43


@dataclass(frozen=True, slots=True)
class Answered:
    """What a NAS said to a request of ours. `error_cause`: RFC 5176 section 3.5, None where it gave none."""

    acknowledged: bool
    error_cause: int | None


def encode_dynamic(
    code: DynamicCode, identifier: int, attributes: Sequence[Attribute], secret: bytes, *, signed: bool
) -> bytes:
    """A Disconnect- or CoA-Request (RFC 5176 section 2.3), `signed` with a Message-Authenticator, which stands first.

    Its authenticator is a hash, so equal requests are equal bytes. ValueError where they exceed 4,096 octets.
    """
    packet = CoAPacket(code=code, id=identifier, secret=secret, dict=_DICTIONARY)
    if signed:
        packet.add_message_authenticator()
    for kind, value in attributes:
        packet.setdefault(int(kind), []).append(value)
    request = bytes(packet.RequestPacket())
    if len(request) > PACKET_BYTES_MAX:
        raise ValueError("a request of more than 4,096 octets")
    return request


def decode_dynamic_reply(datagram: bytes, request: bytes, secret: bytes) -> Answered:
    """Verify and read the answer to `request`. WireError where it is not one."""
    packet = parse(datagram)
    outcome = packet.code - request[0]
    if outcome not in (1, 2) or packet.identifier != request[1]:
        raise WireError("not_an_answer")
    digest = _md5(packet.raw[:4] + request[4:20] + packet.raw[20:] + secret)
    if not hmac.compare_digest(digest, packet.authenticator):
        raise WireError("bad_authenticator")
    if packet.signature_at and not _reply_signature_ok(packet, request, secret):
        raise WireError("bad_message_authenticator")
    try:
        answer = CoAPacket(secret=secret, dict=_DICTIONARY, packet=packet.raw)
        causes = answer["Error-Cause"] if "Error-Cause" in answer else []  # noqa: SIM401 (pyrad's get() is raw)
    except (PacketError, ValueError):
        raise WireError("bad_attribute") from None
    return Answered(outcome == 1, int(causes[0]) if causes else None)


def _reply_signature_ok(packet: Packet, request: bytes, secret: bytes) -> bool:
    """RFC 5176 section 3.3: over the reply, with the request's authenticator in its place."""
    at, raw = packet.signature_at, packet.raw
    signed = b"".join((raw[:4], request[4:20], raw[20:at], _ZEROS, raw[at + 16 :]))
    return at > 0 and hmac.compare_digest(hmac.digest(secret, signed, "md5"), raw[at : at + 16])
