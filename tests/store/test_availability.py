"""Up, down and blind by place: a silent controller blinds for those behind it; nobody is blamed for what nobody saw."""

from __future__ import annotations

from datetime import timedelta

from hotspot.ap_events import ApEvent, Kind
from hotspot.availability import Availability
from hotspot.fleet import ApReading, assess
from store import ap_events, availability, fleet, members, watch
from store.health import save_healths
from store.store import Store
from tests.conftest import NOW

HOUR = timedelta(hours=1)
CREDENTIAL = fleet.SnmpCredential("v2c", community="hanse")


def test_by_place(city_store: Store) -> None:
    with city_store.write() as conn:
        sites = [
            fleet.add_site(conn, key=key, name=name, district="Mitte", kind="square")
            for key, name in (("hafen", "Hafen"), ("markt", "Markt"), ("leer", "Leer"))
        ]
        columns = {"address": "127.8.0.1", "port": 161, "created_at": NOW - HOUR}
        wlc, kiosk, steady = (
            fleet.add_access_point(
                conn, city_store.keys, credential=CREDENTIAL, site_id=sites[place], name=name, kind=kind, **columns
            )
            for name, place, kind in (
                ("wlc", 0, "controller"),
                ("kiosk", 1, "access_point"),
                ("steady", 1, "access_point"),
            )
        )
        (hall,) = members.add(conn, wlc, {"aa": "hall"}, now=NOW - HOUR)
        turns = [(wlc, -1, Kind.UP), (wlc, 2, Kind.DOWN), (wlc, 3, Kind.UP), (hall.id, -1, Kind.UP)]
        turns += [(hall.id, 4, Kind.DOWN), (kiosk, -1, Kind.UP), (kiosk, 1, Kind.DOWN), (kiosk, 2, Kind.UP)]
        ap_events.add(conn, [ApEvent(of, NOW + hour * HOUR, kind) for of, hour, kind in turns])
        save_healths(conn, {steady: assess(None, ApReading(NOW - HOUR), now=NOW - HOUR)})
        watch.beat(conn, now=NOW - HOUR, gap=HOUR)
        watch.beat(conn, now=NOW + 8 * HOUR, gap=10 * HOUR)
        found = availability.of_sites(conn, NOW, NOW + 10 * HOUR)
    assert [(each.name, each.points) for each in found] == [("Hafen", 1), ("Markt", 2)]
    assert found[0].total == Availability(up_s=3 * 3600, down_s=4 * 3600, blind_s=3 * 3600)
    assert found[1].total == Availability(up_s=(7 + 8) * 3600, down_s=3600, blind_s=4 * 3600)


def test_one_that_was_retired_counts_until_then(city_store: Store) -> None:
    with city_store.write() as conn:
        place = fleet.add_site(conn, key="markt", name="Markt", district="Mitte", kind="square")
        columns = {"address": "127.8.0.1", "port": 161, "created_at": NOW + HOUR, "retired_at": NOW + 3 * HOUR}
        kiosk = fleet.add_access_point(
            conn, city_store.keys, credential=CREDENTIAL, site_id=place, name="kiosk", **columns
        )
        ap_events.add(conn, [ApEvent(kiosk, NOW + HOUR, Kind.UP)])
        watch.beat(conn, now=NOW, gap=HOUR)
        watch.beat(conn, now=NOW + 8 * HOUR, gap=10 * HOUR)
        (found,) = availability.of_sites(conn, NOW, NOW + 8 * HOUR)
        assert availability.of_sites(conn, NOW + 4 * HOUR, NOW + 8 * HOUR) == []
        assert availability.of_sites(conn, NOW - HOUR, NOW) == []
    assert found.total == Availability(up_s=2 * 3600)
