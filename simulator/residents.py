"""Residents: devices that walk through the real portal pages, use the network for a while, and leave or come back.

They are HTTP clients without JavaScript and know the portal only by its forms (`accept`, `voucher`). Whatever goes
wrong is said once per kind: a town of residents must not flood a log.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from dataclasses import dataclass, field

from hotspot.errors import InputError, WireError
from hotspot.values import MacAddress
from hotspot.vouchers import CODE_LENGTH, make_code
from simulator.browser import Browser, Page
from simulator.nas import Nas

ARRIVAL_SECONDS = 60.0
"""The first residents arrive within this time; later ones follow those who left, like a Poisson process."""

log = logging.getLogger("simulator.residents")


@dataclass(frozen=True, slots=True)
class Habits:
    """How residents behave. Seconds are means of exponential distributions, within bounds; the rest are shares."""

    stay_seconds: float = 240.0
    stay_bounds: tuple[float, float] = (45.0, 900.0)
    away_seconds: float = 60.0
    away_bounds: tuple[float, float] = (15.0, 240.0)
    next_seconds: float = 12.0
    read_seconds: tuple[float, float] = (1.0, 6.0)
    log_off_share: float = 0.4
    return_share: float = 0.5
    wrong_code_share: float = 0.1
    arrival_seconds: float = ARRIVAL_SECONDS


USUAL = Habits()

RATES = ((3_000, 400), (40_000, 4_000), (250_000, 12_000), (900_000, 40_000))
"""Octets a second down and up: messages, reading, pictures, video."""


@dataclass(slots=True)
class Residents:
    """About `count` residents at a time around one NAS."""

    nas: Nas
    count: int
    rng: random.Random
    habits: Habits = USUAL
    seen: Counter[str] = field(default_factory=Counter)
    """What happened, by kind: `online`, `returned`, `logged_off`, `left`, `refused`, `wrong_code`, `failed: …`."""

    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        for number in range(self.count):
            first = self.rng.uniform(0, self.habits.arrival_seconds)
            own = random.Random(self.rng.getrandbits(64))
            self._tasks.append(asyncio.create_task(self._place(first, own), name=f"resident {number}"))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _place(self, first: float, rng: random.Random) -> None:
        """One place in town: whoever leaves it is followed by another."""
        await asyncio.sleep(first)
        while True:
            try:
                await _Resident(self, rng).live()
            except (OSError, WireError, InputError, TimeoutError) as error:
                self._complain(error)
            await asyncio.sleep(1 + rng.expovariate(1 / self.habits.next_seconds))

    def _complain(self, error: Exception) -> None:
        kind = f"failed: {error.reason if isinstance(error, WireError) else type(error).__name__}"
        self.seen[kind] += 1
        if self.seen[kind] == 1:
            log.warning(
                "%s: a resident gave up: %s (said once)", self.nas.town.name, str(error) or type(error).__name__
            )


class _Resident:
    """One device and the person who holds it."""

    def __init__(self, town: Residents, rng: random.Random) -> None:
        self._town, self._rng, self._nas = town, rng, town.nas
        self._browser = Browser()

    async def live(self) -> None:
        """Come, go online, stay, go; perhaps come back once or twice as the same device."""
        habits, rng = self._town.habits, self._rng
        page = await self._browser.get(self._at_nas("/walk-up"))
        if not await self._come_online(page):
            return
        while True:
            await self._stay()
            if rng.random() >= habits.return_share:
                return
            await asyncio.sleep(_within(rng.expovariate(1 / habits.away_seconds), habits.away_bounds))
            page = await self._browser.get(self._at_nas(f"/walk-up?mac={self._mac()}"))
            if self._nas.session(self._mac()) is not None:
                self._town.seen["returned"] += 1
            elif not await self._come_online(page):
                return

    async def _come_online(self, page: Page) -> bool:
        """From the portal's page to its page for those who are online; False where the portal or RADIUS refused."""
        rng, seen = self._rng, self._town.seen
        await asyncio.sleep(rng.uniform(*self._town.habits.read_seconds))
        if rng.random() < self._town.habits.wrong_code_share:
            page = await self._mistype(page)
        form = page.form("accept")
        if form is None:
            raise WireError("no form to accept on the portal's page")
        pressed = next((value for name, value in form.choices if name == "accept"), "yes")
        page = await self._browser.submit(form, accept=pressed)
        online = any("res=success" in url for url in page.trail)
        seen["online" if online else "refused"] += 1
        return online

    async def _mistype(self, page: Page) -> Page:
        """Type a voucher code that nobody issued; go on from the answer where it still offers the tap."""
        form = page.form("voucher")
        if form is None:
            return page
        answer = await self._browser.submit(form, code=make_code(self._rng.randbytes(CODE_LENGTH)))
        self._town.seen["wrong_code"] += 1
        await asyncio.sleep(self._rng.uniform(*self._town.habits.read_seconds))
        return answer if answer.form("accept") is not None else page

    async def _stay(self) -> None:
        """Use the network at changing rates, then log off, or just walk away and fall silent."""
        habits, rng = self._town.habits, self._rng
        left = _within(rng.expovariate(1 / habits.stay_seconds), habits.stay_bounds)
        while left > 0:
            self._nas.flow(self._mac(), *rng.choice(RATES))
            now = min(left, rng.uniform(10, 60))
            await asyncio.sleep(now)
            left -= now
        self._nas.flow(self._mac(), 0, 0)
        if rng.random() < habits.log_off_share:
            await self._browser.get(self._at_nas("/logoff"))
            self._town.seen["logged_off"] += 1
        else:
            self._town.seen["left"] += 1

    def _at_nas(self, path: str) -> str:
        return f"http://{self._nas.town.listen}{path}"

    def _mac(self) -> MacAddress:
        cookies = self._browser.cookies.get(self._nas.town.listen, {})
        return MacAddress.parse(cookies.get("device", ""))


def _within(value: float, bounds: tuple[float, float]) -> float:
    return min(max(value, bounds[0]), bounds[1])
