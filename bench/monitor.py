"""`python -m bench.monitor`: what one poll of one access point costs, in CPU time of the monitor.

The agents are the simulator's, on another core; each is asked everything that the UniFi profile names. Polls run one
after the other: the cost is the poller's own, not that of waiting.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.report import Figure, print_figures, table
from bench.servers import Cores, NotReady, free_ports, pinned
from monitor.poll import Device, poll
from monitor.profiles import Profiles, load
from monitor.session import SnmpError, Target
from monitor.snmp import Client
from store.fleet import SnmpCredential

POINTS = 10
READY_SECONDS = 20.0
ADDRESS = "127.66.1.1"

COMMUNITY = SnmpCredential("v2c", community="bench-community")
USER = SnmpCredential("v3", user="kogge", auth_password="bench-auth-password", priv_password="bench-priv-password")
CREDENTIALS = {"v2c": COMMUNITY, "v3": USER}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.monitor", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--polls", type=int, default=150, help="polls of each SNMP version (default 150)")
    options = parser.parse_args(arguments)
    cores = Cores.choose()
    with tempfile.TemporaryDirectory(prefix="kogge-bench-") as name:
        try:
            _bench(Path(name), options.polls, cores)
        except NotReady as error:
            print(f"bench.monitor: {error}", file=sys.stderr)
            return 1
    return 0


def _bench(folder: Path, polls: int, cores: Cores) -> None:
    town, log = folder / "TOWN.json", folder / "simulator.log"
    ports = {version: free_ports(POINTS) for version in CREDENTIALS}
    town.write_text(json.dumps(_town(ports)))
    with pinned([sys.executable, "-m", "simulator", str(town), "--no-residents"], cores, log):
        costs = {version: asyncio.run(_measure(version, ports[version], polls, log)) for version in CREDENTIALS}
    rows = [(f"SNMP{version}", f"{cost:,.0f}", f"{1e6 / cost:,.0f}") for version, cost in costs.items()]
    print(table(("poll of one access point", "CPU µs", "polls/s/core"), rows))
    print_figures(
        [Figure("monitor.poll.cpu_us", costs["v2c"], "us"), Figure("monitor.poll.v3.cpu_us", costs["v3"], "us")]
    )


async def _measure(version: str, ports: Sequence[int], polls: int, log: Path) -> float:
    """Median CPU µs of a poll, after each device was polled once (its profile and keys are known then)."""
    client, profiles = Client(), load()
    targets = [Target(ADDRESS, port, CREDENTIALS[version], timeout_s=1.0, retries=1) for port in ports]
    devices = [Device() for _ in targets]
    try:
        await _await_ready(client, targets[0], profiles, log)
        costs = []
        for number in range(polls + len(targets)):
            which = number % len(targets)
            began = time.process_time()
            await poll(client, targets[which], devices[which], profiles, now=datetime.now(UTC))
            costs.append((time.process_time() - began) * 1e6)
        return statistics.median(costs[len(targets) :])
    finally:
        await client.close()


async def _await_ready(client: Client, target: Target, profiles: Profiles, log: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        try:
            await poll(client, target, Device(), profiles, now=datetime.now(UTC))
            return
        except SnmpError:
            await asyncio.sleep(0.2)
    raise NotReady(log.read_text(errors="replace")[-500:])


def _town(ports: dict[str, list[int]]) -> dict[str, Any]:
    nas_port, coa_port, auth_port, acct_port = free_ports(4)
    nas = {
        "name": "bench",
        "nas_identifier": "bench",
        "listen": f"{ADDRESS}:{nas_port}",
        "coa_port": coa_port,
        "radius_host": "127.0.0.1",
        "auth_port": auth_port,
        "acct_port": acct_port,
        "secret": "bench-radius-secret",
        "uam_secret": "bench-uam-secret",
        "octets_swapped": False,
        "ssid": "Bench",
        "interim_seconds": 300,
    }
    points = [_point(version, port) for version, numbers in ports.items() for port in numbers]
    city = {"key": "bench", "portal_url": "http://bench.localhost", "residents": 0, "nas": nas, "access_points": points}
    return {"seed": 1, "cities": [city]}


def _point(version: str, port: int) -> dict[str, Any]:
    credential = CREDENTIALS[version]
    return {
        "name": f"bench-{version}-{port}",
        "address": ADDRESS,
        "port": port,
        "version": version,
        "community": credential.community,
        "user": credential.user,
        "auth_password": credential.auth_password,
        "priv_password": credential.priv_password,
        "ssids": ["Bench", "eduroam"],
        "fails": False,
    }


if __name__ == "__main__":
    sys.exit(main())
