"""The products that a city may have as NASes, and what is known of each: a table, no code.

A product's key stands in `nas.product`, names its dialect (`radius.dialect`) and its recipe (`docs/nas/`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

COA_PORT = 3799
"""Where a NAS listens for Disconnect and CoA unless its maker chose another (RFC 5176 section 2)."""


class Dynamic(StrEnum):
    """What a product takes from us while a session runs (RFC 5176). What takes a CoA takes a Disconnect too."""

    COA = "coa"
    DISCONNECT = "disconnect"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Product:
    """What holds for every NAS of a product. `octets_swapped`: it counts the client's view, RFC 2866 the NAS's.

    `login_example` is how its log-in address looks; empty where residents are not sent back to the NAS.
    `handoffs`: how the portal may hand a resident over to it (`portal.captive.handoff`), the usual one first.
    `dynamic`: the reasons stand with each dialect (`radius.dialect`).
    """

    key: str
    name: str
    octets_swapped: bool = False
    coa_port: int = COA_PORT
    login_example: str = ""
    handoffs: tuple[str, ...] = ("none",)
    dynamic: Dynamic = Dynamic.DISCONNECT


PRODUCTS: dict[str, Product] = {
    each.key: each
    for each in (
        Product(
            "coovachilli",
            "CoovaChilli, ChilliSpot, uspot",
            octets_swapped=True,
            login_example="http://10.1.0.1:3990",
            handoffs=("uam",),
            dynamic=Dynamic.COA,
        ),
        Product(
            "mikrotik",
            "MikroTik RouterOS hotspot",
            login_example="http://10.5.50.1/login",
            handoffs=("mikrotik",),
            dynamic=Dynamic.COA,
        ),
        Product(
            "opennds",
            "openNDS",
            login_example="http://192.168.1.1:2050",
            handoffs=("fas1", "fas2", "fas3", "fas4"),
            dynamic=Dynamic.NOTHING,
        ),
        Product("unifi", "Ubiquiti UniFi", handoffs=("none", "unifi-key", "unifi-os", "unifi-classic")),
        Product(
            "aruba",
            "Aruba Instant, ArubaOS",
            login_example="https://securelogin.arubanetworks.com",
            handoffs=("aruba",),
        ),
        Product(
            "cisco",
            "Cisco WLC, Catalyst 9800, Meraki",
            login_example="https://192.0.2.1",
            handoffs=("cisco", "meraki", "meraki-click"),
        ),
        Product(
            "ruckus",
            "Ruckus Unleashed, ZoneDirector, SmartZone",
            login_example="http://192.168.0.2:9997",
            handoffs=("ruckus", "smartzone"),
        ),
        Product("hostapd", "OpenWrt, hostapd"),
        Product("standard", "Another NAS, by the RFCs and WISPr"),
    )
}
"""By key, in the order in which a form offers them."""
