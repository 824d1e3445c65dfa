"""Looking for access points: in which networks, at how many addresses, and what it means that one is found again.

Pure: the city's allowed networks and what is known already are arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from hotspot.errors import InputError
from hotspot.fleet import PointKind
from hotspot.values import MacAddress

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

ADDRESSES_MAX = 4_096
"""Addresses of one search: a /20, or a /116."""

KEY = "monitor.discover_networks"
"""The key of the city's file that says where may be looked."""


class Failure(StrEnum):
    """Why a search ended before it had asked everywhere: the word in the store and in the metric."""

    NO_CREDENTIAL = "no_credential"
    """No candidate is for this network."""

    TOO_MANY_CREDENTIALS = "too_many_credentials"
    """More candidates are for this network than one search tries."""

    NOT_ALLOWED = "not_allowed"
    """The city's file no longer names the network."""

    ENDED = "ended"
    """Somebody wanted no more of it."""

    INTERNAL = "internal"
    """Our fault; the monitor's log has it."""


def parse_network(said: str, *, allowed: Sequence[Network]) -> Network:
    """A network, or a single address, within the city's. InputError says what would be right."""
    try:
        network = ip_network(said.strip(), strict=False)
    except ValueError:
        raise InputError(f"{said!r} is no network; one is written such as 10.1.0.0/24") from None
    if not allowed:
        raise InputError(f'the city\'s file names no network to look in; {KEY} lists them, such as ["{network}"]')
    if not any(_within(network, each) for each in allowed):
        listed = ", ".join(map(str, allowed))
        raise InputError(f"{network} is not within the networks of {KEY} in the city's file: {listed}")
    if network.num_addresses > ADDRESSES_MAX:
        prefix = network.max_prefixlen - ADDRESSES_MAX.bit_length() + 1
        raise InputError(
            f"{network} has {network.num_addresses} addresses, one search asks at most {ADDRESSES_MAX}: "
            f"search it in parts, each a /{prefix} or smaller"
        )
    return network


def _within(network: Network, outer: Network) -> bool:
    if isinstance(network, IPv4Network) and isinstance(outer, IPv4Network):
        return network.subnet_of(outer)
    return isinstance(network, IPv6Network) and isinstance(outer, IPv6Network) and network.subnet_of(outer)


def questions(network: Network, candidates: Sequence[Network]) -> Iterator[tuple[int, Address]]:
    """What a search puts: each candidate's place in the list, and an address that it may open.

    One pass over the addresses a candidate, in the list's order: an agent meets a wrong community with silence, so
    each pass may take as long as nobody answering does.
    """
    for place, candidate in enumerate(candidates):
        for address in network.hosts():
            if address in candidate:
                yield place, address


@dataclass(frozen=True, slots=True)
class Found:
    """A device that answered."""

    address: str
    port: int
    kind: PointKind
    profile: str
    system_name: str
    model: str
    firmware: str
    serial: str
    bssids: tuple[MacAddress, ...] = ()


@dataclass(frozen=True, slots=True)
class Trait:
    """By what a known access point is recognised. `address` is empty behind a controller, so may the rest be."""

    id: int
    name: str
    address: str
    port: int
    serial: str
    bssids: frozenset[MacAddress]
    up: bool


@dataclass(frozen=True, slots=True)
class Known:
    """The access point that a find is, and where it was known to be. `moved`: it no longer answers there."""

    id: int
    name: str
    address: str
    port: int
    moved: bool


class Register:
    """What is known already, to look finds up in."""

    def __init__(self, traits: Iterable[Trait]) -> None:
        self._places: dict[tuple[str, int], Trait] = {}
        self._marks: dict[MacAddress | str, Trait] = {}
        for trait in traits:
            self._places[trait.address, trait.port] = trait
            self._marks |= dict.fromkeys(trait.bssids, trait)
            if trait.serial:
                self._marks[trait.serial] = trait

    def look_up(self, found: Found) -> Known | None:
        """By serial number and BSSID, which a device takes along when its address changes; else by its address.

        One that is up where it was known has not moved: it has two addresses.
        """
        marks = (found.serial, *found.bssids)
        marked = next((self._marks[mark] for mark in marks if mark in self._marks), None)
        trait = marked or self._places.get((found.address, found.port))
        if trait is None:
            return None
        elsewhere = bool(trait.address) and (trait.address, trait.port) != (found.address, found.port)
        return Known(trait.id, trait.name, trait.address, trait.port, moved=elsewhere and not trait.up)


NAME_CHARACTERS_MAX = 60


def suggested_name(found: Found, taken: Iterable[str]) -> str:
    """What it calls itself, else its address; with a number behind where that is taken."""
    own = "".join(each for each in found.system_name.strip() if each.isprintable())[: NAME_CHARACTERS_MAX - 5]
    name = own or found.address
    names = set(taken)
    if name not in names:
        return name
    return next(other for number in range(2, len(names) + 3) if (other := f"{name}-{number}") not in names)
