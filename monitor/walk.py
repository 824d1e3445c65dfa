"""Walking tables with GETBULK: bounded in rows, questions and patience, and only forwards.

An agent whose object identifiers do not increase would keep us for ever; that is malformed instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hotspot.fleet import PollFailure
from monitor.oids import Oid, Value, Varbind, under
from monitor.profile import Table
from monitor.session import Session, SnmpError, TooBigError

ROWS_MAX = 128
"""Rows of a table that we read; an access point has far fewer interfaces. What lies beyond is left out."""

ROWS_FIRST = 8
"""Rows asked for at first; afterwards what the device had last time, and one more to see the end."""

VARBINDS_ASKED_MAX = 100
"""Varbinds asked for in one GETBULK: an answer of about 3 kB."""

QUESTIONS_MAX = 64
"""Questions a table may take."""


@dataclass(slots=True)
class Appetite:
    """What one device can stomach, remembered between polls: rows by table, varbinds a question."""

    rows: dict[str, int] = field(default_factory=dict)
    varbinds: int = VARBINDS_ASKED_MAX


@dataclass(slots=True)
class _Column:
    start: Oid
    last: Oid
    rows: int = 0
    open: bool = True

    def take(self, oid: Oid, value: Value) -> bool:
        """Whether the varbind belongs to this column; closes it at its end."""
        if value is None or not under(oid, self.start):
            self.open = False
            return False
        if oid <= self.last:
            raise SnmpError(PollFailure.MALFORMED, "object identifiers do not increase")
        self.last = oid
        self.rows += 1
        self.open = self.rows < ROWS_MAX
        return True


async def table_values(session: Session, table: Table, appetite: Appetite) -> dict[Oid, Value]:
    """All cells of the table's columns. SnmpError where the agent fails or walks in circles."""
    found: dict[Oid, Value] = {}
    columns = [_Column(column.oid, column.oid) for column in table.columns]
    rows = appetite.rows.get(table.name, ROWS_FIRST)
    for _question in range(QUESTIONS_MAX):
        wanted = [column for column in columns if column.open]
        if not wanted:
            break
        for at, (oid, value) in enumerate(await _ask(session, wanted, rows, appetite)):
            column = wanted[at % len(wanted)]
            if column.open and column.take(oid, value):
                found[oid] = value
    appetite.rows[table.name] = 1 + max((column.rows for column in columns), default=0)
    return found


async def _ask(session: Session, wanted: Sequence[_Column], rows: int, appetite: Appetite) -> list[Varbind]:
    """One GETBULK; asks for half where that was too much, and remembers what went well."""
    varbinds = appetite.varbinds
    while True:
        repetitions = max(1, min(rows, varbinds // len(wanted)))
        try:
            answer = await session.bulk([column.last for column in wanted], repetitions)
        except SnmpError as error:
            too_much = isinstance(error, TooBigError) or error.failure is PollFailure.TIMEOUT
            if repetitions == 1 or not too_much:
                raise
            varbinds = repetitions * len(wanted) // 2
            continue
        if not answer:
            raise SnmpError(PollFailure.MALFORMED, "an empty answer")
        appetite.varbinds = varbinds
        return answer
