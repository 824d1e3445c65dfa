"""snmpsim with many recordings at once, each under its name as the community; and the city's page of what was read."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from hotspot.fleet import ApReading, PointKind, PollFailure, assess
from monitor import metrics
from monitor.board import Board
from monitor.poll import Device, poll
from monitor.profiles import Profiles
from monitor.snmp import Client
from store.fleet import AccessPoint, SnmpCredential
from store.members import MemberPoint
from tests.monitor.conftest import Agent, running, udp_port

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CITY, SITE = "rostock", "rathaus"
UNUSED = SnmpCredential("v2c", community="x")
Labels = frozenset[tuple[str, str]]
Page = Mapping[tuple[str, Labels], float]


@contextmanager
def snmpsim(recordings: Mapping[str, bytes], folder: Path) -> Iterator[Agent]:
    """One responder for all of them."""
    data, cache = folder / "data", folder / "cache"
    data.mkdir()
    for name, recording in recordings.items():
        (data / f"{name}.snmprec").write_bytes(recording)
    port = udp_port()
    command = [str(Path(sys.executable).parent / "snmpsim-command-responder"), f"--data-dir={data}"]
    command += [f"--cache-dir={cache}", f"--agent-udpv4-endpoint=127.0.0.1:{port}", "--log-level=error"]
    # It would give up root for a user who may not be able to read our virtual environment.
    env = {"HOME": str(folder), "SNMPSIM_ALLOW_ROOT": "true"}
    with running(*command, port=port, env=env, log=folder / "snmpsim.log") as agent:
        yield agent


async def polled(agent: Agent, name: str, profiles: Profiles, times: int = 1) -> tuple[str, ApReading]:
    """The name of the profile that was chosen, and the last of so many readings."""
    client, device = Client(), Device()
    target = agent.target(SnmpCredential("v2c", community=name), timeout_s=20.0)
    try:
        for _ in range(times):
            reading = await poll(client, target, device, profiles, now=NOW)
    finally:
        await client.close()
    assert device.profile is not None
    return device.profile.name, reading


# The page ---------------------------------------------------------------------------------------------


def page(name: str, reading: ApReading) -> Page:
    """The city's page after that reading; access points behind a controller are called by their key."""
    registry, board = CollectorRegistry(auto_describe=True), Board()
    metrics.register(registry, CITY, board)
    kind = PointKind.CONTROLLER if reading.members else PointKind.ACCESS_POINT
    board.put(AccessPoint(1, name, SITE, "127.0.0.1", 161, UNUSED, kind), assess(None, reading, now=NOW), 0.1)
    for number, member in enumerate(reading.members, 2):
        point = MemberPoint(number, member.key, SITE, controller_id=1, member_key=member.key)
        board.put(point, assess(None, member.reading if member.up else PollFailure.LOST, now=NOW), None)
    return parsed(generate_latest(registry).decode())


def parsed(text: str) -> Page:
    families = text_string_to_metric_families(text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}
