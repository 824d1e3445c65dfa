"""Two parties that know only the protocol: the simulator's access point, polled by the monitor."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from hotspot.fleet import ApReading, Band
from monitor.poll import Device, poll
from monitor.profiles import Profiles
from monitor.snmp import Client
from simulator.agents import Agent as SimulatedAgent
from simulator.life import Population
from simulator.town import TownAccessPoint
from store.fleet import SnmpCredential
from tests.monitor.conftest import Agent, udp_port

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
V2C = SnmpCredential("v2c", community="stralsund-read")
V3 = SnmpCredential("v3", user="kogge", auth_password="auth-password", priv_password="priv-password")


async def readings(credential: SnmpCredential, profiles: Profiles) -> tuple[ApReading, ApReading]:
    """Two polls of one access point, ten minutes of its life apart."""
    point = TownAccessPoint(
        name="hafen-1",
        address="127.0.0.1",
        port=udp_port(),
        version="v3" if credential.version == "v3" else "v2c",
        community=credential.community,
        user=credential.user,
        auth_password=credential.auth_password,
        priv_password=credential.priv_password,
        ssids=("Stralsund-WLAN", "Stralsund-Hafen"),
        fails=False,
    )
    seconds = [NOW.timestamp()]
    population = Population(7, "stralsund", [(point.ssids, point.fails)])
    simulated = SimulatedAgent(point, population, 0, clock=lambda: seconds[0])
    client, device = Client(), Device()
    target = Agent(point.port).target(credential, timeout_s=5.0, retries=1)
    await simulated.start()
    try:
        first = await poll(client, target, device, profiles, now=NOW)
        seconds[0] += 600
        return first, await poll(client, target, device, profiles, now=NOW + timedelta(minutes=10))
    finally:
        await client.close()
        await simulated.close()


@pytest.mark.parametrize("credential", [V2C, V3], ids=["v2c", "v3"])
def test_a_simulated_access_point_tells_all_there_is(credential: SnmpCredential, all_profiles: Profiles) -> None:
    first, second = asyncio.run(readings(credential, all_profiles))
    assert (first.system_name, first.model) == ("hafen-1", "UAP-nanoHD") and first.firmware
    assert [radio.band for radio in first.radios] == [Band.GHZ_2_4, Band.GHZ_5]
    assert {ssid.name for ssid in first.ssids} == {"Stralsund-WLAN", "Stralsund-Hafen"}
    assert first.clients == sum(ssid.clients for ssid in first.ssids)
    assert first.cpu_ratio is not None and first.memory_ratio is not None
    assert "eth0" in {interface.name for interface in first.interfaces}
    assert first.uptime_seconds is not None and second.uptime_seconds is not None
    assert second.uptime_seconds - first.uptime_seconds == pytest.approx(600)
    for before, after in zip(first.radios, second.radios, strict=True):
        assert after.channel is not None and after.tx_power_dbm is not None and after.utilisation_ratio is not None
        assert before.octets is not None and after.octets is not None
        assert after.octets.down >= before.octets.down and after.octets.up >= before.octets.up
