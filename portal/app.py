"""One city's web application. `create_app` is handed everything it may use; a second city is a second app."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime

from flask import Flask, Response, abort, g, request
from prometheus_client import Counter
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter

from hotspot.values import Month
from portal.access_log import ROUTE
from portal.captive.admission import RandomOctets
from portal.captive.controllers import Controllers
from portal.captive.faces import Faces, city_face
from portal.captive.room import Room
from portal.captive.views import blueprint
from portal.compression import compress
from portal.dispatch import WsgiApp, host_of
from portal.fault import FaultPage
from portal.forms import RowIdConverter
from portal.languages import of_staff
from portal.memo import Memo
from portal.metrics import PortalMetrics
from portal.pages import add_filters, guard_response, page, speech_for, switches
from portal.passwords import BusyError
from portal.report.views import Report
from portal.staff.access_points import ApListPages
from portal.staff.ap_credentials import ApCredentials
from portal.staff.ap_discovery import ApDiscovery
from portal.staff.ap_files import UPLOADS, ApFiles
from portal.staff.ap_forms import ApForms
from portal.staff.ap_page import ApPage
from portal.staff.guard import Guard
from portal.staff.live import Live
from portal.staff.nases import NasPages
from portal.staff.notices import NoticePages
from portal.staff.places import PlacePages
from portal.staff.terms import TermsPages
from portal.staff.views import Staff
from service.cities import City
from service.speech import Speech, speeches
from service.speech import marked as _
from store.store import Unavailable

log = logging.getLogger(__name__)

FORM_BYTES_MAX = 64_000
"""Largest form that is read; the longest of ours is a few hundred bytes."""

FORM_FIELDS_MAX = 50

Clock = Callable[[], datetime]


Guarded = Callable[[WsgiApp, WsgiApp, Counter], WsgiApp]
"""Puts a gate before a city's pages; the second is what answers instead of them, the third counts how often."""


def _ungated(pages: WsgiApp, _fault: WsgiApp, _turned_away: Counter) -> WsgiApp:
    return pages


def create_app(city: City, *, clock: Clock, random_octets: RandomOctets, guarded: Guarded = _ungated) -> Flask:
    """The application of one city, for its portal host and its staff host."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = FORM_BYTES_MAX
    app.config["MAX_FORM_PARTS"] = FORM_FIELDS_MAX
    app.url_map.converters |= {"month": MonthConverter, "int": RowIdConverter}
    add_filters(app)
    metrics = PortalMetrics(city.registry)
    texts = speeches(city.config.languages, city.zone)
    guard = Guard(city, clock)
    faces = Faces(city, clock)
    controllers = Controllers(city.config.portal.controller_ca_file)
    room = Room(city, texts, metrics, clock, random_octets, faces, controllers, Memo(city.store))
    app.register_blueprint(blueprint(room))
    staff_texts = speeches(of_staff(city.config.languages), city.zone)
    staff = Staff(city, staff_texts, metrics, clock, random_octets, guard).blueprint()
    Live(city.config.portal.staff_url).mount(staff)
    ApPage(city, staff_texts, metrics, clock, guard).mount(staff)
    for seen in (ApListPages, ApForms, ApFiles, ApDiscovery, ApCredentials):
        seen(city, staff_texts, clock, guard).mount(staff)
    NasPages(city, staff_texts, clock, random_octets, guard).mount(staff)
    for pages in (PlacePages, TermsPages, NoticePages):
        pages(room, staff_texts, guard).mount(staff)
    app.register_blueprint(staff)
    app.register_blueprint(Report(city, staff_texts, clock, guard).blueprint())
    guard.require_complete(app)
    app.before_request(_only_on_its_host(city))
    app.before_request(_take_uploads)
    _measure(app, metrics)
    fault = FaultPage(app, city, texts)
    _finish(app, city, texts, fault, metrics)
    app.wsgi_app = guarded(app.wsgi_app, fault, metrics.turned_away)  # type: ignore[method-assign, assignment]
    return app


class MonthConverter(BaseConverter):
    """`2026-11` in an address."""

    regex = r"20\d\d-(?:0[1-9]|1[0-2])"

    def to_python(self, value: str) -> Month:
        return Month.parse(value)


def _only_on_its_host(city: City) -> Callable[[], None]:
    """Residents' pages on the portal's host, the staff's on theirs. They may be one."""
    hosts = {"captive": city.config.portal.host, "staff": city.config.portal.staff_host}
    hosts["report"] = hosts["staff"]

    def check() -> None:
        wanted = hosts.get(request.blueprint or "")
        if wanted is not None and host_of(request.environ) != wanted:
            abort(404)

    return check


