"""`python -m bench.radius`: Access-Requests and accounting records a second, ours and FreeRADIUS's, in one run.

The server on one core, the generator on another, 64 requests in flight, every reply counted only when it came. Both
servers get the same requests, alternately; what is reported is the median of the rounds.
"""

from __future__ import annotations

import argparse
import os
import random
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench import freeradius, packets
from bench.freeradius import FreeRadius
from bench.load import IN_FLIGHT, Loop, Supply, Tally, Untrustworthy
from bench.ours import NAS, OurServer
from bench.packets import Resident, Status
from bench.report import Figure, print_figures, table
from bench.servers import READY_SECONDS, Cores, NotReady, free_ports, last_lines, pinned, running

WARM_SECONDS = 0.5
RATE_MAX = 12_000
"""Requests made in advance for each second; a server that answers more has ended its run early, not slowly."""

START_EVERY = 4
"""One record in so many is a Start; the others are interims of sessions that began a while ago."""

BEGUN_BEFORE = 2 * IN_FLIGHT
"""An interim's session began at least so many Starts earlier, so that its Start is not still in flight."""

_ECHO = """\
import socket, sys
echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
echo.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
echo.bind(("127.0.0.1", int(sys.argv[1])))
buffer = bytearray(4096)
while True:
    size, source = echo.recvfrom_into(buffer)
    echo.sendto(memoryview(buffer)[:size], source)
"""

Server = OurServer | FreeRadius


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two things measured."""

    name: str
    supply: Supply


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one server with one kind of request."""

    server: str
    kind: str
    tally: Tally


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    cores = Cores.choose()
    with tempfile.TemporaryDirectory(prefix="kogge-bench-", dir=options.dir) as name:
        try:
            _bench(Path(name), options, cores)
        except (NotReady, Untrustworthy) as error:
            print(f"bench.radius: {error}", file=sys.stderr)
            return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.radius", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each measurement lasts (default 4)")
    parser.add_argument("--devices", type=int, default=10_000, help="devices with a ticket each (default 10000)")
    parser.add_argument("--rounds", type=int, default=2, help="rounds whose median is reported (default 2)")
    parser.add_argument("--dir", type=Path, help="where the databases stand; the disk is part of what is measured")
    return parser


def _bench(folder: Path, options: argparse.Namespace, cores: Cores) -> None:
    print(f"server on core {cores.server}, generator on core {cores.generator}, {IN_FLIGHT} in flight")
    ours = OurServer(folder, devices=options.devices)
    count = int((options.seconds + WARM_SECONDS) * RATE_MAX)
    kinds = [
        Kind("auth", access_supply(ours.residents, ours.secret, count)),
        Kind("acct", accounting_supply(ours.residents, ours.secret, count)),
    ]
    servers: list[Server] = [ours]
    missing = freeradius.why_not()
    if missing is None:
        servers.append(FreeRadius(folder, ours.residents, secret=ours.secret))
    else:
        print(f"no comparison: {missing}")
    echo = measure_echo(kinds[0].supply, cores, options.seconds / 2, folder / "echo.log")
    rounds = [
        measured
        for number in range(options.rounds)
        for server in servers
        for measured in _measure(server, kinds, options.seconds, cores, folder / f"{server.name}-{number}.log")
    ]
    _report(rounds, echo)


def _measure(server: Server, kinds: Sequence[Kind], seconds: float, cores: Cores, log: Path) -> list[Measured]:
    """One round: a fresh database and process, then each kind after the other."""
    server.renew()
    os.sync()  # the copies reach the disk before the clock runs
    with running(server.command(), server.place, cores, log):
        ports = {"auth": server.place.auth_port, "acct": server.place.acct_port}
        found = []
        for kind in kinds:
            tally = Loop(kind.supply, ports[kind.name]).run(seconds, warm_seconds=WARM_SECONDS)
            if not tally.answered:
                raise NotReady(f"{server.name} answered no {kind.name} request:\n{last_lines(log)}")
            print(f"  {server.name} {kind.name}: {tally.per_second:,.0f}/s", flush=True)
            found.append(Measured(server.name, kind.name, tally))
        return found


# What is asked ----------------------------------------------------------------------------------------


