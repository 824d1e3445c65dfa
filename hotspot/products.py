"""The products that a city may have as NASes, and what is known of each: a table, no code.

A product's key stands in `nas.product`, names its dialect (`radius.dialect`) and its recipe (`docs/nas/`).
"""

from __future__ import annotations

from dataclasses import dataclass

COA_PORT = 3799
"""Where a NAS listens for Disconnect and CoA unless its maker chose another (RFC 5176 section 2)."""


@dataclass(frozen=True, slots=True)
class Product:
    """What holds for every NAS of a product. `octets_swapped`: it counts the client's view, RFC 2866 the NAS's."""

    key: str
    name: str
    octets_swapped: bool = False
    coa_port: int = COA_PORT


PRODUCTS: dict[str, Product] = {
    each.key: each
    for each in (
        Product("coovachilli", "CoovaChilli, ChilliSpot, uspot", octets_swapped=True),
        Product("mikrotik", "MikroTik RouterOS hotspot"),
        Product("opennds", "openNDS"),
        Product("unifi", "Ubiquiti UniFi"),
        Product("aruba", "Aruba Instant, ArubaOS"),
        Product("cisco", "Cisco WLC, Catalyst 9800, Meraki"),
        Product("ruckus", "Ruckus Unleashed, ZoneDirector, SmartZone"),
        Product("hostapd", "OpenWrt, hostapd"),
        Product("standard", "Another NAS, by the RFCs and WISPr"),
    )
}
"""By key, in the order in which a form offers them."""
