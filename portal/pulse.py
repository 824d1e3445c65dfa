"""Whether each city's database answers: asked once a second, on a thread of its own, so that nobody waits to know it.

A database that hangs hangs that thread and no other. Whoever was caught waiting for it before is set free.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from service.cities import City
from store.store import Unavailable

BEAT_SECONDS = 1.0
AWAY_SECONDS = 3.0
"""A database that has not answered for so long is away: its city's pages say so at once, and who waits is cut off."""


class Pulse:
    """One city's. Until `start` nothing is asked, and nothing counts as away."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._answered_at: float | None = None

    @property
    def key(self) -> str:
        return self._city.key

    def away_seconds(self) -> float:
        """How long the database has not answered, where that is too long; else 0."""
        if self._answered_at is None:
            return 0.0
        silent = time.monotonic() - self._answered_at
        return silent if silent > AWAY_SECONDS else 0.0

    def is_away(self) -> bool:
        return self.away_seconds() > 0

    def start(self) -> None:
        """Begin to ask, for the rest of the process. It counts as answered just now."""
        self._answered_at = time.monotonic()
        threading.Thread(target=self._beat, name=f"pulse-{self.key}", daemon=True).start()

    def _beat(self) -> None:
        while True:
            try:
                self._city.store.ping()
                self._answered_at = time.monotonic()
            except Unavailable:
                pass  # the time since the last answer tells
            time.sleep(BEAT_SECONDS)

    def free_waiting(self) -> None:
        """Cut off what waits for a database that is away, the pulse's own question included."""
        if self.is_away():
            self._city.store.cut(AWAY_SECONDS)


def watch(pulses: Sequence[Pulse]) -> None:
    """Start them, and one thread that frees whoever waits for one that is away."""
    for pulse in pulses:
        pulse.start()
    threading.Thread(target=_free_for_ever, args=(tuple(pulses),), name="pulses", daemon=True).start()


def _free_for_ever(pulses: Sequence[Pulse]) -> None:
    while True:
        for pulse in pulses:
            pulse.free_waiting()
        time.sleep(BEAT_SECONDS)
