"""Raw rows to rows of a reading: each cell converted by its column, named by its index, its counters extended. Pure.

A cell that is told and not believed becomes None, and its word is noted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monitor.counters import NOTHING, Counted, Counts, Owner, Reset, advance
from monitor.oids import Oid, Value
from monitor.profile import Column, Table
from monitor.walk import Walked

Row = dict[str, Any]
"""Word -> value as the reading holds it, with `ap`, `radio`, `ssid` and `bssid` from index or column; None: not told.

The values are what `monitor.words` accepts for the word.
"""


def converted(table: Table, walked: Walked, dropped: set[str]) -> tuple[list[Row], tuple[Oid, ...]]:
    """The table's rows, and the index of each. Rows of radios that are off are left out."""
    rows, indexes = [], []
    needs = table.needs
    for index, raw in walked.rows:
        made = row_of(table, index, raw)
        if made is None:
            continue
        cells, row = made
        if is_off(table, row):
            continue
        if cells.count(None) != raw.count(None):
            dropped.update(not_believed(table.columns, raw, cells))
        if needs and any(row[word] is None for word in needs):
            continue
        rows.append(row)
        indexes.append(index)
    if walked.cut:
        dropped.add(f"{table.name} rows")
    return rows, tuple(indexes)


def row_of(table: Table, index: Oid, raw: Sequence[Value]) -> tuple[list[Any], Row] | None:
    """The converted cells, and the row with its names; None where the index is not of the table's form."""
    names = table.names_of(index)
    if names is None:
        return None
    cells = [convert(value) for convert, value in zip(table.converts, raw, strict=True)]
    row: Row = dict(zip(table.words, cells, strict=True))
    if names.ap is not None and row.get("ap") is None:
        row["ap"] = names.ap
    if names.radio is not None and row.get("radio") is None:
        row["radio"] = names.radio
    if names.ssid is not None and row.get("ssid") is None:
        row["ssid"] = names.ssid
    if names.bssid is not None and row.get("bssid") is None:
        row["bssid"] = names.bssid
    return cells, row


def is_off(table: Table, row: Row) -> bool:
    """Whether the row is of a radio that is off, or of a network on one."""
    get = row.get
    return (get("up") is False and table.kind != "aps") or get("channel") == 0 or get("frequency_mhz") == 0


def owner_of(row: Row) -> Owner:
    return row.get("ap"), row.get("radio"), row.get("ssid")


def not_believed(columns: Sequence[Column], raw: Sequence[Value], cells: Sequence[object]) -> list[str]:
    """The words of values that were told, whatever their transforms made of them, and are out of their range."""
    return [
        column.word
        for column, value, cell in zip(columns, raw, cells, strict=True)
        if cell is None and value is not None and column.told(value) not in (None, b"")
    ]


def extended(table: Table, rows: list[Row], indexes: tuple[Oid, ...], before: Counted, reset: Reset) -> Counted:
    """The table's counters; where they are more than they show, the rows are changed to say so."""
    words = table.counters
    if not words or not rows:
        return before if before.indexes and not reset.device else NOTHING
    owners = tuple(map(owner_of, rows))
    raw: tuple[Counts, ...] = tuple(tuple(row[word] for word in words) for row in rows)
    counted = advance(before, indexes, owners, raw, reset)
    if counted.added is not None:
        for row, plus in zip(rows, counted.added, strict=True):
            for word, more in zip(words, plus, strict=True):
                if more and row[word] is not None:
                    row[word] += more
    return counted


def gone_rows(table: Table, counted: Counted) -> list[Row]:
    """Rows that vanished, as far as they still count: names and totals."""
    found: list[Row] = []
    for gone in counted.gone.values():
        row: Row = dict(zip(("ap", "radio", "ssid"), gone.owner, strict=True))
        for word, shown, more in zip(table.counters, gone.raw, gone.added, strict=True):
            row[word] = None if shown is None else shown + (more or 0)
        found.append(row)
    return found
