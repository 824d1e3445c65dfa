"""The staff's pages of places: how each shows itself, the first page as its residents see it, and a poster to print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, abort, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from portal.captive.front import front_preview
from portal.captive.room import Room
from portal.languages import NAMES
from portal.pages import page, speech_for
from portal.policy import Needs, hash_source
from portal.staff.guard import Guard
from portal.staff.place_form import COLOURS, LABELS, WAY_NAMES, Fault, PlaceError, read_place, typed_of
from portal.staff.poster import POSTER_STYLE, poster_codes
from portal.staff.views import staff_page
from service.speech import Speech
from store import places, residents
from store.places import Place


@dataclass(frozen=True)
class PlacePages:
    """What these views need, made once a city. `room` is the residents': previews are their very page."""

    room: Room
    speeches: dict[str, Speech]
    guard: Guard

    def mount(self, routes: Blueprint) -> None:
        """Add the pages to the staff's."""
        routes.get("/staff/places")(self.places)
        routes.get("/staff/places/<int:site_id>")(self.place)
        routes.post("/staff/places/<int:site_id>")(self.change_place)
        routes.get("/staff/places/<int:site_id>/preview")(self.preview)
        routes.post("/staff/places/<int:site_id>/preview")(self.preview_typed)
        routes.get("/staff/places/<int:site_id>/poster")(self.poster)

    def places(self) -> AnyResponse:
        with self.room.city.store.read() as conn:
            known = places.places(conn)
        return self._page("staff/places.html", places=known)

    def place(self, site_id: int) -> AnyResponse:
        known = self._known(site_id)
        return self._form(known, typed_of(known), known.ways.split(), saved="saved" in request.args)

    def change_place(self, site_id: int) -> AnyResponse:
        known = self._known(site_id)
        try:
            changed = self._typed(known)
        except PlaceError as error:
            return self._form(known, request.form, request.form.getlist("ways"), faults=error.faults)
        with self.room.city.store.write() as conn:
            places.change(conn, changed, staff_id=g.member.id, now=self.room.clock())
        self.room.faces.forget()
        return redirect(f"/staff/places/{site_id}?saved=1", 303)

    def preview(self, site_id: int) -> AnyResponse:
        """The first page as it is, in the language of the address."""
        return front_preview(
            self.room, self._known(site_id), speech_for(request, self.room.speeches), path=request.path
        )

    def preview_typed(self, site_id: int) -> AnyResponse:
        """The first page as it would be with what stands in the form, in the language of the button."""
        known = self._known(site_id)
        try:
            typed = self._typed(known)
        except PlaceError as error:
            return self._form(known, request.form, request.form.getlist("ways"), faults=error.faults)
        speech = self.room.speeches.get(request.form.get("preview", "")) or next(iter(self.room.speeches.values()))
        return front_preview(self.room, typed, speech)

    def poster(self, site_id: int) -> AnyResponse:
        """One page A4 to print, in the language of the address."""
        known, config = self._known(site_id), self.room.city.config
        face = known.face.over(self.room.faces.own)
        speech = speech_for(request, self.room.speeches)
        with self.room.city.store.read() as conn:
            plans = residents.plans(conn)
        return page(
            "captive/poster.html",
            speech,
            face=face,
            needs=Needs(styles=(hash_source(POSTER_STYLE),)),
            poster_style=POSTER_STYLE,
            city=config,
            place=known,
            codes=poster_codes(face.ssid, config.portal.url),
            plans=plans,
        )

    # Shared -----------------------------------------------------------------------------------------

    def _known(self, site_id: int) -> Place:
        with self.room.city.store.read() as conn:
            found = places.place(conn, site_id)
        return found if found is not None else abort(404)

    def _typed(self, known: Place) -> Place:
        return read_place(request.form, request.files.get("logo"), known, self.room.city.config.languages)

    def _form(
        self,
        place: Place,
        typed: Mapping[str, str],
        ways: list[str],
        *,
        faults: tuple[Fault, ...] = (),
        saved: bool = False,
    ) -> Response:
        text = speech_for(request, self.speeches).text
        return self._page(
            "staff/place.html",
            status=422 if faults else 200,
            place=place,
            typed=typed,
            ways=ways,
            way_names=WAY_NAMES,
            labels=LABELS,
            colours=COLOURS,
            own=self.room.faces.own,
            languages=self.room.city.config.languages,
            language_names=NAMES,
            faults={fault.field: text(fault.sentence, **fault.values) for fault in faults},
            saved=saved,
        )

    def _page(self, template: str, *, status: int = 200, **values: object) -> Response:
        return staff_page(self.room.city, self.speeches, self.guard, template, status=status, **values)
