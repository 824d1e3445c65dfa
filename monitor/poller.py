"""The loop that polls one city: a task an access point, staggered, bounded in flight, patient with what is down.

Holds no policy of its own: `pace` says when, `lanes` how many at a time, `poll` asks, `findings` judges. One city has
one poller with its own limits, sockets and database threads, so that a slow city never delays another; and of several
monitors of a city one polls (`polling`).
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime

from hotspot.errors import ConfigError
from hotspot.fleet import ApReading, PollFailure
from monitor import pace
from monitor.findings import Findings
from monitor.hurry import Hurry
from monitor.instruments import INTERNAL, OK, Instruments
from monitor.lanes import GIVE_WAY_S, Lanes
from monitor.poll import Device, poll, probe
from monitor.profiles import Profiles
from monitor.records import Known, Listing, Records
from monitor.session import SnmpError, Target
from monitor.snmp import USERS_IN_FLIGHT_MAX, Client
from monitor.sockets import canonical
from monitor.walk import Appetite
from store import snmp_credentials
from store.fleet import AccessPoint, SnmpCredential
from store.snmp_credentials import Candidate
from store.store import Unavailable

log = logging.getLogger(__name__)

REFRESH_S = 10.0
"""How often the list of access points is read again: a new one is polled without a restart."""

FLUSH_S = 2.0
"""How often what the polls found is written."""

SILENT_MAX = 1_000
"""Polls at a time that wait for what may never answer. They cost a socket nothing, and no reply comes in for them."""

OPENED_BY_ANOTHER = (PollFailure.AUTHENTICATION, PollFailure.TIMEOUT)
"""Failures after which a network's other credentials are tried: who knows a community not does not answer it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A city's `[monitor]`."""

    interval_s: float
    timeout_s: float
    retries: int
    max_in_flight: int
    refresh_s: float = REFRESH_S
    flush_s: float = FLUSH_S
    give_way_s: float = GIVE_WAY_S
    silent_max: int = SILENT_MAX

    @property
    def deadline_s(self) -> float:
        return pace.deadline(self.interval_s, self.timeout_s, self.retries)

    @property
    def lanes(self) -> Lanes:
        """SNMPv3 has a limit of its own: its one socket loses answers."""
        width = {"v2c": self.max_in_flight, "v3": min(self.max_in_flight, USERS_IN_FLIGHT_MAX)}
        return Lanes(width, self.silent_max, give_way_s=self.give_way_s)


class Poller:
    """Polls a city until cancelled."""

    def __init__(
        self,
        city: str,
        settings: Settings,
        *,
        client: Client,
        records: Records,
        findings: Findings,
        instruments: Instruments,
        profiles: Profiles,
        clock: Callable[[], datetime],
        dice: random.Random,
    ) -> None:
        self._city = city
        self._settings = settings
        self._client = client
        self._records = records
        self._findings = findings
        self._count = instruments
        self._profiles = profiles
        self._clock = clock
        self._dice = dice
        self._lanes = settings.lanes
        self._hurry = Hurry()
        self._watched: dict[AccessPoint, asyncio.Task[None]] = {}
        self._at: dict[str, list[AccessPoint]] = {}
        self._candidates: tuple[Candidate, ...] = ()
        self._again = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self._refresh()
                await self._pause()
        finally:
            await _end(self._watched.values())

    def poke(self, point_id: int) -> None:
        """Poll this one now, or `hurry.PAUSE_S` after its last poll. From the poller's own loop."""
        self._hurry.poke(point_id)

    def at(self, address: str) -> list[AccessPoint]:
        """The polled ones at an address, as `sockets.canonical` writes it."""
        return self._at.get(address, [])

    def candidates_at(self, address: str) -> list[SnmpCredential]:
        """The credentials that are kept for an address's network."""
        return [each.credential for each in snmp_credentials.for_address(list(self._candidates), address)]

    # The list of access points ----------------------------------------------------------------------------

    async def _pause(self) -> None:
        """Until the list may have changed."""
        self._again.clear()
        try:
            async with asyncio.timeout(self._settings.refresh_s):
                await self._again.wait()
        except TimeoutError:
            pass

    async def _refresh(self) -> None:
        try:
            listing = await self._records.listing()
            known = await self._records.last_known() if listing is not None else {}
        except (*Unavailable, ConfigError) as error:
            self._count.store_failures.labels("list").inc()
            why = str(error) if isinstance(error, ConfigError) else f"the database is away ({type(error).__name__})"
            log.warning("%s: list: %s", self._city, why)
            return
        if listing is not None:
            await self._follow(listing, known)
        self._count.queue.set(self._lanes.waiting)

    async def _follow(self, listing: Listing, known: Known) -> None:
        points = set(listing.points)
        gone = self._watched.keys() - points
        await _end([self._watched.pop(point) for point in gone])
        for point_id in {point.id for point in gone} - {point.id for point in points}:
            self._findings.remove(point_id)
            self._hurry.forget(point_id)
        for point in points - self._watched.keys():
            self._findings.add(point, known)
            self._watched[point] = asyncio.create_task(self._watch(point), name=f"poll {self._city} {point.name}")
        self._findings.behind(listing.members, known)
        self._candidates = listing.candidates
        self._at = {}
        for point in listing.points:
            self._at.setdefault(canonical(point.address), []).append(point)
        await self._client.keep({point.credential for point in points})

    # One access point -------------------------------------------------------------------------------------

    async def _watch(self, point: AccessPoint) -> None:
        device, failures = Device(), 0
        loop = asyncio.get_running_loop()
        due = pace.next_slot(point.name, self._settings.interval_s, at=loop.time())
        while True:
            await self._hurry.sleep(point.id, due)
            async with self._place(point, silent=failures > 0):
                if not failures:
                    self._count.lag_seconds.observe(max(0.0, loop.time() - due))
                up = await self._poll_once(point, device, failures)
            failures = 0 if up else failures + 1
            if up:
                due = pace.next_slot(point.name, self._settings.interval_s, at=loop.time())
            else:
                device.appetite = Appetite()
                due = loop.time() + pace.back_off(failures, self._settings.interval_s, self._dice)

    def _place(self, point: AccessPoint, *, silent: bool) -> AbstractAsyncContextManager[None]:
        return self._lanes.probe() if silent else self._lanes.poll(point.credential.version)

    async def _poll_once(self, point: AccessPoint, device: Device, failures: int) -> bool:
        """Poll, judge, keep. Whether the device is up."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        with self._count.in_flight.track_inprogress():
            result, word = await self._ask(point, device, probe_first=failures > 0)
            if result in OPENED_BY_ANOTHER and failures:
                await self._try_another(point, failures)
        seconds = loop.time() - began
        self._count.polls.labels(word).inc()
        profile = device.profile.name if device.profile is not None else ""
        self._findings.judge(point, result, seconds, profile)
        if not isinstance(result, ApReading):
            return False
        self._count.poll_seconds.observe(seconds)
        if device.profile is not None and device.profile.lists_members:
            await self._findings.judge_members(point, result.members, profile)
        return True

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

    async def _try_another(self, point: AccessPoint, failures: int) -> None:
        """One of the network's other credentials, the next at each probe. The one that opens becomes its own."""
        known = snmp_credentials.for_address(list(self._candidates), point.address)
        others = [each for each in known if each.credential != point.credential]
        if not others:
            return
        candidate = others[(failures - 1) % len(others)]
        try:
            async with asyncio.timeout(self._settings.deadline_s):
                await probe(self._client, self._target(replace(point, credential=candidate.credential)), self._profiles)
            await self._records.adopt(point, candidate)
        except (SnmpError, TimeoutError, *Unavailable):
            return
        self._count.credentials_adopted.inc()
        log.info("%s: %s: answers to the credential %s of its network", self._city, point.name, candidate.name)
        self._again.set()

    def _target(self, point: AccessPoint) -> Target:
        settings = self._settings
        return Target(point.address, point.port, point.credential, settings.timeout_s, settings.retries)


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
