"""How long the access points of each place were up, down and unseen: from events, watches and health, for reports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from hotspot.ap_events import ApEvent
from hotspot.availability import Availability, Stretch, availability, seen_through
from hotspot.fleet import PointKind
from store import ap_events, watch
from store.schema import access_point, access_point_health, site


@dataclass(frozen=True, slots=True)
class SiteAvailability:
    """A place: `points` access points that were there for some of the time, controllers not among them.

    `total` adds up theirs: an hour in which two of them were down is two hours.
    """

    name: str
    points: int
    total: Availability


def of_sites(conn: Connection, since: datetime, until: datetime) -> list[SiteAvailability]:
    """Every place that had an access point in [since, until), by name."""
    period = _Period(conn, since, until)
    totals: dict[str, list[Availability]] = defaultdict(list)
    for row in period.points.values():
        if row.kind != PointKind.CONTROLLER and row.created_at < until:
            totals[row.site_name].append(period.of(row))
    return [
        SiteAvailability(name, len(each), sum(each, Availability())) for name, each in sorted(totals.items()) if each
    ]


def of_access_point(
    conn: Connection, access_point_id: int, controller_id: int | None, *, since: datetime, until: datetime
) -> Availability:
    """One of them, in the part of [since, until) in which it was in service; all zero where that is none."""
    only = [access_point_id] if controller_id is None else [access_point_id, controller_id]
    period = _Period(conn, since, until, only)
    row = period.points.get(access_point_id)
    return Availability() if row is None or row.created_at >= until else period.of(row)


class _Period:
    """What is read once for all access points, or for `only` some."""

    def __init__(self, conn: Connection, since: datetime, until: datetime, only: Collection[int] | None = None) -> None:
        self._since, self._until = since, until
        self.points: dict[int, Row[Any]] = {row.id: row for row in conn.execute(_points(since, only))}
        self._up = ap_events.up_at(conn, since, only=only)
        self._events: dict[int, list[ApEvent]] = defaultdict(list)
        for event in ap_events.between(conn, since, until, only=only):
            self._events[event.access_point_id].append(event)
        self._watches = watch.between(conn, since, until)
        self._behind: dict[int, list[Stretch]] = {}

    def of(self, row: Row[Any]) -> Availability:
        since, until = self._there(row)
        watches = self._watches if row.controller_id is None else self._seen(row.controller_id)
        return availability(
            self._events[row.id], watches, since=since, until=until, up_at_start=self._up_at_start(row, since)
        )

    def _there(self, row: Row[Any]) -> tuple[datetime, datetime]:
        """The part of the period in which it was in service."""
        since = max(self._since, row.created_at)
        return since, max(since, min(self._until, row.retired_at or self._until))

    def _up_at_start(self, row: Row[Any], since: datetime) -> bool | None:
        """As its last event before said; where none is kept, as its health has been since."""
        if row.id in self._up or self._events[row.id] or row.since is None or row.since > since:
            return self._up.get(row.id)
        up: bool = row.up
        return up

    def _seen(self, controller_id: int) -> list[Stretch]:
        """What was watched behind a controller."""
        if controller_id not in self._behind:
            row = self.points.get(controller_id)
            self._behind[controller_id] = [] if row is None else self._through(row)
        return self._behind[controller_id]

    def _through(self, row: Row[Any]) -> list[Stretch]:
        since, until = self._there(row)
        up = self._up_at_start(row, since)
        return seen_through(self._events[row.id], self._watches, since=since, until=until, up_at_start=up)


def _points(since: datetime, only: Collection[int] | None) -> Any:
    there = access_point.c.retired_at.is_(None) | (access_point.c.retired_at > since)
    if only is not None:
        there &= access_point.c.id.in_(only)
    return (
        select(
            access_point.c.id,
            access_point.c.kind,
            access_point.c.controller_id,
            access_point.c.created_at,
            access_point.c.retired_at,
            site.c.name.label("site_name"),
            access_point_health.c.up,
            access_point_health.c.since,
        )
        .select_from(access_point.join(site, site.c.id == access_point.c.site_id))
        .outerjoin(access_point_health, access_point_health.c.access_point_id == access_point.c.id)
        .where(there)
    )
