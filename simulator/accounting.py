"""Delivers one NAS's accounting records, in their order, until each is acknowledged.

Each record is tried a few times with back-off; then it stays at the head of a bounded queue and is tried again later
with the Acct-Delay-Time it has by then. Order is kept because an Accounting-On that overtook a Start would end it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulator.radius_client import Pairs, RadiusClient

QUEUE_MAX = 2000
"""Records kept while the server is away; beyond it the oldest are lost, and counted."""

log = logging.getLogger("simulator.accounting")


@dataclass(frozen=True, slots=True)
class _Record:
    pairs: Pairs
    happened_at: float


class Accounting:
    """A queue and the one task that empties it."""

    def __init__(
        self,
        client: RadiusClient,
        own: Pairs,
        name: str,
        clock: Callable[[], float],
        *,
        waits: Sequence[float],
        pause: float,
    ) -> None:
        self._client, self._own, self._name, self._clock = client, own, name, clock
        self._waits, self._pause = waits, pause
        self._queue: deque[_Record] = deque()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.acknowledged = 0
        self.lost = 0

    def start(self) -> None:
        self._task = asyncio.create_task(self._deliver(), name=f"accounting {self._name}")

    def put(self, pairs: Pairs) -> None:
        """Take a record; never blocks."""
        if len(self._queue) >= QUEUE_MAX:
            self._queue.popleft()
            self.lost += 1
            if self.lost == 1:
                log.warning("%s: accounting queue full, oldest records are lost", self._name)
        self._queue.append(_Record(pairs, self._clock()))
        self._changed.set()

    async def drained(self) -> None:
        """Wait until everything taken so far is acknowledged (or lost). The caller sets the time limit."""
        while self._queue:
            self._changed.clear()
            await self._changed.wait()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _deliver(self) -> None:
        while True:
            if not self._queue:
                self._changed.clear()
                await self._changed.wait()
                continue
            record = self._queue[0]
            if await self._acknowledged(record):
                self.acknowledged += 1
                if self._queue and self._queue[0] is record:
                    self._queue.popleft()
                self._changed.set()
            else:
                await asyncio.sleep(self._pause)

    async def _acknowledged(self, record: _Record) -> bool:
        delay = int(self._clock() - record.happened_at)
        try:
            await self._client.account([*self._own, *record.pairs, ("Acct-Delay-Time", delay)], self._waits)
        except TimeoutError:
            return False
        return True
