"""Searches for access points that the staff asked for: one at a time a city, on a thread and with a client of its own.

The request is a row (`store.discoveries`). While it runs, its lease and how far it is are written every second. What
was found is written with its end, in one transaction: a search that is interrupted leaves nothing half, and is begun
anew by whoever looks next.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from hotspot.discovery import Failure, parse_network
from hotspot.errors import InputError
from monitor.discovery import Hit, Plan, Search, candidates_for
from monitor.instruments import SEARCHED, Instruments
from monitor.profiles import Profiles
from monitor.rounds import Rounds
from monitor.session import Engine
from monitor.snmp import Client
from service.cities import City
from store import discoveries, jobs, snmp_credentials
from store.discoveries import Discovery
from store.store import Unavailable

log = logging.getLogger(__name__)

JOB = "discover"
LOOK_SECONDS = 2.0
"""How often it is asked whether somebody wants a search."""

NOTE_SECONDS = 1.0
"""How often a running search says how far it is."""

LEASE_SECONDS = 30.0
"""Written anew with every note; a process that dies is followed by another one after so long."""


class Stopped(Exception):
    """The process ends, or another one has the lease: the request stays open."""


class Searcher(Rounds):
    """Runs a city's searches from `start` to `stop`."""

    def __init__(
        self,
        city: City,
        profiles: Profiles,
        instruments: Instruments,
        clock: Callable[[], datetime],
        *,
        holder: str,
        engine: Engine = Engine.FAST,
    ) -> None:
        self._city, self._profiles = city, profiles
        self._instruments, self._clock = instruments, clock
        self._holder, self._engine = holder, engine
        super().__init__(f"discover-{city.key}", f"{city.key}: a search", pause_s=LOOK_SECONDS)

    def round(self) -> None:
        self.step()

    def step(self) -> bool:
        """Do the oldest search that is wanted, if its lease is free. Whether one was brought to its end."""
        with self._city.store.read() as conn:
            wanted = discoveries.unfinished(conn)
        if wanted is None or not self._take_lease():
            return False
        try:
            self._search(wanted)
        except Stopped:
            return False
        finally:
            self._take_lease(seconds=0.0)
        return True

    def _take_lease(self, seconds: float = LEASE_SECONDS) -> bool:
        with self._city.store.write() as conn:
            return jobs.take(conn, JOB, holder=self._holder, lease_seconds=seconds, now=self._clock())

    def _search(self, wanted: Discovery) -> None:
        plan = self._plan(wanted)
        if isinstance(plan, Failure):
            self._end(wanted, (), plan)
            return
        search, failure = Search(plan), None
        try:
            asyncio.run(self._go_through(wanted, search))
        except (Stopped, *Unavailable):
            raise
        except Exception:
            log.exception("%s: a search in %s", self._city.key, wanted.network)
            failure = Failure.INTERNAL
        self._end(wanted, search.hits, failure)

    def _plan(self, wanted: Discovery) -> Plan | Failure:
        """Or why it cannot be: the city's file and the credentials may have changed since it was asked for."""
        city, monitor = self._city, self._city.config.monitor
        try:
            network = parse_network(wanted.network, allowed=monitor.discover_networks)
        except InputError:
            return Failure.NOT_ALLOWED
        with city.store.read() as conn:
            kept = snmp_credentials.candidates(conn, city.store.keys)
        try:
            candidates = candidates_for(network, kept)
        except InputError:
            return Failure.TOO_MANY_CREDENTIALS
        if not candidates:
            return Failure.NO_CREDENTIAL
        return Plan(network, wanted.port, candidates, monitor.timeout_s, monitor.retries, monitor.max_in_flight)

    async def _go_through(self, wanted: Discovery, search: Search) -> None:
        """Until all is asked or somebody ends it. Stopped where this process is to leave it."""
        await asyncio.to_thread(self._begin, wanted, len(search.plan.questions()))
        client = Client(self._engine)
        running = asyncio.create_task(search.run(client, self._profiles, clock=self._clock))
        try:
            while not running.done():
                await asyncio.wait([running], timeout=NOTE_SECONDS)
                if self._stopping.is_set() or not await asyncio.to_thread(self._take_lease):
                    raise Stopped
                if not await asyncio.to_thread(self._note, wanted, search):
                    return
            running.result()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await client.close()

    def _begin(self, wanted: Discovery, total: int) -> None:
        with self._city.store.write() as conn:
            discoveries.begin(conn, wanted.id, total=total, now=self._clock())

    def _note(self, wanted: Discovery, search: Search) -> bool:
        """How far it is; False where somebody has ended it."""
        with self._city.store.write() as conn:
            return discoveries.note_progress(conn, wanted.id, asked=search.asked, answered=len(search.hits))

    def _end(self, wanted: Discovery, hits: Sequence[Hit], failure: Failure | None) -> None:
        city, found = self._city, [(hit.found, hit.credential) for hit in hits]
        with city.store.write() as conn:
            discoveries.add_finds(conn, city.store.keys, wanted.id, found)
            ended = discoveries.end(conn, wanted.id, now=self._clock(), failure=failure)
        result = SEARCHED if failure is None else failure.value
        self._instruments.searches.labels(result if ended else Failure.ENDED.value).inc()
        log.info("%s: searched %s: %d found (%s)", city.key, wanted.network, len(hits), result)
