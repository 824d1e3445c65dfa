"""`kogge radius disconnect` and `coa`: what they show, and the exit status that a script goes by."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops import radius_orders
from ops.cli import main
from service.cities import City, open_city
from store import audit, outbox
from store.outbox import Change, Kind, State
from tests.support.installation import Written
from tests.support.rows import add_device, add_session


def ask(*words: object) -> Result:
    """`kogge radius …`, through the whole program: click keeps the settings with which a command is first asked."""
    return CliRunner().invoke(main, ["radius", *map(str, words)], catch_exceptions=False)


@pytest.fixture
def city(made: Written) -> Iterator[City]:
    opened = open_city(made.installation, made.cities["rostock"], now=datetime.now(UTC))
    yield opened
    opened.store.close()


@pytest.fixture
def session_id(city: City) -> int:
    now = datetime.now(UTC)
    return add_session(city.store, add_device(city.store, "02-00-5E-10-00-0A", now=now), started_at=now)


class Radius(threading.Thread):
    """What the running service would record, one change after the other."""

    def __init__(self, city: City, kind: Kind, *steps: tuple[State, int | None, int]) -> None:
        super().__init__(daemon=True)
        self.city, self.kind, self.steps = city, kind, steps

    def run(self) -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with self.city.store.read() as conn:
                found = outbox.due(conn, now=datetime.now(UTC), limit=1, each_nas=1)
            if found:
                break
            time.sleep(0.02)
        for state, cause, attempts in self.steps:
            time.sleep(3 * radius_orders.LOOK_SECONDS)
            with self.city.store.write() as conn:
                change = Change(found[0].id, self.kind, state, attempts, cause)
                outbox.record(conn, [change], now=datetime.now(UTC))


@pytest.mark.parametrize(
    ("kind", "steps", "lines", "status"),
    [
        (
            Kind.DISCONNECT,
            [(State.SENT, None, 1), (State.SENT, None, 2), (State.ACKED, None, 2), (State.CONFIRMED, None, 2)],
            [
                "disconnect wanted",
                "disconnect sent",
                "disconnect sent, attempt 2",
                "disconnect acked: the NAS agreed; waiting for the session's Stop",
                "disconnect confirmed",
            ],
            0,
        ),
        (
            Kind.COA,
            [(State.REFUSED, 401, 1)],
            ["coa wanted", "coa refused: 401 Unsupported Attribute", "The NAS keeps the session as it is."],
            1,
        ),
        (
            Kind.COA,
            [(State.REFUSED, 406, 0)],
            [
                "coa wanted",
                "coa refused: 406 Unsupported Extension (the NAS takes no such request)",
                "The NAS keeps the session as it is.",
            ],
            1,
        ),
        (
            Kind.DISCONNECT,
            [(State.UNANSWERED, None, 4)],
            [
                "disconnect wanted",
                "disconnect unanswered: the NAS did not answer",
                radius_orders.HINTS[State.UNANSWERED],
            ],
            1,
        ),
    ],
)
def test_each_step_is_a_line_and_the_end_a_status(
    made: Written,
    city: City,
    session_id: int,
    kind: Kind,
    steps: list[tuple[State, int | None, int]],
    lines: list[str],
    status: int,
) -> None:
    service = Radius(city, kind, *steps)
    service.start()
    told = ask(kind.value, "rostock", session_id, "--wait", 20, "--dir", made.path)
    service.join(20)
    assert told.output.splitlines() == lines and told.exit_code == status


def test_without_a_running_radius_the_order_stands_and_that_is_said(made: Written, city: City, session_id: int) -> None:
    told = ask("disconnect", "rostock", session_id, "--wait", 1, "--dir", made.path)
    assert told.exit_code == 1
    assert told.output.splitlines() == ["disconnect wanted", radius_orders.HINTS[State.WANTED]]
    again = ask("disconnect", "rostock", session_id, "--wait", 0, "--dir", made.path)
    assert again.exit_code == 0 and again.output == "disconnect wanted\n"
    with city.store.read() as conn:
        (order,) = outbox.due(conn, now=datetime.now(UTC), limit=9, each_nas=9)
        entry = audit.entries(conn, limit=1)[0]
    assert (order.kind, order.reason) == (Kind.DISCONNECT, "operator"), "asked twice, ordered once"
    assert (entry.action, entry.subject, entry.login) == ("session.disconnect", f"session:{session_id}", None)


@pytest.mark.parametrize("command", ["disconnect", "coa"])
def test_an_operators_error_is_a_sentence(made: Written, city: City, command: str) -> None:
    unknown = ask(command, "rostock", 4711, "--dir", made.path)
    assert unknown.exit_code == 2 and "rostock has no session 4711; see `kogge sessions rostock`" in unknown.output
    now = datetime.now(UTC)
    device_id = add_device(city.store, "02-00-5E-10-00-0A", now=now)
    ended = add_session(city.store, device_id, started_at=now, ended_at=now)
    over = ask(command, "rostock", ended, "--dir", made.path)
    assert over.exit_code == 2 and f"session {ended} ended at" in over.output
    elsewhere = ask(command, "nowhere", 1, "--dir", made.path)
    assert elsewhere.exit_code == 2 and "nowhere" in elsewhere.output
    assert ask(command, "rostock", "x", "--dir", made.path).exit_code == 2
    assert ask(command, "rostock", 1, "--dir", Path("/nonexistent")).exit_code == 2
