"""Adding, changing and retiring an access point. Credentials are taken and never shown again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.ap_entry import (
    FIELDS,
    KINDS,
    SECRETS,
    SNMP_PORT,
    PointError,
    check_name,
    fault,
    read_entry,
)
from hotspot.errors import InputError
from hotspot.faults import Fault
from hotspot.fleet import PointKind
from portal.forms import line
from portal.pages import speech_for
from portal.staff import ap_words
from portal.staff.guard import Guard
from portal.staff.views import staff_page
from service.cities import City
from service.speech import Speech
from service.speech import marked as _
from store import ap_list, nases, points, snmp_credentials
from store.ap_list import Point
from store.nases import Author
from store.store import Connection

FIELD_CHARACTERS_MAX = 300

LABELS = {
    "name": _("Name"),
    "site": _("Place"),
    "address": _("Address"),
    "port": _("Port"),
    "kind": _("Kind"),
    "version": _("SNMP version"),
    "community": _("Community"),
    "user": _("User"),
    "auth_password": _("Authentication password"),
    "priv_password": _("Encryption password"),
}
"""A field's name in a form."""


@dataclass(frozen=True)
class ApForms:
    """What these views need, made once a city."""

    city: City
    speeches: dict[str, Speech]
    clock: Callable[[], datetime]
    guard: Guard

    def mount(self, routes: Blueprint) -> None:
        """Add the pages to the staff's."""
        routes.get("/staff/access-points/new")(self.new_point)
        routes.post("/staff/access-points/new")(self.add_point)
        routes.get("/staff/access-points/<int:point_id>/change")(self.change_point_form)
        routes.post("/staff/access-points/<int:point_id>/change")(self.change_point)
        routes.get("/staff/access-points/<int:point_id>/retire")(self.retire_form)
        routes.post("/staff/access-points/<int:point_id>/retire")(self.retire_point)

    # Adding -----------------------------------------------------------------------------------------

    def new_point(self) -> AnyResponse:
        return self._form({"port": str(SNMP_PORT), "site": request.args.get("site", "")})

    def add_point(self) -> AnyResponse:
        typed = typed_fields(FIELDS)
        try:
            with self.city.store.write() as conn:
                entry = read_entry(typed, sites=nases.sites(conn))
                keys, author = self.city.store.keys, Author(g.member.id)
                credential = snmp_credentials.of_entry(snmp_credentials.candidates(conn, keys), entry)
                point_id = points.add(conn, keys, entry, credential, author=author, now=self.clock())
        except InputError as error:
            return self._form(typed, faults=faults_of(error))
        return redirect(f"/staff/access-points/{point_id}", 303)

    # Changing ---------------------------------------------------------------------------------------

    def change_point_form(self, point_id: int) -> AnyResponse:
        point = self._known(point_id)
        typed = {"name": point.name, "site": point.site_key, "address": point.address, "port": str(point.port)}
        return self._form(typed | {"kind": point.kind.value, "version": point.snmp_version}, point=point)

    def change_point(self, point_id: int) -> AnyResponse:
        point = self._known(point_id)
        is_member = point.kind is PointKind.MEMBER
        typed = typed_fields(("name", "site") if is_member else FIELDS)
        try:
            with self.city.store.write() as conn:
                (self._change_member if is_member else self._change_polled)(conn, point, typed)
        except InputError as error:
            return self._form(typed, point=point, faults=faults_of(error))
        return redirect(f"/staff/access-points/{point_id}", 303)

    def _change_polled(self, conn: Connection, point: Point, typed: Mapping[str, str]) -> None:
        entry = read_entry(typed, sites=nases.sites(conn))
        itself, author = self._itself(conn, point), Author(g.member.id)
        points.change(conn, self.city.store.keys, itself, entry, author=author, now=self.clock())

    def _change_member(self, conn: Connection, point: Point, typed: Mapping[str, str]) -> None:
        """One behind a controller: its name and its place are ours, the rest its controller tells."""
        name, site = typed.get("name", ""), typed.get("site", "")
        wrong = check_name(name) if name else fault("name", "missing")
        if wrong is not None:
            raise PointError(wrong)
        itself = self._itself(conn, point)
        author, now = Author(g.member.id), self.clock()
        if site != point.site_key:
            points.move(conn, itself, site, author=author, now=now)
        if name != point.name:
            points.rename(conn, itself, name, author=author, now=now)

    # Retiring ---------------------------------------------------------------------------------------

    def retire_form(self, point_id: int) -> AnyResponse:
        point = self._known(point_id)
        with self.city.store.read() as conn:
            behind = ap_list.members(conn, point_id)
        return self._page("staff/access_point_retire.html", point=point, behind=behind)

    def retire_point(self, point_id: int) -> AnyResponse:
        point = self._known(point_id)
        with self.city.store.write() as conn:
            points.retire(conn, self._itself(conn, point), author=Author(g.member.id), now=self.clock())
        return redirect(f"/staff/access-points/{point_id}", 303)

    # Shared -----------------------------------------------------------------------------------------

    def _known(self, point_id: int) -> Point:
        """One in service."""
        with self.city.store.read() as conn:
            found = ap_list.point(conn, point_id)
        return found if found is not None and found.retired_at is None else abort(404)

    def _itself(self, conn: Connection, point: Point) -> points.Point:
        """As it is in this transaction, if it still is."""
        found = points.by_name(conn, point.name)
        return found if found is not None and found.id == point.id else abort(404)

    def _form(
        self, typed: Mapping[str, str], *, faults: tuple[Fault, ...] = (), point: Point | None = None
    ) -> Response:
        with self.city.store.read() as conn:
            sites = nases.sites(conn)
        kinds = {kind: ap_words.KINDS[PointKind(kind)] for kind in KINDS}
        return self._page(
            "staff/access_point_form.html",
            status=422 if faults else 200,
            typed={name: text for name, text in typed.items() if name not in SECRETS},
            point=point,
            sites=sites,
            kinds=kinds,
            labels=LABELS,
            faults=said_faults(faults, speech_for(request, self.speeches)),
        )

    def _page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        return staff_page(self.city, self.speeches, self.guard, template, status=status, **values)


def typed_fields(names: Collection[str]) -> dict[str, str]:
    """The form's fields of these names."""
    return {name: line(request.form[name], FIELD_CHARACTERS_MAX) for name in names if name in request.form}


def faults_of(error: InputError) -> tuple[Fault, ...]:
    """By field; an error of no field in particular stands with the name."""
    return error.faults if isinstance(error, PointError) else (Fault("name", "%(said)s", {"said": str(error)}),)


def said_faults(faults: tuple[Fault, ...], speech: Speech) -> dict[str, str]:
    """In the reader's language, by field."""
    return {each.field: speech.text(each.sentence, **each.values) for each in faults}
