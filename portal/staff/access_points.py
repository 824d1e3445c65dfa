"""The staff's list of access points: what needs attention first; searched, filtered, sorted, in pages. Their map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from portal.forms import line, row_number
from portal.staff import ap_words
from portal.staff.guard import Guard
from portal.staff.live import ADDRESS, Live
from portal.staff.site_map import condition, drawings
from portal.staff.views import staff_page
from service.cities import City
from service.speech import Speech
from store import ap_list
from store.ap_list import State, Wanted
from store.store import Connection

SEARCH_CHARACTERS_MAX = 100

LIVE_SECONDS = 20
"""How often a list or a map asks again by itself; polls are rarer."""

BLIND_AFTER = timedelta(minutes=5)
"""The monitor notes every minute that it looks; from here on staff is told that it does not."""


@dataclass(frozen=True)
class ApListPages:
    """What these views need, made once a city."""

    city: City
    speeches: dict[str, Speech]
    clock: Callable[[], datetime]
    guard: Guard

    def mount(self, routes: Blueprint) -> None:
        """Add the pages to the staff's."""
        routes.get("/staff/access-points")(self.access_points)
        routes.get("/staff/access-points/map")(self.access_point_map)

    def access_points(self) -> AnyResponse:
        wanted, first = read_wanted(request.args), row_number(request.args.get("from", ""))
        rows = self.city.config.limits.page_rows
        with self.city.store.read() as conn:
            points = ap_list.some(conn, wanted, limit=rows, offset=first)
            counts = ap_list.counts(conn, wanted)
            sites, controllers = ap_list.sites(conn), ap_list.controllers(conn)
            blind = blind_since(conn, self.clock())
        return self._page(
            "staff/access_points.html",
            points=points,
            counts=counts,
            wanted=wanted,
            sites=sites,
            controllers=controllers,
            sorts=ap_words.SORTS,
            first=first,
            rows=rows,
            blind=blind,
            link=lambda **changes: address_of(wanted, **changes),
        )

    def access_point_map(self) -> AnyResponse:
        with self.city.store.read() as conn:
            sites, blind = ap_list.sites(conn), blind_since(conn, self.clock())
        total = {state: sum(site.counts.get(state, 0) for site in sites) for state in State}
        return self._page(
            "staff/access_point_map.html",
            sites=sites,
            by_id={site.id: site for site in sites},
            counts=total,
            drawings=drawings(sites),
            site_condition=condition,
            blind=blind,
        )

    def _page(self, template: str, **values: Any) -> Response:
        return ap_page(self.city, self.speeches, self.guard, template, now=self.clock(), **values)


def ap_page(
    city: City,
    speeches: dict[str, Speech],
    guard: Guard,
    template: str,
    *,
    now: datetime,
    status: int = 200,
    **values: Any,
) -> Response:
    """A page of access points: it knows their words, and refreshes itself."""
    return staff_page(
        city,
        speeches,
        guard,
        template,
        status=status,
        needs=Live(city.config.portal.staff_url).needs,
        live_script=ADDRESS,
        live_seconds=LIVE_SECONDS,
        now=now,
        words=ap_words,
        **values,
    )


def blind_since(conn: Connection, now: datetime) -> datetime | None:
    """When the monitor looked last, where that is too long ago; None where it looks."""
    last = ap_list.watched_until(conn)
    return last if last is not None and now - last > BLIND_AFTER else None


def read_wanted(args: MultiDict[str, str]) -> Wanted:
    """From an address: what makes no sense there wants nothing."""
    state, sort = args.get("state", ""), args.get("sort", "")
    return Wanted(
        text=line(args.get("q", ""), SEARCH_CHARACTERS_MAX),
        state=state if state in set(State) else "",
        site=line(args.get("site", ""), SEARCH_CHARACTERS_MAX),
        controller=row_number(args.get("controller", "")),
        sort=sort if sort in ap_list.SORTS else "",
    )


def address_of(wanted: Wanted, **changes: Any) -> str:
    """The list's address with these filters; what is empty is left out."""
    named = {
        "q": wanted.text,
        "state": wanted.state,
        "site": wanted.site,
        "controller": wanted.controller,
        "sort": wanted.sort,
    }
    query = urlencode({name: value for name, value in (named | changes).items() if value})
    return f"/staff/access-points{'?' if query else ''}{query}"
