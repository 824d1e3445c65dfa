"""The life of access points: the same for the same seed and time, and never a counter that falls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simulator.life import FAIL_EVERY_SECONDS, FAIL_SECONDS, PEOPLE_PER_POINT, Population
from simulator.unifi import VAP, rows

POINTS = [(("A", "B"), False), (("A",), True), (("A", "B", "C"), False)]
NOON = 1_800_014_400.0
moments = st.floats(min_value=1.7e9, max_value=2.1e9)


@given(moments, st.integers(0, 2), st.integers(0, 5))
def test_the_same_question_has_the_same_answer(now: float, number: int, seed: int) -> None:
    assert Population(seed, "hst", POINTS).point(number, now) == Population(seed, "hst", POINTS).point(number, now)


@given(moments, st.floats(min_value=0, max_value=100_000), st.integers(0, 2))
def test_counters_grow_until_a_reboot(now: float, later: float, number: int) -> None:
    population = Population(1, "hst", POINTS)
    before, after = population.point(number, now), population.point(number, now + later)
    if after.uptime_seconds < before.uptime_seconds:
        return
    for old, new in zip(before.radios, after.radios, strict=True):
        assert all(a <= b for a, b in zip(old.octets_in, new.octets_in, strict=True))
        assert all(a <= b for a, b in zip(old.octets_out, new.octets_out, strict=True))


def test_devices_move_and_are_each_at_one_place() -> None:
    population = Population(1, "hst", POINTS)
    seen = [population.clients(NOON + 60 * minute) for minute in range(60)]
    assert all(0 < sum(counts.values()) <= PEOPLE_PER_POINT * len(POINTS) for counts in seen)
    assert len({tuple(sorted(counts.items())) for counts in seen}) > 30, "within an hour the picture changes"
    assert {place[0] for counts in seen for place in counts} == {0, 1, 2}


def test_nights_are_quiet() -> None:
    population = Population(1, "hst", POINTS)
    night = sum(sum(population.clients(NOON + 14.5 * 3600 + 60 * m).values()) for m in range(60))
    day = sum(sum(population.clients(NOON + 2.5 * 3600 + 60 * m).values()) for m in range(60))
    assert night * 2 < day


def test_only_the_failing_one_fails_and_it_returns() -> None:
    population = Population(1, "hst", POINTS)
    answers = [[population.point(n, NOON + s).answers for s in range(2 * FAIL_EVERY_SECONDS)] for n in range(3)]
    assert all(answers[0]) and all(answers[2])
    assert answers[1].count(False) == 2 * FAIL_SECONDS
    changes = sum(a != b for a, b in zip(answers[1], answers[1][1:], strict=False))
    assert changes in (3, 4), "in one piece each time"


def test_the_vaps_count_exactly_the_clients(make_point: Callable[..., Any]) -> None:
    population = Population(1, "hst", POINTS)
    life = population.point(0, NOON)
    table = rows(make_point(ssids=("A", "B")), life)
    stations = [value for oid, _, value in table if oid[:-2] == VAP and oid[-2] == 8]
    assert stations == [*life.radios[0].clients, *life.radios[1].clients]
    oids = [oid for oid, _, _ in table]
    assert oids == sorted(set(oids)), "every OID once, in order"
