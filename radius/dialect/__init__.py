"""What an Accept says in each product's words: a table of small pure functions, the same Accept to the same attributes.

`say` is an Access-Accept's limits, `change` the full set for a CoA-Request, `COA` which product takes what while a
session runs (`hotspot.products`). A new product is a row here and, where its maker has attributes of his own, functions
in `vendors`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hotspot.access import Accept
from hotspot.products import PRODUCTS, Dynamic
from radius.dialect.standard import default_termination, idle_time, session_time, vlan, wispr_rates
from radius.dialect.vendors import (
    airespace_rates,
    aruba_vlan,
    chilli_changes,
    chilli_volume,
    mikrotik_changes,
    mikrotik_rates,
    mikrotik_vlan,
    mikrotik_volume,
)
from radius.wire import Attribute

Part = Callable[[Accept], list[Attribute]]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One product: the parts of its Access-Accept in their order, and of its CoA-Request where it takes one."""

    says: tuple[Part, ...]
    changes: tuple[Part, ...] = ()


TIMES = (session_time, idle_time)
ENDING = (*TIMES, default_termination)
RFCS = (*ENDING, wispr_rates, vlan)

DIALECTS: dict[str, Dialect] = {
    # coova-chilli doc/attributes; a CoA without a limit lifts it (seen: HANDOFF), so all are said, 0 for none.
    "coovachilli": Dialect((*TIMES, wispr_rates, chilli_volume), (session_time, chilli_changes)),
    # MikroTik's manual, "RADIUS Client": supported attributes of an Access-Accept, and of a CoA.
    "mikrotik": Dialect(
        (*TIMES, mikrotik_rates, mikrotik_volume, vlan, mikrotik_vlan),
        (session_time, mikrotik_changes),
    ),
    # openNDS speaks no RADIUS (HANDOFF); what stands between it and us is somebody's script, which knows the RFCs.
    "opennds": Dialect((*TIMES, wispr_rates)),
    # Ubiquiti's "Hotspot RADIUS attributes" promises Session-Timeout alone; what it ignores does no harm.
    "unifi": Dialect((*TIMES, wispr_rates, vlan)),
    # ArubaOS 8.2: WISPr rates after captive-portal log-in (Airheads 393337). Its CoA changes a role, not a limit.
    "aruba": Dialect((*RFCS, aruba_vlan)),
    # AireOS by AAA override; a Catalyst 9800 takes names of policies instead. Its CoA is a command, not a limit.
    "cisco": Dialect((*ENDING, airespace_rates, vlan)),
    # SmartZone "AAA (RADIUS) Interface Reference" 3.6: it takes a CoA, but which limits in it nobody here could verify.
    "ruckus": Dialect(RFCS),
    # hostapd's CoA serves Hotspot 2.0's terms alone (its "RADIUS DAS: … CoA"); its Disconnect works.
    "hostapd": Dialect(RFCS),
    "standard": Dialect(RFCS),
}
"""By `nas.product` (`hotspot.products`); a product without a row gets the standard."""

COA: dict[str, Dynamic] = {key: product.dynamic for key, product in PRODUCTS.items()}
"""What each product takes while a session runs."""


def say(product: str, accept: Accept) -> list[Attribute]:
    """The limits of an Access-Accept in that product's attributes. Equal arguments give equal attributes."""
    return [attribute for part in _of(product).says for attribute in part(accept)]


def change(product: str, accept: Accept) -> list[Attribute]:
    """All limits of a running session for a CoA-Request; empty where the product takes none.

    `accept.session_seconds` and `accept.octets_left` count from the session's start here, what it used included:
    NASes compare them with the session's own counters (CoovaChilli's source; RFC 2865 section 5.27). An attribute
    that a CoA leaves out may keep or lose its value, by product and version, so that none is left out that had one.
    """
    return [attribute for part in _of(product).changes for attribute in part(accept)]


def _of(product: str) -> Dialect:
    return DIALECTS.get(product, DIALECTS["standard"])
