"""How long an access point was up, down, or unseen because the monitor was blind. Pure.

Blind is its own answer: nobody may be blamed for an outage that nobody saw, nor praised for one. Instants are in UTC
and lengths are elapsed seconds, so the nights on which clocks are changed need no care here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from hotspot.ap_events import ApEvent, Kind

Stretch = tuple[datetime, datetime]
"""From, to."""

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Availability:
    """Seconds of a period. Together they are the period, for each access point of a sum."""

    up_s: float = 0.0
    down_s: float = 0.0
    blind_s: float = 0.0

    def __add__(self, other: Availability) -> Availability:
        return Availability(self.up_s + other.up_s, self.down_s + other.down_s, self.blind_s + other.blind_s)

    @property
    def ratio(self) -> float | None:
        """Share of the seen time in which it was up; None where nothing was seen."""
        seen = self.up_s + self.down_s
        return self.up_s / seen if seen else None


def availability(
    events: Iterable[ApEvent],
    watches: Iterable[Stretch],
    *,
    since: datetime,
    until: datetime,
    up_at_start: bool | None,
) -> Availability:
    """Of one access point from `since` to `until`, from its events in any order and the stretches that were watched.

    `up_at_start` is what was known before: None where nothing was, which counts as blind until the first event tells.
    """
    if until <= since:
        return Availability()
    seen = {True: 0.0, False: 0.0}
    watched = merged(watches)
    for began, ended, up in _states(events, since, until, up_at_start):
        if up is not None:
            seen[up] += _seconds(overlap(watched, [(began, ended)]))
    return Availability(seen[True], seen[False], (until - since) / _SECOND - seen[True] - seen[False])


def _states(
    events: Iterable[ApEvent], since: datetime, until: datetime, up: bool | None
) -> Iterable[tuple[datetime, datetime, bool | None]]:
    """Each stretch of the period with whether the access point was up in it."""
    told = [(each.at, each.kind is Kind.UP) for each in events if each.kind in (Kind.UP, Kind.DOWN)]
    # At the same instant down goes last: an order that does not depend on that of the rows.
    turns = sorted((turn for turn in told if since <= turn[0] < until), key=lambda turn: (turn[0], not turn[1]))
    edges: list[tuple[datetime, bool | None]] = [(since, up), *turns, (until, None)]
    return [(began, ended, state) for (began, state), (ended, _) in pairwise(edges)]


def seen_through(
    controller_events: Iterable[ApEvent],
    watches: Iterable[Stretch],
    *,
    since: datetime,
    until: datetime,
    up_at_start: bool | None,
) -> list[Stretch]:
    """The stretches in which an access point behind a controller was watched: those in which the controller was up."""
    answered = [(began, ended) for began, ended, up in _states(controller_events, since, until, up_at_start) if up]
    return overlap(merged(watches), answered)


# Stretches ------------------------------------------------------------------------------------------------


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time without overlaps, oldest first."""
    found: list[Stretch] = []
    for began, ended in sorted(each for each in stretches if each[0] < each[1]):
        if found and began <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ended))
        else:
            found.append((began, ended))
    return found


def overlap(one: Sequence[Stretch], other: Sequence[Stretch]) -> list[Stretch]:
    """The time that is in both; each without overlaps and in order."""
    found, at = [], 0
    for began, ended in one:
        while at < len(other) and other[at][1] <= began:
            at += 1
        for low, high in other[at:]:
            if low >= ended:
                break
            found.append((max(began, low), min(ended, high)))
    return found


def _seconds(stretches: Iterable[Stretch]) -> float:
    return sum((ended - began) / _SECOND for began, ended in stretches)
