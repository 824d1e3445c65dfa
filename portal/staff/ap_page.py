"""One access point as staff sees it: what it is, how it does, who is there, what happened, its last day and week."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, abort, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.ap_curves import known_since
from hotspot.availability import Availability
from hotspot.fleet import PointKind
from portal.metrics import PortalMetrics
from portal.pages import speech_for
from portal.staff.access_points import ap_page, blind_since
from portal.staff.ap_charts import SPANS, STATES, pictures
from portal.staff.ap_history import history
from portal.staff.guard import Guard
from service.cities import City
from service.speech import Speech
from store import ap_events, ap_list, availability
from store.ap_list import Point, State
from store.store import Connection

EVENTS_SHOWN = 50
SESSIONS_SHOWN = 100

SPOKEN_OF = (7, 30)
"""Days whose availability is told."""


@dataclass(frozen=True)
class ApPage:
    """What this view needs, made once a city."""

    city: City
    speeches: dict[str, Speech]
    metrics: PortalMetrics
    clock: Callable[[], datetime]
    guard: Guard

    def mount(self, routes: Blueprint) -> None:
        """Add the page to the staff's."""
        routes.get("/staff/access-points/<int:point_id>")(self.access_point)

    def access_point(self, point_id: int) -> AnyResponse:
        now = self.clock()
        with self.city.store.read() as conn:
            point = ap_list.point(conn, point_id)
            if point is None:
                abort(404)
            values = self._around(conn, point, now)
        days = 7 if request.args.get("days") == "7" else 1
        speech, found = speech_for(request, self.speeches), history(self.city, point, days, now=now)
        self.metrics.histories.labels(found.source).inc()
        return self._page(
            point=point,
            days=days,
            spans=SPANS,
            pictures=pictures(known_since(found.curves, point.created_at), speech, self.city.zone, _bands(point)),
            step=found.curves.grid.step,
            instead=found.source == "instead",
            gap_words=STATES,
            **values,
        )

    def _around(self, conn: Connection, point: Point, now: datetime) -> dict[str, Any]:
        """What the database knows besides the access point itself."""
        is_controller = point.kind is PointKind.CONTROLLER
        return {
            "events": ap_events.of_access_point(conn, point.id, limit=EVENTS_SHOWN),
            "sessions": ap_list.sessions_at(conn, point.id, limit=SESSIONS_SHOWN),
            "availability": self._availability(conn, point, now),
            "members": ap_list.members(conn, point.id) if is_controller else None,
            "blind": blind_since(conn, now),
            "counts": {state: int(point.state is state) for state in State},
        }

    def _availability(self, conn: Connection, point: Point, now: datetime) -> dict[int, Availability]:
        """Of the last days, or since it is registered, or until it was retired."""
        until = point.retired_at or now
        return {
            days: availability.of_access_point(
                conn, point.id, point.controller_id, since=until - timedelta(days=days), until=until
            )
            for days in SPOKEN_OF
        }

    def _page(self, **values: Any) -> Response:
        return ap_page(self.city, self.speeches, self.guard, "staff/access_point.html", now=self.clock(), **values)


def _bands(point: Point) -> dict[str, str]:
    """Of its radios by their names, as far as they are known now."""
    return {each["name"]: each["band"] for each in point.reading.get("radios", ()) if each["band"]}
