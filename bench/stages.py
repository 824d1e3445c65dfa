"""`python -m bench.stages`: where a request's time goes, stage by stage, in CPU microseconds. No socket, one thread.

The server's own objects work on batches as its loop hands them over; `--profile` adds Python's function profile.
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

from prometheus_client import CollectorRegistry

from bench.load import IN_FLIGHT
from bench.ours import CITY, OurServer
from bench.radius import access_supply, accounting_supply
from bench.report import table
from config.load import load_installation
from radius.account import Accountant
from radius.authorize import Authorizer, Reply
from radius.intake import Intake, Port, Work
from radius.metrics import RadiusMetrics
from radius.peers import Peers
from service.cities import City, open_city
from store import nases

SOURCE = "127.0.0.1"

Spent = dict[str, list[tuple[float, float]]]
Answer = Callable[[list[Work], datetime], list[Reply]]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.stages", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--batches", type=int, default=300, help=f"of {IN_FLIGHT} requests each (default 300)")
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--profile", choices=("auth", "acct"), help="print the function profile of one of the two")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="kogge-stages-") as name:
        ours = OurServer(Path(name), devices=options.devices)
        ours.renew()
        loaded = load_installation(Path(name) / "kogge")
        city = open_city(loaded.installation, loaded.cities[0], now=datetime.now(UTC))
        assert city.key == CITY
        count = options.batches * IN_FLIGHT
        metrics = RadiusMetrics(CollectorRegistry())
        auth = Authorizer(city, metrics, random_octets=lambda n: bytes(n))
        acct = Accountant(city, metrics)
        access = access_supply(ours.residents, ours.secret, count).requests
        records = accounting_supply(ours.residents, ours.secret, count).requests
        rows = [
            *_stages(city, "auth", Port.AUTH, access, lambda works, now: auth.answer(works, now=now), options),
            *_stages(city, "acct", Port.ACCT, records, lambda works, now: acct.answer(works, now=now), options),
        ]
        print(table(("stage", "CPU us a request", "wall us"), rows))
    return 0


def _stages(
    city: City, name: str, port: Port, requests: Sequence[bytes], answer: Answer, options: argparse.Namespace
) -> list[tuple[str, ...]]:
    with city.store.read() as conn:
        peers = Peers(nases.nases(conn, city.store.keys))
    intake = Intake(port, peers)
    spent: Spent = {"admit": [], "answer": [], "finish": []}
    profile = cProfile.Profile() if options.profile == name else None
    for at in range(0, len(requests), IN_FLIGHT):
        with _timed(spent["admit"]):
            works = [_admit(intake, each, n) for n, each in enumerate(requests[at : at + IN_FLIGHT])]
        with _timed(spent["answer"]), profile or contextlib.nullcontext():
            replies = answer(works, datetime.now(UTC))
        with _timed(spent["finish"]):
            for work, reply in replies:
                intake.finish(work, reply, time.monotonic())
        assert len(replies) == len(works)
    if profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)
    quick = {stage: [_lower_quartile(each, of) / IN_FLIGHT * 1e6 for of in (0, 1)] for stage, each in spent.items()}
    quick["all"] = [sum(times) for times in zip(*quick.values(), strict=True)]
    return [(f"{name} {stage}", f"{cpu:.1f}", f"{wall:.1f}") for stage, (cpu, wall) in quick.items()]


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
