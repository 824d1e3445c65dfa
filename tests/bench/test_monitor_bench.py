"""The monitor's benchmark: its agents tell what their table says, and its arithmetic is right."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.monitor_client import COMMUNITY
from bench.monitor_fleet import quantile
from bench.monitor_rivals import Rate, module
from bench.servers import Cores
from bench.snmp_agent import address, agents, compiled
from bench.snmp_tables import Row, access_point, controller
from hotspot.fleet import ApReading, Band
from monitor.poll import Device, poll
from monitor.profiles import load
from monitor.session import Target
from monitor.snmp import Client

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


async def _ask(port: int, numbers: tuple[int, ...]) -> list[ApReading]:
    client, profiles = Client(), load()
    targets = [Target(address(number), port, COMMUNITY, timeout_s=5, retries=2) for number in numbers]
    readings = [await poll(client, target, Device(), profiles, now=NOW) for target in targets]
    await client.close()
    return readings


def told(folder: Path, rows: list[Row], *numbers: int) -> list[ApReading]:
    """A poll of each of these agents; we keep the cores that we had."""
    allowed = os.sched_getaffinity(0)
    try:
        with agents(compiled(folder), rows, Cores.choose(), folder) as port:
            return asyncio.run(_ask(port, numbers))
    finally:
        os.sched_setaffinity(0, allowed)


@pytest.mark.tool("gcc")
def test_an_agent_is_an_access_point_as_the_table_says(tmp_path: Path) -> None:
    one, other = told(tmp_path, access_point(interfaces=3, ssids=["Stadt frei", "eduroam"]), 5, 70_000)
    assert (one.model, one.firmware, one.cpu_ratio) == ("U6-Pro", "6.6.55.15189", 0.07)
    assert [(radio.name, radio.band, radio.channel, radio.clients) for radio in one.radios] == [
        ("ng", Band.GHZ_2_4, 6, 5 + 6),
        ("na", Band.GHZ_5, 44, 7 + 8),
    ]
    assert {ssid.name: ssid.clients for ssid in one.ssids} == {"Stadt frei": 5 + 7, "eduroam": 6 + 8}
    assert [each.name for each in one.interfaces] == ["eth0", "eth1", "eth2"]
    assert one.dropped == ()
    assert one.interfaces[0].octets_in != other.interfaces[0].octets_in, "no two agents count alike"


@pytest.mark.tool("gcc")
def test_an_agent_is_a_controller_as_the_table_says(tmp_path: Path) -> None:
    (reading,) = told(tmp_path, controller(300), 1)
    assert len(reading.members) == 300 and all(member.up for member in reading.members)
    radios = reading.members[299].reading.radios
    assert [(radio.channel, radio.noise_dbm, radio.clients) for radio in radios] == [(6, -92, 6), (44, -92, 6)]
    assert reading.clients == 3_600


def test_a_quantile_is_that_of_the_time_between_two_scrapes() -> None:
    before = {"0.1": 50.0, "1.0": 90.0, "+Inf": 100.0}
    after = {"0.1": 140.0, "1.0": 190.0, "+Inf": 200.0}
    assert quantile(0.5, before, after) == pytest.approx(0.1 * 50 / 90)
    assert quantile(0.99, before, after) == pytest.approx(0.1 + 0.9 * 9 / 10)
    assert quantile(0.99, {}, {"0.1": 0.0, "+Inf": 10.0}) == 0.1, "no more is known than the last bound"


def test_a_rate_is_by_cpu_seconds() -> None:
    assert Rate(polls=100, cpu_seconds=0.5).per_core == 200


def test_the_exporter_reads_every_object_of_the_table() -> None:
    rows = access_point(interfaces=2, ssids=["a"])
    written = module(rows, "secret-community")
    for row in rows:
        assert f"oid: {row.oid.rpartition('.')[0]}\n" in written or f"oid: {row.oid}\n" in written
