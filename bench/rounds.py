"""A round: one server, started anew, asked each kind of request for a while; and the medians of what came of rounds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.cpu import cpu_seconds
from bench.databases import Database
from bench.load import Loop, Supply, Tally
from bench.servers import Cores, NotReady, Place, last_lines, running

WARM_SECONDS = 0.5
RATE_MAX = 25_000
"""Requests made in advance for each second; a server that answers more has ended its run early, not slowly."""


class Server(Protocol):
    """A RADIUS server that can be started: ours or the other."""

    name: str
    place: Place

    def command(self) -> list[str]:
        """What starts it, in the foreground."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two things measured: `auth` or `acct`."""

    name: str
    supply: Supply


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one server with one kind of request. `database`: its key, or whatever tells rounds apart."""

    server: str
    database: str
    kind: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class Summary:
    """Medians of rounds. Waits in milliseconds, `cpu_us` for a request."""

    rounds: tuple[float, ...]
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    sent_again: int
    proved: int

    @classmethod
    def of(cls, tallies: Sequence[Tally]) -> Summary:
        def median(of: Callable[[Tally], float]) -> float:
            return statistics.median(map(of, tallies))

        return cls(
            rounds=tuple(tally.per_second for tally in tallies),
            per_second=median(lambda tally: tally.per_second),
            p50_ms=median(lambda tally: tally.wait(0.50) * 1_000),
            p99_ms=median(lambda tally: tally.wait(0.99) * 1_000),
            cpu_us=median(lambda tally: tally.cpu_us),
            sent_again=sum(tally.retransmitted for tally in tallies),
            proved=sum(tally.proved for tally in tallies),
        )


def requests_for(seconds: float) -> int:
    """How many requests a round of that length may need of a kind."""
    return int((seconds + WARM_SECONDS) * RATE_MAX)


def measure(
    server: Server, label: str, database: Database, kinds: Iterable[Kind], seconds: float, cores: Cores, log: Path
) -> list[Measured]:
    """Start the server and ask each kind after the other. NotReady where it answers nothing."""
    with running(server.command(), server.place, cores, log) as process:
        roots = database.processes() | {process.pid}
        ports = {"auth": server.place.auth_port, "acct": server.place.acct_port}
        found = []
        for kind in kinds:
            loop = Loop(kind.supply, ports[kind.name])
            tally = loop.run(seconds, warm_seconds=WARM_SECONDS, meter=lambda: cpu_seconds(roots))
            if not tally.answered:
                raise NotReady(f"{server.name} answered no {kind.name} request:\n{last_lines(log)}")
            print(f"  {label}, {server.name}, {kind.name}: {tally.per_second:,.0f}/s", flush=True)
            found.append(Measured(server.name, label, kind.name, tally))
        return found


def summarise(measured: Iterable[Measured]) -> dict[tuple[str, str, str], Summary]:
    """By kind, database and server, in the order of their first round."""
    grouped: dict[tuple[str, str, str], list[Tally]] = {}
    for each in measured:
        grouped.setdefault((each.kind, each.database, each.server), []).append(each.tally)
    return {key: Summary.of(tallies) for key, tallies in grouped.items()}
