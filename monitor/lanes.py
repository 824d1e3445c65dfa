"""How many polls run at a time, so that the silent ones keep nobody waiting. Belongs to one loop.

Polls have a lane each for SNMPv2c and SNMPv3. What is down is probed in a lane of its own; a poll that takes long
(a device that has just fallen silent, a large controller) gives way: it goes on in that lane, if there is room.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

GIVE_WAY_S = 1.0
"""A poll that takes longer goes on in the lane of the silent ones: most are answered in a twentieth of it."""


class Lane:
    """So many places; who finds none waits for its turn."""

    def __init__(self, width: int) -> None:
        self._free = width
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        return sum(not each.done() for each in self._waiting)

    def take(self) -> bool:
        """A place, if one is free now."""
        if self._free == 0:
            return False
        self._free -= 1
        return True

    async def enter(self) -> None:
        """A place, as soon as one is free."""
        if self.take():
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # it was ours already: the next one has it
            raise

    def leave(self) -> None:
        """Give the place to whoever waits longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Lanes:
    """A city's: `regular` has the number of polls at a time by version, `silent` that of the silent ones."""

    def __init__(self, regular: Mapping[str, int], silent: int, *, give_way_s: float = GIVE_WAY_S) -> None:
        self._regular = {version: Lane(width) for version, width in regular.items()}
        self._silent = Lane(silent)
        self._give_way_s = give_way_s

    @property
    def waiting(self) -> int:
        """Polls that are due and find no place."""
        return self._silent.waiting + sum(lane.waiting for lane in self._regular.values())

    @asynccontextmanager
    async def poll(self, version: str) -> AsyncIterator[None]:
        """A place for a poll of what is up, as far as we know."""
        held = self._regular[version]
        await held.enter()

        def give_way() -> None:
            nonlocal held
            if self._silent.take():
                held.leave()
                held = self._silent

        timer = asyncio.get_running_loop().call_later(self._give_way_s, give_way)
        try:
            yield
        finally:
            timer.cancel()
            held.leave()

    @asynccontextmanager
    async def probe(self) -> AsyncIterator[None]:
        """A place for a probe of what is down."""
        await self._silent.enter()
        try:
            yield
        finally:
            self._silent.leave()
