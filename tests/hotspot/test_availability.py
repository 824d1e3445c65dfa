"""Up, down and blind seconds add up to the period, whatever happened in whatever order it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hotspot.ap_events import ApEvent, Kind
from hotspot.availability import Availability, availability, merged, seen_through

SINCE = datetime(2026, 10, 24, 22, tzinfo=UTC)
"""Midnight in Rostock before the night of 25 hours."""

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def event(kind: Kind, minute: float) -> ApEvent:
    return ApEvent(1, SINCE + minute * MINUTE, kind)


def of(events: list[ApEvent], watches: list[tuple[float, float]], *, up: bool | None = True) -> Availability:
    spans = [(SINCE + began * MINUTE, SINCE + ended * MINUTE) for began, ended in watches]
    return availability(events, spans, since=SINCE, until=SINCE + DAY, up_at_start=up)


def test_down_is_what_somebody_watched() -> None:
    found = of([event(Kind.DOWN, 60), event(Kind.UP, 120)], [(0, 90), (100, 1440)])
    assert found == Availability(up_s=1380 * 60, down_s=50 * 60, blind_s=10 * 60)
    assert found.ratio == 1380 / 1430


def test_nobody_expects_what_is_retired_or_not_there_yet() -> None:
    assert of([event(Kind.RETIRED, 60)], [(0, 1440)]) == Availability(up_s=3600)
    assert of([event(Kind.UP, 1380)], [(0, 1440)], up=None) == Availability(up_s=3600)
    assert of([], [(0, 1440)], up=None).ratio is None


def test_what_nobody_watched_is_neither_up_nor_down() -> None:
    assert of([event(Kind.DOWN, 60)], []) == Availability(blind_s=86_400)


def test_firmware_and_channels_turn_nothing() -> None:
    assert of([event(Kind.CHANNEL, 1), event(Kind.FIRMWARE, 2), event(Kind.REBOOT, 3)], [(0, 1440)]).up_s == 86_400


turns = st.lists(
    st.builds(event, st.sampled_from([Kind.UP, Kind.DOWN, Kind.REBOOT]), st.floats(-100, 1600)),
    unique_by=lambda each: each.at,
    max_size=12,
)
spans = st.lists(st.integers(-60, 1500), unique=True, max_size=12).map(
    lambda ends: list(zip(sorted(ends)[::2], sorted(ends)[1::2], strict=False))
)


@given(turns, spans, st.booleans(), st.randoms())
def test_the_parts_are_the_whole_in_any_order(
    events: list[ApEvent], watches: list[tuple[float, float]], up: bool, dice: object
) -> None:
    found = of(events, watches, up=up)
    assert abs(found.up_s + found.down_s + found.blind_s - 86_400) < 0.001
    assert min(found.up_s, found.down_s, found.blind_s) > -0.001
    dice.shuffle(events)  # type: ignore[attr-defined]
    assert of(events, watches, up=up) == found


def test_behind_a_silent_controller_nobody_watches() -> None:
    day = [(SINCE, SINCE + DAY)]
    controller = [event(Kind.UP, 30), event(Kind.DOWN, 20)]
    seen = seen_through(controller, day, since=SINCE, until=SINCE + DAY, up_at_start=True)
    found = availability([event(Kind.DOWN, 10)], seen, since=SINCE, until=SINCE + DAY, up_at_start=True)
    assert found == Availability(up_s=600, down_s=1420 * 60, blind_s=600)


def test_at_one_instant_down_is_later_than_up() -> None:
    told = [event(Kind.DOWN, 60), event(Kind.UP, 60)]
    assert of(told, [(0, 1440)]).up_s == of(told[::-1], [(0, 1440)]).up_s == 3600


stretches = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), max_size=9)


@given(stretches)
def test_merged_is_the_same_time_once(told: list[tuple[int, int]]) -> None:
    found = merged((SINCE + low * MINUTE, SINCE + high * MINUTE) for low, high in told)
    minutes = {minute for low, high in told for minute in range(low, high)}
    assert sum((ended - began) // MINUTE for began, ended in found) == len(minutes)
    assert all(first[1] < second[0] for first, second in pairwise(found))
