"""A city with a real poller and its metrics page, for whatever agents a story puts before it."""

from __future__ import annotations

import asyncio
import random
import re
import urllib.request
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry

from monitor import metrics
from monitor.board import Board
from monitor.instruments import Instruments
from monitor.poller import Settings
from monitor.polling import Polling, Surroundings
from monitor.profiles import Profiles
from monitor.session import Engine
from service.exposition import MetricsListener, Target, bind
from store.fleet import SnmpCredential, add_access_point, add_site
from store.store import Store

CITY = "rostock"
SOON = Settings(interval_s=0.8, timeout_s=0.5, retries=0, max_in_flight=8, refresh_s=0.1, flush_s=0.05)
PATIENT = Settings(interval_s=1.0, timeout_s=2.0, retries=1, max_in_flight=8, refresh_s=0.1, flush_s=0.05)
WAIT_S = 60.0
Story = Callable[[], Coroutine[Any, Any, None]]


def clock() -> datetime:
    return datetime.now(UTC)


class Scene:
    """A city with a poller and its metrics page."""

    def __init__(self, store: Store, profiles: Profiles) -> None:
        self.store = store
        self._profiles = profiles
        self.registry = CollectorRegistry()
        self._board = Board()
        metrics.register(self.registry, CITY, self._board)
        self._instruments = Instruments(self.registry)
        self._listener = MetricsListener(bind("127.0.0.1:0"), {CITY: Target(self.registry, "token")})
        with store.write() as conn:
            self._site = add_site(conn, key="rathaus", name="Rathaus", district="Mitte", kind="square")

    def add(self, port: int, credential: SnmpCredential, name: str = "ap", **more: Any) -> int:
        columns = {"site_id": self._site, "name": name, "address": "127.0.0.1", "port": port, "created_at": clock()}
        with self.store.write() as conn:
            return add_access_point(conn, self.store.keys, credential=credential, **columns | more)

    def page(self) -> str:
        url = f"http://127.0.0.1:{self._listener.port}/cities/{CITY}/metrics"
        request = urllib.request.Request(url, headers={"Authorization": "Bearer token"})
        with urllib.request.urlopen(request, timeout=10) as response:
            return str(response.read().decode())

    def read(self, name: str, **labels: str) -> float | None:
        """The sample whose labels are these, among others; None where the page has none."""
        for found in re.finditer(rf"^{name}(?:{{(.*)}})? (\S+)$", self.page(), re.MULTILINE):
            told = dict(re.findall(r'(\w+)="([^"]*)"', found[1] or ""))
            if labels.items() <= told.items():
                return float(found[2])
        return None

    def by_word(self, name: str, label: str) -> dict[str, float]:
        """All samples of a metric with one label."""
        found = re.finditer(rf'^{name}{{{label}="(\w+)"}} (\S+)$', self.page(), re.MULTILINE)
        return {each[1]: float(each[2]) for each in found}

    def up(self, name: str = "ap") -> float | None:
        return self.read("wifi_ap_up", ap=name)

    def polls(self, result: str) -> float:
        return self.read("kogge_monitor_polls_total", result=result) or 0.0

    def measurements(self) -> set[str]:
        """What the page tells of the access point beyond what outlives an outage."""
        told = {line.partition("{")[0] for line in self.page().splitlines() if line.startswith("wifi_ap_")}
        kept = {"up", "info", "last_success_timestamp_seconds", "poll_duration_seconds"}
        return told - {f"wifi_ap_{name}" for name in kept}

    def run(self, engine: Engine, story: Story, settings: Settings = SOON, trap_listen: str = "") -> None:
        """Poll, and hear traps, while the story runs."""
        around = Surroundings(
            CITY,
            self.store,
            "monitor-1",
            self._board,
            self._instruments,
            self._profiles,
            clock,
            random.Random(1),
            engine,
            trap_listen,
        )

        async def both() -> None:
            polling = asyncio.create_task(Polling(settings, around).run())
            try:
                await story()
            finally:
                polling.cancel()
                await asyncio.gather(polling, return_exceptions=True)

        asyncio.run(both())

    async def until(self, true: Callable[[], bool]) -> None:
        """The page is read on a thread: the poller's loop must not wait for it."""
        loop = asyncio.get_running_loop()
        end = loop.time() + WAIT_S
        while not await loop.run_in_executor(None, true):
            assert loop.time() < end, "waited in vain:\n" + self.page()
            await asyncio.sleep(0.05)

    def close(self) -> None:
        self._listener.close()
