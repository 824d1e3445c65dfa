"""MikroTik RouterOS hotspot: its login.html brings the device here, the browser posts the ticket to its /login.

From MikroTik's manual ("HotSpot customisation"), so believed. RouterOS writes octets as octal escapes (`\\371\\015`);
with HTTP-CHAP the password is md5(chap-id, password, chap-challenge), without it goes as it is.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlsplit

from hotspot.errors import InputError
from hotspot.values import MacAddress
from portal.captive.handoff.protocol import (
    Arrival,
    Handing,
    Inbound,
    Method,
    Result,
    Submit,
    must_name,
    safe_url,
)
from service.reasons import MESSAGE_OCTETS_MAX
from store.nases import Nas

CHAP_OCTETS_MAX = 64
"""A challenge has 16 octets, an id one; longer ones are nobody's."""

_OCTET = re.compile(r"\\([0-3][0-7]{2})")

_ERRORS = (
    ("not responding", "timeout"),
    ("challenge", "challenge"),
    ("no more sessions", "in_use"),
    ("already authorizing", "in_use"),
    ("session limit", "full"),
    ("no more free addresses", "full"),
    ("shutting down", "away"),
)
"""Parts of the texts of RouterOS's errors.txt, and our word for each."""


def read(inbound: Inbound, nas: Nas) -> Arrival:
    """What login.html posted or wrote into the address. ForgedError where it names another router."""
    given = inbound.fields
    must_name(nas, given.get("link-login-only", ""))
    error = given.get("error", "")[:MESSAGE_OCTETS_MAX]
    return Arrival(
        result=Result.FAILED if error else Result.NOT_YET,
        mac=MacAddress.parse(given.get("mac", "")),
        back={name: octets(given.get(f"chap-{name}", "")).hex() for name in ("id", "challenge")},
        user_url=safe_url(given.get("link-orig", "")),
        reason=next((word for part, word in _ERRORS if part in error.lower()), "reject") if error else "",
        reply=error,
    )


def octets(text: str) -> bytes:
    """What RouterOS wrote with octal escapes. InputError where it is too long or not of one octet a character."""
    try:
        plain = _OCTET.sub(lambda escape: chr(int(escape[1], 8)), text[: 4 * CHAP_OCTETS_MAX + 1]).encode("latin-1")
    except UnicodeEncodeError:
        raise InputError("the hotspot's CHAP challenge is not made of octets") from None
    if len(plain) > CHAP_OCTETS_MAX:
        raise InputError("the hotspot's CHAP challenge is too long")
    return plain


def hand_off(handing: Handing) -> Submit:
    """The form for the router's own log-in page."""
    ticket = handing.ticket
    chap_id, challenge = (bytes.fromhex(handing.back[name]) for name in ("id", "challenge"))
    password = ticket.password
    if chap_id:
        password = hashlib.md5(chap_id + password.encode() + challenge, usedforsecurity=False).hexdigest()
    fields = {"username": ticket.name, "password": password, "dst": handing.landing, "popup": "false"}
    address = handing.nas.login_url
    return Submit(address if urlsplit(address).path else f"{address}/login", fields)


METHOD = Method(read=read, hand_off=hand_off)
