"""Simulated time, and a bad network on it: loses, doubles and delays what it carries, and so reorders it."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from datetime import datetime, timedelta

Do = Callable[[], None]

LOST = 0.2
TWICE = 0.1
DELAYS = ((0.80, 0.3), (0.95, 3.0), (1.0, 30.0))
"""Share of the datagrams, cumulated, and the longest delay of these, seconds."""

LAST_SECONDS = 48 * 3600.0
"""A trial that has not come to rest by then never will."""


class Timeline:
    """What happens when, in order; nothing waits. `now` is in seconds since `begin`."""

    def __init__(self, begin: datetime) -> None:
        self.now = 0.0
        self._begin = begin
        self._coming: list[tuple[float, int, Do]] = []
        self._number = itertools.count()

    @property
    def clock(self) -> datetime:
        return self._begin + timedelta(seconds=self.now)

    def after(self, seconds: float, do: Do) -> None:
        heapq.heappush(self._coming, (self.now + seconds, next(self._number), do))

    def run(self) -> None:
        """Until nothing is left to happen."""
        while self._coming:
            self.now, _, do = heapq.heappop(self._coming)
            assert self.now < LAST_SECONDS, "the trial does not come to rest"
            do()


class Network:
    """Between NASes and servers, both ways."""

    def __init__(self, timeline: Timeline, chance: random.Random) -> None:
        self._timeline = timeline
        self._chance = chance
        self.lost = self.doubled = 0

    def carry(self, arrive: Do) -> None:
        """Let it arrive never, once or twice, some time."""
        chance = self._chance.random
        if chance() < LOST:
            self.lost += 1
            return
        self._timeline.after(self._delay(), arrive)
        if chance() < TWICE:
            self.doubled += 1
            self._timeline.after(self._delay(), arrive)

    def _delay(self) -> float:
        share = self._chance.random()
        longest = next(longest for below, longest in DELAYS if share < below)
        return 0.002 + self._chance.random() * (longest - 0.002)
