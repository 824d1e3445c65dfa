"""Plans: the rows of one access point's known instances, interpreted by functions made for them. Pure.

The names in a device's rows (radios, networks, interfaces, what is up) hardly ever change. A plan is made for one
layout and one set of names: it knows which values make which radio, so that a poll converts each value once and adds
up. A plan gives exactly what `monitor.rows` and `monitor.on_air` give, or nothing: where a name changed, a value is not
believed, a radio went off or a counter fell, the general way is gone instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import itemgetter, le
from typing import Any, NamedTuple

from hotspot.fleet import InterfaceReading, RadioReading, SsidReading
from hotspot.values import MacAddress, Octets
from monitor import host, on_air
from monitor.counters import Counted, Owner
from monitor.layout import Cut, LaidRow, Layout, picked
from monitor.oids import Oid, Value
from monitor.on_air import OnAir
from monitor.profile import Column, Profile, Table
from monitor.rows import Row, is_off, not_believed, owner_of, row_of
from monitor.transforms import channel_of_frequency

NAMING = frozenset({"radio", "ssid", "name", "name_else", "band", "up", "oper_status", "kind"})
"""Words whose values are part of the plan."""

OFF_AT_ZERO = frozenset({"channel", "frequency_mhz"})
KINDS = frozenset({"interfaces", "processors", "storage", "radios", "networks"})

PLANS_MAX = 8
"""Plans that a layout keeps: sets of names among devices of one shape."""

Cells = list[Any]
Get = Callable[[Cells], Any]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the tables of one device tell."""

    radios: tuple[RadioReading, ...]
    ssids: tuple[SsidReading, ...]
    interfaces: tuple[InterfaceReading, ...]
    bssids: tuple[MacAddress, ...]
    processors: Sequence[Row]
    storage: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Shelf:
    """The counters of one table in a plan: whose each row is, and which of its counters are told."""

    table: str
    indexes: tuple[Oid, ...]
    owners: tuple[Owner, ...]
    told: tuple[tuple[bool, ...], ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """The counters of all tables in the order of a plan, and what each total is beyond them."""

    plan: Plan
    raw: tuple[Any, ...]
    added: tuple[Any, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """See the module. `fixed` are the values that the plan was made for."""

    fixed: Cut
    expected: tuple[Value, ...]
    pick: Cut
    converts: tuple[Callable[[Value], Any], ...]
    zeroes: Cut
    counters: Cut
    counters_at: tuple[int, ...]
    shelves: tuple[Shelf, ...]
    radios: tuple[Callable[[Cells], RadioReading], ...]
    ssids: tuple[Callable[[Cells], SsidReading], ...]
    interfaces: tuple[Callable[[Cells], InterfaceReading], ...]
    bssids: Get
    processors: tuple[Callable[[Cells], Row], ...]
    storage: tuple[Callable[[Cells], Row], ...]
    dropped: frozenset[str]

    def cells(self, values: Sequence[Value]) -> Cells | None:
        """The converted values; None where the general way must be gone."""
        if self.fixed(values) != self.expected:
            return None
        cells = [convert(value) for convert, value in zip(self.converts, self.pick(values), strict=True)]
        return None if None in cells or 0 in self.zeroes(cells) else cells

    def tally(self, cells: Cells, before: Tally | None) -> Tally | None:
        """The counters; None where one of them fell. What totals are beyond them is added to the cells."""
        raw: tuple[Any, ...] = self.counters(cells)
        if before is None or not all(map(le, before.raw, raw)):
            return None
        if before.added is not None:
            for at, more in zip(self.counters_at, before.added, strict=True):
                cells[at] += more
        return Tally(self, raw, before.added)

    def parts(self, cells: Cells) -> Parts:
        return Parts(
            tuple([radio(cells) for radio in self.radios]),
            tuple([ssid(cells) for ssid in self.ssids]),
            tuple([interface(cells) for interface in self.interfaces]),
            self.bssids(cells),
            [processor(cells) for processor in self.processors],
            [storage(cells) for storage in self.storage],
        )

    # To the general way and back ----------------------------------------------------------------------

    def before(self, counted: Mapping[str, Counted]) -> Tally | None:
        """What the general way remembers; None where it remembers other rows, or some that vanished."""
        raw: list[int | None] = []
        added: list[int | None] = []
        for shelf in self.shelves:
            table = counted.get(shelf.table)
            if table is None or table.gone or table.indexes != shelf.indexes or table.owners != shelf.owners:
                return None
            more = table.added or ((0,) * len(row) for row in table.raw)
            for told, row, plus in zip(shelf.told, table.raw, more, strict=True):
                raw += compress(row, told)
                added += compress(plus, told)
        return None if None in raw else Tally(self, tuple(raw), tuple(added) if any(added) else None)

    def counted(self, tally: Tally) -> dict[str, Counted]:
        """The counters as the general way remembers them."""
        raw, added = iter(tally.raw), iter(tally.added or (0,) * len(tally.raw))
        found = {}
        for shelf in self.shelves:
            rows = tuple(tuple(next(raw) if there else None for there in told) for told in shelf.told)
            more = tuple(tuple(next(added) if there else 0 for there in told) for told in shelf.told)
            found[shelf.table] = Counted(shelf.indexes, shelf.owners, rows, more if tally.added else None)
        return found


# Making a plan ------------------------------------------------------------------------------------------


class Plans:
    """The plans of one layout, the newest last."""

    def __init__(self) -> None:
        self._known: list[Plan] = []

    def fitting(self, values: Sequence[Value]) -> Plan | None:
        """The plan that was made for these names."""
        return next((plan for plan in self._known if plan.fixed(values) == plan.expected), None)

    def make(self, profile: Profile, layout: Layout, values: Sequence[Value]) -> Plan | None:
        """One for these names; None where the profile's tables need the general way."""
        if any(table.kind not in KINDS or table.moving for table in profile.tables):
            return None
        self._known = [*self._known[1 - PLANS_MAX :], _Maker(profile, values).plan(layout)]
        return self._known[-1]


class _At(NamedTuple):
    """Where a word's value stands among the cells."""

    place: int


class _Maker:
    """Collects what a plan is made of. In its rows a word is what it names, or where its cell stands."""

    def __init__(self, profile: Profile, values: Sequence[Value]) -> None:
        self._profile = profile
        self._values = (*values, None)
        self._fixed: dict[int, Value] = {}
        self._cells: dict[tuple[int, Callable[[Value], Any], str], _At] = {}
        self._zeroes: list[int] = []
        self._counters: list[int] = []
        self._shelves: list[Shelf] = []
        self._dropped: set[str] = set()

    def plan(self, layout: Layout) -> Plan:
        rows: dict[str, list[Row]] = {kind: [] for kind in KINDS}
        for name, laid in layout.rows:
            table = self._profile.table(name)
            assert table is not None
            rows[table.kind] += self._table(table, laid)
        air = OnAir(rows["radios"], rows["networks"])
        return Plan(
            fixed=picked(tuple(self._fixed)),
            expected=tuple(self._fixed.values()),
            pick=picked(tuple(place for place, _, _ in self._cells)),
            converts=tuple(convert for _, convert, _ in self._cells),
            zeroes=picked(tuple(self._zeroes)),
            counters=picked(tuple(self._counters)),
            counters_at=tuple(self._counters),
            shelves=tuple(self._shelves),
            radios=tuple(_radio(self._profile, *each) for each in on_air.by_radio(self._profile, air)),
            ssids=tuple(ssid for each in on_air.by_ssid(air) if (ssid := _ssid(*each)) is not None),
            interfaces=tuple(_interface(name, row) for name, row in host.by_name(self._profile, rows["interfaces"])),
            bssids=_bssids(rows["networks"]),
            processors=tuple(map(_row, rows["processors"])),
            storage=tuple(map(_row, rows["storage"])),
            dropped=frozenset(self._dropped),
        )

    def _table(self, table: Table, laid: Sequence[LaidRow]) -> list[Row]:
        rows = [(each.index, row) for each in laid if (row := self._row(table, each)) is not None]
        if table.counters and rows:
            told = tuple(tuple(row[word] is not None for word in table.counters) for _, row in rows)
            indexes = tuple(index for index, _ in rows)
            self._shelves.append(Shelf(table.name, indexes, tuple(owner_of(row) for _, row in rows), told))
            self._counters += [row[word].place for _, row in rows for word in table.counters if row[word] is not None]
        return [row for _, row in rows]

    def _row(self, table: Table, laid: LaidRow) -> Row | None:
        raw = [self._values[place] for place in laid.places]
        real = row_of(table, laid.index, raw)
        if real is None:
            return None
        cells, row = real
        missing = any(row[word] is None for word in table.needs)
        if is_off(table, row) or missing or host.is_idle(table, row):
            self._fix(laid.places, raw)
            return None
        self._dropped.update(not_believed(table.columns, raw, cells))
        for column, place, value, cell in zip(table.columns, laid.places, raw, cells, strict=True):
            if column.word in NAMING or cell is None:
                self._fix((place,), (value,))
            else:
                row[column.word] = self._at(column, place, table)
        return row

    def _fix(self, places: Sequence[int], values: Sequence[Value]) -> None:
        self._fixed |= {place: value for place, value in zip(places, values, strict=True) if place >= 0}

    def _at(self, column: Column, place: int, table: Table) -> _At:
        key = (place, column.convert, table.name)
        at = self._cells.setdefault(key, _At(len(self._cells)))
        if column.word in OFF_AT_ZERO:
            self._zeroes.append(at.place)
        return at


# What a plan does with the cells --------------------------------------------------------------------------


def _nothing(_cells: Cells) -> None:
    return None


def _places(rows: Sequence[Row], word: str) -> list[int]:
    return [at.place for row in rows if (at := row.get(word)) is not None]


def _first(own: Row, nets: Sequence[Row], word: str) -> Get:
    places = _places((own, *nets), word)
    return itemgetter(places[0]) if places else _nothing


def _folded(own: Row, nets: Sequence[Row], word: str, fold: Callable[[Any], Any] = sum) -> Get:
    """The radio's own value, else those of its networks taken together."""
    places = _places((own,), word) or _places(nets, word)
    if len(places) < 2:
        return itemgetter(places[0]) if places else _nothing
    several = itemgetter(*places)
    return lambda cells: fold(several(cells))


def _octets(own: Row, nets: Sequence[Row]) -> Get:
    down, up = _folded(own, nets, "octets_out"), _folded(own, nets, "octets_in")
    if _nothing in (down, up):
        return _nothing
    return lambda cells: Octets(down(cells), up(cells))


def _radio(profile: Profile, name: str, own: Row, nets: Sequence[Row]) -> Callable[[Cells], RadioReading]:
    band = on_air.first(own, nets, "band") or profile.bands.get(name)
    channel_of, frequency_of = _first(own, nets, "channel"), _first(own, nets, "frequency_mhz")
    percent_of = _first(own, (), "utilisation_percent")
    octets = _octets(own, nets)
    clients, power = _folded(own, nets, "clients"), _folded(own, nets, "tx_power_dbm", max)
    width, noise = _first(own, (), "width_mhz"), _first(own, (), "noise_dbm")
    errors_in, errors_out = _folded(own, nets, "errors_in"), _folded(own, nets, "errors_out")
    retries = _folded(own, nets, "retries")

    def radio(cells: Cells) -> RadioReading:
        channel, frequency, percent = channel_of(cells), frequency_of(cells), percent_of(cells)
        if channel is None and frequency is not None:
            channel = channel_of_frequency(frequency)
        return RadioReading(
            name,
            band or on_air.band_of(frequency, channel),
            channel,
            clients(cells),
            None if percent is None else percent / 100,
            power(cells),
            octets(cells),
            width(cells),
            noise(cells),
            errors_in(cells),
            errors_out(cells),
            retries(cells),
        )

    return radio


def _ssid(name: str, nets: Sequence[Row]) -> Callable[[Cells], SsidReading] | None:
    clients, octets = _folded({}, nets, "clients"), _octets({}, nets)
    if clients is _nothing and octets is _nothing:
        return None
    return lambda cells: SsidReading(name, clients(cells), octets(cells))


def _interface(name: str, row: Row) -> Callable[[Cells], InterfaceReading]:
    up = host.is_up(row)
    octets_in = _first({"it": host.best(row, "octets_in", "octets_in_32")}, (), "it")
    octets_out = _first({"it": host.best(row, "octets_out", "octets_out_32")}, (), "it")
    errors_in = _first(row, (), "errors_in")
    return lambda cells: InterfaceReading(name, up, octets_in(cells), octets_out(cells), errors_in(cells))


def _bssids(rows: Sequence[Row]) -> Get:
    told = [row["bssid"] for row in rows if row.get("bssid") is not None]
    if not told:
        return lambda _cells: ()
    most = on_air.BSSIDS_MAX
    return lambda cells: tuple(dict.fromkeys([cells[at.place] if isinstance(at, _At) else at for at in told]))[:most]


def _row(row: Row) -> Callable[[Cells], Row]:
    places = [(word, at.place) for word, at in row.items() if isinstance(at, _At)]
    named = {word: value for word, value in row.items() if not isinstance(value, _At)}
    return lambda cells: named | {word: cells[place] for word, place in places}
