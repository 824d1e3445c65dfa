"""`make bench-portal`: first pages and log-ins a second with 64 browsers, beside openwisp-radius; and as data grows.

One portal process on one core, the generator on another, rounds of both servers in turn; medians. A page counts only
when all of it came and was the one that was wanted. Another process of ours, RADIUS, takes no part.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench import openwisp_radius, portal_growth
from bench.databases import NotDurable
from bench.installation import make_city
from bench.portal_growth import NoRoom
from bench.portal_site import Site, new_device
from bench.report import Figure, Say, print_figures, progress, table
from bench.servers import Cores, NotReady, free_ports, pinned
from bench.web import BROWSERS, Tally, Visit, Wrong, run
from ops.supervisor import kogge

OURS, THEIRS = "kogge", "openwisp-radius"
KINDS = ("pages", "logins")

Tallies = dict[tuple[str, str], list[Tally]]
"""By server and kind, one a round."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.portal", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each measurement (default 5)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds whose median is reported (default 3)")
    parser.add_argument("--alone", action="store_true", help="without openwisp-radius")
    parser.add_argument("--no-growth", action="store_true", help="without the city of ten million sessions")
    parser.add_argument("--dir", type=Path, help="where the databases stand; about 8 GB")
    options = parser.parse_args(arguments)
    say, cores = progress(), Cores.choose()
    say(f"server on core {cores.server}, generator on core {cores.generator}, {BROWSERS} browsers")
    try:
        with tempfile.TemporaryDirectory(prefix="kogge-bench-", dir=options.dir) as name:
            figures = [*_compare(Path(name), options, cores, say)]
            if not options.no_growth:
                figures += portal_growth.measure(Path(name), options.seconds, cores, say)
    except (NotReady, NotDurable, NoRoom, Wrong) as error:
        print(f"bench.portal: {error}", file=sys.stderr)
        return 1
    print_figures(figures)
    return 0


def _compare(folder: Path, options: argparse.Namespace, cores: Cores, say: Say) -> Iterator[Figure]:
    tallies: Tallies = {}
    with contextlib.ExitStack() as stack:
        site = stack.enter_context(_ours(folder, cores))
        servers: dict[str, tuple[int, Mapping[str, Visit]]] = {OURS: (site.port, _visits(site))}
        if not options.alone:
            with _said_if_missing(say):
                peer = stack.enter_context(openwisp_radius.running(folder / "peer", cores))
                servers[THEIRS] = peer.port, {"pages": peer.page, "logins": peer.log_in}
        for number in range(options.rounds):
            say(f"round {number + 1} of {options.rounds}")
            for server, (port, visits) in servers.items():
                for kind in KINDS:
                    tallies.setdefault((server, kind), []).append(run(port, visits[kind], options.seconds))
    rows = [
        (f"{kind}, {server}", f"{_rate(found):,.0f}", f"{_p99(found):.0f}") for (server, kind), found in tallies.items()
    ]
    print()
    print(table((f"{BROWSERS} browsers, one process on one core", "per second", "p99 ms"), rows))
    yield from figures_of(tallies)


@contextlib.contextmanager
def _said_if_missing(say: Say) -> Iterator[None]:
    """Without the peer there are no ratios, and a reason."""
    try:
        yield
    except NotReady as error:
        say(f"beside nobody: {error}")


@contextlib.contextmanager
def _ours(folder: Path, cores: Cores) -> Iterator[Site]:
    port = free_ports(1)[0]
    city = make_city(folder / "kogge", port)
    site = Site.of(city, port)
    city.store.close()
    log = folder / "portal.log"
    with pinned(kogge("portal", str(folder / "kogge")), cores, log):
        site.await_ready(log)
        yield site


def _visits(site: Site) -> Mapping[str, Visit]:
    return {
        "pages": lambda number: site.first_page(new_device(number)),
        "logins": lambda number: site.log_in(new_device(number)),
    }


def _rate(found: Sequence[Tally]) -> float:
    return statistics.median(each.per_second for each in found)


def _p99(found: Sequence[Tally]) -> float:
    return statistics.median(each.p99_ms for each in found)


def figures_of(tallies: Mapping[tuple[str, str], Sequence[Tally]]) -> Iterator[Figure]:
    """`ratio`: our rate divided by the peer's."""
    for kind in KINDS:
        ours = tallies[OURS, kind]
        yield Figure(f"portal.{kind}.rps", _rate(ours), "rps")
        yield Figure(f"portal.{kind}.p99_ms", _p99(ours), "ms")
        if theirs := tallies.get((THEIRS, kind)):
            yield Figure(f"portal.{kind}.ratio", _rate(ours) / _rate(theirs), "x")


if __name__ == "__main__":
    sys.exit(main())
