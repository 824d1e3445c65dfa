"""What one poll over SNMPv3 costs (SHA-256, AES-128), in CPU time of the monitor: the median of polls one by one.

The agents are the simulator's, on another core; each is asked everything that the UniFi profile names.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.servers import Cores, NotReady, free_ports, pinned
from monitor.poll import Device, poll
from monitor.profiles import Profiles, load
from monitor.session import SnmpError, Target
from monitor.snmp import Client
from store.fleet import SnmpCredential

POINTS = 10
READY_SECONDS = 20.0
ADDRESS = "127.66.1.1"

USER = SnmpCredential("v3", user="kogge", auth_password="bench-auth-password", priv_password="bench-priv-password")


def cpu_us(folder: Path, polls: int, cores: Cores) -> float:
    """Median CPU microseconds of a poll. NotReady where the agents do not answer."""
    town, log = folder / "TOWN.json", folder / "simulator.log"
    ports = free_ports(POINTS)
    town.write_text(json.dumps(_town(ports)))
    with pinned([sys.executable, "-m", "simulator", str(town), "--no-residents"], cores, log):
        return asyncio.run(_measure(ports, polls, log))


async def _measure(ports: Sequence[int], polls: int, log: Path) -> float:
    """Median CPU µs of a poll, after each device was polled once (its profile and keys are known then)."""
    client, profiles = Client(), load()
    targets = [Target(ADDRESS, port, USER, timeout_s=1.0, retries=1) for port in ports]
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


def _town(ports: Sequence[int]) -> dict[str, Any]:
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
    points = [_point(port) for port in ports]
    city = {"key": "bench", "portal_url": "http://bench.localhost", "residents": 0, "nas": nas, "access_points": points}
    return {"seed": 1, "cities": [city]}


def _point(port: int) -> dict[str, Any]:
    return {
        "name": f"bench-{port}",
        "address": ADDRESS,
        "port": port,
        "version": USER.version,
        "community": "",
        "user": USER.user,
        "auth_password": USER.auth_password,
        "priv_password": USER.priv_password,
        "ssids": ["Bench", "eduroam"],
        "fails": False,
    }
