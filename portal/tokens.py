"""Sealed tokens in forms and addresses: the portal's memory, carried by the browser instead of a cookie.

Encrypted and authenticated with the city's own key, so nobody reads a MAC address out of an address bar or a log,
and a token of another city is worth as much as none.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hotspot.errors import ConfigError, InputError
from hotspot.values import MacAddress
from portal.captive.handoff.uam import CHALLENGE_BYTES, safe_url
from store.keys import KeyRing

PURPOSE = "portal-token"
TOKEN_MAX = 4_096
VISIT_LIFETIME = timedelta(hours=24)
"""How long a status link or an open terms page stays good."""

_MINIMUM = 40


@dataclass(frozen=True, slots=True)
class Visit:
    """Who stands before the page: a device at a NAS, proved by a verified redirect."""

    nas_id: int
    mac: MacAddress
    challenge: bytes
    user_url: str


def issue(keys: KeyRing, visit: Visit, *, now: datetime) -> str:
    """The visit as text for a form field or an address."""
    expires_at = int((now + VISIT_LIFETIME).timestamp())
    fields = [visit.nas_id, visit.mac.octets.hex(), visit.challenge.hex(), visit.user_url, expires_at]
    return base64.urlsafe_b64encode(keys.seal(PURPOSE, json.dumps(fields).encode())).decode().rstrip("=")


def read(keys: KeyRing, token: str, *, now: datetime) -> Visit:
    """The visit back. InputError where the token is not ours, was changed or has expired."""
    if not _MINIMUM <= len(token) <= TOKEN_MAX:
        raise InputError("this link is not complete")
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        nas_id, mac, challenge, user_url, expires_at = json.loads(keys.unseal(PURPOSE, sealed))
    except (binascii.Error, ConfigError, ValueError):
        raise InputError("this link is not valid here") from None
    if now >= datetime.fromtimestamp(expires_at, UTC):
        raise InputError("this link has expired")
    return Visit(nas_id, MacAddress(bytes.fromhex(mac)), bytes.fromhex(challenge)[:CHALLENGE_BYTES], safe_url(user_url))
