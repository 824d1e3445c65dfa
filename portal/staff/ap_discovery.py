"""Finding access points: a search in one of the city's networks, how far it is, and what becomes of its finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.ap_entry import NAME_MAX, SNMP_PORT
from hotspot.discovery import ADDRESSES_MAX, Failure, parse_network, suggested_name
from hotspot.errors import InputError
from portal.forms import line, row_number
from portal.pages import speech_for
from portal.staff.access_points import ap_page
from portal.staff.guard import Guard
from service.cities import City
from service.speech import Speech
from service.speech import marked as _
from store import discoveries, nases, points
from store.ap_list import State
from store.discoveries import Discovery, Find
from store.nases import Author
from store.store import Connection

NETWORK_CHARACTERS_MAX = 60

LOOK_SECONDS = 3
"""How often a page with a search under way asks again."""

FAILURES = {
    Failure.NO_CREDENTIAL: _("No credential is kept for this network. Keep one, then search again."),
    Failure.NOT_ALLOWED: _("The city's file no longer names this network."),
    Failure.ENDED: _("Somebody ended it."),
    Failure.INTERNAL: _("Something went wrong on our side; the monitor's log has it."),
}


@dataclass(frozen=True)
class ApDiscovery:
    """What these views need, made once a city."""

    city: City
    speeches: dict[str, Speech]
    clock: Callable[[], datetime]
    guard: Guard

    def mount(self, routes: Blueprint) -> None:
        """Add the pages to the staff's."""
        routes.get("/staff/access-points/discovery")(self.discovery)
        routes.post("/staff/access-points/discovery")(self.discover)
        routes.post("/staff/access-points/discovery/<int:discovery_id>/end")(self.end_discovery)
        routes.post("/staff/access-points/discovery/<int:discovery_id>/take")(self.take_finds)

    def discovery(self) -> AnyResponse:
        return self._discovery_page()

    def discover(self) -> AnyResponse:
        """Ask for a search; the monitor begins within seconds."""
        typed = line(request.form.get("network", ""), NETWORK_CHARACTERS_MAX)
        port = row_number(request.form.get("port", "")) or SNMP_PORT
        if port > 65_535:
            return self._discovery_page(status=422, problem=self._said(_("A port is a number from 1 to 65535.")))
        try:
            network = parse_network(typed, allowed=self.city.config.monitor.discover_networks)
        except InputError:
            sentence = _("Write a network of at most %(most)s addresses within those that are named above.")
            return self._discovery_page(status=422, problem=self._said(sentence, most=ADDRESSES_MAX))
        try:
            with self.city.store.write() as conn:
                discoveries.request(conn, network, port=port, author=Author(g.member.id), now=self.clock())
        except InputError:
            return self._discovery_page(status=409, problem=self._said(_("A search is under way already.")))
        return redirect("/staff/access-points/discovery", 303)

    def end_discovery(self, discovery_id: int) -> AnyResponse:
        with self.city.store.write() as conn:
            discoveries.end(conn, discovery_id, now=self.clock(), failure=Failure.ENDED)
        return redirect("/staff/access-points/discovery", 303)

    def take_finds(self, discovery_id: int) -> AnyResponse:
        """Each that is ticked becomes an access point at that place; what cannot be is told, the others are done."""
        troubles, added = [], 0
        for find_id in map(row_number, request.form.getlist("find")):
            try:
                with self.city.store.write() as conn:
                    self._take(conn, discovery_id, find_id)
                added += 1
            except InputError as error:
                troubles.append(str(error))
        return self._discovery_page(status=422 if troubles else 200, troubles=troubles, added=added)

    def _take(self, conn: Connection, discovery_id: int, find_id: int) -> None:
        """A known one that has moved is followed; any other is added under the name in the form."""
        find = next((each for each in discoveries.finds(conn, discovery_id) if each.id == find_id), None)
        if find is None:
            abort(404)
        keys, author, now = self.city.store.keys, Author(g.member.id), self.clock()
        if find.known is not None and find.known.moved:
            discoveries.follow(conn, keys, find_id, author=author, now=now)
            return
        name = line(request.form.get(f"name-{find_id}", ""), NAME_MAX) or find.found.address
        site = line(request.form.get("site", ""), NAME_MAX)
        discoveries.take(conn, keys, find_id, site=site, name=name, author=author, now=now)

    # The page ---------------------------------------------------------------------------------------

    def _discovery_page(self, *, status: int = 200, **values: Any) -> Response:
        with self.city.store.read() as conn:
            search = discoveries.latest(conn)
            finds = discoveries.finds(conn, search.id) if search is not None else []
            sites, taken = nases.sites(conn), points.here(conn, [])
        names = self._names(finds, {*taken.points, *taken.members})
        return ap_page(
            self.city,
            self.speeches,
            self.guard,
            "staff/access_point_discovery.html",
            now=self.clock(),
            status=status,
            networks=self.city.config.monitor.discover_networks,
            port=search.port if search is not None else SNMP_PORT,
            search=search,
            under_way=search is not None and search.ended_at is None,
            share=_share(search),
            failures=FAILURES,
            finds=finds[: self.city.config.limits.page_rows],
            more=max(0, len(finds) - self.city.config.limits.page_rows),
            names=names,
            sites=sites,
            look_seconds=LOOK_SECONDS,
            counts=dict.fromkeys(State, 0),
            **values,
        )

    def _names(self, finds: list[Find], taken: set[str]) -> dict[int, str]:
        """A name to offer for each that is nothing yet; no two alike."""
        offered: dict[int, str] = {}
        for find in finds:
            if find.access_point_id is None and find.known is None:
                offered[find.id] = suggested_name(find.found, taken)
                taken.add(offered[find.id])
        return offered

    def _said(self, sentence: str, **values: object) -> str:
        return speech_for(request, self.speeches).text(sentence, **values)


def _share(search: Discovery | None) -> int:
    """How much of a search is done, in percent."""
    return round(100 * search.asked / search.total) if search is not None and search.total else 0
