"""Sealed tokens in forms and addresses: the portal's memory, carried by the browser instead of a cookie.

Encrypted and authenticated with the city's own key, so nobody reads a MAC address out of an address bar or a log,
and a token of another city is worth as much as none. Each purpose has a key of its own: a token made for one thing
is no token for another.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hotspot.errors import ConfigError, InputError
from hotspot.values import MacAddress
from portal.captive.handoff.protocol import safe_url
from store.keys import KeyRing

TOKEN_MAX = 4_096
VISIT_LIFETIME = timedelta(hours=24)
"""How long a status link or an open terms page stays good."""

VISIT = "visit"
"""Purpose of the tokens that say who stands before the page."""

_MINIMUM = 40


@dataclass(frozen=True, slots=True)
class Visit:
    """Who stands before the page: a device at a NAS, as its redirect said.

    `signed`: the redirect proved the MAC address by the NAS's signature; otherwise it is a mere claim until RADIUS
    accepts the ticket of `grant_id` (0: none was issued yet, or RADIUS is not asked). `back` is what the NAS's
    hand-off needs back, such as its challenge. `arrived_at`: when the redirect came (docs/adr/0023).
    """

    nas_id: int
    mac: MacAddress
    back: Mapping[str, str] = field(default_factory=dict)
    user_url: str = ""
    signed: bool = False
    grant_id: int = 0
    arrived_at: datetime | None = None


def issue(keys: KeyRing, visit: Visit, *, now: datetime) -> str:
    """The visit as text for a form field or an address."""
    arrived = 0 if visit.arrived_at is None else int(visit.arrived_at.timestamp())
    mac = visit.mac.octets.hex()
    fields = [visit.nas_id, mac, dict(visit.back), visit.user_url, visit.signed, visit.grant_id, arrived]
    return seal(keys, VISIT, fields, expires_at=now + VISIT_LIFETIME)


def read(keys: KeyRing, token: str, *, now: datetime) -> Visit:
    """The visit back. InputError where the token is not ours, was changed or has expired."""
    nas_id, mac, back, user_url, signed, grant_id, arrived = unseal(keys, VISIT, token, now=now)
    arrived_at = datetime.fromtimestamp(arrived, UTC) if arrived else None
    return Visit(nas_id, MacAddress(bytes.fromhex(mac)), back, safe_url(user_url), signed, grant_id, arrived_at)


def seal(keys: KeyRing, purpose: str, fields: list[Any], *, expires_at: datetime) -> str:
    """A token of one purpose: values that JSON takes, until `expires_at`."""
    content = json.dumps([int(expires_at.timestamp()), *fields], separators=(",", ":"))
    return base64.urlsafe_b64encode(keys.seal(_key(purpose), content.encode())).decode().rstrip("=")


def unseal(keys: KeyRing, purpose: str, token: str, *, now: datetime) -> list[Any]:
    """What `seal` was given. InputError where the token is not ours or for something else, was changed or expired."""
    if not _MINIMUM <= len(token) <= TOKEN_MAX:
        raise InputError("this link is not complete")
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        content: list[Any] = json.loads(keys.unseal(_key(purpose), sealed))
    except (binascii.Error, ConfigError, ValueError):
        raise InputError("this link is not valid here") from None
    if now >= datetime.fromtimestamp(content[0], UTC):
        raise InputError("this link has expired")
    return content[1:]


def _key(purpose: str) -> str:
    return f"portal-token:{purpose}"
