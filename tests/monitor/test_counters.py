"""Totals of counters that wrap, restart or vanish: they never fall while the device runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.counters import NOTHING, WRAP, Counted, Reset, Uptime, advance, went_on
from monitor.oids import Counter32, Oid

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def step(before: Counted, reset: Reset | None = None, ssid: str = "x", **rows: int | None) -> tuple[Counted, int]:
    """The counters after a poll, and the sum of all of them, those that vanished included."""
    indexes: tuple[Oid, ...] = tuple((int(name[1:]),) for name in rows)
    owners = tuple((None, "na", ssid) for _ in rows)
    after = advance(before, indexes, owners, tuple((raw,) for raw in rows.values()), reset or Reset())
    added = after.added or tuple((0,) for _ in rows)
    shown = sum((raw or 0) + (plus or 0) for (raw,), (plus,) in zip(after.raw, added, strict=True))
    return after, shown + sum((gone.raw[0] or 0) + (gone.added[0] or 0) for gone in after.gone.values())


def test_the_first_total_is_what_the_counters_show() -> None:
    assert step(NOTHING, r1=5, r2=7)[1] == 12


def test_counters_that_rise_need_nothing_added() -> None:
    before, _ = step(NOTHING, r1=5, r2=7)
    after, total = step(before, r1=6, r2=7)
    assert total == 13 and after.added is None and after.indexes is before.indexes


def test_a_32_bit_counter_that_fell_a_little_past_its_end_wrapped() -> None:
    before, _ = step(NOTHING, r1=Counter32(WRAP - 100))
    after, total = step(before, r1=Counter32(50))
    assert total == WRAP + 50
    assert step(after, r1=Counter32(60))[1] == WRAP + 60


def test_a_counter_that_fell_from_low_down_restarted() -> None:
    before, _ = step(NOTHING, r1=Counter32(1_000), r2=Counter32(5))
    assert step(before, r1=Counter32(40), r2=Counter32(6))[1] == 1_000 + 40 + 6


def test_a_counter_that_fell_with_its_agent_did_not_wrap() -> None:
    before, _ = step(NOTHING, r1=Counter32(WRAP - 100))
    assert step(before, Reset(agent=True), r1=Counter32(50))[1] == WRAP - 100 + 50


def test_a_64_bit_counter_never_wraps() -> None:
    before, _ = step(NOTHING, r1=WRAP - 100)
    assert step(before, r1=50)[1] == WRAP - 100 + 50


def test_a_network_that_vanishes_keeps_what_it_carried_and_goes_on_when_it_returns() -> None:
    first, _ = step(NOTHING, r1=100, r2=10)
    second, total = step(first, r2=11)
    assert total == 111
    assert step(second, r1=105, r2=12)[1] == 117


def test_a_counter_that_is_not_told_once_goes_on() -> None:
    first, _ = step(NOTHING, r1=Counter32(WRAP - 1))
    second, _ = step(first, r1=Counter32(1))
    third, _ = step(second, r1=None)
    assert step(third, r1=Counter32(5))[1] == WRAP + 5


def test_a_restart_of_the_device_starts_anew() -> None:
    before, _ = step(NOTHING, r1=100, r2=10)
    assert step(before, Reset(device=True), r1=3)[1] == 3


def test_a_network_that_is_renamed_does_not_bring_its_past_along() -> None:
    before, _ = step(NOTHING, r1=100)
    after, total = step(before, ssid="y", r1=130)
    assert total == 30
    assert step(after, ssid="y", r1=140)[1] == 40


def test_only_what_restarted_starts_anew() -> None:
    indexes: tuple[Oid, ...] = ((1,), (2,))
    owners = (("north", "0", None), ("south", "0", None))
    before = advance(NOTHING, indexes, owners, ((Counter32(WRAP - 5),), (Counter32(WRAP - 5),)), Reset())
    after = advance(before, indexes, owners, ((Counter32(5),), (Counter32(5),)), Reset(members={"north"}))
    assert after.added == ((0,), (WRAP,))


rows = st.dictionaries(st.sampled_from(["r1", "r2", "r3"]), st.integers(0, WRAP - 1).map(Counter32), min_size=1)


@given(st.lists(rows))
def test_totals_never_fall_while_the_device_runs(polls: list[dict[str, int]]) -> None:
    memory, before = NOTHING, 0
    for told in polls:
        memory, total = step(memory, **told)
        assert total >= before
        before = total


# Uptime ---------------------------------------------------------------------------------------------


def test_an_uptime_that_rises_goes_on() -> None:
    assert went_on(Uptime(100, 2, NOW), 200, NOW) == Uptime(200, 2, NOW)


@pytest.mark.parametrize(
    ("before", "after", "seconds", "wrapped"),
    [
        (WRAP - 1_000, 5_000, 60, True),
        (WRAP - 1_000, 5_000, 100, True),
        (WRAP - 1_000, 5_000, 7_200, False),
        (WRAP // 2, 5_000, 60, False),
        (WRAP - 360_000, 8_640_000, 90_000, True),
        (360_000, 5_000, 60, False),
    ],
)
def test_a_wrap_after_497_days_is_told_from_a_restart(before: int, after: int, seconds: int, wrapped: bool) -> None:
    found = went_on(Uptime(before, 0, NOW), after, NOW + timedelta(seconds=seconds))
    assert (found is not None) is wrapped
    if found is not None:
        assert found.seconds == (WRAP + after) / 100
