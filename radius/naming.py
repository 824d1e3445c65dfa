"""How a Disconnect or CoA names its session to the NAS (RFC 5176 section 3): by product, which attributes.

A NAS compares every one that it is given and refuses what does not match, some even what they do not know. So each
product gets what it is known to compare, in its own spelling, and nothing more.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from hotspot.values import MacAddress, MacSpelling
from radius.record import MAC_USER_NAME
from radius.wire import Attr, Attribute, integer
from store.accounting import Session
from store.nases import Nas

VALUE_MAX = 253
"""Octets that an attribute holds (RFC 2865 section 5)."""


@dataclass(frozen=True, slots=True)
class Naming:
    """What a product wants of a request. `signed`: with a Message-Authenticator; `spelling` of Calling-Station-Id."""

    attributes: tuple[Attr, ...]
    signed: bool = True
    spelling: MacSpelling = MacSpelling.HYPHEN_UPPER


_BY_ALL = (
    Attr.NAS_IDENTIFIER,
    Attr.USER_NAME,
    Attr.ACCT_SESSION_ID,
    Attr.CALLING_STATION_ID,
    Attr.FRAMED_IP_ADDRESS,
)
_BY_STATION = (Attr.NAS_IDENTIFIER, Attr.ACCT_SESSION_ID, Attr.CALLING_STATION_ID)

STANDARD = Naming(_BY_ALL)

NAMINGS: dict[str, Naming] = {
    # CoovaChilli is silent without a User-Name; uspot refuses a Message-Authenticator as unsupported (its das.c).
    "coovachilli": Naming(_BY_ALL, signed=False),
    # The hotspot is found by address and name; other attributes make RouterOS look at its radio links instead.
    "mikrotik": Naming(
        (Attr.USER_NAME, Attr.ACCT_SESSION_ID, Attr.FRAMED_IP_ADDRESS), signed=False, spelling=MacSpelling.COLON_UPPER
    ),
    # hostapd refuses an attribute that is not on its list, Framed-IP-Address among them (401), and compares User-Name
    # with an 802.1X identity, which MAC authentication has not (503): src/radius/radius_das.c, src/ap/hostapd.c.
    "hostapd": Naming(_BY_STATION),
    "unifi": Naming(_BY_STATION),  # its access points run hostapd
    # ArubaOS looks for any of these four and ignores the rest (CLI guide, aaa rfc-3576-server).
    "aruba": Naming((Attr.USER_NAME, Attr.ACCT_SESSION_ID, Attr.FRAMED_IP_ADDRESS)),
    # IOS lists Calling-Station-Id and Acct-Session-Id (RADIUS CoA, RFC 5176 compliance); all that are given must match.
    "cisco": Naming(
        (Attr.NAS_IP_ADDRESS, Attr.ACCT_SESSION_ID, Attr.CALLING_STATION_ID), spelling=MacSpelling.HYPHEN_LOWER
    ),
}
"""By `nas.product`; the others get all that RFC 5176 section 3 names and accounting told."""


def naming_of(product: str) -> Naming:
    return NAMINGS.get(product, STANDARD)


def name_session(session: Session, nas: Nas, mac: MacAddress | None, address: str, *, now: datetime) -> list[Attribute]:
    """The attributes that name a session of `nas`, which is reached at `address`, and the time of asking.

    `mac` is None once the device's key is destroyed. What the session does not know is left out.
    """
    wanted = naming_of(nas.product)
    said = dict(_said(session, nas, mac, address, wanted.spelling))
    named = [(kind, said[kind]) for kind in wanted.attributes if 0 < len(said.get(kind, b"")) <= VALUE_MAX]
    return [*named, integer(Attr.EVENT_TIMESTAMP, int(now.timestamp()))]


def _said(
    session: Session, nas: Nas, mac: MacAddress | None, address: str, spelling: MacSpelling
) -> Iterator[tuple[Attr, bytes]]:
    yield Attr.NAS_IDENTIFIER, nas.nas_identifier.encode()
    yield Attr.ACCT_SESSION_ID, session.acct_session_id.encode()
    yield Attr.USER_NAME, _user_name(session.user_name, mac).encode()
    if mac is not None:
        yield Attr.CALLING_STATION_ID, mac.spelled(spelling).encode()
    if session.framed_ip:
        yield Attr.FRAMED_IP_ADDRESS, ipaddress.IPv4Address(session.framed_ip).packed
    reached = ipaddress.ip_address(address)
    if reached.version == 4:
        yield Attr.NAS_IP_ADDRESS, reached.packed


_MAC_NAMES = {MAC_USER_NAME + spelling.value: spelling for spelling in MacSpelling}


def _user_name(stored: str, mac: MacAddress | None) -> str:
    """As the NAS knows it: where it used the MAC address, only the spelling is stored."""
    spelling = _MAC_NAMES.get(stored)
    if spelling is None:
        return stored
    return "" if mac is None else mac.spelled(spelling)
