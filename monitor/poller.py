"""The loop that polls one city: a task an access point, staggered, bounded in flight, patient with what is down.

Holds no policy of its own: `pace` says when, `poll` asks, `hotspot.fleet.assess` judges. One city has one poller
with its own limits, sockets and database threads, so that a slow city never delays another.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hotspot.errors import ConfigError
from hotspot.fleet import ApReading, PollFailure, assess
from monitor import pace
from monitor.board import Board, Identity
from monitor.hurry import Hurry
from monitor.instruments import INTERNAL, OK, Instruments
from monitor.poll import Device, poll, probe
from monitor.profiles import Profiles
from monitor.records import Records
from monitor.session import Engine, SnmpError, Target
from monitor.snmp import USERS_IN_FLIGHT_MAX, Client
from monitor.sockets import Sockets, canonical
from monitor.walk import Appetite
from store.fleet import AccessPoint
from store.store import Unavailable

log = logging.getLogger(__name__)

REFRESH_S = 10.0
"""How often the list of access points is read again: a new one is polled without a restart."""

FLUSH_S = 1.0
"""How often what the polls found is written, in one transaction."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A city's `[monitor]`."""

    interval_s: float
    timeout_s: float
    retries: int
    max_in_flight: int
    refresh_s: float = REFRESH_S
    flush_s: float = FLUSH_S

    @property
    def deadline_s(self) -> float:
        return pace.deadline(self.interval_s, self.timeout_s, self.retries)


class Poller:
    """Polls a city until cancelled."""

    def __init__(
        self,
        city: str,
        settings: Settings,
        *,
        records: Records,
        board: Board,
        instruments: Instruments,
        profiles: Profiles,
        clock: Callable[[], datetime],
        dice: random.Random,
        engine: Engine = Engine.FAST,
    ) -> None:
        self._city = city
        self._settings = settings
        self._records = records
        self._board = board
        self._count = instruments
        self._profiles = profiles
        self._clock = clock
        self._dice = dice
        self.sockets = Sockets(
            instruments.socket_drops.inc, lambda why: instruments.answers_ignored.labels(why.value).inc()
        )
        self._client = Client(engine, self.sockets)
        self._slots = {
            "v2c": asyncio.Semaphore(settings.max_in_flight),
            "v3": asyncio.Semaphore(min(settings.max_in_flight, USERS_IN_FLIGHT_MAX)),
        }
        self._watched: dict[AccessPoint, asyncio.Task[None]] = {}
        self._at: dict[str, list[AccessPoint]] = {}
        self._hurry = Hurry()

    async def run(self) -> None:
        """Until cancelled; then everything is closed, and what was found is written."""
        flusher = asyncio.create_task(self._flush_for_ever())
        try:
            while True:
                await self._refresh()
                await asyncio.sleep(self._settings.refresh_s)
        finally:
            await _end(flusher, *self._watched.values())
            await self._client.close()
            await self._flush()
            self._records.close()

    def poke(self, point_id: int) -> None:
        """Poll this one now, or `hurry.PAUSE_S` after its last poll. From the poller's own loop."""
        self._hurry.poke(point_id)

    def at(self, address: str) -> list[AccessPoint]:
        """The polled ones at an address, as `sockets.canonical` writes it."""
        return self._at.get(address, [])

    # The list of access points ----------------------------------------------------------------------

    async def _refresh(self) -> None:
        try:
            points = set(await self._records.access_points())
            known = await self._records.last_known() if points - self._watched.keys() else {}
        except (*Unavailable, ConfigError) as error:
            self._store_failed("list", error)
            return
        gone = self._watched.keys() - points
        await _end(*(self._watched.pop(point) for point in gone))
        for point in gone:
            self._board.remove(point.id)
            self._records.forget(point.id)
            self._hurry.forget(point.id)
        for point in points - self._watched.keys():
            self._board.add(point, *known.get(point.id, (None, Identity())))
            self._watched[point] = asyncio.create_task(self._watch(point), name=f"poll {self._city} {point.name}")
        self._at = {}
        for point in points:
            self._at.setdefault(canonical(point.address), []).append(point)
        await self._client.keep({point.credential for point in points})

    async def _flush_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._settings.flush_s)
            self.sockets.look()
            await self._flush()

    async def _flush(self) -> None:
        try:
            await self._records.flush()
        except Unavailable as error:
            self._store_failed("save", error)
        self._count.pending.set(self._records.pending)

    def _store_failed(self, operation: str, error: BaseException) -> None:
        self._count.store_failures.labels(operation).inc()
        why = str(error) if isinstance(error, ConfigError) else f"the database is away ({type(error).__name__})"
        log.warning("%s: %s: %s", self._city, operation, why)

    # One access point -------------------------------------------------------------------------------

    async def _watch(self, point: AccessPoint) -> None:
        device, failures = Device(), 0
        loop = asyncio.get_running_loop()
        due = pace.next_slot(point.name, self._settings.interval_s, at=loop.time())
        while True:
            await self._hurry.sleep(point.id, due)
            async with self._slots[point.credential.version]:
                self._count.lag_seconds.observe(max(0.0, loop.time() - due))
                up = await self._poll_once(point, device, probe_first=failures > 0)
            failures = 0 if up else failures + 1
            if up:
                due = pace.next_slot(point.name, self._settings.interval_s, at=loop.time())
            else:
                device.appetite = Appetite()
                due = loop.time() + pace.back_off(failures, self._settings.interval_s, self._dice)

    async def _poll_once(self, point: AccessPoint, device: Device, *, probe_first: bool) -> bool:
        """Poll, judge, keep. Whether the device is up."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        with self._count.in_flight.track_inprogress():
            result, word = await self._ask(point, device, probe_first=probe_first)
        seconds = loop.time() - began
        up = isinstance(result, ApReading)
        self._count.polls.labels(word).inc()
        if up:
            self._count.poll_seconds.observe(seconds)
        health = assess(self._board.health(point.id), result, now=self._clock())
        self._board.put(point, health, seconds)
        self._records.note(point.id, health)
        return up

    async def _ask(
        self, point: AccessPoint, device: Device, *, probe_first: bool
    ) -> tuple[ApReading | PollFailure, str]:
        """The reading or why there is none, and the word it is counted under."""
        target = self._target(point)
        try:
            async with asyncio.timeout(self._settings.deadline_s):
                if probe_first:
                    await probe(self._client, target, self._profiles)
                return await poll(self._client, target, device, self._profiles, now=self._clock()), OK
        except SnmpError as error:
            log.debug("%s: %s: %s", self._city, point.name, error)
            return error.failure, error.failure.value
        except TimeoutError:
            return PollFailure.TIMEOUT, PollFailure.TIMEOUT.value
        except Exception:  # ours to mend; the other access points go on
            log.exception("%s: %s: a fault in the poll", self._city, point.name)
            return PollFailure.MALFORMED, INTERNAL

    def _target(self, point: AccessPoint) -> Target:
        settings = self._settings
        return Target(point.address, point.port, point.credential, settings.timeout_s, settings.retries)


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
