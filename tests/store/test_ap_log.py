"""Events, hours of polls and stretches of watching, on SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hotspot.ap_events import ApEvent, Kind
from hotspot.ap_history import Point, RadioPoint
from service.cities import City
from store import ap_events, ap_history, fleet, watch

NOW = datetime(2026, 6, 14, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = ap_history.hour(NOW)


def points_of(at_hour: datetime, count: int = 60) -> list[Point]:
    radios = (RadioPoint("ng", 3, 6, 0.25, -95), RadioPoint("na", 9, 44, 0.125, None))
    up = Point(at_hour, True, 12, 0.25, 0.5, 2**40, 7, radios)
    return [
        Point(at_hour + minute * MINUTE, False) if minute == 7 else replace(up, at=at_hour + minute * MINUTE)
        for minute in range(count)
    ]


def access_point(city: City) -> int:
    with city.store.read() as conn:
        return fleet.access_points(conn, city.store.keys)[0].id


def test_events_come_back_newest_first_and_in_pages(city: City) -> None:
    of = access_point(city)
    log = [ApEvent(of, NOW + n * MINUTE, Kind.CHANNEL, str(n), str(n + 1), "ng") for n in range(5)]
    with city.store.write() as conn:
        ap_events.add(conn, log)
        ap_events.add(conn, [])
        page = ap_events.of_access_point(conn, of, limit=2)
        assert page == log[:2:-1]
        assert ap_events.of_access_point(conn, of, limit=9, before=page[-1].at) == log[2::-1]
        assert ap_events.recent(conn, since=NOW + 3 * MINUTE, limit=9) == log[:2:-1]
        assert ap_events.between(conn, NOW + MINUTE, NOW + 3 * MINUTE) == log[1:3]
        assert ap_events.delete_before(conn, NOW + 2 * MINUTE, limit=1) == 1
        assert ap_events.delete_before(conn, NOW + 2 * MINUTE, limit=9) == 1


def test_an_hour_of_polls_comes_back_as_it_was_and_is_small(city: City) -> None:
    of, polls = access_point(city), points_of(HOUR)
    assert len(ap_history.pack(HOUR, polls)) < 1_000
    with city.store.write() as conn:
        ap_history.save(conn, of, HOUR, polls[:30])
        ap_history.save(conn, of, HOUR, polls)
        ap_history.save(conn, of, HOUR + ap_history.HOUR, points_of(HOUR + ap_history.HOUR, 2))
        found = ap_history.points(conn, of, since=HOUR + 5 * MINUTE, until=HOUR + 61 * MINUTE)
        assert found == [*polls[5:], *points_of(HOUR + ap_history.HOUR, 1)]
        assert ap_history.of_hour(conn, HOUR) == {of: polls}
        assert ap_history.delete_before(conn, HOUR + MINUTE, limit=10) == 1
        assert ap_history.points(conn, of, since=HOUR, until=HOUR + 60 * MINUTE) == []


def test_a_radio_that_comes_and_goes_is_not_invented(city: City) -> None:
    came = replace(points_of(HOUR, 1)[0], radios=())
    with_radio = replace(came, at=HOUR + MINUTE, radios=(RadioPoint("ng"),))
    assert ap_history.unpack(HOUR, ap_history.pack(HOUR, [came, with_radio])) == [came, with_radio]


def test_an_hour_keeps_its_newest_polls() -> None:
    polls = [Point(HOUR + timedelta(seconds=second), True) for second in range(1_000)]
    assert ap_history.unpack(HOUR, ap_history.pack(HOUR, polls)) == polls[-ap_history.POINTS_MAX :]


def test_a_gap_between_beats_is_time_that_nobody_watched(city: City) -> None:
    gap = 3 * MINUTE
    with city.store.write() as conn:
        for minute in (0, 1, 2, 10, 11, 11):
            watch.beat(conn, now=NOW + minute * MINUTE, gap=gap)
        seen = watch.between(conn, NOW, NOW + 60 * MINUTE)
        assert seen == [(NOW, NOW + 2 * MINUTE), (NOW + 10 * MINUTE, NOW + 11 * MINUTE)]
        assert watch.between(conn, NOW + MINUTE, NOW + 5 * MINUTE) == [(NOW + MINUTE, NOW + 2 * MINUTE)]
        assert watch.delete_before(conn, NOW + 5 * MINUTE, limit=10) == 1
