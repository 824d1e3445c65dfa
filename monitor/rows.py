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
    words, converts, names_of, needs = table.words, table.converts, table.names_of, table.needs
    for index, raw in walked.rows:
        names = names_of(index)
        if names is None:
            continue
        cells = [convert(value) for convert, value in zip(converts, raw, strict=True)]
        row: Row = dict(zip(words, cells, strict=True))
        if (row.get("up") is False and table.kind != "aps") or row.get("channel") == 0 or row.get("frequency_mhz") == 0:
            continue
        if cells.count(None) != raw.count(None):
            dropped.update(not_believed(table.columns, raw, cells))
        if needs and any(row[word] is None for word in needs):
            continue
        if names.ap is not None and row.get("ap") is None:
            row["ap"] = names.ap
        if names.radio is not None and row.get("radio") is None:
            row["radio"] = names.radio
        if names.ssid is not None and row.get("ssid") is None:
            row["ssid"] = names.ssid
        if names.bssid is not None and row.get("bssid") is None:
            row["bssid"] = names.bssid
        rows.append(row)
        indexes.append(index)
    if walked.cut:
        dropped.add(f"{table.name} rows")
    return rows, tuple(indexes)


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
    owners: tuple[Owner, ...] = tuple((row.get("ap"), row.get("radio"), row.get("ssid")) for row in rows)
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
