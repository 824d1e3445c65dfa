"""Charts of an access point: each topic with its title, unit, drawing and the table that says the same in numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hotspot.ap_curves import BLIND, DOWN, Curves, Topic
from hotspot.charts import Chart, Grid, Values, chart, coarser, grid_over
from service.speech import Speech
from service.speech import marked as _

SPANS = {1: timedelta(days=1), 7: timedelta(days=7)}
"""What may be looked at, by the number of days in the address."""

STEPS = 288
"""Of a chart: one more would not be seen on 272 units of width. Five minutes of a day, 35 of a week."""

TABLE_ROWS = 24
"""Rows of a chart's table: an hour of a day, seven hours of a week."""

TITLES = {
    Topic.CLIENTS: _("Clients"),
    Topic.UTILISATION: _("Channel utilisation"),
    Topic.THROUGHPUT: _("Throughput"),
    Topic.LOAD: _("Processor and memory"),
}

NAMES = {
    "": _("all radios"),
    "down": _("to the clients"),
    "up": _("from the clients"),
    "cpu": _("processor"),
    "memory": _("memory"),
}
"""Of curves that are no radio's."""

STATES = {DOWN: _("down"), BLIND: _("the monitor did not look")}

PERCENT = (Topic.UTILISATION, Topic.LOAD)

UNITS = ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (1.0, "bit/s"))


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: the means of a stretch; `state` says why there are none."""

    at: datetime
    values: tuple[str, ...]
    state: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as the page shows it. `write` writes a number of its axis or table, unit included."""

    topic: Topic
    title: str
    unit: str
    names: tuple[str, ...]
    drawn: Chart
    rows: tuple[Row, ...]
    write: Callable[[float], str]
    latest: tuple[str, ...]


def grid_of(days: int, *, now: datetime, interval: timedelta) -> Grid:
    """The grid of the last days, with steps in which a poll surely lies."""
    return grid_over(SPANS[days], now=now, steps=STEPS, least=2 * interval)


def pictures(curves: Curves, speech: Speech, zone: ZoneInfo, bands: Mapping[str, str]) -> list[Picture]:
    """A chart for each topic that the device tells. `bands`: of the radios, by name, in GHz."""
    radios = {name: f"{name} ({band} GHz)" for name, band in bands.items()}
    return [_picture(topic, curves, speech, zone, radios) for topic in TITLES if topic in curves.topics]


def _picture(topic: Topic, curves: Curves, speech: Speech, zone: ZoneInfo, radios: Mapping[str, str]) -> Picture:
    found = curves.topics[topic]
    factor, unit = _unit(topic, found)
    scaled = {name: tuple(None if value is None else value / factor for value in found[name]) for name in found}

    def write(value: float) -> str:
        number = speech.number(value, 0 if topic in PERCENT or value >= 10 or value == int(value) else 1)
        return f"{number} {unit}" if unit else number

    top = 100.0 if topic in PERCENT else None
    return Picture(
        topic=topic,
        title=speech.text(TITLES[topic]),
        unit=unit,
        names=tuple(speech.text(NAMES[name]) if name in NAMES else radios.get(name, name) for name in found),
        drawn=chart(curves.grid, scaled, curves.states, top=top, zone=zone),
        rows=_rows(curves, scaled, write),
        write=write,
        latest=tuple(_last(values, write) for values in scaled.values()),
    )


def _unit(topic: Topic, found: Mapping[str, Values]) -> tuple[float, str]:
    """By what the values are divided, and what they are then."""
    if topic in PERCENT:
        return 0.01, "%"
    if topic is Topic.CLIENTS:
        return 1.0, ""
    highest = max(value for values in found.values() for value in values if value is not None)
    return next((each for each in UNITS if highest >= each[0]), UNITS[-1])


def _rows(curves: Curves, scaled: dict[str, Values], write: Callable[[float], str]) -> tuple[Row, ...]:
    """Newest first."""
    size = max(1, -(-curves.grid.count // TABLE_ROWS))
    means = [coarser(values, size) for values in scaled.values()]
    count = len(means[0])
    rows = []
    for index in reversed(range(count)):
        end = curves.grid.count - (count - 1 - index) * size
        begin = max(0, end - size)
        states = set(curves.states[begin:end])
        values = tuple("–" if (value := each[index]) is None else write(value) for each in means)
        rows.append(Row(curves.grid.at(begin), values, states.pop() if len(states) == 1 else ""))
    return tuple(rows)


def _last(values: Values, write: Callable[[float], str]) -> str:
    last = next((value for value in reversed(values) if value is not None), None)
    return "–" if last is None else write(last)
