"""Totals out of counters that wrap, restart one by one, or vanish: never a step that nobody carried.

A radio's octets are the sum over its virtual access points. If one of them restarts, the plain sum falls, and
Prometheus would take the whole rest for new traffic. Pure: the memory of one device goes in and comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from monitor.oids import Counter32, Oid

WRAP = 2**32
CARRIED_MAX = 2**31
"""A fallen 32-bit counter wrapped if that means less than this since the last poll, else it restarted."""

COUNTERS_MAX = 256
"""Counters that a device's memory holds; more are not extended."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One counter of one row: `group` is what it adds up to, such as a radio's received octets."""

    group: str
    row: Oid
    raw: int


@dataclass(frozen=True, slots=True)
class _Counter:
    raw: int
    offset: int


@dataclass(frozen=True, slots=True)
class Memory:
    """What a device's counters stood at, and how long it had been up then."""

    uptime_seconds: float = 0.0
    counters: Mapping[tuple[str, Oid], _Counter] = field(default_factory=dict)


def advance(
    memory: Memory, samples: Iterable[Sample], *, uptime_seconds: float | None
) -> tuple[Memory, dict[str, int]]:
    """The new memory and the total of each group.

    After a restart of the device (its uptime fell, or it tells none) totals start again at what the counters show.
    """
    restarted = uptime_seconds is None or uptime_seconds < memory.uptime_seconds
    counters = {} if restarted else dict(memory.counters)
    for sample in samples:
        key = (sample.group, sample.row)
        if key in counters or len(counters) < COUNTERS_MAX:
            counters[key] = _next(counters.get(key), sample.raw)
    totals: dict[str, int] = {}
    for (group, _row), counter in counters.items():
        totals[group] = totals.get(group, 0) + counter.offset + counter.raw
    return Memory(uptime_seconds or 0.0, counters), totals


def _next(before: _Counter | None, raw: int) -> _Counter:
    if before is None:
        return _Counter(raw, 0)
    if raw >= before.raw:
        return _Counter(raw, before.offset)
    wrapped = isinstance(raw, Counter32) and raw + WRAP - before.raw < CARRIED_MAX
    return _Counter(raw, before.offset + (WRAP if wrapped else before.raw))
