"""RADIUS requests octet by octet, as a NAS would send them, or as no NAS ever should."""

from __future__ import annotations

import hashlib
import hmac
import os

Attribute = tuple[int, bytes]


def access_request(
    secret: bytes, *attributes: Attribute, signed: bool = True, code: int = 1, identifier: int = 0
) -> bytes:
    """An Access-Request (or `code`), with a Message-Authenticator or without."""
    random = os.urandom(16)
    first = ((80, bytes(16)),) if signed else ()
    head, body = _frame(code, identifier, (*first, *attributes))
    if signed:
        body = body[:2] + hmac.digest(secret, head + random + body, "md5") + body[18:]
    return head + random + body


def status_server(secret: bytes) -> bytes:
    return access_request(secret, code=12)


def accounting_request(secret: bytes, *attributes: Attribute) -> bytes:
    """An Accounting-Request; its authenticator is its signature."""
    head, body = _frame(4, 0, attributes)
    return head + hashlib.md5(head + bytes(16) + body + secret).digest() + body


def _frame(code: int, identifier: int, attributes: tuple[Attribute, ...]) -> tuple[bytes, bytes]:
    body = b"".join(bytes((kind, len(value) + 2)) + value for kind, value in attributes)
    return bytes((code, identifier)) + (20 + len(body)).to_bytes(2, "big"), body


def is_reply(reply: bytes, request: bytes, secret: bytes) -> bool:
    """Whether the Response Authenticator is right (RFC 2865 section 3)."""
    return hashlib.md5(reply[:4] + request[4:20] + reply[20:] + secret).digest() == reply[4:20]
