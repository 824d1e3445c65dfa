"""How the staff's pages of access points put things into words: states, reasons, events, kinds, spans of time."""

from __future__ import annotations

from datetime import timedelta

from hotspot.ap_events import Kind
from hotspot.fleet import PointKind, PollFailure
from service.speech import Speech
from service.speech import marked as _
from store.ap_list import Point, State

STATES = {
    State.DOWN: _("down"),
    State.UNKNOWN: _("unknown"),
    State.UP: _("up"),
    State.RETIRED: _("retired"),
}

FAILURES = {
    PollFailure.TIMEOUT: _("no answer"),
    PollFailure.AUTHENTICATION: _("refuses our credentials"),
    PollFailure.UNREACHABLE: _("unreachable"),
    PollFailure.MALFORMED: _("its answers cannot be read"),
    PollFailure.LOST: _("its controller no longer lists it as connected"),
}

KINDS = {
    PointKind.ACCESS_POINT: _("access point"),
    PointKind.CONTROLLER: _("controller"),
    PointKind.MEMBER: _("access point behind a controller"),
}

EVENTS = {
    Kind.UP: _("up"),
    Kind.DOWN: _("down"),
    Kind.REBOOT: _("restarted"),
    Kind.FIRMWARE: _("other firmware"),
    Kind.CHANNEL: _("other channel"),
    Kind.JOINED: _("joined its controller"),
    Kind.LINK_UP: _("interface up"),
    Kind.LINK_DOWN: _("interface down"),
    Kind.RETIRED: _("retired"),
}

SORTS = {
    "attention": _("What needs attention first"),
    "name": _("Name"),
    "site": _("Place"),
    "model": _("Model"),
    "clients": _("Most clients first"),
    "since": _("Changed last"),
}

TWO_DAYS = timedelta(days=2)


def reason(point: Point) -> str:
    """Why nothing good can be said of it; empty where that is not so. A text for `Speech.text`."""
    if point.state is State.DOWN:
        return FAILURES[PollFailure(point.failure)] if point.failure in set(PollFailure) else ""
    if point.state is State.UNKNOWN:
        return _("its controller does not answer") if point.controller_silent else _("not polled yet")
    return ""


def span(speech: Speech, length: timedelta) -> str:
    """`3 hours 5 minutes`, from two days on `2 days`."""
    return speech.days(length.days) if length >= TWO_DAYS else speech.duration(int(length.total_seconds()))


def seconds(number: float) -> timedelta:
    """For `span`."""
    return timedelta(seconds=number)