def access_supply(residents: Sequence[Resident], secret: bytes, count: int) -> Supply:
    """Every resident redeems the ticket in turn, and again; no two requests are alike."""

    def build(number: int, identifier: int) -> bytes:
        return packets.access_request(identifier, secret, NAS, residents[number % len(residents)], number)

    return Supply.make(count, build, secret=secret, wanted_code=packets.ACCESS_ACCEPT)


def accounting_supply(residents: Sequence[Resident], secret: bytes, count: int) -> Supply:
    """Residents' sessions begin one after the other; in between, those that have begun report more and more octets."""
    steps = list(session_steps(len(residents), count))

    def build(number: int, identifier: int) -> bytes:
        who, status = steps[number]
        session, octets = f"bench-{who:08d}", number * 1_000
        return packets.accounting_request(identifier, secret, NAS, residents[who], status, session, octets)

    return Supply.make(count, build, secret=secret, wanted_code=packets.ACCOUNTING_RESPONSE)


def session_steps(devices: int, count: int) -> Iterator[tuple[int, Status]]:
    """Whose record comes when: the same sequence in every run."""
    chance, begun = random.Random(2026), 0
    for number in range(count):
        if begun < devices and (begun < 2 * BEGUN_BEFORE or number % START_EVERY == 0):
            yield begun, Status.START
            begun += 1
        else:
            yield chance.randrange(max(1, begun - BEGUN_BEFORE)), Status.INTERIM


# The generator itself ---------------------------------------------------------------------------------


def measure_echo(supply: Supply, cores: Cores, seconds: float, log: Path) -> Tally:
    """The same loop against a program that only sends back: what the generator could drive at most."""
    port = free_ports(1)[0]
    echoed = replace(supply, wanted_code=supply.requests[0][0], secret=None)
    with pinned([sys.executable, "-c", _ECHO, str(port)], cores, log):
        _await_echo(port)
        return Loop(echoed, port).run(seconds, warm_seconds=WARM_SECONDS)


def _await_echo(port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("127.0.0.1", port))
        probe.settimeout(0.1)
        while time.monotonic() < deadline:
            try:
                probe.send(b"?")
                probe.recv(16)
                return
            except OSError:  # time-out, or nobody listens yet
                time.sleep(0.02)
    raise NotReady("the echo program does not answer")


# What is printed --------------------------------------------------------------------------------------


def _report(rounds: Sequence[Measured], echo: Tally) -> None:
    print()
    print(
        table(
            (f"{IN_FLIGHT} in flight", "per second", "rounds", "p50 ms", "p99 ms", "sent again", "proved"),
            _rows(rounds, echo),
        )
    )
    print_figures(_figures(rounds))


def _rows(rounds: Sequence[Measured], echo: Tally) -> Iterator[tuple[str, ...]]:
    for kind, server in dict.fromkeys((each.kind, each.server) for each in rounds):
        tallies = [each.tally for each in rounds if (each.kind, each.server) == (kind, server)]
        yield _row(f"{kind}, {server}", tallies)
    yield _row("echo (the generator's limit)", [echo])


def _row(label: str, tallies: Sequence[Tally]) -> tuple[str, ...]:
    return (
        label,
        f"{_median(tallies):,.0f}",
        " ".join(f"{tally.per_second:,.0f}" for tally in tallies),
        f"{statistics.median(tally.wait(0.50) for tally in tallies) * 1_000:.1f}",
        f"{statistics.median(tally.wait(0.99) for tally in tallies) * 1_000:.1f}",
        str(sum(tally.retransmitted for tally in tallies)),
        str(sum(tally.proved for tally in tallies)),
    )


def _median(tallies: Iterable[Tally]) -> float:
    return statistics.median(tally.per_second for tally in tallies)


def _figures(rounds: Sequence[Measured]) -> Iterator[Figure]:
    for kind in ("auth", "acct"):
        yield Figure(f"radius.{kind}.sqlite.rps", _rate(rounds, kind, OurServer.name), "rps")
    for kind in ("auth", "acct"):
        if any(each.server == FreeRadius.name for each in rounds):
            ratio = _rate(rounds, kind, OurServer.name) / _rate(rounds, kind, FreeRadius.name)
            yield Figure(f"radius.{kind}.sqlite.ratio", ratio, "x")


def _rate(rounds: Sequence[Measured], kind: str, server: str) -> float:
    return _median(each.tally for each in rounds if (each.kind, each.server) == (kind, server))


if __name__ == "__main__":
    sys.exit(main())
