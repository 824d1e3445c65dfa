"""When to poll next."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import pace

names = st.text(max_size=30)
intervals = st.floats(5, 3_600)


@given(names, intervals, st.floats(0, 1e7))
def test_the_next_slot_is_the_devices_own_and_within_one_interval(name: str, interval: float, at: float) -> None:
    slot = pace.next_slot(name, interval, at=at)
    assert at < slot <= at + interval * 1.000_001
    assert 0 <= pace.offset(name, interval) < interval


def test_a_thousand_devices_spread_over_the_interval() -> None:
    seconds = [int(pace.offset(f"ap-{number}", 60)) for number in range(1_000)]
    assert max(seconds.count(second) for second in range(60)) < 40


@pytest.mark.parametrize(("failures", "factor"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 8), (100, 8)])
def test_back_off_doubles_to_eight(failures: int, factor: int) -> None:
    waits = [pace.back_off(failures, 10, random.Random(seed)) for seed in range(50)]
    assert all(0.9 * 10 * factor <= wait <= 1.1 * 10 * factor for wait in waits)
    assert len(set(waits)) > 40


@given(st.integers(1, 50), intervals, st.integers())
def test_back_off_is_never_longer_than_ten_minutes_or_the_interval(failures: int, interval: float, seed: int) -> None:
    assert pace.back_off(failures, interval, random.Random(seed)) <= max(pace.BACK_OFF_MAX_S, interval)


def test_a_poll_ends_before_the_next_begins() -> None:
    assert pace.deadline(5, 2.0, 1) == 5
    assert pace.deadline(60, 2.0, 1) == 20
