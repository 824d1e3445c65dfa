"""Varbinds to a reading. Pure: what a device says goes in, one vendor-neutral `ApReading` comes out.

Nothing is believed: a value of the wrong type or out of its range is left out (None), never shown and never zero.
A radio whose networks are all off is left out whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hotspot.fleet import ApReading, Band, InterfaceReading, PollFailure, RadioReading, SsidReading
from hotspot.values import Octets
from monitor.counters import Memory, Sample, advance
from monitor.oids import Counter32, Oid, Value, Values
from monitor.profile import Profile
from monitor.session import SnmpError

TEXT_MAX = 64
"""Characters of a device's texts that we keep: a model, a version, a name."""

SSID_OCTETS_MAX = 32
RADIOS_MAX = 8
SSIDS_MAX = 32
INTERFACES_MAX = 64
CLIENTS_MAX = 4_096
"""IEEE 802.11 has at most 2007 associations a BSS; a larger number is a fault of the device."""

CHANNELS = range(1, 234)
"""2.4 GHz has 1 to 14, 5 GHz to 177, 6 GHz to 233."""

TX_POWER_DBM = range(-10, 41)
STORAGE_RAM: Oid = (1, 3, 6, 1, 2, 1, 25, 2, 1, 2)
"""hrStorageRam of HOST-RESOURCES-TYPES."""

_UP, _TRUTH_FALSE = 1, (0, 2)

Row = Mapping[str, Value]
Rows = Sequence[tuple[Oid, Row]]
Tables = Mapping[str, Rows]


@dataclass(frozen=True, slots=True)
class Interpreted:
    """A reading, and what to remember for the next one."""

    reading: ApReading
    memory: Memory


def interpret(profile: Profile, values: Values, *, memory: Memory, now: datetime) -> Interpreted:
    """What the device told. SnmpError (malformed) where it told neither what it is nor how long it is up."""
    scalar = {column.word: values.get(column.oid) for column in profile.scalars}
    if not isinstance(scalar.get("object_id"), tuple) and not isinstance(scalar.get("agent_uptime"), int):
        raise SnmpError(PollFailure.MALFORMED, "neither sysObjectID nor sysUpTime")
    uptime = uptime_seconds(scalar)
    tables = tabulate(profile, values)
    networks = [row for row in tables.get("networks", ()) if _on(row[1])]
    remembered, totals = advance(memory, _samples(networks), uptime_seconds=uptime)
    reading = ApReading(
        at=now,
        system_name=text(scalar.get("system_name")),
        model=text(scalar.get("model")) or _first_word(text(scalar.get("description"))),
        firmware=text(scalar.get("firmware")),
        uptime_seconds=uptime,
        cpu_ratio=_cpu(tables),
        memory_ratio=_memory(tables, scalar),
        radios=_radios(profile, tables, networks, totals),
        ssids=_ssids(networks),
        interfaces=tuple(_interfaces(profile, tables))[:INTERFACES_MAX],
    )
    return Interpreted(reading, remembered)


# Values ---------------------------------------------------------------------------------------------


def text(value: Value, octets_max: int = TEXT_MAX * 4) -> str:
    """Printable text, else empty. Control and other unprintable characters are left out."""
    if not isinstance(value, bytes):
        return ""
    decoded = value[:octets_max].decode("utf-8", "replace")
    return "".join(char for char in decoded if char.isprintable() and char != "\ufffd").strip()[:TEXT_MAX]


def number(value: Value, low: int, high: int) -> int | None:
    """A number from `low` to `high`, else None."""
    return value if isinstance(value, int) and low <= value <= high else None


def _octets(value: Value) -> int | None:
    return number(value, 0, 2**64 - 1)


def _ratio(value: Value) -> float | None:
    percent = number(value, 0, 100)
    return None if percent is None else percent / 100


def uptime_seconds(scalar: Mapping[str, Value]) -> float | None:
    """The host's uptime where it tells it, else the agent's; both wrap after 497 days."""
    ticks = number(scalar.get("host_uptime"), 1, 2**32 - 1) or number(scalar.get("agent_uptime"), 0, 2**32 - 1)
    return None if ticks is None else ticks / 100


def _first_word(description: str) -> str:
    return description.partition(" ")[0]


def tabulate(profile: Profile, values: Values) -> Tables:
    """Rows of each table with their index, in its order; a cell that the device did not tell is None."""
    places = {column.oid: (table, column.word) for table in profile.tables for column in table.columns}
    lengths = {len(oid) for oid in places}
    found: dict[str, dict[Oid, dict[str, Value]]] = {table.name: {} for table in profile.tables}
    for oid, value in values.items():
        for length in lengths:
            place = places.get(oid[:length])
            if place is not None:
                table, word = place
                row = found[table.name].setdefault(oid[length:], dict.fromkeys(table.words))
                row[word] = value
    return {name: sorted(index.items()) for name, index in found.items()}


