"""What the monitor's polls are compared with: Debian's prometheus-snmp-exporter, and net-snmp's snmpbulkwalk.

The exporter reads the same objects out of a module of our own, in whole tables: the agent holds no other columns, so
that is its cheapest way. Its CPU time is that of its process, HTTP and text included.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import resource
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.processes import cpu_seconds
from bench.servers import Cores, NotReady, free_ports, last_lines, pinned
from bench.snmp_agent import address
from bench.snmp_tables import COUNTER, COUNTER_64, INTEGER, OCTETS, OID, Row

EXPORTER, BULKWALK = "prometheus-snmp-exporter", "snmpbulkwalk"
READY_SECONDS = 10.0
SCRAPERS = 4

WALKED = (
    "1.3.6.1.2.1.2.2.1",
    "1.3.6.1.2.1.25.3.3.1",
    "1.3.6.1.2.1.31.1.1.1",
    "1.3.6.1.4.1.41112.1.6.1.1.1",
    "1.3.6.1.4.1.41112.1.6.1.2.1",
)
"""Tables of an access point; what else it tells is scalar."""

_TYPES = {INTEGER: "gauge", OCTETS: "DisplayString", OID: "OctetString", COUNTER: "counter", COUNTER_64: "counter"}


@dataclass(frozen=True, slots=True)
class Rate:
    """Polls, and the CPU seconds that they took of whoever asked."""

    polls: int
    cpu_seconds: float

    @property
    def per_core(self) -> float:
        """Polls a second that one core could make."""
        return self.polls / self.cpu_seconds


def missing() -> list[str]:
    """Programs that are not installed."""
    return [name for name in (EXPORTER, BULKWALK) if shutil.which(name) is None]


# snmp_exporter --------------------------------------------------------------------------------------


def module(rows: Sequence[Row], community: str) -> str:
    """The exporter's configuration (format of version 0.21): every object of the rows is a metric."""
    scalars = [row.oid for row in rows if not row.oid.startswith(WALKED)]
    objects = {(_column(row.oid), _TYPES.get(row.tag, "gauge")): None for row in rows}
    lines = ["bench:", "  version: 2", "  max_repetitions: 25", "  retries: 1", "  timeout: 2s", "  auth:"]
    lines += [f"    community: {community}", "  walk:", *(f"  - {oid}" for oid in WALKED)]
    lines += ["  get:", *(f"  - {oid}" for oid in scalars), "  metrics:"]
    for (oid, kind), walked in {key: key[0].startswith(WALKED) for key in objects}.items():
        lines += [f"  - name: o{oid.replace('.', '_')}", f"    oid: {oid}", f"    type: {kind}", "    help: An object."]
        if walked:
            lines += ["    indexes:", "    - labelname: index", "      type: gauge"]
    return "\n".join(lines) + "\n"


def _column(oid: str) -> str:
    """Without the instance; a scalar's is .0."""
    return oid.rpartition(".")[0] if oid.startswith(WALKED) or oid.endswith(".0") else oid


def exporter(rows: Sequence[Row], port: int, count: int, seconds: float, cores: Cores, folder: Path) -> Rate:
    """Scrapes of `count` agents in turn, enough at a time to keep the exporter's core busy."""
    configuration, log = folder / "snmp.yml", folder / "exporter.log"
    configuration.write_text(module(rows, "bench-community"))
    listen = f"127.0.0.1:{free_ports(1)[0]}"
    command = [EXPORTER, f"--config.file={configuration}", f"--web.listen-address={listen}", "--log.level=error"]
    with pinned(["env", "GOMAXPROCS=1", *command], cores, log) as process:
        _await_page(process, listen, f"/snmp?module=bench&target={address(0)}:{port}", log)
        before = cpu_seconds({process.pid})
        scraped = _scrape(listen, port, count, seconds)
        return Rate(scraped, cpu_seconds({process.pid}) - before)


def _await_page(process: subprocess.Popen[bytes], listen: str, path: str, log: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError):
            if _get(http.client.HTTPConnection(listen, timeout=5), path).count(b"\no1_3_6") > 40:
                return
        time.sleep(0.1)
    raise NotReady(f"{EXPORTER} shows no values:\n{last_lines(log)}")


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"} if connection.sock else {})
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise NotReady(f"{EXPORTER}: {response.status} {body[:200]!r}")
    return body


def _scrape(listen: str, port: int, count: int, seconds: float) -> int:
    numbers, until, done = itertools.count(), time.monotonic() + seconds, [0] * SCRAPERS

    def work(which: int) -> None:
        connection = http.client.HTTPConnection(listen, timeout=10)
        with contextlib.closing(connection):
            while time.monotonic() < until:
                _get(connection, f"/snmp?module=bench&target={address(next(numbers) % count)}:{port}")
                done[which] += 1

    threads = [threading.Thread(target=work, args=(which,)) for which in range(SCRAPERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done)


# snmpbulkwalk ---------------------------------------------------------------------------------------


def bulkwalk(port: int, walks: int, cores: Cores) -> Rate:
    """One process a walk over all that an agent tells, on the server's core."""
    before = _children_seconds()
    os.sched_setaffinity(0, {cores.server})
    try:
        for number in range(walks):
            target = f"{address(number)}:{port}"
            command = [BULKWALK, "-v2c", "-c", "bench-community", "-On", "-Cr25", "-m", "", target, ".1.3.6.1"]
            done = subprocess.run(command, capture_output=True, timeout=30, check=False)
            if done.returncode or done.stdout.count(b"\n") < 40:
                raise NotReady(f"{BULKWALK}: {done.stderr.decode(errors='replace')[:200]}")
    finally:
        os.sched_setaffinity(0, {cores.generator})
    return Rate(walks, _children_seconds() - before)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
