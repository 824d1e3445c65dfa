"""`kogge sessions` as a person reads it and as a script does. Made of values; it asks no store and no clock.

Residents' privacy: a session has its number and no device, as on the staff page. No MAC address, no IP address and
no Acct-Session-Id (some NASes put the MAC address into it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Group
from rich.text import Text

from hotspot.values import Octets
from ops.columns import Column, table_of
from ops.words import NOTHING, duration, iso, moment, printable, rate, volume
from store.bssids import BssidOwner
from store.sessions import SessionView

WIDE = 100
"""From this many columns on there is room for site and plan."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One reading. `sessions` are the newest of `is_open` open ones and `ended` that ended since `ended_since`."""

    city: str
    zone: ZoneInfo
    at: datetime
    ended_since: datetime
    is_open: int
    ended: int
    sessions: Sequence[SessionView]
    access_points: Mapping[int, BssidOwner] = field(default_factory=dict)
    """Where each is, by its number, as far as that is known by BSSID."""


# Rates ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rate:
    """Bits a second, as the resident sees it."""

    down: float
    up: float


@dataclass(frozen=True, slots=True)
class Total:
    """Bits a second of that many sessions together."""

    down: float
    up: float
    sessions: int


@dataclass(frozen=True, slots=True)
class _Counted:
    at: datetime
    octets: Octets
    rate: Rate | None = None


class Rates:
    """Rates of open sessions, from two of their accounting records. It remembers the sessions of the last reading.

    A session has none until its NAS has reported twice while we were looking: counters come with the interim updates.
    """

    def __init__(self) -> None:
        self._counted: dict[int, _Counted] = {}

    def feed(self, sessions: Iterable[SessionView]) -> None:
        """Take another reading."""
        before = self._counted
        self._counted = {each.id: _follow(before.get(each.id), each) for each in sessions if each.ended_at is None}

    def of(self, session_id: int) -> Rate | None:
        counted = self._counted.get(session_id)
        return None if counted is None else counted.rate

    def total(self) -> Total | None:
        """The sum of those that are known; None where none is."""
        known = [each.rate for each in self._counted.values() if each.rate is not None]
        return Total(sum(each.down for each in known), sum(each.up for each in known), len(known)) if known else None


def _follow(before: _Counted | None, session: SessionView) -> _Counted:
    seconds = (session.updated_at - before.at).total_seconds() if before else 0.0
    if before is None or seconds <= 0:
        return before or _Counted(session.updated_at, session.octets)
    more = session.octets - before.octets
    return _Counted(session.updated_at, session.octets, Rate(8 * more.down / seconds, 8 * more.up / seconds))


# Tables -----------------------------------------------------------------------------------------------

Shown = Column[SessionView, Listing]

_SESSION = Shown("Session", lambda view, _: str(view.id), right=True)
_SINCE = Shown("Since", lambda view, listing: moment(view.started_at, listing.zone, now=listing.at))
_NAS = Shown("NAS", lambda view, _: view.nas_name, flexible=True)
_POINT = Shown("Access point", lambda view, listing: _point(view, listing), flexible=True, wide=True)
_SITE = Shown("Site", lambda view, listing: _site(view, listing), flexible=True, wide=True)
_PLAN = Shown("Plan", lambda view, _: view.plan_name or NOTHING, flexible=True, wide=True)
_LASTED = Shown("Lasted", lambda view, listing: duration(_lasted(view, listing.at)), right=True)
_RECEIVED = Shown("Received", lambda view, _: volume(view.octets.down), right=True)
_SENT = Shown("Sent", lambda view, _: volume(view.octets.up), right=True)
_STATE = Shown("State", lambda view, _: state_of(view), flexible=True)

_LIST = (_SESSION, _SINCE, _NAS, _POINT, _SITE, _PLAN, _LASTED, _RECEIVED, _SENT, _STATE)


