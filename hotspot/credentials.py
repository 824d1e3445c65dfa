"""Tickets: the credential with which a NAS redeems a grant, and the two ways a NAS proves that it holds one.

The password is never stored: it is an HMAC over what the ticket is for, so RADIUS recomputes it and CHAP works.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

from hotspot.values import MacAddress

TICKET_PASSWORD_LENGTH = 16
"""Octets of a ticket's password: UAM's PAP is undefined beyond 16 (HANDOFF, CoovaChilli)."""

TICKET_NAME_BYTES = 12
"""Random octets in a ticket's name: 96 bits, 16 characters of base64url."""


def ticket_name(random_octets: bytes) -> str:
    """The User-Name of a ticket, from 12 random octets."""
    return base64.urlsafe_b64encode(random_octets[:TICKET_NAME_BYTES]).decode("ascii")


def ticket_password(key: bytes, *, name: str, device: MacAddress, expires_at: datetime) -> str:
    """16 printable characters (96 bits) of HMAC-SHA256(ticket key; name, device, expiry in whole seconds)."""
    message = b"\0".join((name.encode(), device.octets, str(int(expires_at.timestamp())).encode()))
    digest = hmac.digest(key, message, "sha256")
    return base64.urlsafe_b64encode(digest[:TICKET_NAME_BYTES]).decode("ascii")


def pap_matches(expected: str, offered: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(expected.encode(), offered)


def chap_matches(expected: str, *, chap_id: int, challenge: bytes, response: bytes) -> bool:
    """RFC 2865 section 2.2: response = MD5(CHAP id, password, challenge)."""
    digest = hashlib.md5(bytes((chap_id,)) + expected.encode() + challenge, usedforsecurity=False).digest()
    return hmac.compare_digest(digest, response)
