"""What `kogge radius test` says of each step: one line, and a hint where it failed. Made of values; it asks nobody."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hotspot.errors import WireError

COLUMNS = 80
NAME_COLUMNS = 35


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was asked for and what came of it. `seconds`: until the reply, None where there was none.

    `answered` False: nobody answers there, so there is no point in asking on.
    """

    name: str
    ok: bool
    seconds: float | None = None
    detail: str = ""
    hint: str = ""
    answered: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Which server was asked, and from where."""

    city: str
    server: str
    auth_port: int
    acct_port: int
    source: str


def headline(place: Place) -> str:
    return (
        f"{place.city}: RADIUS at {place.server}, ports {place.auth_port} (log-in) and {place.acct_port} (accounting)"
    )


def line(step: Step) -> str:
    """The step's line; its hint stands below, folded for a terminal of 80 columns."""
    took = f"{step.seconds * 1000:7.1f} ms" if step.seconds is not None else " " * 10
    text = f"{'✓' if step.ok else '✗'} {step.name:{NAME_COLUMNS}}{took}  {step.detail}".rstrip()
    folded = textwrap.wrap(step.hint, COLUMNS, initial_indent="    ", subsequent_indent="    ", break_long_words=False)
    return "\n".join([text, *folded])


def verdict(steps: Sequence[Step], planned: int) -> str:
    """The last line. `planned`: how many steps there are; a server that does not answer is not asked all of them."""
    failed = sum(not step.ok for step in steps)
    if not failed:
        return f"All {planned} steps passed. What the test wrote is deleted again."
    left = f", {planned - len(steps)} were not tried" if planned > len(steps) else ""
    return f"{failed} of {planned} steps failed{left}. What the test wrote is deleted again."


def document(place: Place, steps: Sequence[Step], planned: int) -> dict[str, Any]:
    """What `--json` prints; `milliseconds` is null where no reply was waited for or none came."""
    return {
        "city": place.city,
        "server": place.server,
        "auth_port": place.auth_port,
        "acct_port": place.acct_port,
        "source": place.source,
        "ok": all(step.ok for step in steps),
        "planned": planned,
        "steps": [
            {
                "name": step.name,
                "ok": step.ok,
                "milliseconds": None if step.seconds is None else round(step.seconds * 1000, 1),
                "detail": step.detail,
                "hint": step.hint,
            }
            for step in steps
        ],
    }


# What an operator looks at first ------------------------------------------------------------------------


def unanswered(name: str, error: OSError | WireError, place: Place, port: int) -> Step:
    """A step that got no true answer."""
    where = f"{place.server} port {port}"
    if isinstance(error, WireError):
        hint = f"Another RADIUS server on {where}? Or `kogge radius` serves another installation than this one."
        return Step(name, False, detail=f"a wrong answer ({error.reason})", hint=hint, answered=False)
    if isinstance(error, ConnectionRefusedError):
        hint = f"Nothing listens on {where}. Is `kogge radius` running, with this city? Its log names its cities."
        return Step(name, False, detail="refused", hint=hint, answered=False)
    if isinstance(error, TimeoutError):
        hint = (
            f"Something listens on {where} and keeps silent. Is it `kogge radius` of this installation? Does its log "
            "name a fault, such as a database that is away? Does a firewall drop UDP on this machine?"
        )
        return Step(name, False, detail="no answer", hint=hint, answered=False)
    hint = f"Is {place.server} (`radius.listen`) an address of this machine? Run the test where `kogge radius` runs."
    return Step(name, False, detail=f"cannot be asked ({error.strerror})", hint=hint, answered=False)


OTHER_INSTALLATION = (
    "Does `kogge radius` serve another installation or database than this one? Restart it after a change of the files."
)

REFUSED = {
    "unknown_user": f"RADIUS did not find the ticket that stands in this database. {OTHER_INSTALLATION}",
    "wrong_device": f"RADIUS did not find the device that stands in this database. {OTHER_INSTALLATION}",
    "wrong_password": f"RADIUS and this command hold different ticket keys. {OTHER_INSTALLATION}",
    "ticket_expired": "The ticket is seconds old: does another machine, with another clock, run `kogge radius`?",
    "not_remembered": "The accounting Start did not make RADIUS remember the device; see the steps before.",
}
"""Why a log-in of the test was refused, by the decision's reason: its device is fresh, so few things can be wrong."""


def refused(name: str, seconds: float, reason: str | None) -> Step:
    """A log-in that should have been accepted."""
    hint = REFUSED.get(reason or "", "The log of `kogge radius` may say more.")
    return Step(name, False, seconds, f"Access-Reject: {reason or 'no reason logged'}", hint)
