"""RADIUS clients of one city: who may speak, with which secret. Re-read so that a change takes effect within 2 s."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from store.fleet import Nas

REFRESH_SECONDS = 1.0
"""How often the list is read again."""

SECRET_LENGTH_ADVISED = 12
"""Shorter secrets are named in the log (RADIUS.md: warned about below that)."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A NAS as a packet meets it."""

    nas: Nas

    @property
    def secret(self) -> bytes:
        return self.nas.secret


class Peers:
    """Peers by source address. An address nobody registered has no peer: it is met with silence."""

    def __init__(self, nases: Iterable[Nas] = ()) -> None:
        self._by_address: dict[str, Peer] = {}
        self.replace(nases)

    def replace(self, nases: Iterable[Nas]) -> None:
        """Take a new list; known ones keep nothing of the old."""
        self._by_address = {plain_address(nas.address): Peer(nas) for nas in nases}

    def find(self, address: str) -> Peer | None:
        return self._by_address.get(address) or self._by_address.get(plain_address(address))

    def __len__(self) -> int:
        return len(self._by_address)


def plain_address(text: str) -> str:
    """The address in its one spelling; IPv4 mapped into IPv6 becomes IPv4 (DESIGN, IPv6)."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
