"""Events, hours of polls and stretches of watching, on SQLite and PostgreSQL."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot.ap_events import ApEvent, Kind
from hotspot.ap_history import Point, RadioPoint
from service.cities import City
from store import ap_events, ap_history, fleet, watch
from store.packing import pack, unpack

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


def test_an_hour_of_polls_comes_back_as_it_was(city: City) -> None:
    of, polls = access_point(city), points_of(HOUR)
    with city.store.write() as conn:
        ap_history.save(conn, of, HOUR, polls[:30])
        ap_history.save(conn, of, HOUR, polls[29:])
        ap_history.save(conn, of, HOUR + ap_history.HOUR, points_of(HOUR + ap_history.HOUR, 2))
        found = ap_history.points(conn, of, since=HOUR + 5 * MINUTE, until=HOUR + 61 * MINUTE)
        assert found == [*polls[5:], *points_of(HOUR + ap_history.HOUR, 1)]
        assert ap_history.delete_before(conn, HOUR + MINUTE, limit=10) == 1
        assert ap_history.points(conn, of, since=HOUR, until=HOUR + 60 * MINUTE) == []


def test_a_radio_that_comes_and_goes_is_not_invented(city: City) -> None:
    came = replace(points_of(HOUR, 1)[0], radios=())
    with_radio = replace(came, at=HOUR + MINUTE, radios=(RadioPoint("ng"),))
    assert unpack(HOUR, pack(HOUR, [came, with_radio])) == [came, with_radio]


def test_a_busy_hour_in_twelve_parts_takes_less_than_3_kb() -> None:
    dice, octets, polls = random.Random(1), 0, []
    for minute in range(60):
        octets += dice.randrange(40_000_000)
        radios = tuple(
            RadioPoint(name, dice.randrange(20), channel, dice.randrange(1000) / 1000, -95 + dice.randrange(4))
            for name, channel in (("ng", 6), ("na", 44), ("6e", 37))
        )
        ratios = dice.randrange(1000) / 1000, 0.5 + dice.randrange(9) / 1000
        polls.append(Point(HOUR + minute * MINUTE, True, dice.randrange(60), *ratios, octets, octets // 9, radios))
    packed = b"".join(pack(HOUR, polls[at : at + 5]) for at in range(0, 60, 5))
    assert len(packed) < 3_000 and unpack(HOUR, packed) == polls


RATIOS = st.none() | st.integers(0, 1000).map(lambda per_mille: per_mille / 1000)
COUNTS = st.none() | st.integers(0, 2**64 - 1)
RADIOS = st.builds(
    RadioPoint, st.sampled_from(["ng", "na", "wlan\u00fc"]), COUNTS, COUNTS, RATIOS, st.integers(-120, -20)
)
POLLS = st.builds(
    Point,
    st.integers(0, 3599).map(lambda second: HOUR + timedelta(seconds=second)),
    st.booleans(),
    COUNTS,
    RATIOS,
    RATIOS,
    COUNTS,
    COUNTS,
    st.lists(RADIOS, max_size=3, unique_by=lambda radio: radio.radio).map(tuple),
)


@given(st.lists(st.lists(POLLS, max_size=5), max_size=4))
def test_whatever_is_packed_comes_back(parts: list[list[Point]]) -> None:
    found = unpack(HOUR, b"".join(pack(HOUR, part) for part in parts))
    last = {poll.at: poll for part in parts for poll in part}
    assert [replace(each, radios=()) for each in found] == [replace(last[at], radios=()) for at in sorted(last)]
    assert [set(each.radios) for each in found] == [set(last[at].radios) for at in sorted(last)]


@pytest.mark.parametrize("broken", [b"\x05", b"\xff", b"\x01\x02", b"\x03\x01\x05\x01", b"\x04\x01\x01\x01\x09"])
def test_a_broken_pack_is_named(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"chunk|early"):
        unpack(HOUR, broken)


def test_what_was_up_before_a_period(city: City) -> None:
    of = access_point(city)
    log = [ApEvent(of, NOW, Kind.UP), ApEvent(of, NOW + MINUTE, Kind.CHANNEL), ApEvent(of, NOW + 2 * MINUTE, Kind.DOWN)]
    with city.store.write() as conn:
        ap_events.add(conn, log)
        assert ap_events.up_at(conn, NOW) == {}
        assert ap_events.up_at(conn, NOW + 2 * MINUTE) == {of: True}
        assert ap_events.up_at(conn, NOW + 3 * MINUTE) == {of: False}


def test_a_gap_between_beats_is_time_that_nobody_watched(city: City) -> None:
    gap = 3 * MINUTE
    with city.store.write() as conn:
        for minute in (0, 1, 2, 10, 11, 11):
            watch.beat(conn, now=NOW + minute * MINUTE, gap=gap)
        seen = watch.between(conn, NOW, NOW + 60 * MINUTE)
        assert seen == [(NOW, NOW + 2 * MINUTE), (NOW + 10 * MINUTE, NOW + 11 * MINUTE)]
        assert watch.between(conn, NOW + MINUTE, NOW + 5 * MINUTE) == [(NOW + MINUTE, NOW + 2 * MINUTE)]
        assert watch.delete_before(conn, NOW + 5 * MINUTE, limit=10) == 1
