"""Limits in the words of the RFCs and of WISPr: each function is a part of a dialect, empty without a limit."""

from __future__ import annotations

from hotspot.access import Accept
from radius.wire import Attr, Attribute, integer, vendor_integer

TUNNEL_TYPE_VLAN = 13
TUNNEL_MEDIUM_802 = 6
"""RFC 3580 section 3.31."""

WISPR = 14122
WISPR_BANDWIDTH_MAX_UP = 7
WISPR_BANDWIDTH_MAX_DOWN = 8
"""Wi-Fi Alliance, "WISPr 1.0", section 4.2; bits per second, and "up" is what the device sends."""


def session_time(accept: Accept) -> list[Attribute]:
    """Session-Timeout (RFC 2865 section 5.27), always: what is left is never without an end."""
    return [integer(Attr.SESSION_TIMEOUT, accept.session_seconds)]


def idle_time(accept: Accept) -> list[Attribute]:
    """Idle-Timeout (RFC 2865 section 5.28)."""
    return [integer(Attr.IDLE_TIMEOUT, accept.idle_seconds)] if accept.idle_seconds else []


def default_termination(accept: Accept) -> list[Attribute]:
    """Termination-Action Default: the Session-Timeout ends the session (RFC 2865 section 5.29, RFC 3580 section 3.17).

    Said to those who may be set to authenticate anew instead.
    """
    return [integer(Attr.TERMINATION_ACTION, 0)]


def wispr_rates(accept: Accept) -> list[Attribute]:
    """Greatest rates, each direction for itself."""
    rates = ((WISPR_BANDWIDTH_MAX_UP, accept.rate_up_bps), (WISPR_BANDWIDTH_MAX_DOWN, accept.rate_down_bps))
    return [vendor_integer(WISPR, kind, rate) for kind, rate in rates if rate]


def vlan(accept: Accept) -> list[Attribute]:
    """The VLAN as a tunnel without a tag (RFC 3580 section 3.31).

    A number's tag octet is 0; the group's text begins at once, since its first octet is above 0x1F (RFC 2868
    section 3.6), which is how FreeRADIUS writes it too.
    """
    if not accept.vlan_id:
        return []
    return [
        integer(Attr.TUNNEL_TYPE, TUNNEL_TYPE_VLAN),
        integer(Attr.TUNNEL_MEDIUM_TYPE, TUNNEL_MEDIUM_802),
        (Attr.TUNNEL_PRIVATE_GROUP_ID, str(accept.vlan_id).encode()),
    ]