# Parts of the reading -------------------------------------------------------------------------------


def _on(row: Row) -> bool:
    return row.get("up") not in _TRUTH_FALSE and row.get("channel") != 0


def _radio_of(row: Row) -> str:
    return text(row.get("radio"))


def _samples(networks: Rows) -> Iterator[Sample]:
    for index, row in networks:
        for word in ("octets_in", "octets_out"):
            raw = _octets(row.get(word))
            if raw is not None:
                kept = Counter32(raw) if isinstance(row.get(word), Counter32) else raw
                yield Sample(f"{word} {_radio_of(row)}", index, kept)


def _radios(profile: Profile, tables: Tables, networks: Rows, totals: Mapping[str, int]) -> tuple[RadioReading, ...]:
    radios = [row for _, row in tables.get("radios", ())]
    names = dict.fromkeys(_radio_of(row) for _, row in networks)
    found = []
    for name in [name for name in names if name][:RADIOS_MAX]:
        own = [row for _, row in networks if _radio_of(row) == name]
        busy = [_ratio(row.get("utilisation_percent")) for row in radios if _radio_of(row) == name]
        found.append(_radio(profile, name, own, [ratio for ratio in busy if ratio is not None], totals))
    return tuple(found)


def _radio(
    profile: Profile, name: str, networks: Sequence[Row], busy: Sequence[float], totals: Mapping[str, int]
) -> RadioReading:
    clients = _known(number(row.get("clients"), 0, CLIENTS_MAX) for row in networks)
    channels = _known(number(row.get("channel"), CHANNELS[0], CHANNELS[-1]) for row in networks)
    powers = _known(number(row.get("tx_power_dbm"), TX_POWER_DBM[0], TX_POWER_DBM[-1]) for row in networks)
    down, up = totals.get(f"octets_out {name}"), totals.get(f"octets_in {name}")
    return RadioReading(
        name=name,
        band=profile.bands.get(name) or _band(channels[0] if channels else None),
        channel=channels[0] if channels else None,
        clients=sum(clients) if clients else None,
        utilisation_ratio=max(busy, default=None),
        tx_power_dbm=max(powers, default=None),
        octets=None if down is None or up is None else Octets(down, up),
    )


def _known(numbers: Iterator[int | None]) -> list[int]:
    return [value for value in numbers if value is not None]


def _band(channel: int | None) -> Band | None:
    """Only 2.4 GHz can be told from the channel alone: 5 and 6 GHz share numbers."""
    return Band.GHZ_2_4 if channel is not None and channel <= 14 else None


def _ssids(networks: Rows) -> tuple[SsidReading, ...]:
    clients: dict[str, int] = {}
    for _, row in networks:
        name, count = text(row.get("ssid"), SSID_OCTETS_MAX), number(row.get("clients"), 0, CLIENTS_MAX)
        if name and count is not None and (name in clients or len(clients) < SSIDS_MAX):
            clients[name] = clients.get(name, 0) + count
    return tuple(SsidReading(name, count) for name, count in clients.items())


def _interfaces(profile: Profile, tables: Tables) -> Iterator[InterfaceReading]:
    """Those that carry or carried something, and no loopback: a device has dozens that never will."""
    seen: set[str] = set()
    for _, row in tables.get("interfaces", ()):
        name = text(row.get("name"))
        up = row.get("oper_status") == _UP
        octets_in, octets_out = _octets(row.get("octets_in")), _octets(row.get("octets_out"))
        idle = not up and not octets_in and not octets_out
        if not name or name in seen or idle or any(pattern.search(name) for pattern in profile.interfaces_ignored):
            continue
        seen.add(name)
        yield InterfaceReading(name, up, octets_in, octets_out, _octets(row.get("errors_in")))


def _cpu(tables: Tables) -> float | None:
    loads = [_ratio(row.get("load_percent")) for _, row in tables.get("processors", ())]
    told = [load for load in loads if load is not None]
    return sum(told) / len(told) if told else None


def _memory(tables: Tables, scalar: Mapping[str, Value]) -> float | None:
    """The vendor's own figures, else the host's main memory."""
    total, free = _octets(scalar.get("memory_total")), _octets(scalar.get("memory_free"))
    if total and free is not None and free <= total:
        return (total - free) / total
    for _, row in tables.get("storage", ()):
        size, used = _octets(row.get("size")), _octets(row.get("used"))
        if row.get("kind") == STORAGE_RAM and size and used is not None and used <= size:
            return used / size
    return None
