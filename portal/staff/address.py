"""Who asks: the address behind the proxies that the city named, and only those."""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Network, IPv6Network


def client_address(remote: str, forwarded: str, trusted: tuple[IPv4Network | IPv6Network, ...]) -> str:
    """Who asks: the nearest hop of X-Forwarded-For that is not one of our proxies, if the proxies may be believed."""
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    address = remote
    while hops and _is_trusted(address, trusted):
        address = hops.pop()
    return address


def _is_trusted(address: str, trusted: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in trusted)