def _take_uploads() -> None:
    """Before the form is read: a file may be larger than what people type."""
    if request.endpoint in UPLOADS:
        request.max_content_length = UPLOADS[request.endpoint]


def _measure(app: Flask, metrics: PortalMetrics) -> None:
    def begin() -> None:
        g.began = time.perf_counter()
        if request.url_rule is not None:
            request.environ[ROUTE] = request.url_rule.rule

    def end(response: Response) -> Response:
        endpoint = request.endpoint or "none"
        metrics.requests.labels(endpoint, str(response.status_code)).inc()
        metrics.duration.labels(endpoint).observe(time.perf_counter() - g.get("began", time.perf_counter()))
        return response

    app.before_request(begin)
    app.after_request(end)


def _finish(app: Flask, city: City, texts: dict[str, Speech], fault: FaultPage, metrics: PortalMetrics) -> None:
    """Headers on everything, and pages for what went wrong."""
    signing_in = city.config.oidc.origins if city.config.oidc is not None else ()

    def headers(response: Response) -> Response:
        by_staff = request.blueprint in ("staff", "report")
        referrer = "same-origin" if by_staff else "no-referrer"
        secure = city.config.portal.is_secure(host_of(request.environ))
        targets = ("'self'", *g.get("form_targets", ()), *signing_in)
        return guard_response(response, targets, referrer=referrer, secure=secure)

    def failed(error: HTTPException) -> Response:
        status = error.code or 500
        return _error_page(city, texts, status, _SENTENCES.get(status, _SENTENCES[500]))

    def away(error: Exception) -> Response:
        log.error("%s: the database is away: %s", city.key, str(error.__cause__ or error).splitlines()[0])
        return _error_page(city, texts, 503, _SENTENCES[503]) if _by_staff(city) else fault.response(request)

    def busy(_error: Exception) -> Response:
        metrics.turned_away.labels("busy").inc()
        return _error_page(city, texts, 503, BUSY)

    app.after_request(lambda response: compress(request, response))
    app.after_request(headers)
    app.register_error_handler(HTTPException, failed)
    app.register_error_handler(BusyError, busy)
    for kind in Unavailable:
        app.register_error_handler(kind, away)


_SENTENCES = {
    400: _("This request is not complete. Please go back and try again."),
    403: _("Your role does not allow this."),
    404: _("There is no such page."),
    405: _("There is no such page."),
    413: _("This form is too large."),
    429: _("Too many attempts. Please wait a quarter of an hour."),
    500: _("Something went wrong on our side. Please try again in a moment."),
    503: _("The city's database does not answer. Please try again in a moment."),
}

BUSY = _("Many people are logging in just now. Please try again in a moment.")


def _error_page(city: City, texts: dict[str, Speech], status: int, sentence: str) -> Response:
    speech, settings = speech_for(request, texts), city.config.portal
    return page(
        "captive/message.html",
        speech,
        status=status,
        face=city_face(city.config),
        city=city.config,
        home=settings.url,  # this page stands on the staff's host, too
        switches=switches("", speech, texts) if request.method == "GET" else [],  # a path /\x would be a host there
        heading=speech.text("This did not work"),
        sentences=[speech.text(sentence)],
        link="/staff" if _by_staff(city) else "",
        link_text=speech.text("Staff pages"),
    )


def _by_staff(city: City) -> bool:
    """Whether somebody of the staff asks; residents have a host or at least addresses of their own."""
    by_name = host_of(request.environ) == city.config.portal.staff_host
    return by_name and request.path.startswith(("/staff", "/report"))
