"""Members of controllers, states as people search them, BSSIDs, events, history and watch: on both databases."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from hotspot.ap_events import ApEvent, Kind
from hotspot.ap_history import Point, RadioPoint
from hotspot.fleet import ApReading, Band, PointKind, PointState, PollFailure, RadioReading, SsidReading, assess
from hotspot.values import MacAddress, Octets
from store import ap_events, ap_history, fleet, health, watch
from store.packing import pack, unpack
from store.store import Connection, Store
from tests.conftest import NOW

CREDENTIAL = fleet.SnmpCredential("v2c", community="geheim")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def make_point(store: Store, conn: Connection, name: str, kind: PointKind = PointKind.ACCESS_POINT) -> int:
    columns = {"address": f"127.9.0.{len(name)}", "port": 161, "created_at": NOW, "kind": kind.value}
    return fleet.add_access_point(conn, store.keys, credential=CREDENTIAL, site_id=1, name=name, **columns)


@pytest.fixture
def filled(city_store: Store) -> Store:
    with city_store.write() as conn:
        fleet.add_site(conn, key="markt", name="Markt", district="Mitte", kind="square")
        make_point(city_store, conn, "ap-1")
        make_point(city_store, conn, "wlc", PointKind.CONTROLLER)
    return city_store


def test_members_get_names_of_their_own_and_are_not_polled(filled: Store) -> None:
    with filled.write() as conn:
        made = fleet.add_members(conn, 2, {"aa": "ap-1", "bb": "ap-1", "cc": ""}, now=NOW)
        assert [(each.name, each.member_key, each.site) for each in made] == [
            ("ap-1-2", "aa", "markt"),
            ("ap-1-3", "bb", "markt"),
            ("cc", "cc", "markt"),
        ]
        assert fleet.members(conn) == made and fleet.add_members(conn, 2, {}, now=NOW) == []
        assert fleet.add_member(conn, 2, key="dd", name="dd", now=NOW) == made[-1].id + 1
        polled = fleet.access_points(conn, filled.keys)
    assert [(each.name, each.kind) for each in polled] == [
        ("ap-1", PointKind.ACCESS_POINT),
        ("wlc", PointKind.CONTROLLER),
    ]


def test_a_member_is_unknown_while_its_controller_is_silent(filled: Store) -> None:
    up, down = ApReading(NOW, model="C9120", serial="S1"), PollFailure.TIMEOUT
    with filled.write() as conn:
        (member,) = fleet.add_members(conn, 2, {"aa": "hall"}, now=NOW)
        told = {1: assess(None, up, now=NOW), 2: assess(None, up, now=NOW), member.id: assess(None, up, now=NOW)}
        health.save_healths(conn, told, {1: "unifi"})
    states = {state.name: state for state in _states(filled)}
    assert {name: state.state for name, state in states.items()} == dict.fromkeys(states, PointState.UP)
    assert states["hall"].controller_name == "wlc" and states["ap-1"].profile == "unifi"
    with filled.write() as conn:
        health.save_healths(conn, {1: assess(told[1], down, now=NOW), 2: assess(told[2], down, now=NOW)})
    states = {state.name: state for state in _states(filled)}
    assert {name: state.state for name, state in states.items()} == {
        "ap-1": PointState.DOWN,
        "wlc": PointState.DOWN,
        "hall": PointState.UNKNOWN,
    }
    assert (states["ap-1"].model, states["ap-1"].serial, states["ap-1"].profile) == ("C9120", "S1", "unifi")
    assert [each.name for each in _states(filled, state=PointState.UNKNOWN)] == ["hall"]
    assert [each.name for each in _states(filled, text="s1", limit=2)] == ["ap-1", "hall"]
    assert [each.name for each in _states(filled, text="WLC")] == ["hall", "wlc"]
    assert _states(filled, text="%") == [] and _states(filled, site_key="hafen") == []
    assert [each.name for each in _states(filled, site_key="markt", limit=1, offset=2)] == ["wlc"]
    assert [each.name for each in _states(filled, ids=[2])] == ["wlc"]


def _states(store: Store, **wanted: object) -> list[fleet.AccessPointState]:
    with store.read() as conn:
        return fleet.access_point_states(conn, **wanted)  # type: ignore[arg-type]


def test_one_that_nobody_polled_yet_is_new(filled: Store) -> None:
    assert [state.state for state in _states(filled)] == [PointState.NEW, PointState.NEW]


def test_a_reading_comes_back_as_plain_data(filled: Store) -> None:
    radio = RadioReading("ng", Band.GHZ_2_4, channel=6, clients=3, octets=Octets(7, 8), noise_dbm=-91)
    reading = ApReading(NOW, cpu_ratio=0.5, radios=(radio,), ssids=(SsidReading("Hanse", 3),))
    with filled.write() as conn:
        fleet.save_health(conn, 1, assess(None, reading, now=NOW))
    (state,) = _states(filled, ids=[1])
    assert state.reading is not None and state.reading["clients"] == 3
    (told,) = state.reading["radios"]
    assert (told["band"], told["octets"], told["noise_dbm"]) == ("2.4", {"down": 7, "up": 8}, -91)
    assert state.reading["ssids"] == [{"name": "Hanse", "clients": 3, "octets": None}]


def test_a_bssid_belongs_to_who_sent_under_it_last(filled: Store) -> None:
    one, two = MacAddress.parse("02005e10000a"), MacAddress.parse("02005e10000b")
    with filled.write() as conn:
        fleet.note_bssids(conn, {1: [one, two]}, now=NOW)
        fleet.note_bssids(conn, {2: [two]}, now=NOW + HOUR)
        owners = fleet.bssid_owners(conn)
        assert {bssid: owner.name for bssid, owner in owners.items()} == {str(one): "ap-1", str(two): "wlc"}
        assert fleet.purge_bssids(conn, unseen_since=NOW + MINUTE) == 1
        assert set(fleet.bssid_owners(conn)) == {str(two)}


def test_another_credential_becomes_its_own(filled: Store) -> None:
    other = fleet.SnmpCredential("v3", user="kogge", auth_password="a" * 12, priv_password="p" * 12)
    with filled.write() as conn:
        fleet.set_credential(conn, filled.keys, 1, other)
        assert fleet.access_points(conn, filled.keys)[0].credential == other


def test_events_are_read_page_by_page_and_by_time(filled: Store) -> None:
    told = [ApEvent(1, NOW + at * MINUTE, Kind.CHANNEL, str(at), str(at + 1), "ng") for at in range(5)]
    other = [ApEvent(2, NOW, Kind.UP), ApEvent(2, NOW + 9 * MINUTE, Kind.DOWN)]
    with filled.write() as conn:
        ap_events.add(conn, [*told, *other])
        ap_events.add(conn, [])
        page = ap_events.of_access_point(conn, 1, limit=2)
        assert page == told[:2:-1]
        assert ap_events.of_access_point(conn, 1, limit=9, before_id=page[-1].id) == told[2::-1]
        assert ap_events.recent(conn, since=NOW + 3 * MINUTE, limit=9) == [other[1], told[4]]
        assert ap_events.between(conn, NOW, NOW + MINUTE) == [told[0], other[0]]
        assert ap_events.between(conn, NOW, NOW + HOUR, access_point_id=2) == other
        assert ap_events.up_at(conn, NOW + 9 * MINUTE) == {2: True} and ap_events.up_at(conn, NOW) == {}
        assert ap_events.up_at(conn, NOW + HOUR) == {2: False}
        assert ap_events.purge(conn, before=NOW + MINUTE, limit=1) == 1
        assert ap_events.purge(conn, before=NOW + MINUTE, limit=9) == 1


def test_the_watch_tells_when_nobody_looked(city_store: Store) -> None:
    with city_store.write() as conn:
        for minute in (0, 1, 2, 30, 31, 30):  # the last: a clock that was set back
            watch.beat(conn, now=NOW + minute * MINUTE, gap=5 * MINUTE)
        assert watch.between(conn, NOW + MINUTE, NOW + HOUR) == [
            (NOW + MINUTE, NOW + 2 * MINUTE),
            (NOW + 30 * MINUTE, NOW + 31 * MINUTE),
        ]
        assert watch.purge(conn, before=NOW + 10 * MINUTE) == 1


def busy_hour(dice: random.Random) -> list[Point]:
    """An access point with three radios and moving figures, a poll a minute."""
    down = up = 0
    found = []
    for minute in range(60):
        down, up = down + dice.randrange(40_000_000), up + dice.randrange(4_000_000)
        radios = tuple(
            RadioPoint(name, dice.randrange(20), channel, round(dice.random(), 3), -95 + dice.randrange(4))
            for name, channel in (("ng", 6), ("na", 44), ("6e", 37))
        )
        clients = sum(radio.clients or 0 for radio in radios)
        busy = round(dice.random(), 3), round(0.5 + dice.random() / 100, 3)
        found.append(Point(NOW + minute * MINUTE, True, clients, *busy, down, up, radios))
    return found


def test_an_hour_of_polls_takes_less_than_3_kb_and_comes_back(filled: Store) -> None:
    hour, polls = ap_history.hour_of(NOW), busy_hour(random.Random(1))
    parts = [polls[at : at + 5] for at in range(0, 60, 5)]
    assert sum(len(pack(hour, part)) for part in parts) < 3000
    with filled.write() as conn:
        for part in parts:
            ap_history.save(conn, 1, hour, part)
        ap_history.save(conn, 1, hour, parts[0])  # written once more by who could not know that it was written
        ap_history.save(conn, 1, hour + HOUR, [Point(NOW + HOUR, False)])
        assert ap_history.points(conn, 1, since=NOW, until=NOW + HOUR) == polls
        later = ap_history.points(conn, 1, since=NOW + 59 * MINUTE, until=NOW + 2 * HOUR)
        assert later == [polls[-1], Point(NOW + HOUR, False)]
        assert ap_history.purge(conn, before=NOW + HOUR, limit=5) == 1
        assert ap_history.points(conn, 1, since=NOW, until=NOW + HOUR) == []


@pytest.mark.parametrize("broken", [b"\x05", b"\xff", b"\x01\x02", b"\x03\x01\x05\x01", b"\x04\x01\x01\x01\x09"])
def test_a_broken_pack_is_named(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"chunk|early"):
        unpack(NOW, broken)
