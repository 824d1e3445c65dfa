"""The poller's side of the city's store: which access points there are, and what the polls found, in short batches.

Runs on threads of its own, so that a database that is slow or away delays neither the polls nor another city.
Never polls and never decides; what is not written yet is kept by `monitor.pending`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from hotspot.fleet import ApHealth
from monitor.board import Identity
from monitor.pending import Batch, Pending
from monitor.watching import Stretch
from store import ap_events, ap_history, audit, bssids, fleet, health, jobs, members, snmp_credentials, watch
from store.fleet import AccessPoint, PolledRow
from store.members import MemberPoint
from store.snmp_credentials import Candidate
from store.store import Store, Unavailable

THREADS = 2
"""One for the list of access points, one for the writes."""

BREATH_S = 0.005
"""Pause between two transactions of a flush: on SQLite other writers have their turn in it."""

LEASE = "poll"
LEASE_S = 20.0
"""How long another monitor waits for one that died; renewed at a quarter of it."""

Result = TypeVar("Result")
Known = dict[int, tuple[ApHealth | None, Identity]]


@dataclass(frozen=True, slots=True)
class Listing:
    """What there is to poll, what stands behind it, and which credentials may open what does not answer."""

    points: tuple[AccessPoint, ...] = ()
    members: tuple[MemberPoint, ...] = ()
    candidates: tuple[Candidate, ...] = ()


class Records:
    """One city's records. Raises the store's `Unavailable` where the database is away."""

    def __init__(self, store: Store, *, holder: str, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._holder = holder
        self._clock = clock
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="records")
        self._version: object = None
        self._rows: list[PolledRow] = []
        self._points: dict[PolledRow, AccessPoint] = {}
        self._listing: Listing | None = None

    def start_over(self) -> None:
        """The next list is told whole."""
        self._version, self._listing = None, None

    async def listing(self) -> Listing | None:
        """What there is; None where it is as it was."""
        return await self._run(self._list)

    async def last_known(self) -> Known:
        """What an earlier process found, by access point id."""
        return await self._run(self._last_known)

    async def add_members(self, controller_id: int, names: Mapping[str, str]) -> list[MemberPoint]:
        """New access points behind a controller, names by key. InputError where a name is taken at this moment."""
        return await self._run(lambda: self._add_members(controller_id, names))

    async def adopt(self, point: AccessPoint, candidate: Candidate) -> None:
        """That credential opened the access point: it is its own from now on."""
        await self._run(lambda: self._adopt(point, candidate))

    async def lease(self) -> bool:
        """Take or renew the right to poll this city; False while another monitor has it."""
        return await self._run(self._lease)

    async def release(self) -> None:
        """Let another monitor go on at once."""
        await self._run(self._release)

    async def flush(self, pending: Pending) -> None:
        """Write what is pending, in short transactions. What could not be written stays pending, unless newer came."""
        await self._run(lambda: self._flush(pending))

    async def watched(self, stretches: tuple[Stretch, ...], gap: timedelta) -> None:
        """The monitor saw in these stretches."""
        await self._run(lambda: self._watched(stretches, gap))

    def close(self) -> None:
        self._threads.shutdown(wait=True)

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    # Reading ----------------------------------------------------------------------------------------------

    def _list(self) -> Listing | None:
        """Rows that are as they were are neither unsealed nor compared one by one."""
        version = self._store.version()
        if version == self._version:
            return None
        with self._store.read() as conn:
            rows = fleet.polled_rows(conn)
            behind = tuple(members.all_of(conn))
            candidates = tuple(snmp_credentials.candidates(conn, self._store.keys))
        if rows != self._rows or self._listing is None:
            self._points = {row: self._points.get(row) or fleet.polled(self._store.keys, row) for row in rows}
            self._rows = rows
            points = tuple(self._points.values())
        else:
            points = self._listing.points
        self._version, before = version, self._listing
        self._listing = Listing(points, behind, candidates)
        if (
            before is not None
            and points is before.points
            and (behind, candidates) == (before.members, before.candidates)
        ):
            return None
        return self._listing

    def _last_known(self) -> Known:
        with self._store.read() as conn:
            found = health.known(conn)
        return {each.id: (each.health, Identity(each.model, each.firmware, each.serial)) for each in found}

    # Writing ----------------------------------------------------------------------------------------------

    def _add_members(self, controller_id: int, names: Mapping[str, str]) -> list[MemberPoint]:
        with self._store.write() as conn:
            return members.add(conn, controller_id, names, now=self._clock())

    def _adopt(self, point: AccessPoint, candidate: Candidate) -> None:
        with self._store.write() as conn:
            fleet.set_credential(conn, self._store.keys, point.id, candidate.credential)
            subject, by = f"access_point:{point.id}", "monitor"
            audit.add(
                conn, now=self._clock(), action="ap.credential", subject=subject, by=by, credential=candidate.name
            )

    def _lease(self) -> bool:
        with self._store.write() as conn:
            return jobs.take(conn, LEASE, holder=self._holder, lease_seconds=LEASE_S, now=self._clock())

    def _release(self) -> None:
        with self._store.write() as conn:
            jobs.release(conn, LEASE, holder=self._holder)

    def _watched(self, stretches: tuple[Stretch, ...], gap: timedelta) -> None:
        with self._store.write() as conn:
            for began, ended in stretches:
                watch.beat(conn, now=began, gap=gap)
                watch.beat(conn, now=ended, gap=ended - began)

    def _flush(self, pending: Pending) -> None:
        while (batch := pending.take()) is not None:
            try:
                self._write(batch)
            except Unavailable:
                pending.give_back(batch)
                raise
            time.sleep(BREATH_S)

    def _write(self, batch: Batch) -> None:
        hours = [(point_id, hour, packed) for (point_id, hour), packed in batch.hours.items()]
        with self._store.write() as conn:
            health.save_healths(conn, batch.healths, batch.profiles)
            ap_events.add(conn, batch.events)
            ap_history.save_packed(conn, hours)
            bssids.note(conn, batch.bssids, now=self._clock())
