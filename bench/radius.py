"""`make bench-radius`: requests a second, waits and CPU time, ours and FreeRADIUS's, on SQLite and PostgreSQL.

The server and its PostgreSQL on one core, the generator on another, 64 requests in flight, every reply counted only
when it came. Both servers get the same requests, alternately; what is reported is the median of the rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import databases, freeradius
from bench.databases import Database, NotDurable, Postgres, Sqlite
from bench.echo import measure_echo
from bench.freeradius import FreeRadius
from bench.load import IN_FLIGHT, Tally, Untrustworthy
from bench.ours import OurServer
from bench.report import Figure, Say, print_figures, progress, table
from bench.requests import access_supply, accounting_supply
from bench.rounds import Kind, Measured, Summary, measure, requests_for, summarise
from bench.servers import Cores, NotReady

OURS, THEIRS = OurServer.name, FreeRadius.name
KINDS = ("auth", "acct")
DATABASES = (Sqlite.key, Postgres.key)
ECHO_SECONDS = 2.0

Summaries = Mapping[tuple[str, str, str], Summary]
"""By kind, database's key and server's name."""


@dataclass(frozen=True)
class Contest:
    """The servers that are measured on one database, and what both are asked."""

    database: Database
    servers: tuple[OurServer | FreeRadius, ...]
    kinds: tuple[Kind, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. Returns the exit status."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="kogge-bench-", dir=options.dir) as name, contextlib.ExitStack() as stack:
        try:
            _bench(Path(name), options, Cores.choose(), stack)
        except (NotReady, NotDurable, Untrustworthy) as error:
            print(f"bench.radius: {error}", file=sys.stderr)
            return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.radius", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--database", choices=DATABASES, nargs="+", default=DATABASES, help="default: both")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each measurement lasts (default 3)")
    parser.add_argument("--devices", type=int, default=10_000, help="devices with a ticket each (default 10000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds whose median is reported (default 5)")
    parser.add_argument("--dir", type=Path, help="where the databases stand; the disk is part of what is measured")
    return parser


def _bench(folder: Path, options: argparse.Namespace, cores: Cores, stack: contextlib.ExitStack) -> None:
    say = progress()
    say(f"server and database on core {cores.server}, generator on core {cores.generator}, {IN_FLIGHT} in flight")
    contests = [_prepare(folder, database, options, say) for database in _databases(folder, options, cores, stack)]
    echo = measure_echo(contests[0].kinds[0].supply, cores, min(ECHO_SECONDS, options.seconds), folder / "echo.log")
    measured: list[Measured] = []
    for number in range(options.rounds):
        say(f"round {number + 1} of {options.rounds}")
        for contest in contests:
            measured += _round(contest, number, options.seconds, cores, folder)
    _report(summarise(measured), echo)


def _databases(
    folder: Path, options: argparse.Namespace, cores: Cores, stack: contextlib.ExitStack
) -> Iterator[Database]:
    if Sqlite.key in options.database:
        yield Sqlite(folder)
    if Postgres.key in options.database:
        missing = databases.why_no_postgres()
        if missing is None:
            yield stack.enter_context(databases.postgres(folder, cores))
        else:
            print(f"nothing on PostgreSQL: {missing}", flush=True)


def _prepare(folder: Path, database: Database, options: argparse.Namespace, say: Say) -> Contest:
    """Both servers' databases as every round begins with them, and what both are asked."""
    ours = OurServer(folder, database)
    ours.admit(options.devices)
    ours.keep()
    servers: list[OurServer | FreeRadius] = [ours]
    missing = freeradius.why_not(database)
    if missing is None:
        servers.append(FreeRadius(folder, database, ours.residents, secret=ours.place.secret))
    else:
        say(f"no comparison on {database.name}: {missing}")
    secret, count = ours.place.secret, requests_for(options.seconds)
    kinds = (
        Kind("auth", access_supply(ours.residents, secret, count)),
        Kind("acct", accounting_supply(ours.residents, secret, count)),
    )
    say(f"{database.name}: {options.devices:,} devices, {count:,} requests of each kind; commits are durable")
    return Contest(database, tuple(servers), kinds)


def _round(contest: Contest, number: int, seconds: float, cores: Cores, folder: Path) -> list[Measured]:
    """Each server on a database as it was made; who comes first changes from round to round."""
    found: list[Measured] = []
    for server in contest.servers if number % 2 == 0 else reversed(contest.servers):
        server.renew()
        key = contest.database.key
        found += measure(server, key, contest.database, contest.kinds, seconds, cores, folder / f"{server.name}.log")
        server.drop()
    return found


# What is printed --------------------------------------------------------------------------------------


def _report(summaries: Summaries, echo: Tally) -> None:
    header = ("kind, database, server", "per second", "ratio", "p50 ms", "p99 ms", "CPU us", "sent again", "rounds")
    print()
    print(table(header, (*_rows(summaries), _row("echo (the generator's limit)", Summary.of([echo]), ""))))
    print(f"proved by their Response Authenticator: {sum(each.proved for each in summaries.values()):,} replies")
    print_figures(figures(summaries))


def _rows(summaries: Summaries) -> Iterator[tuple[str, ...]]:
    for key in sorted(summaries, key=lambda key: (KINDS.index(key[0]), key[1] != Sqlite.key, key[2] != OURS)):
        yield _row(", ".join(key), summaries[key], f"{ratio:.2f}" if (ratio := _rate_ratio(summaries, key)) else "")


def _rate_ratio(summaries: Summaries, key: tuple[str, str, str]) -> float | None:
    kind, database, server = key
    theirs = summaries.get((kind, database, THEIRS))
    return summaries[key].per_second / theirs.per_second if server == OURS and theirs is not None else None


def _row(label: str, summary: Summary, ratio: str) -> tuple[str, ...]:
    return (
        label,
        f"{summary.per_second:,.0f}",
        ratio,
        f"{summary.p50_ms:.1f}",
        f"{summary.p99_ms:.1f}",
        f"{summary.cpu_us:.0f}" if summary.cpu_us else "",
        str(summary.sent_again),
        " ".join(f"{rate:,.0f}" for rate in summary.rounds),
    )


def figures(summaries: Summaries) -> Iterator[Figure]:
    """Ours, and ours divided by theirs: above 1 is better for `ratio`, below 1 for `p99_ratio`."""
    for (kind, database, server), ours in summaries.items():
        if server != OURS:
            continue
        name = f"radius.{kind}.{database}"
        yield Figure(f"{name}.rps", ours.per_second, "rps")
        yield Figure(f"{name}.p99_ms", ours.p99_ms, "ms")
        theirs = summaries.get((kind, database, THEIRS))
        if theirs is not None:
            yield Figure(f"{name}.ratio", ours.per_second / theirs.per_second, "x")
            yield Figure(f"{name}.p99_ratio", ours.p99_ms / theirs.p99_ms, "x")


if __name__ == "__main__":
    sys.exit(main())