def _live(rates: Rates) -> tuple[Shown, ...]:
    """Rates take the places of plan and duration."""
    down = Shown("kbit/s down", lambda view, _: _kbps(rates.of(view.id), "down"), right=True)
    up = Shown("kbit/s up", lambda view, _: _kbps(rates.of(view.id), "up"), right=True)
    return _SESSION, _SINCE, _NAS, _POINT, _SITE, _RECEIVED, replace(_SENT, wide=True), down, up, _STATE


def _point(view: SessionView, listing: Listing) -> str:
    owner = listing.access_points.get(view.id)
    return NOTHING if owner is None else printable(owner.name)


def _site(view: SessionView, listing: Listing) -> str:
    """The access point's place, which says more than that of a gateway for many places."""
    owner = listing.access_points.get(view.id)
    return view.site_name if owner is None else owner.site_name


def _lasted(view: SessionView, now: datetime) -> int:
    """An open session lasts until now, whatever its NAS reported last."""
    return view.seconds if view.ended_at else int((now - view.started_at).total_seconds())


def _kbps(rate: Rate | None, direction: str) -> str:
    return NOTHING if rate is None else f"{getattr(rate, direction) / 1000:.0f}"


def state_of(view: SessionView) -> str:
    """`online`, or the Disconnect that is to end it; after its end the cause, with a tilde where it is estimated."""
    if view.ended_at is None:
        return f"disconnect {view.disconnect}" if view.disconnect else "online"
    return f"{'~' if view.estimated else ''}{view.terminate_cause or 'ended'}"


def listing_screen(listing: Listing, *, width: int) -> Group:
    """The table with its headline, for a terminal of that width."""
    return _screen(listing, [_headline(listing)], _LIST, listing.sessions, width)


def live_screen(listing: Listing, rates: Rates, *, width: int, rows: int) -> Group:
    """The newest `rows` of them, with the rate of each."""
    return _screen(listing, [_headline(listing), _sums(rates)], _live(rates), listing.sessions[:rows], width)


def _headline(listing: Listing) -> str:
    at = listing.at.astimezone(listing.zone)
    return f"{listing.city}, {at:%Y-%m-%d %H:%M:%S %Z}: {listing.is_open} open, {listing.ended} ended within the hour"


def _sums(rates: Rates) -> str:
    total = rates.total()
    if total is None:
        return "Rates come with the NASes' next interim updates."
    return f"{rate(total.down)} down, {rate(total.up)} up; measured: {total.sessions}"


def _screen(
    listing: Listing, head: list[str], columns: Sequence[Shown], views: Sequence[SessionView], width: int
) -> Group:
    hidden = [column for column in columns if column.wide and width < WIDE]
    hidden += [] if listing.access_points else [_POINT]
    columns = [column for column in columns if column not in hidden]
    left_out = listing.is_open + listing.ended - len(views)
    notes = [Text(f"{left_out} older ones are not shown.")] if left_out > 0 else []
    return Group(*map(Text, head), Text(), table_of(columns, views, listing) if views else Text("No sessions."), *notes)


# For scripts ------------------------------------------------------------------------------------------


def document(listing: Listing) -> dict[str, Any]:
    """What `--json` prints. Times are ISO 8601 in UTC, octets integers as the resident sees them."""
    return {
        "city": listing.city,
        "at": iso(listing.at),
        "ended_since": iso(listing.ended_since),
        "open": listing.is_open,
        "ended": listing.ended,
        "sessions": [_session(each, listing.access_points.get(each.id)) for each in listing.sessions],
    }


def _session(view: SessionView, owner: BssidOwner | None) -> dict[str, Any]:
    return {
        "id": view.id,
        "nas": view.nas_name,
        "site": view.site_key,
        "access_point": owner.name if owner else None,
        "access_point_site": owner.site_key if owner else None,
        "ssid": view.ssid,
        "plan": view.plan_name,
        "started_at": iso(view.started_at),
        "heard_at": iso(view.updated_at),
        "ended_at": iso(view.ended_at),
        "seconds": view.seconds,
        "octets_down": view.octets.down,
        "octets_up": view.octets.up,
        "end_cause": view.terminate_cause,
        "end_estimated": view.estimated,
        "disconnect": view.disconnect,
        "disconnect_error_cause": view.error_cause,
    }
