"""A city's poller against real agents: what it finds stands on the board, on the page and in the store."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import update

from hotspot.ap_events import Kind
from hotspot.fleet import PollFailure
from monitor import polling
from monitor.board import Board, Entry
from monitor.instruments import Instruments
from monitor.poller import Settings
from monitor.polling import Polling, Surroundings
from monitor.profiles import Profiles
from monitor.records import LEASE
from store import ap_events, ap_list, audit, jobs, snmp_credentials, watch
from store.ap_list import Point, Wanted
from store.fleet import (
    SnmpCredential,
    access_points,
    add_access_point,
    add_site,
)
from store.nases import COMMAND_LINE
from store.schema import access_point
from store.store import Store
from tests.monitor.conftest import V2C, V3, Agent

SOON = Settings(interval_s=0.5, timeout_s=0.5, retries=1, max_in_flight=8, refresh_s=0.1, flush_s=0.05)
WAIT_S = 30.0


def clock() -> datetime:
    return datetime.now(UTC)


class Town:
    """A poller's surroundings: a store with one site, a board, a registry."""

    def __init__(self, store: Store, profiles: Profiles) -> None:
        self.store = store
        self.profiles = profiles
        self.board = Board()
        self.registry = CollectorRegistry()
        with store.write() as conn:
            self.site = add_site(conn, key="rathaus", name="Rathaus", district="Mitte", kind="square")

    def add(self, name: str, port: int, credential: SnmpCredential) -> int:
        columns = {"site_id": self.site, "name": name, "address": "127.0.0.1", "port": port, "created_at": clock()}
        with self.store.write() as conn:
            return add_access_point(conn, self.store.keys, credential=credential, **columns)

    def states(self) -> dict[str, Point]:
        with self.store.read() as conn:
            return {each.name: each for each in ap_list.some(conn, Wanted(), limit=99, offset=0)}

    def entries(self) -> dict[str, Entry]:
        return {entry.name: entry for entry in self.board.entries()}

    def count(self, result: str) -> float:
        return self.registry.get_sample_value("kogge_monitor_polls_total", {"result": result}) or 0.0

    def polling(self, settings: Settings = SOON, holder: str = "a") -> Polling:
        around = Surroundings(
            "rostock",
            self.store,
            holder,
            self.board,
            Instruments(self.registry),
            self.profiles,
            clock,
            random.Random(1),
        )
        return Polling(settings, around)

    def run(self, story: Callable[[], Any], settings: Settings = SOON) -> None:
        """Poll while the story runs; each awaited `until` is checked against the clock."""

        async def both() -> None:
            polling = asyncio.create_task(self.polling(settings).run())
            try:
                await story()
            finally:
                polling.cancel()
                await asyncio.gather(polling, return_exceptions=True)

        asyncio.run(both())


async def until(true: Callable[[], bool]) -> None:
    end = asyncio.get_running_loop().time() + WAIT_S
    while not true():
        assert asyncio.get_running_loop().time() < end, "waited in vain"
        await asyncio.sleep(0.02)


@pytest.fixture
def town(city_store: Store, all_profiles: Profiles) -> Town:
    return Town(city_store, all_profiles)


def is_up(town: Town, name: str) -> bool:
    state = town.states().get(name)
    return state is not None and state.up is True


@pytest.mark.tool("snmpd")
def test_snmpd_over_v2c_and_v3_is_up_on_the_board_and_in_the_store(town: Town, snmpd: Agent) -> None:
    town.add("rathaus-1", snmpd.port, V2C)
    town.add("rathaus-2", snmpd.port, V3)

    async def story() -> None:
        await until(lambda: is_up(town, "rathaus-1") and is_up(town, "rathaus-2"))

    town.run(story)
    for name in ("rathaus-1", "rathaus-2"):
        state, entry = town.states()[name], town.entries()[name]
        assert state.model == "Linux" and state.failure is None and state.last_success_at is not None
        assert state.reading["uptime_seconds"] > 0
        assert entry.health is not None and entry.health.up
    assert town.count("ok") >= 2


@pytest.mark.tool("snmpd")
def test_an_access_point_that_is_added_appears_without_a_restart(town: Town, snmpd: Agent) -> None:
    async def story() -> None:
        await asyncio.sleep(0.3)
        town.add("rathaus-1", snmpd.port, V2C)
        await until(lambda: is_up(town, "rathaus-1"))

    town.run(story)


def test_one_that_is_down_says_why_and_is_probed_less_and_less(town: Town, free_port: Callable[[int], int]) -> None:
    town.add("rathaus-1", free_port(socket.SOCK_DGRAM), V2C)

    async def story() -> None:
        await until(lambda: town.count("unreachable") >= 2)
        polls = town.count("unreachable")
        await asyncio.sleep(SOON.interval_s * 5)
        assert town.count("unreachable") <= polls + 2
        await until(lambda: town.states()["rathaus-1"].failure == "unreachable")

    town.run(story)
    state = town.states()["rathaus-1"]
    assert state.up is False and state.last_success_at is None and state.reading == {}


