"""`make bench-monitor`: what polling access points costs, beside pysnmp, snmp_exporter and snmpbulkwalk.

First the engines: one core each, the same run, the same fast agents on the other core, 59 values a poll; ours with a
packed page of all agents after each round. Then the real monitor with 10,000 access points, with 1,000, and with 4,000
silent ones beside those; and a controller of 1,400 radios. What is not installed is named and left out.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench import monitor_rivals as rivals
from bench import monitor_v3
from bench.monitor_fleet import Size, Steady, measure
from bench.monitor_rivals import Rate
from bench.report import Figure, Say, print_figures, progress, table
from bench.servers import Cores, NotReady, last_lines, pinned
from bench.snmp_agent import agents, compiled
from bench.snmp_tables import access_point, controller
from monitor.session import Engine

AGENTS = 200
SSIDS = ("Stadt frei",)
BEHIND = 700
"""Access points behind the controller, each with two radios."""

LARGE, SMALL, SILENT = 10_000, 1_000, 4_000
WALKS = 7
V3_POLLS = 60


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.monitor", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--seconds", type=float, default=12.0, help="of each engine (default 12)")
    parser.add_argument("--look", type=float, default=120.0, help="seconds that each fleet is looked at (default 120)")
    parser.add_argument("--settle", type=float, default=75.0, help="seconds before that (default 75)")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the fleets' sizes, to try it out")
    parser.add_argument("--no-fleets", action="store_true", help="the engines and the controller alone")
    options = parser.parse_args(arguments)
    cores, say = Cores.choose(), progress()
    with tempfile.TemporaryDirectory(prefix="kogge-bench-") as name:
        try:
            folder = Path(name)
            program = compiled(folder)
            figures = _engines(folder, program, cores, options.seconds, say)
            figures += _controller(folder, program, cores)
            figures += [Figure("monitor.poll.v3.cpu_us", monitor_v3.cpu_us(folder, V3_POLLS, cores), "us")]
            if not options.no_fleets:
                figures += _fleets(folder, program, cores, options, say)
        except NotReady as error:
            print(f"bench.monitor: {error}", file=sys.stderr)
            return 1
    print_figures(figures)
    return 0


# Engines --------------------------------------------------------------------------------------------


def _engines(folder: Path, program: Path, cores: Cores, seconds: float, say: Say) -> list[Figure]:
    rows = access_point(interfaces=4, ssids=SSIDS)
    rates: dict[str, Rate] = {}
    with agents(program, rows, cores, folder) as port:
        for name, engine in (("kogge", Engine.FAST), ("kogge --engine pysnmp", Engine.PYSNMP)):
            rates[name] = _ours(folder, port, engine, seconds, cores)
            say(f"{name}: {rates[name].per_core:,.0f} polls/s")
        absent = rivals.missing()
        if rivals.EXPORTER not in absent:
            rates["snmp_exporter"] = rivals.exporter(rows, port, AGENTS, seconds, cores, folder)
        if rivals.BULKWALK not in absent:
            rates["snmpbulkwalk, a process a poll"] = rivals.bulkwalk(port, 100, cores)
    for name in absent:
        print(f"not installed, so not compared with: {name}")
    ours = rates["kogge"]
    print()
    cells = ((name, *_cells(rate, ours)) for name, rate in rates.items())
    print(table((f"{len(rows)} values a poll, SNMPv2c", "polls", "CPU µs a poll", "polls/s a core", "ours is"), cells))
    print()
    figures = [Figure("monitor.v2c.polls_per_s", ours.per_core, "polls/s")]
    figures += [Figure("monitor.poll.cpu_us", 1e6 / ours.per_core, "us")]
    if "snmp_exporter" in rates:
        figures += [Figure("monitor.v2c.ratio", ours.per_core / rates["snmp_exporter"].per_core, "x")]
    return figures


def _cells(rate: Rate, ours: Rate) -> Iterable[str]:
    times = ours.per_core / rate.per_core
    return f"{rate.polls:,}", f"{1e6 / rate.per_core:,.0f}", f"{rate.per_core:,.0f}", f"{times:.1f} x"


def _ours(folder: Path, port: int, engine: Engine, seconds: float, cores: Cores) -> Rate:
    found = _client(folder, cores, str(port), "--engine", engine, "--seconds", str(seconds), "--agents", str(AGENTS))
    return Rate(int(found["polls"]), found["cpu_seconds"])


def _controller(folder: Path, program: Path, cores: Cores) -> list[Figure]:
    with agents(program, controller(BEHIND), cores, folder) as port:
        found = _client(folder, cores, str(port), "--walks", str(WALKS))
    print(f"a controller of {2 * BEHIND:,} radios, identified and walked: {found['cpu_seconds']:.3f} s of CPU")
    return [Figure("monitor.controller_walk.cpu_s", found["cpu_seconds"], "s")]


def _client(folder: Path, cores: Cores, *arguments: str) -> dict[str, float]:
    """What `bench.monitor_client` found, on the server's core. NotReady where polls failed."""
    log = folder / "client.log"
    log.unlink(missing_ok=True)
    with pinned([sys.executable, "-m", "bench.monitor_client", *arguments], cores, log) as process:
        status = process.wait()
    if status:
        raise NotReady(f"the client ended with {status}:\n{last_lines(log)}")
    found: dict[str, float] = json.loads(last_lines(log, 1))
    if found["failed"]:
        raise NotReady(f"{found['failed']:.0f} polls failed: the agents are too slow, or lose what they are asked")
    return found


