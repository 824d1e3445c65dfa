"""Access points behind a controller: rows, health, events, history and board, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from hotspot.ap_events import Kind
from hotspot.fleet import ApReading, Member, PointKind, PollFailure, RadioReading
from hotspot.values import MacAddress
from monitor import findings as findings_module
from monitor.board import Board, Entry
from monitor.findings import Findings
from monitor.instruments import Instruments
from monitor.pending import Pending
from monitor.records import Records
from store import ap_events, ap_history, ap_list, bssids, fleet, points
from store.fleet import SnmpCredential
from store.nases import COMMAND_LINE
from store.store import Store
from tests.conftest import NOW

MINUTE = timedelta(minutes=1)
BSSID = MacAddress.parse("02005e10000a")


def member(key: str, *, name: str = "", up: bool = True, **told: object) -> Member:
    reading = ApReading(at=NOW, system_name=name or f"ap-{key}", **told)  # type: ignore[arg-type]
    return Member(key, up, reading)


class Hall:
    """A controller with its findings, and what the store has of them."""

    def __init__(self, store: Store) -> None:
        self.store, self.now = store, NOW
        self.board, self.registry = Board(), CollectorRegistry()
        self.records = Records(store, holder="a", clock=self.clock)
        self.pending = Pending()
        instruments = Instruments(self.registry)
        self.findings = Findings(
            "rostock",
            records=self.records,
            pending=self.pending,
            board=self.board,
            instruments=instruments,
            clock=self.clock,
        )
        with store.write() as conn:
            site = fleet.add_site(conn, key="hafen", name="Hafen", district="Mitte", kind="square")
            fleet.add_site(conn, key="markt", name="Markt", district="Mitte", kind="square")
            columns = {"address": "127.8.0.1", "port": 161, "created_at": NOW, "kind": "controller", "name": "wlc"}
            credential = SnmpCredential("v2c", community="hanse")
            fleet.add_access_point(conn, store.keys, credential=credential, site_id=site, **columns)
            (self.controller,) = fleet.access_points(conn, store.keys)
        self.refresh()

    def clock(self) -> datetime:
        return self.now

    def refresh(self) -> None:
        async def read() -> None:
            listing, known = await self.records.listing(), await self.records.last_known()
            if listing is not None:
                self.findings.behind(listing.members, known)

        asyncio.run(read())

    def told(self, *members: Member, minutes: float = 1) -> None:
        """The controller answers with this table."""
        self.now += minutes * MINUTE

        async def judge() -> None:
            told = [replace(each, reading=replace(each.reading, at=self.now)) for each in members]
            self.findings.judge(self.controller, ApReading(at=self.now, members=tuple(told)), 0.1)
            await self.findings.judge_members(self.controller, told, "generic")
            await self.records.flush(self.pending)

        asyncio.run(judge())

    def silent(self) -> None:
        self.now += MINUTE
        self.findings.judge(self.controller, PollFailure.TIMEOUT, 4.0)
        asyncio.run(self.records.flush(self.pending))

    def states(self) -> dict[str, tuple[str, str | None]]:
        with self.store.read() as conn:
            found = ap_list.some(conn, ap_list.Wanted(), limit=100, offset=0)
        return {each.name: (each.state.value, each.failure) for each in found if each.kind is PointKind.MEMBER}

    def log(self) -> list[tuple[int, Kind]]:
        with self.store.read() as conn:
            events = ap_events.between(conn, NOW, NOW + timedelta(days=1))
        return [(each.access_point_id, each.kind) for each in events if each.access_point_id != self.controller.id]

    def entries(self) -> dict[str, Entry]:
        return {entry.name: entry for entry in self.board.entries()}

    def count(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"kogge_monitor_{name}_total", labels) or 0.0


@pytest.fixture
def hall(city_store: Store) -> Iterator[Hall]:
    made = Hall(city_store)
    yield made
    made.records.close()


def test_each_is_an_access_point_of_its_own(hall: Hall) -> None:
    radio = RadioReading("ng", clients=3, channel=6)
    hall.told(member("a", radios=(radio,), model="C9120", bssids=(BSSID,)), member("b", name="wlc"))
    assert hall.states() == {"ap-a": ("up", None), "wlc-2": ("up", None)}
    entry = hall.entries()["ap-a"]
    assert entry.health is not None and entry.health.up and entry.site == "hafen" and entry.identity.model == "C9120"
    ids = {entry.name: point_id for point_id, entry in _by_id(hall).items()}
    assert hall.log() == [
        (ids["ap-a"], Kind.JOINED),
        (ids["wlc-2"], Kind.JOINED),
        (ids["ap-a"], Kind.UP),
        (ids["wlc-2"], Kind.UP),
    ]
    with hall.store.read() as conn:
        assert bssids.owners(conn)[str(BSSID)].name == "ap-a"
    hall.told(member("a", radios=(replace(radio, channel=11),)), member("b"))
    assert hall.log()[4:] == [(ids["ap-a"], Kind.CHANNEL)]
    hall.pending.close_hours()
    asyncio.run(hall.records.flush(hall.pending))
    with hall.store.read() as conn:
        kept = ap_history.points(conn, ids["ap-a"], since=NOW, until=NOW + timedelta(hours=1))
    assert [point.radios[0].channel for point in kept] == [6, 11]


def _by_id(hall: Hall) -> dict[int, ap_list.Point]:
    with hall.store.read() as conn:
        return {each.id: each for each in ap_list.some(conn, ap_list.Wanted(), limit=100, offset=0)}


def test_one_that_is_missing_or_disconnected_is_lost_and_not_forgotten(hall: Hall) -> None:
    hall.told(member("a"), member("b"), member("c"))
    hall.told(member("a"), member("b", up=False))
    assert hall.states() == {"ap-a": ("up", None), "ap-b": ("down", "lost"), "ap-c": ("down", "lost")}
    assert [kind for _, kind in hall.log()[6:]] == [Kind.DOWN, Kind.DOWN]
    hall.told(member("a"), member("b"), member("c"))
    assert {state for state, _ in hall.states().values()} == {"up"}


def test_while_the_controller_is_silent_they_are_unknown_and_no_event_says_down(hall: Hall) -> None:
    hall.told(member("a"))
    before = hall.log()
    hall.silent()
    assert hall.states() == {"ap-a": ("unknown", None)} and hall.log() == before
    hall.told(member("a"))
    assert hall.states() == {"ap-a": ("up", None)} and hall.log() == before


def test_staff_moves_and_renames_one_and_what_is_retired_comes_back_as_another(hall: Hall) -> None:
    hall.told(member("a"), member("b"))
    with hall.store.write() as conn:
        found = points.by_name(conn, "ap-a")
        assert found is not None
        points.move(conn, found, "markt", author=COMMAND_LINE, now=NOW)
        points.rename(conn, found, "kiosk", author=COMMAND_LINE, now=NOW)
    hall.refresh()
    hall.told(member("a"), member("b"))
    assert hall.entries()["kiosk"].site == "markt" and "ap-a" not in hall.entries()
    with hall.store.write() as conn:
        gone = points.by_name(conn, "kiosk")
        assert gone is not None
        points.retire(conn, gone, author=COMMAND_LINE, now=NOW)
    hall.refresh()
    hall.told(member("a", up=False), member("b"))
    assert set(hall.states()) == {"ap-b"}  # listed and not connected: it stays retired
    hall.told(member("a"), member("b"))
    assert set(hall.states()) == {"ap-a", "ap-b"}
    assert [kind for _, kind in hall.log()].count(Kind.JOINED) == 3


def test_a_monitor_that_starts_again_knows_them(hall: Hall) -> None:
    hall.told(member("a", firmware="8.5"), member("b"))
    again = Hall.__new__(Hall)
    again.__dict__ |= hall.__dict__
    again.board, again.registry = Board(), CollectorRegistry()
    again.findings = Findings(
        "rostock",
        records=hall.records,
        pending=hall.pending,
        board=again.board,
        instruments=Instruments(again.registry),
        clock=lambda: again.now,
    )
    hall.records.start_over()
    again.refresh()
    before = hall.log()
    again.told(member("a", firmware="8.6"))
    assert [kind for _, kind in hall.log()[len(before) :]] == [Kind.FIRMWARE, Kind.DOWN]


def test_a_controller_that_tells_of_too_many_is_bounded(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings_module, "MEMBERS_MAX", 3)
    hall.told(*(member(str(number)) for number in range(5)))
    assert set(hall.states()) == {"ap-0", "ap-1", "ap-2"} and hall.count("members_refused") == 2
    hall.told(*(member(str(number)) for number in range(3, 5)))  # three are lost, and there is no room for others
    assert set(hall.states()) == {"ap-0", "ap-1", "ap-2"}


def test_hundreds_come_in_one_write(hall: Hall) -> None:
    hall.told(*(member(str(number)) for number in range(400)))
    assert len(hall.entries()) == 401 and hall.count("events", kind="joined") == 400
    assert len(hall.log()) == 800


def test_values_that_nobody_believed_are_counted(hall: Hall) -> None:
    hall.told(member("a", dropped=("temperature", "temperature")))
    assert hall.count("values_dropped", value="temperature") == 2


def test_a_name_that_somebody_took_gets_a_number(hall: Hall) -> None:
    hall.told(member("a"))
    with hall.store.write() as conn:  # another process takes the name that the next one would get
        columns = {"address": "127.8.0.2", "port": 161, "created_at": NOW}
        credential = SnmpCredential("v2c", community="hanse")
        fleet.add_access_point(conn, hall.store.keys, credential=credential, site_id=1, name="ap-b", **columns)
    hall.told(member("a"), member("b"))
    assert set(hall.states()) == {"ap-a", "ap-b-2"}
