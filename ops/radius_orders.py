"""`kogge radius disconnect` and `kogge radius coa`: one order for one session, and what the NAS says to it.

The running RADIUS does it; these commands only write the order and read what becomes of it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from hotspot.error_causes import in_words
from hotspot.errors import ConfigError
from ops.command import at, city_key, city_of, plainly
from service.cities import City
from store import audit, outbox, sessions
from store.outbox import BY_OPERATOR, FINAL, Kind, Order, State

WAIT_SECONDS, WAIT_MAX = 30, 600
"""How long to wait for the end: four requests take 15 s, and a NAS needs a moment to send its Stop."""

LOOK_SECONDS = 0.2

session_id = click.argument("session_id", metavar="SESSION", type=click.IntRange(1))
wait = click.option(
    "--wait",
    "wait_seconds",
    type=click.IntRange(0, WAIT_MAX),
    default=WAIT_SECONDS,
    show_default=True,
    help="Seconds to wait for the end; 0 only orders it.",
)


@click.command("disconnect")
@city_key
@session_id
@wait
@at
def disconnect(city: str, session_id: int, wait_seconds: int, folder: Path) -> None:
    """End a session: a Disconnect-Request to its NAS (RFC 5176).

    SESSION is the number that `kogge sessions` shows. The device may log in again; "disconnect" on the staff page
    takes its admission, too.
    """
    _order(Kind.DISCONNECT, city, session_id, wait_seconds, folder)


@click.command("coa")
@city_key
@session_id
@wait
@at
def coa(city: str, session_id: int, wait_seconds: int, folder: Path) -> None:
    """Tell a session's NAS its limits as they are now: a CoA-Request (RFC 5176).

    All of them: time, idle time, rates and volume. A session that has nothing left is disconnected. SESSION is the
    number that `kogge sessions` shows.
    """
    _order(Kind.COA, city, session_id, wait_seconds, folder)


def _order(kind: Kind, key: str, session_id: int, wait_seconds: int, folder: Path) -> None:
    with plainly(), city_of(folder, key) as city:
        order_id = _want(city, kind, session_id)
        last = None
        for order in _watch(city, order_id, wait_seconds):
            last = order
            click.echo(told(order))
    if wait_seconds and last is not None and last.state is not State.CONFIRMED:
        click.echo(HINTS[last.state], err=True)
        sys.exit(1)


def _want(city: City, kind: Kind, session_id: int) -> int:
    """The order's id. ConfigError where there is no such open session."""
    now = datetime.now(UTC)
    with city.store.write() as conn:
        view = sessions.by_id(conn, session_id)
        if view is None:
            raise ConfigError(f"{city.key} has no session {session_id}; see `kogge sessions {city.key}`")
        if view.ended_at is not None:
            raise ConfigError(f"session {session_id} ended at {view.ended_at:%Y-%m-%d %H:%M:%S} UTC")
        audit.add(conn, now=now, action=f"session.{kind.value}", subject=f"session:{session_id}", by=BY_OPERATOR)
        return outbox.want(conn, kind, session_id, reason=BY_OPERATOR, now=now)


def _watch(city: City, order_id: int, wait_seconds: int) -> Iterator[Order]:
    """The order each time that it changed, until it is done or the time is over."""
    until, shown = time.monotonic() + wait_seconds, None
    while True:
        with city.store.read() as conn:
            order = outbox.by_id(conn, order_id)
        if order is not None and order != shown:
            shown = order
            yield order
        if order is None or order.state in FINAL or time.monotonic() >= until:
            return
        time.sleep(LOOK_SECONDS)


def told(order: Order) -> str:
    """An order's state in a line."""
    line = f"{order.kind.value} {order.state.value}{_DETAILS.get(order.state, '')}"
    if order.state is State.SENT and order.attempts > 1:
        line += f", attempt {order.attempts}"
    if order.state is State.REFUSED:
        line += f": {in_words(order.error_cause, asked=order.attempts > 0)}"
    return line


_DETAILS = {
    State.ACKED: ": the NAS agreed; waiting for the session's Stop",
    State.UNANSWERED: ": the NAS did not answer",
}

HINTS = {
    State.WANTED: "No RADIUS took the order yet; does `kogge radius` run? It stays and will be done.",
    State.SENT: "The NAS has not answered yet; `kogge sessions` shows what becomes of it.",
    State.ACKED: "The NAS agreed, but its Stop has not come yet; until then the session counts as open.",
    State.REFUSED: "The NAS keeps the session as it is.",
    State.UNANSWERED: "Does the NAS take these requests from this server, on the port and with the secret known here?",
}
"""What to make of an order that is not confirmed."""
