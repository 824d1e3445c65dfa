"""Curves into drawings: where steps lie, what is a gap, what the axes say; also on the nights when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Grid,
    Values,
    chart,
    coarser,
    grid_over,
    mean,
    round_up,
    spread,
    time_ticks,
)

NOW = datetime(2026, 11, 23, 12, 3, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")
GRID = Grid(NOW, MINUTE, 6)


def test_a_grid_stands_still_while_time_goes_on() -> None:
    day = timedelta(days=1)
    first = grid_over(day, now=NOW, steps=288, least=timedelta(seconds=30))
    later = grid_over(day, now=NOW + timedelta(seconds=90), steps=288, least=timedelta(seconds=30))
    assert first == later
    assert (first.step, first.count) == (timedelta(minutes=5), 288)
    assert first.until - first.step <= NOW < first.until


def test_a_step_is_never_shorter_than_what_a_poll_needs() -> None:
    grid = grid_over(timedelta(days=1), now=NOW, steps=288, least=timedelta(hours=2))
    assert (grid.step, grid.count) == (timedelta(hours=2), 12)


def test_what_lies_outside_is_left_out() -> None:
    moments = [NOW - MINUTE, NOW, NOW + 5.9 * MINUTE, NOW + 6 * MINUTE]
    assert [len(step) for step in spread(GRID, moments, lambda each: each)] == [1, 0, 0, 0, 0, 1]


def test_means_know_nothing_of_what_is_missing() -> None:
    assert mean([1, None, 3]) == 2
    assert mean([None]) is None and mean([]) is None
    assert coarser((1, 3, None, None, 4, None), 2) == (2, None, 4)
    assert coarser((9, 1, 3), 2) == (9, 2), "the newest group is whole"


def test_a_gap_is_never_bridged() -> None:
    drawn = chart(GRID, {"a": (1, 2, None, 3, None, 5)}, ("", "", "down", "", "blind", ""), top=None, zone=BERLIN)
    (line,) = drawn.lines
    assert [len(piece) for piece in line.pieces] == [2, 1, 1]
    assert [(band.word, round(band.width)) for band in drawn.bands] == [("down", 45), ("blind", 45)]
    assert drawn.bands[0].x == pytest.approx(line.pieces[0][-1][0] + 22.7, abs=0.2), "it begins where its step does"


def test_a_chart_without_values_has_axes_all_the_same() -> None:
    drawn = chart(GRID, {"a": (None,) * 6}, ("blind",) * 6, top=None, zone=BERLIN)
    assert drawn.lines[0].pieces == () and len(drawn.bands) == 1
    assert [tick.value for tick in drawn.y_ticks] == [0, 1, 2]


@pytest.mark.parametrize(("value", "top"), [(0, 2), (2, 2), (2.1, 4), (9, 10), (11, 20), (39, 40), (70_000, 100_000)])
def test_the_scale_ends_with_a_round_number(value: float, top: float) -> None:
    assert round_up(value) == top


Some = st.one_of(st.none(), st.floats(0, 1e12))


@given(st.lists(Some, min_size=6, max_size=6).map(tuple))
def test_whatever_the_values_nothing_is_drawn_outside(values: Values) -> None:
    drawn = chart(GRID, {"a": values}, ("",) * 6, top=None, zone=BERLIN)
    for piece in drawn.lines[0].pieces:
        for x, y in piece:
            assert LEFT <= x <= WIDTH - RIGHT and TOP <= y <= HEIGHT - BOTTOM
    assert sum(len(piece) for piece in drawn.lines[0].pieces) == sum(value is not None for value in values)


def test_a_value_above_a_fixed_scale_stays_at_its_top() -> None:
    drawn = chart(GRID, {"a": (150, *(None,) * 5)}, ("",) * 6, top=100, zone=BERLIN)
    assert drawn.lines[0].pieces[0][0][1] == TOP


@pytest.mark.parametrize("night", [datetime(2026, 3, 29, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC)])
def test_ticks_are_round_hours_of_the_zone_also_when_clocks_change(night: datetime) -> None:
    day = grid_over(timedelta(days=1), now=night, steps=288, least=MINUTE)
    hours = [at.astimezone(BERLIN).hour for at in time_ticks(day, BERLIN)]
    assert hours in ([18, 0, 6, 12], [12, 18, 0, 6, 12], [18, 0, 6])
    week = grid_over(timedelta(days=7), now=night, steps=288, least=MINUTE)
    ticks = time_ticks(week, BERLIN)
    assert {at.astimezone(BERLIN).hour for at in ticks} == {0} and len(ticks) in (3, 4)
