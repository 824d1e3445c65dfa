"""An access point's polls as curves: gaps where it was down or nobody looked, rates between counters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hotspot.ap_curves import BLIND, DOWN, Topic, curves, settled
from hotspot.ap_history import Point, RadioPoint
from hotspot.charts import Grid

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GRID = Grid(NOW, 2 * MINUTE, 4)


def at(minute: float) -> datetime:
    return NOW + minute * MINUTE


def test_up_down_and_blind_are_told_apart() -> None:
    points = [Point(at(0), True, 5), Point(at(1), False), Point(at(2), False), Point(at(6), True, 7)]
    found = curves(points, GRID)
    assert found.states == ("", DOWN, BLIND, "")
    assert found.topics[Topic.CLIENTS] == {"": (5, None, None, 7)}


def test_what_no_poll_told_is_no_topic() -> None:
    assert curves([Point(at(0), True)], GRID).topics == {}
    assert curves([], GRID).states == (BLIND,) * 4


def test_radios_are_curves_of_their_own() -> None:
    radios = (RadioPoint("ra0", 3, 11, 0.5), RadioPoint("rai0", 4, 44))
    points = [Point(at(0), True, 7, radios=radios), Point(at(1), True, 5, radios=(RadioPoint("ra0", 5, 11, 0.3),))]
    found = curves(points, GRID).topics
    assert found[Topic.CLIENTS] == {"ra0": (4, None, None, None), "rai0": (4, None, None, None)}
    assert found[Topic.UTILISATION] == {"ra0": (0.4, None, None, None)}


def test_a_rate_is_of_two_polls_that_were_answered_and_not_far_apart() -> None:
    points = [
        Point(at(0), True, octets_down=1_000, octets_up=0),
        Point(at(1), True, octets_down=2_500, octets_up=60),  # 200 bit/s, 8 bit/s
        Point(at(2), False),
        Point(at(3), True, octets_down=9_000, octets_up=90),  # it was down meanwhile
        Point(at(6), True, octets_down=9_500, octets_up=95),  # nobody looked meanwhile
        Point(at(7), True, octets_down=100, octets_up=155),  # it began anew
    ]
    found = curves(points, GRID).topics[Topic.THROUGHPUT]
    assert found == {"down": (200, None, None, None), "up": (8, None, None, 8)}


def test_the_last_step_is_not_over_yet() -> None:
    assert settled(["", BLIND]) == ("", "")
    assert settled([BLIND, BLIND]) == (BLIND, BLIND)
    assert settled(["", DOWN]) == ("", DOWN)
    assert settled([BLIND]) == ("",)
