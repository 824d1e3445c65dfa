"""Looking for access points among real agents, silent addresses and ones where nobody listens."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Network, ip_network
from pathlib import Path

import pytest

from hotspot.discovery import Network
from hotspot.errors import InputError
from hotspot.fleet import PollFailure
from monitor.discovery import CANDIDATES_MAX, Plan, Search, candidates_for
from monitor.profiles import Profiles
from monitor.snmp import Client
from store.fleet import SnmpCredential
from store.snmp_credentials import Candidate
from tests.monitor.conftest import SNMPD_CONF, V2C, V3, running, udp_port

WRONG = SnmpCredential("v2c", community="not-this-one")
WRONG_V3 = replace(V3, auth_password="not-this-one-either")


@pytest.fixture
def network() -> IPv4Network:
    """Eight addresses of loopback that no other test has."""
    chance = random.SystemRandom()
    return IPv4Network(f"127.{chance.randint(64, 223)}.{chance.randint(1, 254)}.{8 * chance.randint(0, 31)}/29")


@pytest.fixture
def silent(network: IPv4Network) -> Iterator[socket.socket]:
    """The sixth address, at a port at which it hears and never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((str(network[6]), 0))
        sock.settimeout(60)
        yield sock


@pytest.fixture
def agents(tmp_path: Path, network: IPv4Network, silent: socket.socket) -> Iterator[int]:
    """An snmpd at the second and the fifth address, at the silent one's port; the port."""
    port, at = int(silent.getsockname()[1]), [str(each) for each in network]
    config, state = tmp_path / "snmpd.conf", tmp_path / "snmpd"
    state.mkdir()
    values = {"user": V3.user, "auth": V3.auth_password, "priv": V3.priv_password, "community": V2C.community}
    text = SNMPD_CONF.format(port=port, **values)
    config.write_text(text.replace(f"udp:127.0.0.1:{port}", f"udp:{at[2]}:{port},udp:{at[5]}:{port}"))
    env = {"SNMP_PERSISTENT_DIR": str(state), "MIBS": ""}
    command = ("snmpd", "-f", "-Lo", "-C", "-c", str(config))
    with running(*command, port=port, address=at[2], env=env, log=tmp_path / "snmpd.log"):
        yield port


def kept(name: str, network: Network, credential: SnmpCredential = V2C) -> Candidate:
    return Candidate(1, name, network, credential, datetime(2026, 6, 14, tzinfo=UTC))


def look(network: IPv4Network, port: int, profiles: Profiles, *credentials: SnmpCredential, **plan: float) -> Search:
    candidates = [kept(str(number), network, each) for number, each in enumerate(credentials)]
    search = Search(Plan(network, port, candidates, **({"timeout_s": 2.0, "retries": 0} | plan)))  # type: ignore[arg-type]

    async def run() -> None:
        client = Client()
        try:
            await search.run(client, profiles, clock=lambda: datetime.now(UTC))
        finally:
            await client.close()

    asyncio.run(run())
    return search


@pytest.mark.tool("snmpd")
def test_every_agent_is_found_with_the_credential_that_opens_it(
    network: IPv4Network, agents: int, all_profiles: Profiles
) -> None:
    search = look(network, agents, all_profiles, WRONG, V2C)
    at = [str(each) for each in network]
    assert {hit.found.address: hit.credential for hit in search.hits} == {at[2]: V2C, at[5]: V2C}
    assert {hit.found.system_name for hit in search.hits} == {socket.gethostname()}
    assert {(hit.found.port, hit.found.profile) for hit in search.hits} == {(agents, "common")}
    assert search.asked == len(search.plan.questions()) == 12
    assert search.refused == {}


@pytest.mark.tool("snmpd")
def test_who_speaks_snmpv3_and_takes_no_credential_is_named(
    network: IPv4Network, agents: int, all_profiles: Profiles
) -> None:
    search = look(network, agents, all_profiles, WRONG_V3, timeout_s=3.0)
    at = [str(each) for each in network]
    assert search.hits == []
    assert search.refused == {at[2]: PollFailure.AUTHENTICATION, at[5]: PollFailure.AUTHENTICATION}
    search = look(network, agents, all_profiles, WRONG_V3, V3, timeout_s=3.0)
    assert {hit.found.address for hit in search.hits} == {at[2], at[5]}
    assert search.refused == {}


@pytest.mark.tool("snmpd")
def test_a_search_that_is_cancelled_keeps_what_it_found(
    network: IPv4Network, agents: int, all_profiles: Profiles
) -> None:
    search = Search(Plan(network, agents, [kept("one", network)], timeout_s=30, retries=0))

    async def run() -> None:
        client = Client()
        searching = asyncio.create_task(search.run(client, all_profiles, clock=lambda: datetime.now(UTC)))
        for _ in range(400):
            await asyncio.sleep(0.05)
            if len(search.hits) == 2:
                break
        searching.cancel()
        await asyncio.gather(searching, return_exceptions=True)
        await client.close()

    began = time.monotonic()
    asyncio.run(run())
    assert len(search.hits) == 2
    assert time.monotonic() - began < 29, "it did not wait for the silent address"


def test_the_rate_is_bounded(network: IPv4Network, all_profiles: Profiles) -> None:
    began = time.monotonic()
    search = look(network, udp_port(), all_profiles, WRONG, packets_per_second=5.0)
    assert search.asked == 6
    assert time.monotonic() - began >= 5 / 5, "six addresses, a packet each, five packets a second"


def test_candidates_are_those_of_the_network_in_their_order() -> None:
    networks = {"a": "10.1.0.0/16", "b": "10.2.0.0/16", "c": "10.1.0.8/32", "d": "fd00::/64"}
    known = [kept(name, ip_network(where)) for name, where in networks.items()]
    found = candidates_for(ip_network("10.1.0.0/24"), known)
    assert [each.name for each in found] == ["a", "c"]
    plan = Plan(ip_network("10.1.0.0/29"), 161, found, timeout_s=1, retries=0)
    assert [str(address) for place, address in plan.questions() if place == 1] == []
    many = [kept(str(number), ip_network("10.0.0.0/8")) for number in range(CANDIDATES_MAX + 1)]
    with pytest.raises(InputError, match=f"at most {CANDIDATES_MAX}"):
        candidates_for(ip_network("10.1.0.0/24"), many)