@pytest.mark.tool("snmpd")
def test_one_that_dies_keeps_its_last_success_over_a_restart_of_the_monitor(town: Town, snmpd: Agent) -> None:
    point_id = town.add("rathaus-1", snmpd.port, V2C)

    async def alive() -> None:
        await until(lambda: is_up(town, "rathaus-1"))

    town.run(alive)
    before = town.states()["rathaus-1"]
    with town.store.write() as conn:
        conn.execute(update(access_point).where(access_point.c.id == point_id).values(port=1))
    town.board, town.registry = Board(), CollectorRegistry()

    async def dead() -> None:
        await until(lambda: town.states()["rathaus-1"].up is False)

    town.run(dead)
    after = town.states()["rathaus-1"]
    assert after.last_success_at == before.last_success_at and after.reading == {}
    assert after.model == "Linux" and town.entries()["rathaus-1"].identity.model == "Linux"


def test_a_slow_device_does_not_hold_up_the_others(
    town: Town, peer: Callable[[Callable[[bytes], bytes | None]], Agent], free_port: Callable[[int], int]
) -> None:
    town.add("slow", peer(lambda _: None).port, V2C)
    town.add("closed", free_port(socket.SOCK_DGRAM), V2C)
    patient = Settings(interval_s=1.0, timeout_s=5.0, retries=3, max_in_flight=8, refresh_s=0.1, flush_s=0.05)

    async def story() -> None:
        await until(lambda: town.count("unreachable") >= 1 and town.count("timeout") >= 1)

    town.run(story, patient)
    slow = town.entries()["slow"]
    assert slow.health is not None and slow.health.failure is PollFailure.TIMEOUT
    assert slow.poll_seconds is not None and slow.poll_seconds < 2.5  # the deadline, not 4 times 5 seconds


def test_the_silent_keep_nobody_waiting(
    town: Town, snmpd: Agent, peer: Callable[[Callable[[bytes], bytes | None]], Agent]
) -> None:
    """Places for two, and forty that never answer: each would hold a place for four seconds."""
    silence = peer(lambda _: None).port
    for number in range(40):
        town.add(f"silent-{number}", silence, V2C)
    town.add("rathaus-1", snmpd.port, V2C)
    few = Settings(interval_s=2.0, timeout_s=2.0, retries=1, max_in_flight=2, refresh_s=0.1, flush_s=0.05)

    async def story() -> None:
        await until(lambda: town.count("ok") >= 3)

    town.run(story, replace(few, give_way_s=0.1, silent_max=60))
    assert town.count("timeout") <= 80


@pytest.mark.tool("snmpd")
def test_one_that_answers_to_another_credential_of_its_network_gets_it(town: Town, snmpd: Agent) -> None:
    wrong = SnmpCredential("v2c", community="changed-since")
    town.add("rathaus-1", snmpd.port, wrong)
    with town.store.write() as conn:
        for name, network, credential in (
            ("elsewhere", "10.0.0.0/8", V2C),
            ("older", "127.0.0.0/8", SnmpCredential("v2c", community="older")),
            ("ours", "127.0.0.0/8", V3),
        ):
            snmp_credentials.add(
                conn,
                town.store.keys,
                name,
                ip_network(network),
                credential,
                author=COMMAND_LINE,
                now=clock(),
            )

    async def story() -> None:
        await until(lambda: is_up(town, "rathaus-1"))

    town.run(story)
    with town.store.read() as conn:
        (point,) = access_points(conn, town.store.keys)
        (entry, *_) = [each for each in audit.entries(conn, limit=9) if each.action == "ap.credential"]
    assert point.credential == V3
    assert entry.detail == {"by": "monitor", "credential": "ours"} and entry.subject == f"access_point:{point.id}"
    assert town.registry.get_sample_value("kogge_monitor_credentials_adopted_total") == 1


@pytest.mark.tool("snmpd")
def test_of_two_monitors_one_polls_and_the_other_takes_over(town: Town, snmpd: Agent) -> None:
    town.add("rathaus-1", snmpd.port, V2C)
    other = Town.__new__(Town)
    other.__dict__ |= town.__dict__ | {"board": Board(), "registry": CollectorRegistry()}

    async def story() -> None:
        await until(lambda: town.count("ok") >= 1)
        second = asyncio.create_task(other.polling(holder="b").run())
        await until(lambda: other.registry.get_sample_value("kogge_monitor_standby") == 1)
        assert other.count("ok") == 0 and not other.entries()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await until(lambda: other.count("ok") >= 1)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)

    async def both() -> None:
        nonlocal first
        first = asyncio.create_task(town.polling().run())
        await story()

    first: asyncio.Task[None]
    asyncio.run(both())
    with town.store.read() as conn:
        events = ap_events.between(conn, datetime(2026, 1, 1, tzinfo=UTC), clock() + timedelta(days=1))
        seen = watch.between(conn, datetime(2026, 1, 1, tzinfo=UTC), clock() + timedelta(days=1))
    assert [event.kind for event in events] == [Kind.UP] and len(seen) == 1


@pytest.mark.tool("snmpd")
def test_who_lost_the_lease_stops_and_shows_nothing(town: Town, snmpd: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "RENEW_S", 0.05)
    town.add("rathaus-1", snmpd.port, V2C)

    async def story() -> None:
        await until(lambda: town.count("ok") >= 1)
        with town.store.write() as conn:
            jobs.release(conn, LEASE, holder="a")
            assert jobs.take(conn, LEASE, holder="b", lease_seconds=60, now=clock())
        await until(lambda: town.registry.get_sample_value("kogge_monitor_standby") == 1)
        assert not town.entries()
        polls = town.count("ok")
        with town.store.write() as conn:
            jobs.release(conn, LEASE, holder="b")
        await until(lambda: town.count("ok") > polls and bool(town.entries()))

    town.run(story)
