"""Layouts: the instances a device had at its last walk, so that the next polls fetch exactly these with plain GETs.

Devices of the same shape share one layout: it holds object identifiers and where their values go, and no value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from weakref import WeakValueDictionary

from monitor.oids import Oid, Value
from monitor.profile import Column, Profile, Table
from monitor.walk import Walked

Cut = Callable[[Sequence[Value]], tuple[Value, ...]]
Tables = Mapping[str, Walked]


@dataclass(frozen=True, slots=True)
class LaidRow:
    """A row: where each of its cells stands among the values, -1 for one that the device did not tell."""

    index: Oid
    places: tuple[int, ...]
    cut: Cut


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Layout:
    """`oids` to ask for, and how the answer becomes scalars and rows."""

    oids: tuple[Oid, ...]
    scalars: Cut
    rows: tuple[tuple[str, tuple[LaidRow, ...]], ...]

    def read(self, values: Sequence[Value]) -> tuple[tuple[Value, ...], dict[str, Walked]]:
        """The values in the order of `oids` as scalars and tables."""
        padded = (*values, None)
        tables = {name: Walked(tuple((row.index, row.cut(padded)) for row in rows)) for name, rows in self.rows}
        return self.scalars(padded), tables


class Layouts:
    """Every layout in use, found by its shape."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[object, Layout] = WeakValueDictionary()

    def of(self, profile: Profile, scalars: Sequence[Value], tables: Tables) -> Layout:
        """The layout that asks for all that a walk found."""
        told = tuple(value is not None for value in scalars)
        steady = tuple(
            (table.name, tuple(index for index, _ in tables[table.name].rows), _told(tables[table.name]))
            for table in profile.tables
            if table.name in tables and not table.moving
        )
        shape = (profile, told, steady)
        layout = self._known.get(shape)
        if layout is None:
            layout = self._known[shape] = _layout(profile, told, steady)
        return layout


_Steady = tuple[tuple[str, tuple[Oid, ...], tuple[tuple[bool, ...], ...]], ...]


def _told(table: Walked) -> tuple[tuple[bool, ...], ...]:
    return tuple(tuple(value is not None for value in cells) for _, cells in table.rows)


def _layout(profile: Profile, told: Sequence[bool], steady: _Steady) -> Layout:
    places: dict[Oid, int] = {}
    asked = [column.oid if there else None for column, there in zip(profile.scalars, told, strict=True)]
    scalars = picked(_places(asked, places))
    rows = []
    for name, indexes, masks in steady:
        table = profile.table(name)
        assert table is not None
        laid = [_places(_cells(table, index, mask), places) for index, mask in zip(indexes, masks, strict=True)]
        rows.append((name, tuple(LaidRow(index, at, picked(at)) for index, at in zip(indexes, laid, strict=True))))
    return Layout(tuple(places), scalars, tuple(rows))


def _cells(table: Table, index: Oid, mask: Sequence[bool]) -> list[Oid | None]:
    return [_cell(column, index) if there else None for column, there in zip(table.columns, mask, strict=True)]


def _cell(column: Column, index: Oid) -> Oid:
    return column.oid + (index if column.instance is None else column.instance.index(index))


def _places(oids: Sequence[Oid | None], places: dict[Oid, int]) -> tuple[int, ...]:
    return tuple(-1 if oid is None else places.setdefault(oid, len(places)) for oid in oids)


def picked(places: tuple[int, ...]) -> Cut:
    """Picks these of the values; -1 is the None behind the last."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple(values[place] for place in places)