# Fleets ---------------------------------------------------------------------------------------------


def _fleets(folder: Path, program: Path, cores: Cores, options: argparse.Namespace, say: Say) -> list[Figure]:
    large, small, silent = (int(each * options.scale) for each in (LARGE, SMALL, SILENT))
    sizes = {"large": (large, 0), "small": (small, 0), "silent": (small, silent)}
    found: dict[str, Steady] = {}
    with agents(program, access_point(interfaces=7, ssids=SSIDS), cores, folder) as port:
        for name, (answering, not_answering) in sizes.items():
            size = Size(answering, not_answering, options.settle, options.look)
            found[name] = measure(folder / name, port, size, cores, say)
    print()
    header = ("access points, each polled every 60 s", "share of a core", "RSS MB", "lag p99 ms", "failed polls")
    cells = ((_title(*sizes[name]), *_steady_cells(steady)) for name, steady in found.items())
    print(table(header, cells))
    page = found["large"].scrape
    print()
    print(f"a scrape of {page.samples:,} samples: {page.seconds:.2f} s, {page.octets:,} octets, {page.packed:,} packed")
    return [
        Figure("monitor.10k.core_share", found["large"].core_share, "ratio"),
        Figure("monitor.10k.rss_mb", found["large"].rss_mb, "MB"),
        Figure("monitor.10k.lag_p99_s", found["large"].lag_p99_s, "s"),
        Figure("monitor.1k.rss_mb", found["small"].rss_mb, "MB"),
        Figure("monitor.1k.lag_p99_s", found["small"].lag_p99_s, "s"),
        Figure("monitor.silent_4k.lag_p99_s", found["silent"].lag_p99_s, "s"),
        Figure("monitor.scrape_600k.s", page.seconds, "s"),
    ]


def _title(answering: int, silent: int) -> str:
    return f"{answering:,} and {silent:,} silent ones" if silent else f"{answering:,}"


def _steady_cells(steady: Steady) -> Iterable[str]:
    lag = f"{steady.lag_p99_s * 1_000:,.0f}"
    return f"{steady.core_share:.1%}", f"{steady.rss_mb:,.0f}", lag, f"{steady.failed:,}"


if __name__ == "__main__":
    sys.exit(main())
