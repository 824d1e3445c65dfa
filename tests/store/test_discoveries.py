"""Searches for access points: one at a time, what they found, and what becomes of a find."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from sqlalchemy import insert, update

from hotspot.discovery import Failure, Found
from hotspot.errors import InputError
from hotspot.fleet import ApHealth, ApReading, PointKind
from hotspot.values import MacAddress
from service.cities import City
from store import discoveries, fleet
from store.fleet import SnmpCredential
from store.health import save_healths
from store.nases import COMMAND_LINE
from store.schema import access_point_bssid, access_point_health

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
NETWORK = ip_network("10.1.0.0/24")
V2C = SnmpCredential("v2c", community="found-by-this")
BSSID = MacAddress.parse("02-00-5E-10-00-0A")
FOUND = Found("10.1.0.9", 161, PointKind.ACCESS_POINT, "unifi", "roof", "U6", "6.5", "S-1", (BSSID,))


def ask(city: City, *, now: datetime = NOW) -> int:
    with city.store.write() as conn:
        return discoveries.request(conn, NETWORK, port=161, author=COMMAND_LINE, now=now)


def searched(city: City, *found: Found) -> list[discoveries.Find]:
    search = ask(city)
    with city.store.write() as conn:
        discoveries.begin(conn, search, total=254, now=NOW)
        discoveries.add_finds(conn, city.store.keys, search, [(each, V2C) for each in found])
        discoveries.end(conn, search, now=NOW)
        return discoveries.finds(conn, search)


def take(city: City, find_id: int, name: str = "roof") -> int:
    with city.store.write() as conn:
        where = {"site": "neuer-markt", "name": name}
        return discoveries.take(conn, city.store.keys, find_id, **where, author=COMMAND_LINE, now=NOW)


def polled(city: City) -> dict[str, fleet.AccessPoint]:
    with city.store.read() as conn:
        return {each.name: each for each in fleet.access_points(conn, city.store.keys)}


def test_a_city_searches_one_network_at_a_time(city: City) -> None:
    first = ask(city)
    with pytest.raises(InputError, match="under way"):
        ask(city)
    with city.store.write() as conn:
        discoveries.begin(conn, first, total=254, now=NOW)
        assert discoveries.note_progress(conn, first, asked=10, answered=1)
        assert discoveries.end(conn, first, now=NOW + timedelta(seconds=9), failure=Failure.ENDED)
        assert not discoveries.note_progress(conn, first, asked=20, answered=1)
        latest = discoveries.latest(conn)
    assert latest is not None
    assert (latest.total, latest.asked, latest.answered, latest.failure) == (254, 10, 1, Failure.ENDED)
    assert ask(city) > first


def test_old_searches_are_forgotten_with_their_finds(city: City) -> None:
    oldest = searched(city, FOUND)[0].id
    for _ in range(discoveries.KEPT):
        searched(city)
    with city.store.read() as conn:
        assert discoveries.find(conn, oldest) is None
    with pytest.raises(InputError, match="search again"):
        take(city, oldest)


def test_a_find_becomes_an_access_point_that_answers_to_its_credential(city: City) -> None:
    (found,) = searched(city, FOUND)
    assert found.known is None
    point_id = take(city, found.id)
    assert polled(city)["roof"].credential == V2C
    assert polled(city)["roof"].address == "10.1.0.9"
    with city.store.read() as conn:
        again = discoveries.find(conn, found.id)
    assert again is not None and again.access_point_id == point_id
    assert again.known is not None and not again.known.moved
    with pytest.raises(InputError, match="already"):
        take(city, found.id, "another")


def test_neither_a_name_nor_an_address_is_taken_twice(city: City) -> None:
    one, other, twin = searched(city, FOUND, replace(FOUND, address="10.1.0.10"), FOUND)
    take(city, one.id)
    with pytest.raises(InputError, match="called roof"):
        take(city, other.id)
    with pytest.raises(InputError, match="polled already, as roof"):
        take(city, twin.id, "another")
    assert "another" not in polled(city)


@pytest.mark.parametrize("mark", ["serial", "bssid"])
def test_one_that_answers_elsewhere_and_no_longer_where_it_was_has_moved(city: City, mark: str) -> None:
    point_id = take(city, searched(city, FOUND)[0].id)
    health = ApHealth(True, NOW, NOW, NOW, None, ApReading(NOW))
    with city.store.write() as conn:
        save_healths(conn, {point_id: health})
        if mark == "serial":
            conn.execute(update(access_point_health).values(serial=FOUND.serial))
        else:
            row = {"bssid": str(BSSID), "access_point_id": point_id, "seen_at": NOW}
            conn.execute(insert(access_point_bssid).values(row))
    elsewhere = replace(FOUND, address="10.1.0.77", **({} if mark == "serial" else {"serial": ""}))
    (second,) = searched(city, elsewhere)
    assert second.known is not None and not second.known.moved, "it is up where it was: it has two addresses"
    with city.store.write() as conn, pytest.raises(InputError, match="moved"):
        discoveries.follow(conn, city.store.keys, second.id, author=COMMAND_LINE, now=NOW)
    with city.store.write() as conn:
        conn.execute(update(access_point_health).values(up=False))
        assert discoveries.follow(conn, city.store.keys, second.id, author=COMMAND_LINE, now=NOW).name == "roof"
    assert polled(city)["roof"].address == "10.1.0.77"
