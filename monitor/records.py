"""The poller's side of the city's store: which access points there are, and what the polls found, in batches.

Runs on threads of its own, so that a database that is slow or away delays neither the polls nor another city.
Never polls and never decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from hotspot.fleet import ApHealth, PollFailure
from monitor.board import Identity
from store import fleet
from store.fleet import AccessPoint, AccessPointState
from store.store import Store

THREADS = 2
"""One for the list of access points, one for the health writes."""

Result = TypeVar("Result")


class Records:
    """One city's records. Raises the store's `Unavailable` where the database is away."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="records")
        self._pending: dict[int, ApHealth] = {}

    async def access_points(self) -> list[AccessPoint]:
        return await self._run(self._access_points)

    async def last_known(self) -> dict[int, tuple[ApHealth | None, Identity]]:
        """What an earlier process found, by access point id."""
        return await self._run(self._last_known)

    def note(self, point_id: int, health: ApHealth) -> None:
        """To be written with the next flush; only the newest of each access point is kept."""
        self._pending[point_id] = health

    def forget(self, point_id: int) -> None:
        self._pending.pop(point_id, None)

    @property
    def pending(self) -> int:
        return len(self._pending)

    async def flush(self) -> None:
        """Write what is noted, in one transaction. What could not be written stays noted, unless newer came."""
        batch, self._pending = self._pending, {}
        if not batch:
            return
        try:
            await self._run(lambda: self._save(batch))
        except BaseException:
            self._pending = batch | self._pending
            raise

    def close(self) -> None:
        self._threads.shutdown(wait=True)

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _access_points(self) -> list[AccessPoint]:
        with self._store.read() as conn:
            return fleet.access_points(conn, self._store.keys)

    def _last_known(self) -> dict[int, tuple[ApHealth | None, Identity]]:
        with self._store.read() as conn:
            states = fleet.access_point_states(conn)
        return {state.id: (_health(state), Identity(state.model, state.firmware)) for state in states}

    def _save(self, batch: dict[int, ApHealth]) -> None:
        with self._store.write() as conn:
            for point_id, health in batch.items():
                fleet.save_health(conn, point_id, health)


def _health(state: AccessPointState) -> ApHealth | None:
    if state.up is None or state.checked_at is None or state.since is None:
        return None
    failure = PollFailure(state.failure) if state.failure else None
    return ApHealth(state.up, state.checked_at, state.since, state.last_success_at, failure)
