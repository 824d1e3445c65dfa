"""Limits in makers' own attributes: each function is one part of a dialect, empty where there is no limit.

Numbers and units are from the maker's document or source named at each, and agree with FreeRADIUS's dictionaries.
"""

from __future__ import annotations

from hotspot.access import Accept
from radius.dialect.standard import WISPR, WISPR_BANDWIDTH_MAX_DOWN, WISPR_BANDWIDTH_MAX_UP
from radius.wire import Attr, Attribute, integer, vendor_integer, vendor_text

GIGAWORD = 1 << 32

# CoovaChilli: doc/attributes, src/radius_chillispot.h -------------------------------------------------

CHILLISPOT = 14559
CHILLISPOT_MAX_TOTAL_OCTETS = 3
CHILLISPOT_MAX_TOTAL_GIGAWORDS = 23


def chilli_volume(accept: Accept) -> list[Attribute]:
    """The volume of both directions together, which CoovaChilli ends the session at by itself."""
    return _volume(CHILLISPOT, CHILLISPOT_MAX_TOTAL_OCTETS, CHILLISPOT_MAX_TOTAL_GIGAWORDS, accept.octets_left)


def chilli_changes(accept: Accept) -> list[Attribute]:
    """Idle time, rates and volume, 0 for none: what a CoA leaves out, one version keeps and another lifts."""
    return [
        integer(Attr.IDLE_TIMEOUT, accept.idle_seconds),
        vendor_integer(WISPR, WISPR_BANDWIDTH_MAX_UP, accept.rate_up_bps),
        vendor_integer(WISPR, WISPR_BANDWIDTH_MAX_DOWN, accept.rate_down_bps),
        *(chilli_volume(accept) or [vendor_integer(CHILLISPOT, CHILLISPOT_MAX_TOTAL_OCTETS, 0)]),
    ]


# MikroTik: manual "RADIUS Client" ---------------------------------------------------------------------

MIKROTIK = 14988
MIKROTIK_RATE_LIMIT = 8
MIKROTIK_TOTAL_LIMIT = 17
MIKROTIK_TOTAL_LIMIT_GIGAWORDS = 18
MIKROTIK_WIRELESS_VLANID = 26
MIKROTIK_WIRELESS_VLANID_TYPE = 27


def mikrotik_rates(accept: Accept) -> list[Attribute]:
    """Rate-Limit, "rx/tx" as the router sees it: what the device sends comes first. Bits per second, 0 for none."""
    if not accept.rate_up_bps and not accept.rate_down_bps:
        return []
    return _mikrotik_rate_limit(accept)


def mikrotik_volume(accept: Accept) -> list[Attribute]:
    """Total-Limit: both directions together."""
    return _volume(MIKROTIK, MIKROTIK_TOTAL_LIMIT, MIKROTIK_TOTAL_LIMIT_GIGAWORDS, accept.octets_left)


def mikrotik_vlan(accept: Accept) -> list[Attribute]:
    """The VLAN of a client of the router's own radio (type 0: an 802.1Q tag)."""
    if not accept.vlan_id:
        return []
    return [
        vendor_integer(MIKROTIK, MIKROTIK_WIRELESS_VLANID, accept.vlan_id),
        vendor_integer(MIKROTIK, MIKROTIK_WIRELESS_VLANID_TYPE, 0),
    ]


def mikrotik_changes(accept: Accept) -> list[Attribute]:
    """What RouterOS takes in a CoA: idle time and Rate-Limit, none said as 0. A volume it takes in an Accept only."""
    return [integer(Attr.IDLE_TIMEOUT, accept.idle_seconds), *_mikrotik_rate_limit(accept)]


def _mikrotik_rate_limit(accept: Accept) -> list[Attribute]:
    return [vendor_text(MIKROTIK, MIKROTIK_RATE_LIMIT, f"{accept.rate_up_bps}/{accept.rate_down_bps}")]


# Cisco AireOS: "Bi-Directional Rate Limiting" (document 113682), AAA override ------------------------------

AIRESPACE = 14179
AIRESPACE_DOWN = (7, 8, 9, 10)
AIRESPACE_UP = (13, 14, 15, 16)
"""Data (TCP) average, real-time (UDP) average, data burst, real-time burst; kbit/s. Up is what the device sends."""


def airespace_rates(accept: Accept) -> list[Attribute]:
    """All four contracts of a direction alike: a burst below the average is one that blocks traffic."""
    rates = ((AIRESPACE_DOWN, accept.rate_down_bps), (AIRESPACE_UP, accept.rate_up_bps))
    return [vendor_integer(AIRESPACE, kind, max(1, rate // 1000)) for kinds, rate in rates if rate for kind in kinds]


# Aruba ------------------------------------------------------------------------------------------------

ARUBA = 14823
ARUBA_USER_VLAN = 2


def aruba_vlan(accept: Accept) -> list[Attribute]:
    """Aruba-User-Vlan, beside the tunnel attributes: ArubaOS derives a VLAN from either."""
    return [vendor_integer(ARUBA, ARUBA_USER_VLAN, accept.vlan_id)] if accept.vlan_id else []


# Shared -------------------------------------------------------------------------------------------------


def _volume(vendor: int, octets_kind: int, gigawords_kind: int, left: int | None) -> list[Attribute]:
    """Octets as two 32-bit attributes, as in accounting (RFC 2869 section 5.1); the second where it is needed.

    At least 1, since both makers take 0 for no limit.
    """
    if left is None:
        return []
    gigawords, octets = divmod(max(1, left), GIGAWORD)
    said = [vendor_integer(vendor, octets_kind, octets)]
    if gigawords:
        said.append(vendor_integer(vendor, gigawords_kind, gigawords))
    return said
