"""`kogge ap list` and `watch` as a person reads them and as a script does. Made of values; it asks no store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Group
from rich.text import Text

from hotspot.ap_events import ApEvent
from ops.columns import Column, table_of
from ops.words import NOTHING, iso, moment, printable
from store.ap_list import Point, State

WIDE = 100
"""From this many columns on there is room for model and address."""

BLIND = "Nobody polls: kogge monitor does not run, or cannot write. What is below is old."

STYLES = {State.UP: "green", State.DOWN: "bold red", State.UNKNOWN: "yellow", State.RETIRED: "dim"}


@dataclass(frozen=True, slots=True)
class Fleet:
    """One reading. `points` are the first of those wanted; `counts` are of all of them. `blind`: nobody polls."""

    city: str
    zone: ZoneInfo
    at: datetime
    counts: Mapping[State, int]
    points: Sequence[Point]
    blind: bool
    events: Sequence[tuple[str, ApEvent]] = ()
    """The newest, each with its access point's name."""


Cell = Callable[[Point, Fleet], Text]


def _plain(value: Callable[[Point], str]) -> Cell:
    return lambda point, _: Text(printable(value(point)))


def state_of(point: Point) -> str:
    """`up`, `down: timeout`, `controller silent`, `not polled yet`, `retired`."""
    if point.state is State.DOWN:
        return f"down: {point.failure}" if point.failure else "down"
    if point.state is State.UNKNOWN:
        return "controller silent" if point.controller_silent else "not polled yet"
    return point.state.value


def _state(point: Point, _fleet: Fleet) -> Text:
    return Text(state_of(point), style=STYLES[point.state])


def _since(point: Point, fleet: Fleet) -> Text:
    since = point.retired_at or (point.since if point.state is not State.UNKNOWN else None)
    return Text(moment(since, fleet.zone, now=fleet.at) if since else NOTHING)


def clients(point: Point) -> str:
    told = point.reading.get("clients")
    return NOTHING if told is None else str(told)


def address_of(point: Point) -> str:
    """With its port where that is not SNMP's own; behind a controller the controller's name."""
    if not point.address:
        return f"via {point.controller_name}" if point.controller_name else NOTHING
    return point.address if point.port == 161 else f"{point.address}:{point.port}"


_COLUMNS = (
    Column("Name", _plain(lambda point: point.name), flexible=True),
    Column("Site", _plain(lambda point: point.site_name), flexible=True),
    Column("Address", _plain(address_of), wide=True),
    Column("Model", _plain(lambda point: point.model or NOTHING), flexible=True, wide=True),
    Column("State", _state),
    Column("Since", _since),
    Column("Clients", _plain(clients), right=True),
)


def fleet_screen(fleet: Fleet, *, width: int, rows: int | None = None) -> Group:
    """Headline and table for a terminal of that width; at most `rows` of them, and the newest events below."""
    shown = fleet.points if rows is None else fleet.points[:rows]
    columns = [column for column in _COLUMNS if width >= WIDE or not column.wide]
    left_out = len(fleet.points) - len(shown)
    notes = [Text(f"{left_out} more are not shown.")] if left_out > 0 else []
    events = [event_line(name, event, zone=fleet.zone, now=fleet.at) for name, event in fleet.events]
    heading = [Text(), Text("Lately", style="bold")] if events else []
    points = table_of(columns, shown, fleet) if shown else Text("No access points.")
    return Group(*_head(fleet), Text(), points, *notes, *heading, *events)


def _head(fleet: Fleet) -> list[Text]:
    line = Text(f"{fleet.city}, {fleet.at.astimezone(fleet.zone):%Y-%m-%d %H:%M:%S %Z}: ")
    told = [(state, number) for state, number in fleet.counts.items() if state is not State.RETIRED or number]
    for place, (state, number) in enumerate(sorted(told, key=lambda each: list(STYLES).index(each[0]))):
        line.append(", " if place else "")
        line.append(f"{number} {state.value}", style=STYLES[state] if number else "")
    blind = Text(
        "Nobody polls: kogge monitor does not run, or cannot write. What is below is old.", style="bold yellow"
    )
    return [line, blind] if fleet.blind else [line]


def event_line(name: str, event: ApEvent, *, zone: ZoneInfo, now: datetime) -> Text:
    """`18:02 markt-1 channel 2.4: 6 → 11`"""
    styles = {"up": STYLES[State.UP], "down": STYLES[State.DOWN]}
    line = Text(f"{moment(event.at, zone, now=now):>11} ")
    line.append(f"{printable(name)} " if name else "")
    line.append(event.kind.value, style=styles.get(event.kind.value, ""))
    radio = f" {event.radio}" if event.radio else ""
    change = " → ".join(printable(each) for each in (event.before, event.after) if each)
    return line.append(f"{radio}{': ' if change else ''}{change}")


# For scripts ------------------------------------------------------------------------------------------


def fleet_document(fleet: Fleet) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "city": fleet.city,
        "at": iso(fleet.at),
        "monitor_sees": not fleet.blind,
        "counts": {state.value: number for state, number in fleet.counts.items()},
        "access_points": [point_document(each) for each in fleet.points],
    }


_WORDS = ("id", "name", "site_key", "address", "port", "controller_name", "failure", "model", "firmware", "serial")
_TIMES = ("checked_at", "since", "last_success_at", "retired_at")


def point_document(point: Point) -> dict[str, Any]:
    """One access point; `reading` is what the last poll told, empty unless it is up."""
    known = {name.removesuffix("_key").removesuffix("_name"): getattr(point, name) for name in _WORDS if name != "name"}
    return (
        {"name": point.name, "kind": point.kind.value, "state": point.state.value}
        | known
        | {"profile": point.profile}
        | {name: iso(getattr(point, name)) for name in _TIMES}
        | {"reading": point.reading}
    )


def event_document(name: str, event: ApEvent) -> dict[str, Any]:
    return {
        "access_point": name,
        "at": iso(event.at),
        "kind": event.kind.value,
        "radio": event.radio,
        "before": event.before,
        "after": event.after,
    }
