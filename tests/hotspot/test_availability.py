"""Up, down and blind seconds: they are the period together, whatever the order of what was told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from hotspot.ap_events import ApEvent, Kind
from hotspot.availability import Availability, availability, merged, overlap, seen_through

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MINUTES = st.integers(-30, 150)
EVENTS = st.lists(st.tuples(MINUTES, st.sampled_from(Kind)), max_size=12)
STRETCHES = st.lists(st.tuples(MINUTES, MINUTES), max_size=8)


def at(minute: int) -> datetime:
    return NOON + minute * MINUTE


def events(*told: tuple[int, Kind]) -> list[ApEvent]:
    return [ApEvent(1, at(minute), kind) for minute, kind in told]


def minutes(found: Availability) -> tuple[float, float, float]:
    return found.up_s / 60, found.down_s / 60, found.blind_s / 60


def test_an_outage_that_was_seen_and_one_that_was_not() -> None:
    told = events((10, Kind.DOWN), (25, Kind.UP), (30, Kind.REBOOT), (70, Kind.DOWN))
    watched = [(at(0), at(40)), (at(60), at(120))]
    found = availability(told, watched, since=at(0), until=at(120), up_at_start=True)
    assert minutes(found) == (10 + 15 + 10, 15 + 50, 20)
    assert found.ratio == 35 / 100


def test_nothing_is_known_before_anybody_looked() -> None:
    told = events((30, Kind.UP))
    found = availability(told, [(at(0), at(60))], since=at(0), until=at(60), up_at_start=None)
    assert minutes(found) == (30, 0, 30)
    assert availability([], [], since=at(0), until=at(60), up_at_start=True).ratio is None
    assert availability([], [], since=at(0), until=at(0), up_at_start=True) == Availability()


def test_behind_a_silent_controller_nobody_sees() -> None:
    watched = seen_through(
        events((20, Kind.DOWN), (30, Kind.UP)), [(at(0), at(60))], since=at(0), until=at(60), up_at_start=True
    )
    found = availability(events((10, Kind.DOWN)), watched, since=at(0), until=at(60), up_at_start=True)
    assert minutes(found) == (10, 40, 10)


def test_the_night_in_which_the_clock_is_set_back_has_25_hours() -> None:
    zone = ZoneInfo("Europe/Berlin")
    since, until = (datetime(2026, 10, day, tzinfo=zone).astimezone(UTC) for day in (25, 26))
    found = availability([], [(since, until)], since=since, until=until, up_at_start=False)
    assert found == Availability(0.0, 25 * 3600.0, 0.0)


@given(EVENTS, STRETCHES, st.sampled_from([True, False, None]), st.randoms(use_true_random=False))
def test_together_they_are_the_period_in_any_order(
    told: list[tuple[int, Kind]], stretches: list[tuple[int, int]], up: bool | None, dice: object
) -> None:
    rows = events(*told)
    watched = [(at(low), at(high)) for low, high in stretches]
    found = availability(rows, watched, since=at(0), until=at(120), up_at_start=up)
    assert found.up_s + found.down_s + found.blind_s == 7200 and min(minutes(found)) >= 0
    dice.shuffle(rows)  # type: ignore[attr-defined]
    dice.shuffle(watched)  # type: ignore[attr-defined]
    assert availability(rows, watched, since=at(0), until=at(120), up_at_start=up) == found
    first = availability(rows, watched, since=at(0), until=at(120), up_at_start=up)
    assert first == found


@given(EVENTS, STRETCHES)
def test_two_halves_are_the_whole(told: list[tuple[int, Kind]], stretches: list[tuple[int, int]]) -> None:
    rows = events(*told)
    watched = [(at(low), at(high)) for low, high in stretches]
    turns = sorted((each for each in told if each[1] in (Kind.UP, Kind.DOWN) and 0 <= each[0] < 60), key=_down_last)
    middle = turns[-1][1] is Kind.UP if turns else True
    halves = [(0, 60, True), (60, 120, middle)]
    parts = [availability(rows, watched, since=at(low), until=at(high), up_at_start=up) for low, high, up in halves]
    assert parts[0] + parts[1] == availability(rows, watched, since=at(0), until=at(120), up_at_start=True)


def _down_last(told: tuple[int, Kind]) -> tuple[int, bool]:
    return told[0], told[1] is Kind.DOWN


@given(STRETCHES, STRETCHES)
def test_stretches_overlap_where_a_minute_is_in_both(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    both = [merged([(at(low), at(high)) for low, high in each]) for each in (one, other)]
    found = sum((ended - began) // MINUTE for began, ended in overlap(*both))
    assert found == len(_minutes(one) & _minutes(other))


def _minutes(stretches: list[tuple[int, int]]) -> set[int]:
    return {minute for low, high in stretches for minute in range(low, high)}
