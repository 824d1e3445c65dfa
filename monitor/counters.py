"""Totals out of counters that wrap, restart one by one, or vanish: never a step that nobody carried.

A network's octets are the sum over its virtual access points. If one of them restarts, the plain sum falls, and
Prometheus would take the whole rest for new traffic. Pure: what is remembered of one table goes in and comes out.

Most polls only count up: then nothing is looked at one by one.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import le

from monitor.oids import Counter32, Oid

WRAP = 2**32
CARRIED_MAX = 2**31
"""A fallen 32-bit counter wrapped if that means less than this since the last poll, else it restarted."""

GONE_MAX = 128
"""Rows that vanished and whose totals a device's memory keeps; those that vanish after that are forgotten."""

WRAP_DOUBT_S = 60.0
"""By how much an uptime may miss what the clock says and still have wrapped: its steps and our polls are late."""

WRAP_DOUBT_RATIO = 0.01
"""The same as a share of the time since the last poll: cheap clocks drift."""

Owner = tuple[str | None, str | None, str | None]
"""Access point behind a controller, radio, network: whose traffic a row counts."""

Counts = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """A row that vanished: whose it was, what it stood at and what had been added."""

    owner: Owner
    raw: Counts
    added: Counts


@dataclass(frozen=True, slots=True)
class Counted:
    """The counters of one table at a poll. `added` is what each row's totals are beyond what it shows."""

    indexes: tuple[Oid, ...] = ()
    owners: tuple[Owner, ...] = ()
    raw: tuple[Counts, ...] = ()
    added: tuple[Counts, ...] | None = None
    gone: Mapping[Oid, Gone] = field(default_factory=dict)


NOTHING = Counted()


@dataclass(frozen=True, slots=True)
class Reset:
    """What restarted since the last poll: the whole device, some access points behind it, or only its agent."""

    device: bool = False
    members: Container[str | None] = ()
    agent: bool = False


def advance(
    before: Counted,
    indexes: tuple[Oid, ...],
    owners: tuple[Owner, ...],
    raw: tuple[Counts, ...],
    reset: Reset,
) -> Counted:
    """What the table's totals are now. After a restart of the device they start again at what the counters show."""
    if reset.device or not before.indexes:
        return Counted(indexes, owners, raw)
    if indexes == before.indexes and owners == before.owners and _rose(before.raw, raw):
        return Counted(before.indexes, before.owners, raw, before.added, before.gone)
    return _one_by_one(before, indexes, owners, raw, reset)


def _rose(before: Sequence[Counts], raw: Sequence[Counts]) -> bool:
    try:
        return all(all(map(le, *rows)) for rows in zip(before, raw, strict=True))  # type: ignore[arg-type]
    except TypeError:  # some counters are not told
        pairs = ((then, now) for rows in zip(before, raw, strict=True) for then, now in zip(*rows, strict=True))
        return all(then == now if then is None or now is None else then <= now for then, now in pairs)


def _one_by_one(
    before: Counted, indexes: tuple[Oid, ...], owners: tuple[Owner, ...], raw: tuple[Counts, ...], reset: Reset
) -> Counted:
    known = dict(before.gone)
    added = before.added or tuple((0,) * len(row) for row in before.raw)
    for index, owner, row, plus in zip(before.indexes, before.owners, before.raw, added, strict=True):
        known[index] = Gone(owner, row, plus)
    known = {index: row for index, row in known.items() if row.owner[0] not in reset.members}
    now = tuple(
        _added(known.pop(index, None), owner, row, may_wrap=not reset.agent)
        for index, owner, row in zip(indexes, owners, raw, strict=True)
    )
    gone = dict(list(known.items())[:GONE_MAX])
    return Counted(indexes, owners, raw, now if any(map(any, now)) else None, gone)


def _added(before: Gone | None, owner: Owner, row: Counts, *, may_wrap: bool) -> Counts:
    if before is None:
        return (0,) * len(row)
    if before.owner != owner:  # a network that was renamed begins with what it carries from now on
        return tuple(
            -(then or 0) if (now or 0) >= (then or 0) else 0 for then, now in zip(before.raw, row, strict=True)
        )
    return tuple(
        _step(then, plus or 0, now, may_wrap=may_wrap)
        for then, plus, now in zip(before.raw, before.added, row, strict=True)
    )


def _step(then: int | None, added: int, now: int | None, *, may_wrap: bool) -> int:
    if then is None or now is None or now >= then:
        return added
    wrapped = may_wrap and isinstance(now, Counter32) and now + WRAP - then < CARRIED_MAX
    return added + (WRAP if wrapped else then)


@dataclass(frozen=True, slots=True)
class Uptime:
    """An uptime in ticks of 32 bits, how often it has wrapped (every 497 days), and when it was read."""

    ticks: int
    wraps: int
    at: datetime

    @property
    def seconds(self) -> float:
        return (self.ticks + self.wraps * WRAP) / 100


def went_on(before: Uptime | None, ticks: int, at: datetime) -> Uptime | None:
    """The uptime now; None where the device restarted: it fell, and the time since the last poll explains no wrap."""
    if before is None:
        return Uptime(ticks, 0, at)
    if ticks >= before.ticks:
        return Uptime(ticks, before.wraps, at)
    elapsed_s = (at - before.at).total_seconds()
    missed_s = abs((ticks + WRAP - before.ticks) / 100 - elapsed_s)
    if missed_s <= max(WRAP_DOUBT_S, WRAP_DOUBT_RATIO * elapsed_s):
        return Uptime(ticks, before.wraps + 1, at)
    return None
