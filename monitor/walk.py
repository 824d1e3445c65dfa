"""Walking tables with GETBULK: bounded in rows, questions and patience, and only forwards.

An agent whose object identifiers do not increase would keep us for ever; that is malformed instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hotspot.fleet import PollFailure
from monitor.oids import Oid, Value, Varbind
from monitor.profile import Column, Table
from monitor.session import Session, SnmpError, TooBigError

ROWS_FIRST = 8
"""Rows asked for at first; afterwards what the device had last time, and one more to see the end."""

VARBINDS_ASKED_MAX = 100
"""Varbinds asked for in one question: an answer of about 3 kB."""

GROWTH_POLLS = 100
"""Polls that must go well before a device that fell silent is asked for twice as much again."""

QUESTIONS_SPARE = 64
"""Questions a table may take beyond those that its rows need."""

Row = tuple[Oid, tuple[Value, ...]]
"""A row's index, and its cells in the order of the table's columns; None where the device told none."""


@dataclass(frozen=True, slots=True)
class Walked:
    """A table; `cut` where it had more rows than we read."""

    rows: tuple[Row, ...] = ()
    cut: bool = False


@dataclass(slots=True)
class Appetite:
    """What one device can stomach, remembered between polls: rows by table, varbinds a question.

    A device that said tooBig is never asked for so much again; one that fell silent is, after `GROWTH_POLLS`.
    """

    rows: dict[str, int] = field(default_factory=dict)
    varbinds: int = VARBINDS_ASKED_MAX
    most: int = VARBINDS_ASKED_MAX
    well: int = 0

    def refused(self, varbinds: int, error: SnmpError) -> None:
        """So many were too many."""
        self.varbinds = max(1, varbinds // 2)
        self.well = 0
        if isinstance(error, TooBigError):
            self.most = min(self.most, max(1, varbinds - 1))

    def digested(self) -> None:
        """A poll went well."""
        self.well += 1
        if self.varbinds < self.most and self.well >= GROWTH_POLLS:
            self.well, self.varbinds = 0, min(self.most, self.varbinds * 2)


@dataclass(slots=True)
class _Walk:
    """One object identifier on its way down its column."""

    start: Oid
    rows_max: int
    last: Oid
    depth: int
    cells: dict[Oid, Value] = field(default_factory=dict)
    open: bool = True
    cut: bool = False

    def take(self, oid: Oid, value: Value) -> None:
        """The next varbind; closes the column at its end."""
        depth = self.depth
        if value is None or oid[:depth] != self.start:
            self.open = False
            return
        if oid <= self.last:
            raise SnmpError(PollFailure.MALFORMED, "object identifiers do not increase")
        if len(self.cells) >= self.rows_max:
            self.open, self.cut = False, True
            return
        self.last = oid
        self.cells[oid[depth:]] = value


async def walk(session: Session, table: Table, appetite: Appetite) -> Walked:
    """The table's rows in order of their index. SnmpError where the agent fails or walks in circles."""
    walks = {column.oid: _Walk(column.oid, table.rows_max, column.oid, len(column.oid)) for column in table.columns}
    rows = appetite.rows.get(table.name, ROWS_FIRST)
    for _question in range(table.rows_max + QUESTIONS_SPARE):
        wanted = [walk for walk in walks.values() if walk.open]
        if not wanted:
            break
        count = len(wanted)
        for at, (oid, value) in enumerate(await _ask(session, wanted, rows, appetite)):
            column = wanted[at % count]
            if column.open:
                column.take(oid, value)
    appetite.rows[table.name] = 1 + max((len(walk.cells) for walk in walks.values()), default=0)
    return Walked(_rows(table.columns, walks), any(walk.cut for walk in walks.values()))


def _rows(columns: Sequence[Column], walks: dict[Oid, _Walk]) -> tuple[Row, ...]:
    told = [_of_column(column, walks[column.oid].cells) for column in columns]
    first = told[0].keys() if told else ()
    if all(cells.keys() == first for cells in told):  # the usual table: no cell is missing
        return tuple(zip(first, zip(*(cells.values() for cells in told), strict=True), strict=True)) if told else ()
    indexes = sorted(set().union(*told))
    return tuple((index, tuple(cells.get(index) for cells in told)) for index in indexes)


def _of_column(column: Column, cells: dict[Oid, Value]) -> dict[Oid, Value]:
    instance = column.instance
    if instance is None:
        return cells
    named = ((instance.row(index), value) for index, value in cells.items())
    return {index: value for index, value in named if index is not None}


async def _ask(session: Session, wanted: Sequence[_Walk], rows: int, appetite: Appetite) -> list[Varbind]:
    """One GETBULK; asks for half where that was too much, and remembers what went well."""
    while True:
        repetitions = max(1, min(rows, appetite.varbinds // len(wanted)))
        try:
            answer = await session.bulk([walk.last for walk in wanted], repetitions)
        except SnmpError as error:
            if repetitions == 1 or not too_much(error):
                raise
            appetite.refused(repetitions * len(wanted), error)
            continue
        if not answer:
            raise SnmpError(PollFailure.MALFORMED, "an empty answer")
        return answer


async def get(session: Session, oids: Sequence[Oid], appetite: Appetite) -> list[Value]:
    """The instances' values in order, in as few questions as the device stomachs. SnmpError."""
    values: list[Value] = []
    while len(values) < len(oids):
        asked = oids[len(values) : len(values) + appetite.varbinds]
        try:
            values += _checked(asked, await session.get(asked))
        except SnmpError as error:
            if len(asked) == 1 or not too_much(error):
                raise
            if not isinstance(error, TooBigError):
                await session.get(asked[:1])  # one that does not even answer this is down
            appetite.refused(len(asked), error)
    return values


def _checked(asked: Sequence[Oid], answer: Sequence[Varbind]) -> Sequence[Value]:
    names, values = zip(*answer, strict=True) if answer else ((), ())
    if names != tuple(asked):
        raise SnmpError(PollFailure.MALFORMED, "an answer to other objects than asked for")
    return values


def too_much(error: SnmpError) -> bool:
    """Whether asking for less may help."""
    return isinstance(error, TooBigError) or error.failure is PollFailure.TIMEOUT
