"""`make bench-radius-memory`: the server's memory while a million packets pass, half log-ins and half accounting.

What it keeps by design (duplicate caches, SQLite's page cache) is full long before the second half, and from there the
growth is counted.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.databases import Database, NotDurable, Postgres, Sqlite, postgres
from bench.load import Loop, Supply, Untrustworthy
from bench.ours import OurServer
from bench.processes import resident_kb
from bench.report import Figure, Say, print_figures, progress, table
from bench.requests import access_supply, accounting_supply
from bench.servers import Cores, NotReady, running

STEP = 100_000
"""Packets between two looks."""

STEP_SECONDS_MAX = 300.0


@dataclass(frozen=True, slots=True)
class Look:
    """`resident_kb` of the server after so many packets. `per_second`: those of the step before."""

    packets: int
    resident_kb: int
    per_second: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--packets", type=int, default=1_000_000, help="default 1000000")
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--database", choices=(Sqlite.key, Postgres.key), default=Sqlite.key)
    parser.add_argument("--dir", type=Path, help="where the database stands")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="kogge-bench-", dir=options.dir) as name, contextlib.ExitStack() as stack:
        try:
            looks = _bench(Path(name), options, Cores.choose(), stack)
        except (NotReady, NotDurable, Untrustworthy) as error:
            print(f"bench.memory: {error}", file=sys.stderr)
            return 1
    print()
    rows = ((f"{each.packets:,}", f"{each.resident_kb:,}", f"{each.per_second:,.0f}") for each in looks)
    print(table(("packets", "RSS KiB", "per second"), rows))
    print_figures([Figure("radius.memory.growth_kb_per_million", growth(looks), "KiB")])
    return 0


def _bench(folder: Path, options: argparse.Namespace, cores: Cores, stack: contextlib.ExitStack) -> list[Look]:
    say = progress()
    database: Database = (
        Sqlite(folder) if options.database == Sqlite.key else stack.enter_context(postgres(folder, cores))
    )
    server = OurServer(folder, database)
    server.admit(options.devices)
    with running(server.command(), server.place, cores, folder / "kogge.log") as process:
        return list(_looks(server, process, -(-options.packets // STEP), say))


def _looks(server: OurServer, process: subprocess.Popen[bytes], steps: int, say: Say) -> Iterator[Look]:
    yield Look(0, resident_kb({process.pid}), 0.0)
    for step in range(steps):
        residents, secret, half = server.residents, server.place.secret, STEP // 2
        access = access_supply(residents, secret, half, first=step * half)
        records = accounting_supply(residents, secret, half, prefix=f"step-{step}")
        begun = time.monotonic()
        _send_all(access, server.place.auth_port)
        _send_all(records, server.place.acct_port)
        look = Look((step + 1) * STEP, resident_kb({process.pid}), STEP / (time.monotonic() - begun))
        say(f"{look.packets:,} packets: {look.resident_kb:,} KiB")
        yield look


def _send_all(supply: Supply, port: int) -> None:
    answered = len(Loop(supply, port).run(STEP_SECONDS_MAX).answered)
    if answered < len(supply.requests):
        raise NotReady(f"{answered:,} of {len(supply.requests):,} requests were answered in {STEP_SECONDS_MAX:.0f} s")


def growth(looks: Sequence[Look]) -> float:
    """KiB a million packets: the slope of the second half, by least squares."""
    half = looks[len(looks) // 2 :]
    slope = statistics.linear_regression([each.packets for each in half], [each.resident_kb for each in half]).slope
    return slope * 1_000_000


if __name__ == "__main__":
    sys.exit(main())
