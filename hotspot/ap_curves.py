"""An access point's last day or week as curves, from its kept polls; None where it was down or nobody looked.

Throughput is the difference of two counters that were read one after the other; a counter that went backwards began
anew, and what happened between polls too far apart is not spread over the time in which nobody looked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from hotspot.ap_history import Point, RadioPoint
from hotspot.charts import Grid, Values, mean, spread


class Topic(StrEnum):
    """What a chart shows. Curves are named by radio, or by the words beside it."""

    CLIENTS = "clients"
    """Associated, by radio; the whole device's where it tells none by radio, under the empty name."""

    UTILISATION = "utilisation"
    """Ratio, by radio."""

    THROUGHPUT = "throughput"
    """bit/s: `down` to the clients, `up` from them."""

    LOAD = "load"
    """Ratio: `cpu`, `memory`."""


DOWN, BLIND = "down", "blind"
"""States of a step that has no values: it did not answer, or nobody asked."""


@dataclass(frozen=True, slots=True)
class Curves:
    """`states`: a word a step, empty where it was up at least once. A topic that the device does not tell is absent."""

    grid: Grid
    states: tuple[str, ...]
    topics: Mapping[Topic, Mapping[str, Values]]


def curves(points: Sequence[Point], grid: Grid) -> Curves:
    """From polls in the order of time. Between two that are further apart than a step there is no rate."""
    steps = spread(grid, points, lambda point: point.at)
    radios = sorted({radio.radio for point in points for radio in point.radios})
    rates = spread(grid, _rates(points, grid.step), lambda rate: rate.at)
    by_radio = {
        Topic.CLIENTS: {name: _of_radio(steps, name, lambda radio: radio.clients) for name in radios},
        Topic.UTILISATION: {name: _of_radio(steps, name, lambda radio: radio.utilisation_ratio) for name in radios},
        Topic.THROUGHPUT: {
            "down": tuple(mean(each.down for each in step) for step in rates),
            "up": tuple(mean(each.up for each in step) for step in rates),
        },
        Topic.LOAD: {
            "cpu": tuple(mean(point.cpu_ratio for point in step) for step in steps),
            "memory": tuple(mean(point.memory_ratio for point in step) for step in steps),
        },
    }
    told = {topic: told_of(found) for topic, found in by_radio.items()}
    if not told[Topic.CLIENTS]:
        told[Topic.CLIENTS] = told_of({"": tuple(mean(point.clients for point in step) for step in steps)})
    states = settled([_state(step) for step in steps])
    return Curves(grid, states, {topic: found for topic, found in told.items() if found})


def told_of(found: Mapping[str, Values]) -> dict[str, Values]:
    """Without the curves that have no value at all."""
    return {name: values for name, values in found.items() if any(value is not None for value in values)}


def known_since(found: Curves, at: datetime) -> Curves:
    """Nothing is said of the time before an access point was there."""
    states = ("" if found.grid.at(index + 1) <= at else state for index, state in enumerate(found.states))
    return replace(found, states=tuple(states))


def settled(states: Sequence[str]) -> tuple[str, ...]:
    """The last step is not over: that no poll lies in it yet says nothing, unless none lies in the one before."""
    waiting = states[-1] == BLIND and states[-2:-1] != [BLIND]
    return (*states[:-1], "") if waiting else tuple(states)


def _state(step: Sequence[Point]) -> str:
    if not step:
        return BLIND
    return "" if any(point.up for point in step) else DOWN


def _of_radio(steps: Sequence[Sequence[Point]], name: str, value: Callable[[RadioPoint], float | None]) -> Values:
    return tuple(
        mean(value(radio) for point in step for radio in point.radios if radio.radio == name) for step in steps
    )


@dataclass(frozen=True, slots=True)
class _Rate:
    at: datetime
    down: float | None
    up: float | None


def _rates(points: Sequence[Point], longest: timedelta) -> Iterable[_Rate]:
    """Bits a second between two polls that both were answered."""
    for before, after in pairwise(points):
        apart = after.at - before.at
        if before.up and after.up and timedelta() < apart <= longest:
            down = _rate(before.octets_down, after.octets_down, apart)
            yield _Rate(after.at, down, _rate(before.octets_up, after.octets_up, apart))


def _rate(before: int | None, after: int | None, apart: timedelta) -> float | None:
    if before is None or after is None or after < before:
        return None
    return (after - before) * 8 / apart.total_seconds()
