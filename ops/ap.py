"""`kogge ap`: access points listed, shown and watched. What changes them: `ops.ap_changes`, `ops.ap_file`, …"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import click
from rich.console import RenderableType
from rich.live import Live
from rich.text import Text

from hotspot.ap_events import ApEvent
from hotspot.errors import ConfigError
from hotspot.fleet import PointKind
from ops.ap_detail import Detail, detail_document, detail_screen
from ops.ap_screen import Fleet, event_document, event_line, fleet_document, fleet_screen
from ops.ap_words import now_
from ops.command import at, city_key, city_of, plainly
from ops.sessions import terminal
from ops.words import iso
from service.cities import City
from service.processes import stop_event
from store import ap_events, ap_list, availability, points
from store.ap_list import Point, State, Wanted
from store.nases import COMMAND_LINE
from store.store import Connection, Unavailable

LIMIT, LIMIT_MAX = 1_000, 20_000

WATCH_SECONDS = 5.0
"""Between two readings of `kogge ap watch`: polls are rarer."""

HEADING_LINES = 6
"""Lines of a live screen that are no access points."""

EVENTS_WATCHED = 5
EVENTS_SHOWN = 10
EVENTS_MAX = 10_000
SESSIONS_SHOWN = 100
PERIOD = timedelta(days=7)
BLIND_AFTER = timedelta(minutes=5)
"""The monitor notes every minute that it sees."""

_AGES = {"m": "minutes", "h": "hours", "d": "days"}


@click.group("ap")
def command() -> None:
    """Find, add, watch and retire access points.

    A change takes effect within seconds, without a restart.
    """


def filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Which access points are meant."""
    options = (
        click.option("--site", default="", metavar="KEY", help="Only this site."),
        click.option(
            "--state", type=click.Choice([each.value for each in State]), default=None, help="Only this state."
        ),
        click.option("--search", default="", metavar="TEXT", help="In name, address, model, serial number or site."),
    )
    for option in reversed(options):
        command = option(command)
    return command


# The list -----------------------------------------------------------------------------------------------


@command.command("list")
@city_key
@filter_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts.")
@click.option("--limit", type=click.IntRange(1, LIMIT_MAX), default=LIMIT, show_default=True, help="How many to show.")
@at
def list_points(city: str, site: str, state: str | None, search: str, as_json: bool, limit: int, folder: Path) -> None:
    """List access points, what is down first.

    With what the last poll found. Retired ones only with --state retired. Times are the city's own.

    \b
    kogge ap list rostock --state down
    kogge ap list rostock --json | jq '.access_points[] | select(.reading.clients > 40) | .name'
    """
    with plainly(), city_of(folder, city) as opened:
        found = read(opened, Wanted(text=search, state=state or "", site=site), limit=limit, now=now_())
        if as_json:
            click.echo(json.dumps(fleet_document(found), indent=2, ensure_ascii=False))
            return
        console = terminal()
        console.print(fleet_screen(found, width=console.width))
        left_out = _wanted_count(found, state) - len(found.points)
        if left_out > 0:
            console.print(f"{left_out} more are not shown; --limit shows more.")


def _wanted_count(found: Fleet, state: str | None) -> int:
    return sum(n for each, n in found.counts.items() if (each.value == state if state else each is not State.RETIRED))


def read(city: City, wanted: Wanted, *, limit: int, now: datetime, events: int = 0) -> Fleet:
    """The access points as they stand. ConfigError where there is no such site."""
    with city.store.read() as conn:
        if wanted.site:
            _require_site(conn, city, wanted.site)
        return Fleet(
            city=city.key,
            zone=city.zone,
            at=now,
            counts=ap_list.counts(conn, wanted),
            points=ap_list.some(conn, wanted, limit=limit, offset=0),
            blind=_blind(conn, now),
            events=_named_events(conn, since=now - timedelta(hours=1), limit=events) if events else (),
        )


def _require_site(conn: Connection, city: City, key: str) -> None:
    known = {each.key for each in ap_list.sites(conn)}
    if key not in known:
        raise ConfigError(f"{city.key} has no site {key!r}; there are {', '.join(sorted(known))}")


def _blind(conn: Connection, now: datetime) -> bool:
    watched = ap_list.watched_until(conn)
    return watched is None or now - watched > BLIND_AFTER


# Watching -----------------------------------------------------------------------------------------------


@command.command("watch")
@city_key
@filter_options
@at
def watch_points(city: str, site: str, state: str | None, search: str, folder: Path) -> None:
    """Show the access points again and again until Ctrl-C.

    In place on a terminal, as many as fit, what is down first, and the newest events below. In a pipe one table
    follows another. It reads what the monitor found; `kogge ap poll` asks an access point itself.
    """
    with plainly(), city_of(folder, city) as opened:
        wanted = Wanted(text=search, state=state or "", site=site)
        read(opened, wanted, limit=1, now=now_())  # a wrong site is told before the screen is taken
        watch_until(opened, wanted, stop_event(), clock=now_)


