"""How often a device may guess wrong: at voucher codes, at codes by mail or SMS, at an account's password.

Its own wrong guesses are counted against its own bound. What it shares with others (its address range, its city, the
account it guesses at) locks nobody out: when more is guessed there than people mistype, each device's own bound
shrinks, but a device that has made no wrong guess may always make one, and mistype once. So a square full of people
behind one address gets on while somebody among them tries codes with one made-up MAC address after another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_network

RANGE_BITS = {4: 24, 6: 56}
"""What of an address names its range: a small network, or what one customer gets (RFC 6177 section 2)."""

CALM, TIGHT = 1, 4
"""Multiples of a shared bound. From the first on a device may guess less, from the second least; beyond it, further
wrong guesses change nothing and need not be counted."""

FEWER, FEWEST = 4, 2
"""Wrong guesses of one device from CALM on and from TIGHT on: with two, nobody is stopped by a single slip."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Wrong guesses in the window that a device shares with others, and how many of them are nothing unusual."""

    guessed: int
    bound: int

    @property
    def is_full(self) -> bool:
        """One more would change nothing."""
        return self.guessed >= TIGHT * self.bound


def allowance(bound: int, shared: Iterable[Shared]) -> int:
    """Wrong guesses that any one device may make in the window now; `bound` is that of calm days."""
    pressure = max((each.guessed // each.bound for each in shared), default=0)
    if pressure < CALM:
        return bound
    return min(bound, FEWER if pressure < TIGHT else FEWEST)


def may_guess(guessed: int, bound: int, shared: Iterable[Shared]) -> bool:
    """Whether a device with `guessed` wrong guesses in the window may make another guess."""
    return guessed < allowance(bound, shared)


def range_of(address: IPv4Address | IPv6Address) -> str:
    """The range of an address, as its network: `192.0.2.0/24`."""
    return str(ip_network((address, RANGE_BITS[address.version]), strict=False))
