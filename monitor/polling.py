"""A city's polling from beginning to end: the lease that only one monitor has, the poller, traps, what is written when.

The lease is a row in the city's database. Who has not got it waits; who finds that another has it stops polling.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from monitor.board import Board
from monitor.findings import Findings
from monitor.instruments import Instruments
from monitor.pending import Pending
from monitor.poller import Poller, Settings
from monitor.profiles import Profiles
from monitor.records import LEASE_S, Records
from monitor.session import Engine
from monitor.snmp import Client
from monitor.sockets import Sockets
from monitor.traps import Town, Traps
from monitor.watching import Watching
from store.store import Store, Unavailable

log = logging.getLogger(__name__)

RENEW_S = LEASE_S / 4


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a city's polling is given. `holder` names this monitor among several; `trap_listen`: empty for no traps."""

    city: str
    store: Store
    holder: str
    board: Board
    instruments: Instruments
    profiles: Profiles
    clock: Callable[[], datetime]
    dice: random.Random
    engine: Engine = Engine.FAST
    trap_listen: str = ""


class Polling:
    """Polls a city until cancelled, whenever it is this monitor's turn."""

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        self._settings = settings
        self._around = around
        self._count = around.instruments
        self._pending = Pending(self._count.lost.inc)
        self._records = Records(around.store, holder=around.holder, clock=around.clock)

    async def run(self) -> None:
        """Until cancelled; then what was found is written, and another monitor may go on at once."""
        try:
            while True:
                await self._wait_for_our_turn()
                await self._poll_while_ours()
        finally:
            await self._kept("lease", self._records.release())
            self._records.close()

    # The lease --------------------------------------------------------------------------------------------

    async def _wait_for_our_turn(self) -> None:
        said = False
        while not await self._lease(unknown=False):
            if not said:
                log.info("%s: another monitor polls this city; this one waits", self._around.city)
                said = True
            self._count.standby.set(1)
            await asyncio.sleep(RENEW_S)
        self._count.standby.set(0)

    async def _lease(self, *, unknown: bool) -> bool:
        """Whether it is ours; `unknown` where the database is away and nobody can tell."""
        try:
            return await self._records.lease()
        except Unavailable as error:
            self._failed("lease", error)
            return unknown

    async def _poll_while_ours(self) -> None:
        """As long as the database is away nobody else gets the lease either, so that polling goes on."""
        turn = asyncio.create_task(self._poll())
        try:
            while await self._lease(unknown=True):
                done, _ = await asyncio.wait([turn], timeout=RENEW_S)
                if done:
                    break
            if turn.done():
                turn.result()  # it never ends by itself: this raises what is ours to mend
        finally:
            turn.cancel()
            await asyncio.gather(turn, return_exceptions=True)
        self._around.board.clear()
        self._records.start_over()

    # A turn -----------------------------------------------------------------------------------------------

    async def _poll(self) -> None:
        count, around = self._count, self._around
        sockets = Sockets(count.socket_drops.inc, lambda why: count.answers_ignored.labels(why.value).inc())
        client = Client(around.engine, sockets)
        findings = Findings(
            around.city,
            records=self._records,
            pending=self._pending,
            board=around.board,
            instruments=count,
            clock=around.clock,
        )
        poller = Poller(
            around.city,
            self._settings,
            client=client,
            records=self._records,
            findings=findings,
            instruments=count,
            profiles=around.profiles,
            clock=around.clock,
            dice=around.dice,
        )
        watching = Watching(self._settings.interval_s)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(poller.run())
                tasks.create_task(self._write_for_ever(sockets, watching))
                if around.trap_listen:
                    tasks.create_task(self._traps(poller, findings, sockets).run())
        finally:
            await client.close()
            self._pending.close_hours()
            watching.tick(around.clock())
            await self._kept("save", self._write(watching, at_the_end=True))

    def _traps(self, poller: Poller, findings: Findings, sockets: Sockets) -> Traps:
        around = self._around
        town = Town(poller.at, poller.candidates_at, poller.poke, lambda event: findings.happened([event]))
        return Traps(
            around.city,
            around.trap_listen,
            town,
            sockets=sockets,
            count=lambda result: self._count.traps.labels(result).inc(),
            clock=around.clock,
        )

    # Writing ----------------------------------------------------------------------------------------------

    async def _write_for_ever(self, sockets: Sockets, watching: Watching) -> None:
        while True:
            watching.tick(self._around.clock())
            sockets.look()
            await self._kept("save", self._write(watching))
            self._count.pending.set(self._pending.healths)
            await asyncio.sleep(self._settings.flush_s)

    async def _write(self, watching: Watching, *, at_the_end: bool = False) -> None:
        stretches = watching.untold() if at_the_end else watching.due()
        if stretches:
            await self._records.watched(stretches, watching.gap)
            watching.told(stretches)
        await self._records.flush(self._pending)

    async def _kept(self, operation: str, work: Awaitable[None]) -> None:
        """A database that is away, or a fault of ours in one write, ends no polling."""
        try:
            await work
        except Unavailable as error:
            self._failed(operation, error)
        except Exception:
            self._count.store_failures.labels(operation).inc()
            log.exception("%s: %s: a fault; what was to be written is lost", self._around.city, operation)

    def _failed(self, operation: str, error: BaseException) -> None:
        self._count.store_failures.labels(operation).inc()
        log.warning("%s: %s: the database is away (%s)", self._around.city, operation, type(error).__name__)
