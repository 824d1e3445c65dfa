"""One city's monitor: its poller on a thread with a loop of its own, its housekeeping, its searches, its senders."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import Callable
from datetime import datetime

from monitor import metrics
from monitor.board import Board
from monitor.instruments import Instruments
from monitor.messages import Sender, gateways
from monitor.poller import Settings
from monitor.polling import Polling, Surroundings
from monitor.profiles import Profiles
from monitor.schedule import Housekeeper, this_process
from monitor.searches import Searcher
from monitor.session import Engine
from service.cities import City

log = logging.getLogger(__name__)


class CityMonitor:
    """Runs from `start` to `stop`; `board` shows what it found."""

    def __init__(
        self,
        city: City,
        profiles: Profiles,
        *,
        clock: Callable[[], datetime],
        dice: random.Random,
        engine: Engine = Engine.FAST,
    ) -> None:
        self._city = city
        self._profiles = profiles
        self._clock = clock
        self._dice = dice
        self._engine = engine
        self.board = Board()
        self._instruments = Instruments(city.registry)
        metrics.register(city.registry, city.key, self.board)
        self._housekeeper = Housekeeper(city, self._instruments, clock)
        self._searcher = Searcher(city, profiles, self._instruments, clock, holder=this_process(), engine=engine)
        self._senders = [Sender(city, kind, way, self._instruments, clock) for kind, way in gateways(city).items()]
        self._thread = threading.Thread(target=self._run, name=f"monitor-{city.key}", daemon=True)
        self._looping = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._polling: asyncio.Task[None]

    def start(self) -> None:
        self._thread.start()
        self._looping.wait()
        self._housekeeper.start()
        self._searcher.start()
        for sender in self._senders:
            sender.start()

    def stop(self) -> None:
        """Begin to end; returns at once."""
        self._housekeeper.pause()
        self._searcher.stop()
        for sender in self._senders:
            sender.stop()
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._polling.cancel)

    def join(self, timeout: float | None = None) -> None:
        """Wait until the poller has written what it found, and for the jobs and the sending that run."""
        self._thread.join(timeout)
        self._housekeeper.stop()
        self._searcher.join(timeout)
        for sender in self._senders:
            sender.join(timeout)

    def _run(self) -> None:
        self._instruments.running.set(1)
        try:
            asyncio.run(self._poll())
        except asyncio.CancelledError:
            pass
        except Exception:  # ours to mend; the other cities go on, and the gauge tells
            log.exception("%s: the poller ended", self._city.key)
        finally:
            self._instruments.running.set(0)
            self._looping.set()

    async def _poll(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._polling = asyncio.create_task(self._polling_of().run())
        self._looping.set()
        await self._polling

    def _polling_of(self) -> Polling:
        monitor = self._city.config.monitor
        return Polling(
            Settings(monitor.poll_interval_s, monitor.timeout_s, monitor.retries, monitor.max_in_flight),
            Surroundings(
                self._city.key,
                self._city.store,
                this_process(),
                self.board,
                self._instruments,
                self._profiles,
                self._clock,
                self._dice,
                self._engine,
                monitor.trap_listen,
            ),
        )
