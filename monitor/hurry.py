"""Who is to be polled before its time, because something says that it is worth looking. Belongs to one loop."""

from __future__ import annotations

import asyncio
from contextlib import suppress

PAUSE_S = 10.0
"""At least so long lies between two polls of a device, however often it calls: a controller has much to tell."""


class Hurry:
    """Sleeps of access points, by id, that can be cut short."""

    def __init__(self, pause_s: float = PAUSE_S) -> None:
        self._pause_s = pause_s
        self._calls: dict[int, asyncio.Event] = {}
        self._woke_at: dict[int, float] = {}

    def poke(self, point_id: int) -> None:
        """End its sleep, or the next one where it is awake now. One that never slept here is unknown."""
        if point_id in self._calls:
            self._calls[point_id].set()

    async def sleep(self, point_id: int, until: float) -> None:
        """Until that time of the loop's, or until poked, then `PAUSE_S` after it last woke."""
        loop = asyncio.get_running_loop()
        called = self._calls.setdefault(point_id, asyncio.Event())
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await called.wait()
                await asyncio.sleep(self._woke_at.get(point_id, 0.0) + self._pause_s - loop.time())
        called.clear()
        self._woke_at[point_id] = loop.time()

    def forget(self, point_id: int) -> None:
        self._calls.pop(point_id, None)
        self._woke_at.pop(point_id, None)
