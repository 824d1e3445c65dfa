"""Who asks: the address behind the proxies that the city named, and behind nobody else's word.

It proves nobody's identity by itself: see `docs/architecture.md` on what a source address is good for.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from flask import Request

from service.cities import City

Address = IPv4Address | IPv6Address

FORWARDED_MAX = 1_024
"""Characters of X-Forwarded-For that are read, the nearest ones: what stands further left is the client's own word."""


def client_address(request: Request, city: City) -> Address | None:
    """The address that this request came from; IPv4 within IPv6 is IPv4. None where a hop has no address."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    return nearest_stranger(request.remote_addr or "", forwarded, city.config.portal.trusted_proxies)


def nearest_stranger(remote: str, forwarded: str, trusted: Sequence[IPv4Network | IPv6Network]) -> Address | None:
    """The nearest hop that is not one of our proxies; a hop is believed only if the next one is a proxy of ours."""
    hops = [hop.strip() for hop in forwarded[-FORWARDED_MAX:].split(",") if hop.strip()]
    address = _parse(remote)
    while hops and address is not None and any(address in network for network in trusted):
        address = _parse(hops.pop())
    return address


def _parse(hop: str) -> Address | None:
    """A hop as proxies write it: an address, with a port perhaps (`192.0.2.1:4711`, `[2001:db8::1]:4711`)."""
    host = hop.partition("]")[0].removeprefix("[") if hop.startswith("[") else hop
    host = host.partition(":")[0] if host.count(":") == 1 else host
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
