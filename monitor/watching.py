"""When the monitor has been watching, and what of it the store does not know yet.

A gap is a silence of ours: the process did not run, or stood still. That the database was away is none: what the polls
found meanwhile is written later.
"""

from __future__ import annotations

from datetime import datetime, timedelta

GAP_INTERVALS = 3
GAP_MIN = timedelta(seconds=60)
"""A restart takes less, and is none."""

BEAT = timedelta(seconds=15)
"""So often what is watched is told to the store."""

STRETCHES_MAX = 1_000

Stretch = tuple[datetime, datetime]


def gap_of(interval_s: float) -> timedelta:
    """A longer silence makes the monitor blind: a few intervals between polls."""
    return max(GAP_MIN, GAP_INTERVALS * timedelta(seconds=interval_s))


class Watching:
    """Ticks of one city's loop, as stretches of time. Belongs to that loop."""

    def __init__(self, interval_s: float) -> None:
        self.gap = gap_of(interval_s)
        self._stretches: list[Stretch] = []
        self._told: datetime | None = None

    def tick(self, now: datetime) -> None:
        """Polling goes on."""
        if self._stretches and timedelta(0) <= now - self._stretches[-1][1] <= self.gap:
            self._stretches[-1] = self._stretches[-1][0], now
        elif len(self._stretches) < STRETCHES_MAX:
            self._stretches.append((now, now))

    def due(self) -> tuple[Stretch, ...]:
        """What is to be told now, if it is time."""
        if not self._stretches or (self._told is not None and self._stretches[-1][1] - self._told < BEAT):
            return ()
        return self.untold()

    def untold(self) -> tuple[Stretch, ...]:
        """All that the store may not know."""
        return tuple(self._stretches)

    def told(self, stretches: tuple[Stretch, ...]) -> None:
        """The store knows these; the last one goes on."""
        if stretches:
            self._told = stretches[-1][1]
            last = self._stretches[len(stretches) - 1]
            self._stretches[: len(stretches)] = [(self._told, last[1])]
