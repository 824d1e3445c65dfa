"""The real monitor process with a whole fleet: its share of a core, memory, lag, and what a scrape of it takes.

A city of its own with so many access points at one agent program's addresses; `silent` ones more stand at a port
where nobody reads. Scraped as a Prometheus would, every 30 seconds, packed.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.installation import CITY, make_city
from bench.monitor_client import COMMUNITY
from bench.processes import cpu_seconds, resident_kb
from bench.report import Say
from bench.servers import Cores, NotReady, last_lines, pinned
from bench.snmp_agent import address
from config.load import load_installation
from service.cities import City
from store import fleet, points
from store.nases import COMMAND_LINE

READY_SECONDS = 60.0
SCRAPE_EVERY_S = 30.0
SITES = 500
OFF_FIRST = 100_000
"""Numbers of those that do not answer begin here."""

PROMETHEUS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
LAG, RESULTS = "kogge_monitor_poll_lag_seconds_bucket", "kogge_monitor_polls_total"

_SAMPLE = re.compile(r'^(\w+)\{(?:le|result)="([^"]+)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Scrape:
    """One scrape: seconds from the request to the last octet, and how long the page is."""

    seconds: float
    octets: int
    packed: int
    samples: int
    own: bytes
    """What the monitor tells of itself."""

    def counts(self, name: str) -> dict[str, float]:
        """Of a metric with one label, by that label's value."""
        found = _SAMPLE.findall(self.own.decode())
        return {label: float(value) for metric, label, value in found if metric == name}


@dataclass(frozen=True, slots=True)
class Steady:
    """What a monitor was over a stretch of time. `lag_p99_s` is interpolated between the histogram's bounds."""

    core_share: float
    rss_mb: float
    lag_p99_s: float
    polls: int
    failed: int
    scrape: Scrape


@dataclass(frozen=True, slots=True)
class Size:
    """How many access points answer and how many do not, how long it settles and how long it is looked at."""

    answering: int
    silent: int = 0
    settle_s: float = 75.0
    look_s: float = 120.0
    interval_s: int = 60


def measure(folder: Path, port: int, size: Size, cores: Cores, say: Say) -> Steady:
    """Start it, let it find its pace, look. NotReady where access points that answer are not polled."""
    with contextlib.ExitStack() as stack:
        dead = stack.enter_context(_never_read())
        listen, token = _city(folder, port, dead, size)
        log = folder / "monitor.log"
        command = [sys.executable, "-m", "monitor", str(folder)]
        process = stack.enter_context(pinned(command, cores, log))
        _await_listener(process, listen, log)
        say(f"{size.answering + size.silent:,} access points: the monitor runs")
        time.sleep(size.settle_s)
        steady = _look(process, listen, token, size)
        say(f"{steady.core_share:.1%} of a core, {steady.rss_mb:.0f} MB, lag p99 {steady.lag_p99_s:.3f} s")
        if steady.polls < size.answering * size.look_s / size.interval_s * 0.9:
            raise NotReady(f"only {steady.polls} polls were answered:\n{last_lines(log)}")
        return steady


