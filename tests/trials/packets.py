"""A NAS's octets, from the RFCs alone: the product's own codec must not be its own witness."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence

ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT, ACCOUNTING_REQUEST, ACCOUNTING_RESPONSE = 1, 2, 3, 4, 5
START, STOP, INTERIM, ON = 1, 2, 3, 7
GIGAWORD = 1 << 32

Attribute = tuple[int, bytes]


def number(kind: int, value: int) -> Attribute:
    return kind, value.to_bytes(4, "big")


def pap(password: str, secret: bytes, authenticator: bytes) -> list[Attribute]:
    """User-Password of at most 16 octets (RFC 2865 section 5.2)."""
    mask = md5(secret + authenticator)
    return [(2, bytes(a ^ b for a, b in zip(password.encode().ljust(16, b"\0"), mask, strict=True)))]


def chap(password: str, chap_id: int, challenge: bytes) -> list[Attribute]:
    """CHAP-Password and CHAP-Challenge (RFC 2865 sections 5.3, 5.40)."""
    return [(3, bytes((chap_id,)) + md5(bytes((chap_id,)) + password.encode() + challenge)), (60, challenge)]


def access_request(identifier: int, authenticator: bytes, attributes: Sequence[Attribute], secret: bytes) -> bytes:
    """With a Message-Authenticator first (RFC 3579 section 3.2)."""
    return sign(ACCESS_REQUEST, identifier, authenticator, [(80, bytes(16)), *attributes], secret)


def sign(code: int, identifier: int, authenticator: bytes, attributes: Sequence[Attribute], secret: bytes) -> bytes:
    """A request whose first attribute is the Message-Authenticator, filled in."""
    head, body = _assemble(code, identifier, attributes)
    return head + authenticator + body[:2] + hmac.digest(secret, head + authenticator + body, "md5") + body[18:]


def accounting_request(identifier: int, attributes: Sequence[Attribute], secret: bytes) -> bytes:
    """Its authenticator is computed over the packet (RFC 2866 section 3)."""
    head, body = _assemble(ACCOUNTING_REQUEST, identifier, attributes)
    return head + md5(head + bytes(16) + body + secret) + body


def _assemble(code: int, identifier: int, attributes: Sequence[Attribute]) -> tuple[bytes, bytes]:
    body = b"".join([bytes((kind, len(value) + 2)) + value for kind, value in attributes])
    return bytes((code, identifier)) + (20 + len(body)).to_bytes(2, "big"), body


def is_genuine(reply: bytes, request: bytes, secret: bytes) -> bool:
    """Whether the Response Authenticator proves that the server knew secret and request (RFC 2865 section 3)."""
    return hmac.compare_digest(md5(reply[:4] + request[4:20] + reply[20:] + secret), reply[4:20])


def attributes_of(packet: bytes) -> Iterator[Attribute]:
    at = 20
    while at < len(packet):
        yield packet[at], packet[at + 2 : at + packet[at + 1]]
        at += packet[at + 1]


def md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()
