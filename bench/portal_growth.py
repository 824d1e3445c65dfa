"""The portal's pages in a city with ten thousand closed sessions and in one with ten million: none may cost more.

Both cities are made first and then measured in turn. The devices that ask are spread over all that the city has seen.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.databases import Sqlite
from bench.history import History
from bench.ours import OurServer, device_address
from bench.portal_site import Site
from bench.report import Figure, Say, table
from bench.servers import Cores, free_ports, pinned
from bench.web import Dialogue, Visit, run
from hotspot.roles import Role
from hotspot.values import MacAddress
from ops.supervisor import kogge
from store import staff

SIZES = {"10k": 10_000, "10m": 10_000_000}
SPARE_OCTETS = 1 << 30
ROUNDS = 3


class NoRoom(Exception):
    """The databases would not fit on the disk."""


@dataclass(frozen=True)
class Grown:
    """A city with a past, its portal running."""

    site: Site
    devices: int

    @property
    def visits(self) -> Mapping[str, Visit]:
        """What is asked, by the word in the result lines."""
        return {
            "first_page": self._by(self.site.first_page),
            "login": self._by(self.site.log_in),
            "status": self._by(self.site.status),
            "sessions": lambda _: self.site.sessions(),
        }

    def _by(self, page: Callable[[MacAddress], Dialogue]) -> Visit:
        """By devices from all over the city's past, one after the other."""
        step = 7_919  # a prime: neighbours in time are not neighbours in the index
        return lambda number: page(device_address(number * step % self.devices))


def measure(folder: Path, seconds: float, cores: Cores, say: Say) -> Iterator[Figure]:
    """The figures; NoRoom where the disk is too small."""
    _require_room(folder)
    database = Sqlite(folder)
    with contextlib.ExitStack() as stack:
        cities = {size: stack.enter_context(_grown(folder, database, size, cores, say)) for size in SIZES}
        os.sync()  # gigabytes on their way to the disk would be measured with the first round
        rates: dict[tuple[str, str], list[float]] = {}
        for number in range(ROUNDS):
            say(f"growth: round {number + 1} of {ROUNDS}")
            for size, city in cities.items():
                for page, visit in city.visits.items():
                    rates.setdefault((page, size), []).append(run(city.site.port, visit, seconds / 2).per_second)
    yield from _report({key: statistics.median(found) for key, found in rates.items()})


def _require_room(folder: Path) -> None:
    needed = sum(History(sessions).octets for sessions in SIZES.values()) + SPARE_OCTETS
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoRoom(f"{folder} has {free / 1e9:.1f} GB free, growth needs {needed / 1e9:.1f}; see --dir, --no-growth")


@contextlib.contextmanager
def _grown(folder: Path, database: Sqlite, size: str, cores: Cores, say: Say) -> Iterator[Grown]:
    begun, history, now = time.monotonic(), History(SIZES[size]), datetime.now(UTC)
    server = OurServer(folder, database, database_name=f"portal_{size}")
    history.write(server, database, now=now)
    port, metrics_port = free_ports(2)
    with (server.folder / "kogge.toml").open("a") as file:
        file.write(f'[portal]\nlisten = "127.0.0.1:{port}"\nmetrics_listen = "127.0.0.1:{metrics_port}"\n')
    member = os.urandom(32).hex()
    with server.opened() as city:
        with city.store.write() as conn:
            staff_id = staff.add(conn, login="bench", name="Bench", role=Role.ADMIN, now=now)
            staff.open_session(conn, staff_id=staff_id, token=member, now=now, expires_at=now + timedelta(hours=8))
        site = Site.of(city, port, member=member)
    say(f"growth: {history.sessions:,} closed sessions, made in {time.monotonic() - begun:.0f} s")
    log = folder / f"portal-{size}.log"
    with pinned(kogge("portal", str(server.folder)), cores, log):
        site.await_ready(log)
        yield Grown(site, history.devices)


def _report(rates: Mapping[tuple[str, str], float]) -> Iterator[Figure]:
    small, large = SIZES
    pages = list(dict.fromkeys(page for page, _ in rates))
    rows = [
        (
            page,
            f"{rates[page, small]:,.0f}",
            f"{rates[page, large]:,.0f}",
            f"{rates[page, large] / rates[page, small]:.2f}",
        )
        for page in pages
    ]
    print()
    print(table(("per second, by closed sessions", *(f"{count:,}" for count in SIZES.values()), "share"), rows))
    for page in pages:
        for size in SIZES:
            yield Figure(f"portal.growth.{size}.{page}.rps", rates[page, size], "rps")
        yield Figure(f"portal.growth.{page}.share", rates[page, large] / rates[page, small], "x")
