"""Curves over time, scaled into a drawing: polylines, ticks, stretches without values. Knows no markup and no texts.

A curve lies on a grid of equal steps; a step without a value is a gap in the line, never bridged: nobody knows what an
access point did while it was down or while nobody looked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TypeVar
from zoneinfo import ZoneInfo

Values = tuple[float | None, ...]
"""One number a step of the grid; None where there is none."""

Item = TypeVar("Item")

WIDTH, HEIGHT = 320.0, 150.0
"""Of a drawing, in its own units: one unit is one pixel on the smallest phone."""

LEFT, RIGHT, TOP, BOTTOM = 40.0, 8.0, 8.0, 22.0
"""Margins: the axes' words stand left and below."""


@dataclass(frozen=True, slots=True)
class Grid:
    """`count` equal steps from `since` on."""

    since: datetime
    step: timedelta
    count: int

    @property
    def until(self) -> datetime:
        return self.since + self.step * self.count

    def index(self, at: datetime) -> int:
        """The step that a moment lies in; below 0 or beyond `count` outside the grid."""
        return (at - self.since) // self.step

    def at(self, index: int) -> datetime:
        return self.since + self.step * index


def grid_over(span: timedelta, *, now: datetime, steps: int, least: timedelta) -> Grid:
    """A grid of at most `steps` steps up to now, none shorter than `least`, in which a poll surely lies.

    Steps begin at the same moments whenever one looks; the last is not over yet.
    """
    step = max(span / steps, least)
    count = max(1, -(-span // step))
    over = (now - datetime.fromtimestamp(0, now.tzinfo)) % step
    return Grid(now - over + step - step * count, step, count)


def spread(grid: Grid, items: Iterable[Item], at: Callable[[Item], datetime]) -> list[list[Item]]:
    """What lies in each step."""
    steps: list[list[Item]] = [[] for _ in range(grid.count)]
    for item in items:
        index = grid.index(at(item))
        if 0 <= index < grid.count:
            steps[index].append(item)
    return steps


def mean(values: Iterable[float | None]) -> float | None:
    """Of the numbers among them; None where there are none."""
    numbers = [value for value in values if value is not None]
    return sum(numbers) / len(numbers) if numbers else None


def coarser(values: Sequence[float | None], size: int) -> Values:
    """The mean of each `size` steps, from the end of the grid backwards so that the last group is whole."""
    ends = range(len(values), 0, -size)
    return tuple(mean(values[max(0, end - size) : end]) for end in ends)[::-1]


# The drawing --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tick:
    """A word on an axis: where it stands, and of which value it is."""

    place: float
    value: float


@dataclass(frozen=True, slots=True)
class TimeTick:
    place: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the grid in which something was not as it should be, such as `down`."""

    x: float
    width: float
    word: str


@dataclass(frozen=True, slots=True)
class Line:
    """A curve as pieces between its gaps; a piece of one point is a dot."""

    name: str
    pieces: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """What is to be drawn, in units of the drawing."""

    lines: tuple[Line, ...]
    bands: tuple[Band, ...]
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[TimeTick, ...]


def chart(
    grid: Grid, curves: Mapping[str, Values], states: Sequence[str], *, top: float | None, zone: ZoneInfo
) -> Chart:
    """A drawing of these curves. `states`: a word a step, empty where all was well. `top` of the scale; None fits."""
    highest = max((value for values in curves.values() for value in values if value is not None), default=0.0)
    top = top or round_up(highest)
    return Chart(
        lines=tuple(_line(grid, name, values, top) for name, values in curves.items()),
        bands=tuple(_bands(grid, states)),
        y_ticks=tuple(Tick(_y(value, top), value) for value in (0.0, top / 2, top)),
        x_ticks=tuple(TimeTick(_x(grid, at), at) for at in time_ticks(grid, zone)),
    )


def _line(grid: Grid, name: str, values: Values, top: float) -> Line:
    pieces = []
    for there, run in groupby(enumerate(values), key=lambda each: each[1] is not None):
        if there:
            piece = ((_x(grid, grid.at(index) + grid.step / 2), _y(value or 0.0, top)) for index, value in run)
            pieces.append(tuple(piece))
    return Line(name, tuple(pieces))


def _bands(grid: Grid, states: Sequence[str]) -> Iterable[Band]:
    for word, run in groupby(enumerate(states), key=lambda each: each[1]):
        steps = [index for index, _ in run]
        if word:
            x = _x(grid, grid.at(steps[0]))
            yield Band(x, round(_x(grid, grid.at(steps[-1] + 1)) - x, 1), word)


def _x(grid: Grid, at: datetime) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * ((at - grid.since) / (grid.step * grid.count)), 1)


def _y(value: float, top: float) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * min(max(value / top, 0.0), 1.0), 1)


def round_up(value: float) -> float:
    """The next number of the form 2, 4, 10, 20, 40 …: half of it is whole, so the axis has no broken words."""
    scale = 1.0
    while True:
        for factor in (2, 4, 10):
            if value <= factor * scale:
                return factor * scale
        scale *= 10


def time_ticks(grid: Grid, zone: ZoneInfo) -> list[datetime]:
    """Round moments of the zone's clock: every six hours of a day, every second midnight of a week."""
    hours = 6 if grid.until - grid.since <= timedelta(days=2) else 48
    at = grid.since.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    while at < grid.until:
        if at >= grid.since:
            found.append(at)
        at = (at.replace(tzinfo=None) + timedelta(hours=hours)).replace(tzinfo=zone)  # wall clock: midnight stays one
    return found
