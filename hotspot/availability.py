"""How long access points were up, down, and not watched: what officials are told, with the monitor's own gaps apart.

An access point is up or down from one event to the next. Time that nobody watched counts as blind, never as down.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hotspot.ap_events import ApEvent, Kind

Stretch = tuple[datetime, datetime]

_TURNS = {Kind.UP: True, Kind.DOWN: False, Kind.RETIRED: None}
"""What an access point is from then on; None: nobody expects it to be up any more."""

_ORDER = tuple(_TURNS)


@dataclass(frozen=True, slots=True)
class Availability:
    """Seconds of a period; together they are the period, less what an access point was not yet or no more there."""

    up_s: float = 0.0
    down_s: float = 0.0
    blind_s: float = 0.0

    @property
    def ratio(self) -> float | None:
        """Share of the watched time in which it was up, 0 to 1; None where nobody watched."""
        watched = self.up_s + self.down_s
        return self.up_s / watched if watched else None

    def __add__(self, other: Availability) -> Availability:
        return Availability(self.up_s + other.up_s, self.down_s + other.down_s, self.blind_s + other.blind_s)


def availability(
    events: Iterable[ApEvent],
    watches: Iterable[Stretch],
    *,
    since: datetime,
    until: datetime,
    up_at_start: bool | None,
) -> Availability:
    """Of one access point in [since, until), from events and stretches in any order.

    `up_at_start` is None where it was not there yet, or not known.
    """
    up_s = down_s = blind_s = 0.0
    watches = merged(watches)
    for began, ended, up in _spells(events, since, until, up_at_start):
        if up is None:
            continue
        watched = _overlap(watches, began, ended)
        blind_s += (ended - began).total_seconds() - watched
        up_s, down_s = (up_s + watched, down_s) if up else (up_s, down_s + watched)
    return Availability(up_s, down_s, blind_s)


def _spells(
    events: Iterable[ApEvent], since: datetime, until: datetime, up: bool | None
) -> Iterable[tuple[datetime, datetime, bool | None]]:
    began = since
    for event in sorted((each for each in events if each.kind in _TURNS), key=_in_time):
        if since < event.at < until:
            yield began, event.at, up
            began = event.at
        if event.at < until:
            up = _TURNS[event.kind]
    yield began, until, up


def _in_time(event: ApEvent) -> tuple[datetime, int]:
    """At the same instant down is later than up and retired is last, whatever the order of the rows."""
    return event.at, _ORDER.index(event.kind)


def _overlap(watches: Sequence[Stretch], began: datetime, ended: datetime) -> float:
    """Seconds of [began, ended) that somebody watched; stretches do not overlap one another."""
    return sum((last - first).total_seconds() for first, last in _cut(watches, began, ended))


def _cut(watches: Iterable[Stretch], began: datetime, ended: datetime) -> list[Stretch]:
    spans = ((max(first, began), min(last, ended)) for first, last in watches)
    return [(first, last) for first, last in spans if last > first]


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time without overlaps, in order."""
    found: list[Stretch] = []
    for began, ended in sorted(stretches):
        if found and began <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ended))
        elif began < ended:
            found.append((began, ended))
    return found


def seen_through(
    controller: Iterable[ApEvent],
    watches: Iterable[Stretch],
    *,
    since: datetime,
    until: datetime,
    up_at_start: bool | None,
) -> list[Stretch]:
    """The stretches in which an access point behind a controller was watched: those in which that one answered."""
    watches = merged(watches)
    spells = _spells(controller, since, until, up_at_start)
    return [each for began, ended, up in spells if up for each in _cut(watches, began, ended)]
