"""The staff's page of notices: what residents are told above everything else, from when, until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, abort, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.errors import InputError
from hotspot.notices import OPEN_MAX, TEXT_MAX, read_notice
from portal.captive.room import Room
from portal.forms import line, row_number
from portal.languages import NAMES
from portal.pages import speech_for
from portal.staff.guard import Guard
from portal.staff.views import staff_page
from service.speech import Speech
from service.speech import marked as _
from store import notices, places
from store.nases import Author

SHOWN = 50
"""Notices of the past and the present on the page."""

_WRONG = _(
    "A notice has a text in %(language)s, at most %(most)s characters a language, and an end after its start; "
    "a city has at most %(open)s that are not over."
)


@dataclass(frozen=True)
class NoticePages:
    """What these views need, made once a city."""

    room: Room
    speeches: dict[str, Speech]
    guard: Guard

    def mount(self, routes: Blueprint) -> None:
        """Add the page to the staff's."""
        routes.get("/staff/notices")(self.notices)
        routes.post("/staff/notices")(self.add_notice)
        routes.post("/staff/notices/<int:notice_id>/end")(self.end_notice)

    def notices(self) -> AnyResponse:
        return self._notice_page()

    def add_notice(self) -> AnyResponse:
        city, now, form = self.room.city, self.room.clock(), request.form
        languages, site_id = city.config.languages, row_number(form.get("site", "")) or None
        texts = {language: line(form.get(f"text_{language}", ""), TEXT_MAX + 1) for language in languages}
        try:
            from_at, until_at = self._moment("from_at") or now, self._moment("until_at")
            said = read_notice(texts, from_at=from_at, until_at=until_at, languages=languages)
            with city.store.write() as conn:
                if site_id is not None and places.place(conn, site_id) is None:
                    abort(404)
                notices.add(
                    conn,
                    said,
                    site_id=site_id,
                    from_at=from_at,
                    until_at=until_at,
                    author=Author(g.member.id),
                    now=now,
                )
        except InputError:
            problem = speech_for(request, self.speeches).text(
                _WRONG, language=NAMES[languages[0]], most=TEXT_MAX, open=OPEN_MAX
            )
            return self._notice_page(status=422, problem=problem)
        self.room.faces.forget()
        return redirect("/staff/notices", 303)

    def _moment(self, field: str) -> datetime | None:
        """What a browser sends for a date and time, in the city's zone; None where it is empty."""
        typed = request.form.get(field, "").strip()[:32]
        if not typed:
            return None
        try:
            return datetime.fromisoformat(typed).replace(tzinfo=self.room.city.zone)
        except ValueError:
            raise InputError("not a date and time") from None

    def end_notice(self, notice_id: int) -> AnyResponse:
        with self.room.city.store.write() as conn:
            ended = notices.end(conn, notice_id, author=Author(g.member.id), now=self.room.clock())
        if not ended:
            abort(404)
        self.room.faces.forget()
        return redirect("/staff/notices", 303)

    def _notice_page(self, *, status: int = 200, problem: str = "") -> Response:
        with self.room.city.store.read() as conn:
            some, sites = notices.some_notices(conn, limit=SHOWN), places.places(conn)
        return staff_page(
            self.room.city,
            self.speeches,
            self.guard,
            "staff/notices.html",
            status=status,
            notices_known=some,
            sites=sites,
            site_names={site.id: site.name for site in sites},
            languages=self.room.city.config.languages,
            language_names=NAMES,
            most=TEXT_MAX,
            typed=request.form,
            now=self.room.clock(),
            problem=problem,
        )
