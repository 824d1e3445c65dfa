"""RADIUS clients of one city: who may speak from which address or network, with which secret, and what each must sign.

Several may share an address or a network (behind NAT): then the packet's NAS-Identifier chooses. Pure; `radius.roster`
reads the list again so that a change takes effect within 2 s.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network
from itertools import chain

from store.nases import Nas

SOURCES_MAX = 16_384
"""Source addresses whose clients are remembered: a network may hold more. Beyond it all are looked up anew."""

_MAPPED = bytes(10) + b"\xff\xff"
"""How an IPv4 address begins in its IPv6 coat (RFC 4291 section 2.5.5.2)."""


class Peer:
    """A NAS as a packet meets it.

    `must_sign`: its Access-Requests need a Message-Authenticator. `learning`: not yet, but from the first one on.
    """

    __slots__ = ("learning", "must_sign", "nas", "secret")

    def __init__(self, nas: Nas) -> None:
        self.nas = nas
        self.secret = nas.secret
        self.learning = nas.require_message_authenticator == "auto" and nas.message_authenticator_at is None
        self.must_sign = nas.require_message_authenticator != "no" and not self.learning


class Neighbours:
    """The clients that may stand behind one source address: those of the address itself, then of smaller networks."""

    __slots__ = ("_by_identifier", "all")

    def __init__(self, peers: Iterable[Peer]) -> None:
        self.all = tuple(peers)
        self._by_identifier: dict[bytes, tuple[Peer, ...]] = {}
        for peer in self.all:
            identifier = peer.nas.nas_identifier.encode()
            self._by_identifier[identifier] = (*self._by_identifier.get(identifier, ()), peer)

    def candidates(self, identifier: bytes | None) -> tuple[Peer, ...]:
        """In order; only those with the packet's NAS-Identifier where there are any."""
        if identifier is None or len(self.all) == 1:
            return self.all
        return self._by_identifier.get(identifier, self.all)


class Peers:
    """Clients by source address. An address nobody registered has none: it is met with silence.

    `unreadable` are NASes whose address is none; they are never heard. `learned` holds the ids of NASes that have just
    shown that they sign (`learn`), until somebody who stored it takes them out: a new list does not undo it before.
    """

    def __init__(self, nases: Iterable[Nas] = (), *, sources_max: int = SOURCES_MAX) -> None:
        self.learned: set[int] = set()
        self._sources_max = sources_max
        self._emptied = 0
        self.replace(nases)

    def replace(self, nases: Iterable[Nas]) -> None:
        """Take a new list; nothing of the old stays but what was learned and is not stored yet."""
        self._seen: dict[str, Neighbours] = {}
        self._neighbours: dict[int, Neighbours] = {}
        self._count = 0
        unreadable = []
        by_network: dict[tuple[int, int], dict[int, list[Peer]]] = {}
        for nas in nases:
            try:
                network = network_of(nas.address)
            except ValueError:
                unreadable.append(nas)
                continue
            size = network.max_prefixlen - network.prefixlen  # bits of a host's number
            table = by_network.setdefault((network.max_prefixlen, size), {})
            table.setdefault(int(network.network_address) >> size, []).append(self._peer(nas))
            self._count += 1
        self.unreadable = tuple(unreadable)
        self._tables = sorted(by_network.items(), key=lambda item: item[0])  # the longest prefix first

    def _peer(self, nas: Nas) -> Peer:
        peer = Peer(nas)
        if peer.learning and nas.id in self.learned:
            self.learn(peer)
        return peer

    def learn(self, peer: Peer) -> None:
        """The NAS signs: from now on it must."""
        peer.learning, peer.must_sign = False, True
        self.learned.add(peer.nas.id)

    def find(self, address: str) -> Neighbours | None:
        """Who may speak from there; the address as a socket gives it."""
        return self._seen.get(address) or self._look_up(address)

    def _look_up(self, address: str) -> Neighbours | None:
        """Strangers are not remembered: there is no end of them, and this is cheap."""
        octets = _octets(address)
        number, bits = int.from_bytes(octets, "big"), len(octets) * 8
        found = [table.get(number >> size) for (of_bits, size), table in self._tables if of_bits == bits]
        peers = [each for each in found if each is not None]
        if not peers:
            return None
        if len(self._seen) >= self._sources_max:
            self._seen.clear()
            self._emptied += 1
        # Networks lie in one another or apart, so the smallest tells the others: its sources share one object.
        if id(peers[0]) not in self._neighbours:
            self._neighbours[id(peers[0])] = Neighbours(chain.from_iterable(peers))
        neighbours = self._seen[address] = self._neighbours[id(peers[0])]
        return neighbours

    def take_emptied(self) -> int:
        """How often the memory of sources was full since the last call."""
        taken, self._emptied = self._emptied, 0
        return taken

    def __len__(self) -> int:
        return self._count


def _octets(address: str) -> bytes:
    """4 or 16, IPv4 in its IPv6 coat being 4 (DESIGN, IPv6). `ipaddress` takes eight times as long."""
    if ":" not in address:
        return socket.inet_pton(socket.AF_INET, address)
    octets = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    return octets[12:] if octets.startswith(_MAPPED) else octets


def network_of(text: str) -> IPv4Network | IPv6Network:
    """What a NAS's `address` means: `192.0.2.1` is a network of one. ValueError where it is neither."""
    network = ipaddress.ip_network(text.strip().partition("%")[0], strict=False)
    if network.version == 6 and network.prefixlen >= 96 and network.network_address.ipv4_mapped is not None:
        return ipaddress.IPv4Network((network.network_address.ipv4_mapped, network.prefixlen - 96))
    return network


def plain_address(text: str) -> str:
    """The address in its one spelling; IPv4 mapped into IPv6 becomes IPv4 (DESIGN, IPv6)."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
