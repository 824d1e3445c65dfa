"""What any agent may tell of its host: interfaces (IF-MIB), processors and memory (HOST-RESOURCES-MIB). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from hotspot.fleet import InterfaceReading
from monitor.oids import Oid, Value
from monitor.profile import Profile, Table
from monitor.rows import Row
from monitor.walk import Walked

INTERFACES_MAX = 64
STORAGE_RAM: Oid = (1, 3, 6, 1, 2, 1, 25, 2, 1, 2)
"""hrStorageRam of HOST-RESOURCES-TYPES."""

_UP = 1
"""ifOperStatus."""

_OCTETS = ("octets_in", "octets_in_32", "octets_out", "octets_out_32")

ALTERNATIVES = {"name_else": "name", "octets_in_32": "octets_in", "octets_out_32": "octets_out"}
"""Words that only count where the better one is not told: ifDescr, and counters of 32 bits."""


# Interfaces ---------------------------------------------------------------------------------------------


def interfaces(profile: Profile, rows: Iterable[Row]) -> tuple[InterfaceReading, ...]:
    """Those that carry or carried something, and no loopback: a device has dozens that never will."""
    return tuple(
        InterfaceReading(
            name,
            is_up(row),
            best(row, "octets_in", "octets_in_32"),
            best(row, "octets_out", "octets_out_32"),
            row.get("errors_in"),
        )
        for name, row in by_name(profile, rows)
    )


def by_name(profile: Profile, rows: Iterable[Row]) -> list[tuple[str, Row]]:
    """The interfaces that are shown, each name once."""
    found: dict[str, Row] = {}
    for row in rows:
        name = best(row, "name", "name_else")
        if _shown(profile, row, name):
            found.setdefault(name, row)
    return list(found.items())[:INTERFACES_MAX]


def best(row: Row, word: str, otherwise: str) -> Any:
    value = row.get(word)
    return row.get(otherwise) if value is None else value


def is_up(row: Row) -> bool:
    return row.get("oper_status") == _UP


def is_idle(table: Table, row: Row) -> bool:
    """Whether an interface is down and never carried anything."""
    return table.kind == "interfaces" and not is_up(row) and not any(row.get(word) for word in _OCTETS)


def _shown(profile: Profile, row: Row, name: str | None) -> bool:
    return name is not None and not profile.ignores(name) and (is_up(row) or any(row.get(word) for word in _OCTETS))


# Processors and memory ----------------------------------------------------------------------------------


def cpu_ratio(row: Row, processors: Sequence[Row] = ()) -> float | None:
    """The device's own figure, else the mean of its processors."""
    percent = row.get("cpu_percent")
    if percent is None:
        loads = [load for each in processors if (load := each["load_percent"]) is not None]
        percent = sum(loads) / len(loads) if loads else None
    return None if percent is None else percent / 100


def memory_ratio(row: Row, storage: Sequence[Row] = ()) -> float | None:
    """The share in use: the device's own figure, else out of amounts, else the host's main memory."""
    percent = row.get("memory_percent")
    if percent is not None:
        return float(percent / 100)
    own = _used(row.get("memory_total"), row.get("memory_used"), row.get("memory_free"))
    if own is not None:
        return own
    ram = (each for each in storage if each.get("kind", STORAGE_RAM) == STORAGE_RAM)
    told = (_used(each.get("size"), each.get("used"), each.get("free")) for each in ram)
    return next((ratio for ratio in told if ratio is not None), None)


def _used(total: int | None, used: int | None, free: int | None) -> float | None:
    """Two of the three make the third."""
    if used is None and total is not None and free is not None:
        used = total - free
    if total is None and used is not None and free is not None:
        total = used + free
    return used / total if total and used is not None and 0 <= used <= total else None


# What need not be asked again ---------------------------------------------------------------------------


def worth_asking(profile: Profile, table: Table, walked: Walked) -> Walked:
    """The rows without those that no reading shows, and without cells that a better one stands in for."""
    if table.kind == "interfaces":
        return Walked(tuple(_rows_shown(profile, table, walked)), walked.cut)
    if table.kind == "storage" and "kind" in table.words:
        at = table.words.index("kind")
        return Walked(tuple(row for row in walked.rows if row[1][at] == STORAGE_RAM), walked.cut)
    if table.kind == "device":
        return Walked(walked.rows[:1])
    needed = [at for at, word in enumerate(table.words) if word in table.needs]
    return Walked(tuple(row for row in walked.rows if all(row[1][at] is not None for at in needed)), walked.cut)


def _rows_shown(profile: Profile, table: Table, walked: Walked) -> Iterator[tuple[Oid, tuple[Value, ...]]]:
    for index, raw in walked.rows:
        cells = (convert(value) for convert, value in zip(table.converts, raw, strict=True))
        row: Row = dict(zip(table.words, cells, strict=True))
        if _shown(profile, row, best(row, "name", "name_else")):
            spare = {word for word, better in ALTERNATIVES.items() if row.get(better) is not None}
            yield index, tuple(None if word in spare else value for word, value in zip(table.words, raw, strict=True))
