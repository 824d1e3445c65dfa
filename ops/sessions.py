"""`kogge sessions`: who is online in a city, once, live, or as JSON. It reads and never changes anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import click
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from hotspot.errors import ConfigError
from ops.command import at, city_key, city_of, plainly
from ops.session_screen import Listing, Rates, document, listing_screen, live_screen
from service.cities import City
from service.processes import stop_event
from store import bssids, sessions
from store.sessions import Place
from store.store import Unavailable

ENDED_SHOWN = timedelta(hours=1)
"""How long an ended session stays in the list, as on the staff page."""

LIVE_SECONDS = 2.0
"""Between two readings of `--live`: NASes report every minute at most."""

LIMIT, LIMIT_MAX = 100, 10_000

PIPE_COLUMNS = 1_000
"""The width of what is no terminal: there a line is never cut or wrapped."""

HEADING_LINES = 6
"""Lines of a live screen that are no sessions."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Wish:
    """Which sessions are asked for, and at most how many."""

    place: Place
    limit: int


@click.command("sessions")
@city_key
@click.option("--live", is_flag=True, help="Refresh until Ctrl-C, with the rate of each session.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts.")
@click.option("--limit", type=click.IntRange(1, LIMIT_MAX), default=LIMIT, show_default=True, help="How many to show.")
@click.option("--nas", "nas_name", metavar="NAME", help="Only this NAS.")
@click.option("--site", "site_key", metavar="KEY", help="Only this site.")
@at
def command(
    city: str, live: bool, as_json: bool, limit: int, nas_name: str | None, site_key: str | None, folder: Path
) -> None:
    """List the sessions that are open or ended within the hour.

    Newest first. Times are the city's own. "Received" and "Sent" are as the resident sees them, and as fresh as the
    NAS's last interim update. Devices are not shown.

    \b
    kogge sessions rostock
    kogge sessions rostock --nas rostock-gateway --live
    kogge sessions rostock --json | jq '.sessions[] | select(.ended_at == null) | .octets_down'
    """
    if live and as_json:
        raise click.UsageError("--json is one document; call it as often as you need instead of --live")
    wish = Wish(Place(nas_name, site_key), limit)
    with plainly(), city_of(folder, city) as opened:
        _require_known(opened, wish.place)
        if live:
            watch(opened, wish, stop_event(), clock=_now)
        elif as_json:
            click.echo(json.dumps(document(read(opened, wish, now=_now())), indent=2, ensure_ascii=False))
        else:
            console = terminal()
            console.print(listing_screen(read(opened, wish, now=_now()), width=console.width))


def _now() -> datetime:
    return datetime.now(UTC)


def terminal() -> Console:
    """Standard output; so wide where it is no terminal that no line is cut."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_COLUMNS)


def _require_known(city: City, place: Place) -> None:
    with city.store.read() as conn:
        nases, sites = sessions.known_places(conn)
    if place.nas_name is not None and place.nas_name not in nases:
        raise ConfigError(f"{city.key} has no NAS {place.nas_name!r}; see `kogge nas list {city.key}`")
    if place.site_key is not None and place.site_key not in sites:
        raise ConfigError(f"{city.key} has no site {place.site_key!r}; there are {', '.join(sorted(sites))}")


def read(city: City, wish: Wish, *, now: datetime) -> Listing:
    """The sessions as they stand. Raises one of `Unavailable` where the database is away."""
    since = now - ENDED_SHOWN
    with city.store.read() as conn:
        is_open, ended = sessions.count_current(conn, wish.place, ended_since=since)
        found = sessions.current(conn, wish.place, ended_since=since, limit=wish.limit)
        places = bssids.owners_of(conn, [each.id for each in found])
    return Listing(city.key, city.zone, now, since, is_open, ended, found, places)


def watch(city: City, wish: Wish, stopping: Event, *, clock: Clock) -> None:
    """Show the sessions again and again until `stopping`: in place on a terminal, else one table below another."""
    console, rates = terminal(), Rates()
    in_place = Live(console=console, auto_refresh=False) if console.is_terminal else nullcontext()
    with in_place as live:
        while not stopping.is_set():
            rows = console.height - HEADING_LINES if live else wish.limit
            frame = _frame(city, wish, rates, now=clock(), width=console.width, rows=rows)
            if live:
                live.update(frame, refresh=True)
            else:
                console.print(frame, "")
            stopping.wait(LIVE_SECONDS)


def _frame(city: City, wish: Wish, rates: Rates, *, now: datetime, width: int, rows: int) -> RenderableType:
    try:
        listing = read(city, wish, now=now)
    except Unavailable:
        return Text("The database does not answer; still trying.")
    rates.feed(listing.sessions)
    return live_screen(listing, rates, width=width, rows=max(1, rows))
