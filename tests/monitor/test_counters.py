"""Totals of counters that wrap, restart or vanish: they never fall while the device runs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.counters import WRAP, Memory, Sample, advance
from monitor.oids import Counter32


def step(memory: Memory, uptime: float, **rows: int) -> tuple[Memory, int]:
    samples = [Sample("rx", (int(name[1:]),), raw) for name, raw in rows.items()]
    memory, totals = advance(memory, samples, uptime_seconds=uptime)
    return memory, totals.get("rx", 0)


def test_the_first_total_is_what_the_counters_show() -> None:
    assert step(Memory(), 10, r1=5, r2=7)[1] == 12


def test_a_32_bit_counter_that_fell_a_little_past_its_end_wrapped() -> None:
    memory, _ = step(Memory(), 10, r1=Counter32(WRAP - 100))
    assert step(memory, 20, r1=Counter32(50))[1] == WRAP + 50


def test_a_counter_that_fell_from_low_down_restarted() -> None:
    memory, _ = step(Memory(), 10, r1=Counter32(1_000), r2=Counter32(5))
    assert step(memory, 20, r1=Counter32(40), r2=Counter32(6))[1] == 1_000 + 40 + 6


def test_a_64_bit_counter_never_wraps() -> None:
    memory, _ = step(Memory(), 10, r1=WRAP - 100)
    assert step(memory, 20, r1=50)[1] == WRAP - 100 + 50


def test_a_network_that_vanishes_keeps_what_it_carried() -> None:
    memory, _ = step(Memory(), 10, r1=100, r2=10)
    assert step(memory, 20, r2=11)[1] == 111


def test_a_restart_of_the_device_starts_anew() -> None:
    memory, _ = step(Memory(), 1_000, r1=100, r2=10)
    assert step(memory, 5, r1=3)[1] == 3


@given(st.lists(st.dictionaries(st.sampled_from(["r1", "r2", "r3"]), st.integers(0, WRAP - 1).map(Counter32))))
def test_totals_never_fall_while_the_device_runs(polls: list[dict[str, int]]) -> None:
    memory, before = Memory(), 0
    for uptime, rows in enumerate(polls):
        memory, total = step(memory, float(uptime), **rows)
        assert total >= before
        before = total
