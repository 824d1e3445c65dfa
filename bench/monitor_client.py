"""`python -m bench.monitor_client`: asks the benchmark's agents as fast as a core allows, and says what that took.

Everything that the monitor does with a poll but its store: ask, interpret, judge, show on the board; and after each
round over all agents one page of all of them, packed. The result is one line of JSON. A process of its own, so that
it can be put onto a core of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry

from bench.snmp_agent import address
from hotspot.fleet import assess
from monitor import metrics
from monitor.board import Board
from monitor.poll import Device, poll
from monitor.profiles import load
from monitor.session import Engine, SnmpError, Target
from monitor.snmp import Client
from service import page
from store.fleet import AccessPoint, SnmpCredential

COMMUNITY = SnmpCredential("v2c", community="bench-community")
USER = SnmpCredential("v3", user="kogge", auth_password="bench-auth-password", priv_password="bench-priv-password")
CREDENTIALS = {"v2c": COMMUNITY, "v3": USER}

TIMEOUT_S = 2.0
RETRIES = 1


class Fleet:
    """Agents at one port, what is remembered of each, and the board that shows them."""

    def __init__(self, client: Client, port: int, count: int, first: int = 0) -> None:
        self._client = client
        self._profiles = load()
        self._board = Board()
        self.registry = CollectorRegistry(auto_describe=True)
        metrics.register(self.registry, "bench", self._board)
        self.points = [
            AccessPoint(number, f"bench-{number:05d}", f"site-{number % 50}", address(number), port, COMMUNITY)
            for number in range(first, first + count)
        ]
        self._devices = {point.id: Device() for point in self.points}
        self.polls = self.failed = 0

    async def round(self, at_once: int) -> None:
        """Ask every agent once, `at_once` of them at a time, and write one page."""
        waiting = iter(self.points)
        await asyncio.gather(*(self._ask_all(waiting) for _ in range(at_once)))
        packer = zlib.compressobj(1, wbits=zlib.MAX_WBITS | 16)
        for piece in page.pieces(self.registry, page.PLAIN):
            packer.compress(piece.encode())

    async def _ask_all(self, waiting: Iterator[AccessPoint]) -> None:
        for point in waiting:
            await self.ask(point, self._devices[point.id])

    async def ask(self, point: AccessPoint, device: Device) -> None:
        """As the monitor does, the store left out."""
        target = Target(point.address, point.port, point.credential, TIMEOUT_S, RETRIES)
        began, now = time.monotonic(), datetime.now(UTC)
        try:
            reading = await poll(self._client, target, device, self._profiles, now=now)
        except SnmpError:
            self.failed += 1
            return
        self._board.put(point, assess(self._board.health(point.id), reading, now=now), time.monotonic() - began)
        self.polls += 1


async def _rate(engine: Engine, port: int, count: int, at_once: int, seconds: float) -> dict[str, float]:
    """Polls and CPU seconds of whole rounds, after one in which the devices become known."""
    client = Client(engine)
    fleet = Fleet(client, port, count)
    await fleet.round(at_once)
    series = sum(not line.startswith("#") for line in "".join(page.pieces(fleet.registry, page.PLAIN)).splitlines())
    before, cpu, until = fleet.polls, time.process_time(), time.monotonic() + seconds
    while time.monotonic() < until:
        await fleet.round(at_once)
    used = time.process_time() - cpu
    await client.close()
    return {"polls": fleet.polls - before, "failed": fleet.failed, "cpu_seconds": used, "series": series / count}


async def _walk(engine: Engine, port: int, times: int) -> dict[str, float]:
    """CPU seconds of a poll of one agent that nothing is known of: identified and walked whole; the median."""
    client = Client(engine)
    fleet = Fleet(client, port, 1)
    costs = []
    for _ in range(times):
        cpu = time.process_time()
        await fleet.ask(fleet.points[0], Device())
        costs.append(time.process_time() - cpu)
    await client.close()
    return {"polls": fleet.polls, "failed": fleet.failed, "cpu_seconds": statistics.median(costs)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.monitor_client", description="One engine, one core.")
    parser.add_argument("port", type=int)
    parser.add_argument("--engine", type=Engine, default=Engine.FAST)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--walks", type=int, default=0, help="walk one agent so often instead")
    options = parser.parse_args(arguments)
    if options.walks:
        found = asyncio.run(_walk(options.engine, options.port, options.walks))
    else:
        found = asyncio.run(_rate(options.engine, options.port, options.agents, options.at_once, options.seconds))
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