def watch_until(city: City, wanted: Wanted, stopping: Event, *, clock: Callable[[], datetime]) -> None:
    """Until `stopping`; goes on while the database is away."""
    console = terminal()
    in_place = Live(console=console, auto_refresh=False) if console.is_terminal else nullcontext()
    with in_place as live:
        while not stopping.is_set():
            rows = max(1, console.height - HEADING_LINES - EVENTS_WATCHED - 2) if live else LIMIT
            frame = _frame(city, wanted, now=clock(), width=console.width, rows=rows)
            if live:
                live.update(frame, refresh=True)
            else:
                console.print(frame, "")
            stopping.wait(WATCH_SECONDS)


def _frame(city: City, wanted: Wanted, *, now: datetime, width: int, rows: int) -> RenderableType:
    try:
        found = read(city, wanted, limit=LIMIT, now=now, events=EVENTS_WATCHED)
    except Unavailable:
        return Text("The database does not answer; still trying.")
    return fleet_screen(found, width=width, rows=rows)


# One ----------------------------------------------------------------------------------------------------


@command.command("show")
@city_key
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts; without secrets.")
@click.option("--secrets", is_flag=True, help="Show what to type into it, community or passwords included.")
@at
def show(city: str, name: str, as_json: bool, secrets: bool, folder: Path) -> None:
    """Show all that is known of an access point.

    Its health, radios, networks, events, availability, and the sessions there.

    With --secrets also what is typed into its SNMP settings; the audit log notes that somebody looked.
    """
    if as_json and secrets:
        raise click.UsageError("--json shows no secrets; leave one of the two out")
    with plainly(), city_of(folder, city) as opened:
        detail = look_at(opened, name, secrets=secrets, now=now_())
        if secrets:
            with opened.store.write() as conn:
                subject = f"access_point:{detail.point.id}"
                points.note_secrets_shown(conn, subject=subject, author=COMMAND_LINE, now=now_())
        if as_json:
            click.echo(json.dumps(detail_document(detail), indent=2, ensure_ascii=False))
        else:
            terminal().print(detail_screen(detail))


def look_at(city: City, name: str, *, secrets: bool, now: datetime) -> Detail:
    """One consistent read. ConfigError where there is no access point of that name, nor was one."""
    with city.store.read() as conn:
        point = _point(conn, city, name)
        sessions = ap_list.sessions_at(conn, point.id, limit=SESSIONS_SHOWN + 1)
        return Detail(
            fleet=Fleet(city.key, city.zone, now, {}, (), blind=_blind(conn, now)),
            point=point,
            availability=availability.of_access_point(
                conn, point.id, point.controller_id, since=now - PERIOD, until=now
            ),
            events=ap_events.of_access_point(conn, point.id, limit=EVENTS_SHOWN),
            sessions=sessions[:SESSIONS_SHOWN],
            sessions_left_out=len(sessions) > SESSIONS_SHOWN,
            credential=None
            if point.kind is PointKind.MEMBER
            else points.credential_of(conn, city.store.keys, point.id),
            secrets=secrets,
        )


def _point(conn: Connection, city: City, name: str) -> Point:
    """In service, else the last of that name that was retired."""
    found = points.id_of(conn, name)
    point = None if found is None else ap_list.point(conn, found)
    if point is None:
        raise ConfigError(f"{city.key} has no access point {name!r}; see `kogge ap list {city.key}`")
    return point


# What happened ------------------------------------------------------------------------------------------


@command.command("events")
@city_key
@click.argument("name", required=False)
@click.option("--since", default="7d", show_default=True, metavar="AGE", help="How far back: 90m, 12h, 7d, …")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts.")
@click.option("--limit", type=click.IntRange(1, EVENTS_MAX), default=LIMIT, show_default=True, help="How many to show.")
@at
def events(city: str, name: str | None, since: str, as_json: bool, limit: int, folder: Path) -> None:
    """List what happened, the newest first.

    Up, down, reboots, changes of firmware and channel; of all access points, or of the one called NAME.
    """
    with plainly(), city_of(folder, city) as opened:
        now = now_()
        began = now - _age(since)
        with opened.store.read() as conn:
            only = None if name is None else _point(conn, opened, name)
            found = _named_events(conn, since=began, limit=limit, only=only)
        if as_json:
            listed = [event_document(its, each) for its, each in found]
            document = {"city": city, "at": iso(now), "since": iso(began), "events": listed}
            click.echo(json.dumps(document, indent=2, ensure_ascii=False))
            return
        console = terminal()
        for its, each in found:
            console.print(event_line(its, each, zone=opened.zone, now=now))
        if not found:
            console.print(f"Nothing happened within {since}.")


def _named_events(
    conn: Connection, *, since: datetime, limit: int, only: Point | None = None
) -> list[tuple[str, ApEvent]]:
    if only is not None:
        own = ap_events.of_access_point(conn, only.id, limit=limit)
        return [(only.name, each) for each in own if each.at >= since]
    names = points.names(conn)
    return [(names[each.access_point_id], each) for each in ap_events.recent(conn, since=since, limit=limit)]


def _age(said: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,4})([mhd])", said.strip())
    if found is None:
        raise ConfigError(f"--since: {said!r} is no age such as 90m, 12h or 7d")
    return timedelta(**{_AGES[found[2]]: int(found[1])})
