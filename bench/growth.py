"""`make bench-radius-growth`: the same requests in cities with ten thousand, a million and ten million closed sessions.

Nothing of what RADIUS asks may grow with a city's past. All cities are made first and then measured in turn, so that
what else the machine does meets them alike; the 10,000 devices that ask are spread over all that the city has seen.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.databases import Database, NotDurable, Postgres, Sqlite, postgres
from bench.history import History
from bench.load import IN_FLIGHT, Untrustworthy
from bench.ours import OurServer
from bench.report import Figure, Say, print_figures, progress, table
from bench.requests import access_supply, accounting_supply
from bench.rounds import Kind, Measured, Summary, measure, requests_for, summarise
from bench.servers import Cores, NotReady

SIZES = {"10k": 10_000, "1m": 1_000_000, "10m": 10_000_000}
"""Closed sessions by the word that result lines have for them."""

SPARE_OCTETS = 1 << 30
"""Disk that has to stay free beside the databases: logs, and what the rounds write."""

Summaries = Mapping[tuple[str, str, str], Summary]
"""By kind, size and server's name."""


class NoRoom(Exception):
    """The databases would not fit on the disk."""


@dataclass(frozen=True, slots=True)
class City:
    """A city with a past. `made_seconds`: how long making it took."""

    size: str
    server: OurServer
    octets: int
    made_seconds: float

    def kinds(self, number: int, seconds: float) -> tuple[Kind, ...]:
        """What is asked in that round: sessions that no earlier round began."""
        residents, secret, count = self.server.residents, self.server.place.secret, requests_for(seconds)
        return (
            Kind("auth", access_supply(residents, secret, count)),
            Kind("acct", accounting_supply(residents, secret, count, prefix=f"round-{number}")),
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. Returns the exit status."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="kogge-bench-", dir=options.dir) as name, contextlib.ExitStack() as stack:
        try:
            _bench(Path(name), options, Cores.choose(), stack)
        except (NotReady, NotDurable, Untrustworthy, NoRoom) as error:
            print(f"bench.growth: {error}", file=sys.stderr)
            return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--database", choices=(Sqlite.key, Postgres.key), default=Sqlite.key)
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES), help="default: all three")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each measurement lasts (default 4)")
    parser.add_argument("--devices", type=int, default=10_000, help="devices that ask (default 10000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds whose median is reported (default 3)")
    parser.add_argument("--dir", type=Path, help="where the databases stand; about 7 GB for all sizes")
    return parser


def _bench(folder: Path, options: argparse.Namespace, cores: Cores, stack: contextlib.ExitStack) -> None:
    say = progress()
    _require_room(folder, options.sizes)
    say(f"server and database on core {cores.server}, generator on core {cores.generator}, {IN_FLIGHT} in flight")
    database: Database = (
        Sqlite(folder) if options.database == Sqlite.key else stack.enter_context(postgres(folder, cores))
    )
    cities = [_make(folder, database, size, options.devices, say) for size in options.sizes]
    os.sync()  # gigabytes on their way to the disk would be measured with the first rounds
    measured: list[Measured] = []
    for number in range(options.rounds):
        say(f"round {number + 1} of {options.rounds}")
        for city in cities:
            kinds = city.kinds(number, options.seconds)
            log = folder / f"{city.size}.log"
            measured += measure(city.server, city.size, database, kinds, options.seconds, cores, log)
    _report(summarise(measured), cities, database)


def _require_room(folder: Path, sizes: Sequence[str]) -> None:
    needed = sum(History(SIZES[size]).octets for size in sizes) + SPARE_OCTETS
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoRoom(f"{folder} has {free / 1e9:.1f} GB free, the databases need {needed / 1e9:.1f}; see --dir")


def _make(folder: Path, database: Database, size: str, devices: int, say: Say) -> City:
    begun, history = time.monotonic(), History(SIZES[size])
    server = OurServer(folder, database, database_name=f"kogge_{size}")
    history.write(server, database, now=datetime.now(UTC))
    server.admit(devices, spacing=max(1, history.devices // devices))
    octets = sum(file.stat().st_size for file in database.files(server.database_name))
    say(f"{size}: {history.sessions:,} closed sessions of {history.devices:,} devices, {octets / 1e9:.2f} GB")
    return City(size, server, octets, time.monotonic() - begun)


# What is printed --------------------------------------------------------------------------------------


def _report(summaries: Summaries, cities: Sequence[City], database: Database) -> None:
    first = cities[0].size
    header = (f"{database.name}, closed sessions", "GB", "made in s", "per second", f"of {first}", "p99 ms", "CPU us")
    rows = []
    for kind in ("auth", "acct"):
        for city in cities:
            found = summaries[kind, city.size, OurServer.name]
            rows.append(
                (
                    f"{kind}, {SIZES[city.size]:,}",
                    f"{city.octets / 1e9:.2f}",
                    f"{city.made_seconds:.0f}",
                    f"{found.per_second:,.0f}",
                    f"{found.per_second / summaries[kind, first, OurServer.name].per_second:.2f}",
                    f"{found.p99_ms:.1f}",
                    f"{found.cpu_us:.0f}",
                )
            )
    print()
    print(table(header, rows))
    print_figures(figures(summaries, "" if database.key == Sqlite.key else f"{database.key}."))


def figures(summaries: Summaries, prefix: str) -> Iterator[Figure]:
    """`prefix`: of the database, where it is not SQLite."""
    for (kind, size, _), found in summaries.items():
        yield Figure(f"radius.growth.{prefix}{size}.{kind}.rps", found.per_second, "rps")
        yield Figure(f"radius.growth.{prefix}{size}.{kind}.cpu_us", found.cpu_us, "us")


if __name__ == "__main__":
    sys.exit(main())
