"""Many access points at once: a CSV file in, every bad line named and nothing done then; and the same table out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, g, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.ap_entry import PointEntry
from hotspot.ap_file import TEMPLATE, read_file, write_file
from hotspot.errors import InputError
from portal.pages import speech_for
from portal.staff.guard import Guard
from portal.staff.views import staff_page
from service.cities import City
from service.speech import Speech
from service.speech import marked as _
from store import points, snmp_credentials
from store.nases import Author
from store.points import Changes
from store.snmp_credentials import Candidate

FILE_BYTES_MAX = 2_000_000
"""Of an upload; ten thousand access points fill two thirds of it."""

UPLOADS = {"staff.import_points": FILE_BYTES_MAX}
"""Routes that take more octets than a form has (`portal.app`)."""


@dataclass(frozen=True)
class ApFiles:
    """What these views need, made once a city."""

    city: City
    speeches: dict[str, Speech]
    clock: Callable[[], datetime]
    guard: Guard

    def mount(self, routes: Blueprint) -> None:
        """Add the pages to the staff's."""
        routes.get("/staff/access-points/files")(self.point_files)
        routes.post("/staff/access-points/files")(self.import_points)
        routes.get("/staff/access-points/export.csv")(self.export_points)

    def point_files(self) -> AnyResponse:
        return self._page()

    def export_points(self) -> AnyResponse:
        """Without secrets: an import of it leaves them as they are."""
        with self.city.store.read() as conn:
            found = points.entries(conn, self.city.store.keys)
        response = Response(write_file(found, secrets=False), mimetype="text/csv")
        response.headers["Content-Disposition"] = f'attachment; filename="access-points-{self.city.key}.csv"'
        return response

    def import_points(self) -> AnyResponse:
        """All of the file or nothing; or, to try it, only what would be done."""
        try:
            text = self._uploaded()
            with self.city.store.read() as conn:
                kept = snmp_credentials.candidates(conn, self.city.store.keys)
                here = points.here(conn, [each.network for each in kept])
            read = read_file(text, here=here)
            if read.bad:
                return self._page(status=422, bad=read.bad)
            changes = self._plan(read.entries, kept, set(here.points))
            if "try" not in request.form:
                with self.city.store.write() as conn:
                    points.apply(conn, changes, author=Author(g.member.id), now=self.clock())
        except InputError as error:
            return self._page(status=422, problem=str(error))
        return self._page(done=changes, tried="try" in request.form)

    def _uploaded(self) -> str:
        file = request.files.get("file")
        content = file.read() if file is not None else b""
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InputError(self._said(_("This file is not UTF-8. Save it as CSV UTF-8."))) from None
        if not text.strip():
            raise InputError(self._said(_("Choose a file first.")))
        return text

    def _said(self, sentence: str) -> str:
        return speech_for(request, self.speeches).text(sentence)

    def _plan(self, entries: tuple[PointEntry, ...], kept: list[Candidate], names: set[str]) -> Changes:
        wanted = ((entry, snmp_credentials.of_import(kept, entry, there=entry.name in names)) for entry in entries)
        with self.city.store.read() as conn:
            return points.plan(conn, self.city.store.keys, wanted, now=self.clock())

    def _page(self, *, status: int = 200, **values: Any) -> Response:
        template = "staff/access_point_files.html"
        return staff_page(
            self.city, self.speeches, self.guard, template, status=status, columns=TEMPLATE.split(","), **values
        )
