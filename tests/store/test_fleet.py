"""Members of controllers, states as people search them, BSSIDs, events, history and watch: on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from hotspot.fleet import ApReading, Band, PointKind, PollFailure, RadioReading, SsidReading, assess
from hotspot.values import MacAddress, Octets
from store import ap_list, bssids, fleet, health, members
from store.ap_list import Wanted
from store.schema import access_point, access_point_health
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
        made = members.add(conn, 2, {"aa": "ap-1", "bb": "ap-1", "cc": ""}, now=NOW)
        assert [(each.name, each.member_key, each.site) for each in made] == [
            ("ap-1-2", "aa", "markt"),
            ("ap-1-3", "bb", "markt"),
            ("cc", "cc", "markt"),
        ]
        assert members.all_of(conn) == made and members.add(conn, 2, {}, now=NOW) == []
        polled = fleet.access_points(conn, filled.keys)
    assert [(each.name, each.kind) for each in polled] == [
        ("ap-1", PointKind.ACCESS_POINT),
        ("wlc", PointKind.CONTROLLER),
    ]


def test_what_outlives_an_outage_is_the_identity(filled: Store) -> None:
    up = assess(None, ApReading(NOW, model="U6", firmware="6.5", serial="S1"), now=NOW)
    with filled.write() as conn:
        health.save_healths(conn, {1: up, 2: up}, {1: "unifi"})
        health.save_healths(conn, {1: assess(up, PollFailure.TIMEOUT, now=NOW), 2: up})
        rows = {row.access_point_id: row for row in conn.execute(select(access_point_health))}
    assert (rows[1].up, rows[1].failure, rows[1].reading) == (False, "timeout", None)
    assert (rows[1].model, rows[1].firmware, rows[1].serial, rows[1].profile) == ("U6", "6.5", "S1", "unifi")
    assert rows[2].up and rows[2].profile == ""


def test_a_reading_comes_back_as_plain_data(filled: Store) -> None:
    radio = RadioReading("ng", Band.GHZ_2_4, channel=6, clients=3, octets=Octets(7, 8), noise_dbm=-91)
    reading = ApReading(NOW, cpu_ratio=0.5, radios=(radio,), ssids=(SsidReading("Hanse", 3),))
    with filled.write() as conn:
        health.save_healths(conn, {1: assess(None, reading, now=NOW)})
    with filled.read() as conn:
        (state,) = ap_list.some(conn, Wanted(text="ap-1"), limit=9, offset=0)
    assert state.reading["clients"] == 3
    (told,) = state.reading["radios"]
    assert (told["band"], told["octets"], told["noise_dbm"]) == ("2.4", {"down": 7, "up": 8}, -91)
    assert state.reading["ssids"] == [{"name": "Hanse", "clients": 3, "octets": None}]


def test_a_bssid_belongs_to_who_sent_under_it_last(filled: Store) -> None:
    one, two = MacAddress.parse("02005e10000a"), MacAddress.parse("02005e10000b")
    with filled.write() as conn:
        bssids.note(conn, {1: [one, two]}, now=NOW)
        bssids.note(conn, {2: [two]}, now=NOW + HOUR)
        assert {bssid: owner.name for bssid, owner in bssids.owners(conn).items()} == {
            str(one): "ap-1",
            str(two): "wlc",
        }
        conn.execute(access_point.update().where(access_point.c.id == 1).values(retired_at=NOW))
        assert bssids.purge_retired(conn, retired_before=NOW) == 0
        assert bssids.purge_retired(conn, retired_before=NOW + MINUTE) == 1
        assert set(bssids.owners(conn)) == {str(two)}


def test_another_credential_becomes_its_own(filled: Store) -> None:
    other = fleet.SnmpCredential("v3", user="kogge", auth_password="a" * 12, priv_password="p" * 12)
    with filled.write() as conn:
        fleet.set_credential(conn, filled.keys, 1, other)
        assert fleet.access_points(conn, filled.keys)[0].credential == other
