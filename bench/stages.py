"""`python -m bench.stages`: where a request's time goes, stage by stage, in CPU microseconds. No socket, one thread.

The server's own objects work on batches as its loop hands them over; `--profile` adds Python's function profile.
CPU time is this process's: on PostgreSQL the wall time beyond it is the database's work and the wait for the disk.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import pstats
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from bench import databases
from bench.databases import Database, Postgres, Sqlite
from bench.load import IN_FLIGHT
from bench.ours import OurServer
from bench.report import table
from bench.requests import access_supply, accounting_supply
from bench.servers import Cores
from radius.account import Accountant
from radius.authorize import Authorizer, Reply
from radius.intake import Intake, Port, Work
from radius.metrics import RadiusMetrics
from radius.peers import Peers
from service.cities import City
from store import nases

SOURCE = "127.0.0.1"
DATABASES = (Sqlite.key, Postgres.key)
STAGES = ("admit", "answer", "commit", "finish")
"""`commit` is a part of `answer`; the rest are one after the other."""

Spent = dict[str, list[tuple[float, float]]]
Answer = Callable[[list[Work], datetime], list[Reply]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. Returns the exit status."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="kogge-stages-") as name, contextlib.ExitStack() as stack:
        ours = OurServer(Path(name), _database(Path(name), options.database, stack))
        ours.admit(options.devices)
        with ours.opened() as city:
            count = options.batches * IN_FLIGHT
            metrics = RadiusMetrics(CollectorRegistry())
            auth = Authorizer(city, metrics, random_octets=lambda n: bytes(n))
            acct = Accountant(city, metrics)
            secret = ours.place.secret
            access = access_supply(ours.residents, secret, count).requests
            records = accounting_supply(ours.residents, secret, count).requests
            rows = [
                *_stages(city, Port.AUTH, access, lambda works, now: auth.answer(works, now=now), options),
                *_stages(city, Port.ACCT, records, lambda works, now: acct.answer(works, now=now), options),
            ]
        print(table((f"{options.database}, batches of {IN_FLIGHT}", "CPU us a request", "wall us"), rows))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.stages", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--batches", type=int, default=300, help=f"of {IN_FLIGHT} requests each (default 300)")
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--database", choices=DATABASES, default=DATABASES[0])
    parser.add_argument("--profile", choices=("auth", "acct"), help="print the function profile of one of the two")
    parser.add_argument("--sort", default="tottime", help="of the profile: tottime (default) or cumulative")
    return parser


def _database(folder: Path, key: str, stack: contextlib.ExitStack) -> Database:
    if key == Sqlite.key:
        return Sqlite(folder)
    return stack.enter_context(databases.postgres(folder, Cores.choose()))


def _stages(
    city: City, port: Port, requests: Sequence[bytes], answer: Answer, options: argparse.Namespace
) -> list[tuple[str, ...]]:
    with city.store.read() as conn:
        peers = Peers(nases.nases(conn, city.store.keys))
    intake = Intake(port, peers)
    spent: Spent = {stage: [] for stage in STAGES}
    profile = cProfile.Profile() if options.profile == port.value else None
    with _commits_timed(city.store.engine.dialect) as commits:
        for at in range(0, len(requests), IN_FLIGHT):
            with _timed(spent["admit"]):
                works = [_admit(intake, each, n) for n, each in enumerate(requests[at : at + IN_FLIGHT])]
            with _timed(spent["answer"]), profile or contextlib.nullcontext():
                replies = answer(works, datetime.now(UTC))
            spent["commit"].append((sum(cpu for cpu, _ in commits), sum(wall for _, wall in commits)))
            commits.clear()
            with _timed(spent["finish"]):
                for work, reply in replies:
                    intake.finish(work, reply, time.monotonic())
            assert len(replies) == len(works)
    if profile:
        pstats.Stats(profile).sort_stats(options.sort).print_stats(45)
    quick = {stage: [_lower_quartile(each, of) / IN_FLIGHT * 1e6 for of in (0, 1)] for stage, each in spent.items()}
    quick["all"] = [quick["admit"][of] + quick["answer"][of] + quick["finish"][of] for of in (0, 1)]
    return [(f"{port.value} {stage}", f"{cpu:.1f}", f"{wall:.1f}") for stage, (cpu, wall) in quick.items()]


@contextlib.contextmanager
def _commits_timed(dialect: Any) -> Iterator[list[tuple[float, float]]]:
    """The time of each commit, reading transactions' included, on its way to the driver."""
    commit, spent = dialect.do_commit, list[tuple[float, float]]()

    def timed(connection: Any) -> None:
        with _timed(spent):
            commit(connection)

    dialect.do_commit = timed
    try:
        yield spent
    finally:
        dialect.do_commit = commit


def _lower_quartile(batches: Sequence[tuple[float, float]], of: int) -> float:
    """What else the machine does meanwhile only adds."""
    return sorted(times[of] for times in batches)[len(batches) // 4]


def _admit(intake: Intake, datagram: bytes, number: int) -> Work:
    work = intake.admit(datagram, (SOURCE, 40_000 + number), time.monotonic())
    assert isinstance(work, Work), work
    return work


@contextlib.contextmanager
def _timed(spent: list[tuple[float, float]]) -> Iterator[None]:
    cpu, wall = time.process_time(), time.perf_counter()
    yield
    spent.append((time.process_time() - cpu, time.perf_counter() - wall))


if __name__ == "__main__":
    sys.exit(main())
