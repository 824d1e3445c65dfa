"""The officials' month: a chart, a table and CSV from one pure report. Each look is noted in the audit log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from babel.dates import format_date
from flask import Blueprint, Response, abort, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.privacy import OFFICIALS_SMALLEST_GROUP
from hotspot.reports import MonthReport, build_month
from hotspot.values import Month, day_start, local_day
from portal.pages import speech_for
from portal.report.chart import month_svg
from portal.report.table import month_csv
from portal.staff.guard import Guard
from portal.staff.views import staff_page
from service.cities import City
from service.speech import Speech
from store import audit, availability, reports
from store.availability import SiteAvailability


@dataclass(frozen=True)
class Report:
    """What the report's views need, made once a city."""

    city: City
    speeches: dict[str, Speech]
    clock: Callable[[], datetime]
    guard: Guard

    def blueprint(self) -> Blueprint:
        """The routes; `portal.app` mounts them on the staff's host."""
        routes = Blueprint("report", __name__)
        routes.before_request(self.guard.check)
        routes.get("/report")(self.home)
        routes.get("/report/<month:month>")(self.month)
        routes.get("/report/<month:month>.csv")(self.month_csv)
        return routes

    def home(self) -> AnyResponse:
        """The month that is under way."""
        return redirect(f"/report/{self._this_month()}", 303)

    def month(self, month: Month) -> AnyResponse:
        report = self._report(month, "report.month")
        language = speech_for(request, self.speeches).language
        return staff_page(
            self.city,
            self.speeches,
            self.guard,
            "report/month.html",
            report=report,
            chart=month_svg(report),
            places=self._places(month),
            month_name=format_date(month.first_day, "MMMM y", locale=language),
            is_last=month == self._this_month(),
        )

    def _places(self, month: Month) -> list[SiteAvailability]:
        """How long access points were up in the month so far, by place."""
        days = month.first_day, month.next().first_day
        began, ended = (day_start(day, self.city.zone).astimezone(UTC) for day in days)
        with self.city.store.read() as conn:
            return availability.of_sites(conn, began, min(ended, self.clock()))

    def month_csv(self, month: Month) -> AnyResponse:
        response = Response(month_csv(self._report(month, "report.csv")), mimetype="text/csv")
        response.headers["Content-Disposition"] = f'attachment; filename="{self.city.key}-{month}.csv"'
        return response

    def _this_month(self) -> Month:
        return Month.of(self._today())

    def _today(self) -> date:
        return local_day(self.clock(), self.city.zone)

    def _report(self, month: Month, action: str) -> MonthReport:
        this_month = self._this_month()
        if (month.year, month.month) > (this_month.year, this_month.month):
            abort(404)
        with self.city.store.read() as conn:
            counts = reports.day_counts(conn, month.first_day, month.last_day)
        with self.city.store.write() as conn:
            audit.add(conn, now=self.clock(), action=action, subject=str(month), staff_id=g.member.id)
        return build_month(counts, month, today=self._today(), smallest_group=OFFICIALS_SMALLEST_GROUP)
