"""What an Accept says in each product's words: a table of small pure functions, one a product."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from hotspot.access import Accept
from radius.wire import Attr, Attribute, integer, vendor_integer

WISPR = 14122
WISPR_BANDWIDTH_MAX_UP = 7
WISPR_BANDWIDTH_MAX_DOWN = 8

CHILLISPOT = 14559
CHILLISPOT_MAX_TOTAL_OCTETS = 3
CHILLISPOT_MAX_TOTAL_GIGAWORDS = 23

GIGAWORD = 1 << 32

Dialect = Callable[[Accept], list[Attribute]]


def standard(accept: Accept) -> list[Attribute]:
    """RFC 2865 time limits and the WISPr rates (bits per second; "up" is what the device sends)."""
    said = [integer(Attr.SESSION_TIMEOUT, accept.session_seconds)]
    if accept.idle_seconds:
        said.append(integer(Attr.IDLE_TIMEOUT, accept.idle_seconds))
    if accept.rate_up_bps:
        said.append(vendor_integer(WISPR, WISPR_BANDWIDTH_MAX_UP, accept.rate_up_bps))
    if accept.rate_down_bps:
        said.append(vendor_integer(WISPR, WISPR_BANDWIDTH_MAX_DOWN, accept.rate_down_bps))
    return said


def coovachilli(accept: Accept) -> list[Attribute]:
    """The standard and the day's volume, which CoovaChilli ends the session at by itself."""
    said = standard(accept)
    if accept.octets_left is None:
        return said
    gigawords, octets = divmod(accept.octets_left, GIGAWORD)
    said.append(vendor_integer(CHILLISPOT, CHILLISPOT_MAX_TOTAL_OCTETS, octets))
    if gigawords:
        said.append(vendor_integer(CHILLISPOT, CHILLISPOT_MAX_TOTAL_GIGAWORDS, gigawords))
    return said


DIALECTS: dict[str, Dialect] = {"coovachilli": coovachilli}
"""By `nas.product`; a product without an entry gets the standard."""


class Dynamic(StrEnum):
    """What a product takes from us while a session runs (RFC 5176). What takes a CoA takes a Disconnect too."""

    COA = "coa"
    DISCONNECT = "disconnect"
    NOTHING = "nothing"


COA: dict[str, Dynamic] = {
    "coovachilli": Dynamic.COA,
    "opennds": Dynamic.NOTHING,
    "hostapd": Dynamic.DISCONNECT,
    "standard": Dynamic.DISCONNECT,
}
"""What each product takes while a session runs."""


def say(product: str, accept: Accept) -> list[Attribute]:
    """The limits of an Accept in that product's attributes."""
    return DIALECTS.get(product, standard)(accept)


def change(product: str, accept: Accept) -> list[Attribute]:
    """All limits of a running session for a CoA-Request. Seconds and octets count from the session's start here."""
    return say(product, accept)
