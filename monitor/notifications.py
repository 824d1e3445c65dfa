"""What a notification says and asks of us, whoever sent it. Pure.

A notification changes nothing by itself: it brings a poll, and the poll tells how the access point is. What it says
of a link goes into the event log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hotspot.ap_events import Kind
from hotspot.fleet import PointKind
from monitor.oids import Oid, Value, Varbind, under

TRAP_OID: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
"""snmpTrapOID.0: which notification it is (RFC 3416 section 4.2.6)."""

_STANDARD: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 5)
COLD_START, WARM_START, LINK_DOWN, LINK_UP = ((*_STANDARD, number) for number in (1, 2, 3, 4))
"""RFC 3418 (snmpTraps) and RFC 2863 (linkDown, linkUp)."""

LINKS = {LINK_DOWN: Kind.LINK_DOWN, LINK_UP: Kind.LINK_UP}
BRING_A_POLL = {COLD_START, WARM_START, LINK_DOWN, LINK_UP}

_NAMES: tuple[Oid, ...] = ((1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1), (1, 3, 6, 1, 2, 1, 2, 2, 1, 2))
"""ifName, ifDescr."""

_INDEX: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 1)
"""ifIndex."""

INTERFACE_CHARACTERS_MAX = 64


@dataclass(frozen=True, slots=True)
class Notification:
    """`interface` is what a link notification calls its interface; empty where it does not."""

    trap: Oid
    interface: str = ""

    @property
    def link(self) -> Kind | None:
        """What goes into the event log."""
        return LINKS.get(self.trap)

    def brings_a_poll(self, sender: PointKind) -> bool:
        """The standard ones; from a controller any: access points that join, leave or restart say so in its words."""
        return sender is PointKind.CONTROLLER or self.trap in BRING_A_POLL


def notification(varbinds: Sequence[Varbind]) -> Notification | None:
    """None where the varbinds name no notification."""
    trap = next((value for oid, value in varbinds if oid == TRAP_OID), None)
    return Notification(trap, _interface(varbinds)) if isinstance(trap, tuple) else None


def _interface(varbinds: Sequence[Varbind]) -> str:
    for column in _NAMES:
        for oid, value in varbinds:
            if under(oid, column) and isinstance(value, bytes):
                return _printable(value)
    index = next((_number(value) for oid, value in varbinds if under(oid, _INDEX)), "")
    return index and f"interface {index}"


def _printable(octets: bytes) -> str:
    text = octets.decode("utf-8", "replace")
    return "".join(letter for letter in text if letter.isprintable())[:INTERFACE_CHARACTERS_MAX]


def _number(value: Value) -> str:
    return str(value) if isinstance(value, int) else ""