def _look(process: subprocess.Popen[bytes], listen: str, token: str, size: Size) -> Steady:
    first = scrape(listen, token)
    begun, cpu = time.monotonic(), cpu_seconds({process.pid})
    scrapes = []
    while time.monotonic() < begun + size.look_s:
        time.sleep(max(0.0, min(SCRAPE_EVERY_S, begun + size.look_s - time.monotonic())))
        scrapes.append(scrape(listen, token))
    used = (cpu_seconds({process.pid}) - cpu) / (time.monotonic() - begun)
    last = scrapes[-1]
    results = {word: count - first.counts(RESULTS)[word] for word, count in last.counts(RESULTS).items()}
    best = sorted(scrapes, key=lambda scrape: scrape.seconds)[len(scrapes) // 2]
    return Steady(
        core_share=used,
        rss_mb=resident_kb({process.pid}) * 1024 / 1e6,
        lag_p99_s=quantile(0.99, first.counts(LAG), last.counts(LAG)),
        polls=int(results["ok"]),
        failed=int(sum(results.values()) - results["ok"]),
        scrape=best,
    )


def quantile(share: float, before: dict[str, float], after: dict[str, float]) -> float:
    """Of what a histogram counted meanwhile, as Prometheus's histogram_quantile reckons it."""
    counts = sorted(
        (float(bound.replace("+Inf", "inf")), count - before.get(bound, 0.0)) for bound, count in after.items()
    )
    wanted, low, below = share * counts[-1][1], 0.0, 0.0
    for bound, count in counts:
        if count >= wanted and count > below:
            return low if bound == float("inf") else low + (bound - low) * (wanted - below) / (count - below)
        low, below = bound, count
    return low


# The installation -----------------------------------------------------------------------------------


def _city(folder: Path, port: int, silent_port: int, size: Size) -> tuple[str, str]:
    """A city with that fleet and no other; where its page is, and the token to it."""
    city = make_city(folder, 1)
    file = folder / "cities" / f"{city.key}.toml"
    file.write_text(re.sub(r"(?m)^poll_interval_s = \d+", f"poll_interval_s = {size.interval_s}", file.read_text()))
    places = [("on", address(number), port) for number in range(size.answering)]
    places += [("off", address(OFF_FIRST + number), silent_port) for number in range(size.silent)]
    with contextlib.closing(city.store):
        _fill(city, places)
        token = city.store.keys.metrics_token
    return load_installation(folder).installation.monitor.metrics_listen, token


def _fill(city: City, places: Sequence[tuple[str, str, int]]) -> None:
    """Access points of those names' beginnings, addresses and ports, at as many sites as a large city has."""
    now = datetime.now(UTC)
    with city.store.write() as conn:
        for name in points.names(conn).values():
            old = points.by_name(conn, name)
            if old is not None:
                points.retire(conn, old, author=COMMAND_LINE, now=now)
        sites = [
            fleet.add_site(conn, key=f"site-{number}", name=f"Site {number}", district="Mitte", kind="square")
            for number in range(SITES)
        ]
        for number, (prefix, where, port) in enumerate(places):
            columns = {"site_id": sites[number % SITES], "name": f"{prefix}-{number:05d}", "address": where}
            fleet.add_access_point(conn, city.store.keys, credential=COMMUNITY, port=port, created_at=now, **columns)


@contextlib.contextmanager
def _never_read() -> Iterator[int]:
    """The port of a socket that takes what comes and answers nothing: silence, not a refusal."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("0.0.0.0", 0))
        yield int(sock.getsockname()[1])


# Scraping -------------------------------------------------------------------------------------------


def _await_listener(process: subprocess.Popen[bytes], listen: str, log: Path) -> None:
    host, _, port = listen.rpartition(":")
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            return
        time.sleep(0.1)
    raise NotReady(f"the monitor does not listen:\n{last_lines(log)}")


def scrape(listen: str, token: str) -> Scrape:
    """As Prometheus does it."""
    headers = {"Authorization": f"Bearer {token}", "Accept": PROMETHEUS, "Accept-Encoding": "gzip"}
    connection = http.client.HTTPConnection(listen, timeout=30)
    with contextlib.closing(connection):
        begun = time.monotonic()
        connection.request("GET", f"/cities/{CITY}/metrics", headers=headers)
        response = connection.getresponse()
        packed = response.read()
        seconds = time.monotonic() - begun
    if response.status != 200:
        raise NotReady(f"the monitor's page: status {response.status}")
    page = zlib.decompress(packed, wbits=zlib.MAX_WBITS | 16)
    samples = page.count(b"\n") - page.count(b"\n#")
    own = page[: page.index(b"# HELP wifi_")] if b"# HELP wifi_" in page else page
    return Scrape(seconds, len(page), len(packed), samples, own)
