"""The residents' pages: each view parses, asks a use case, renders. No cookie, no JavaScript, one request a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.admission import Denial
from hotspot.errors import InputError
from hotspot.plan import Way
from hotspot.terms import choose
from portal import tokens
from portal.address import client_address
from portal.captive import admission
from portal.captive.admission import RandomOctets, Wish
from portal.captive.handoff import uam
from portal.captive.handoff.uam import Arrival, Result
from portal.captive.sentences import DENIALS, of_failure
from portal.captive.standing import standing_of
from portal.metrics import PortalMetrics
from portal.pages import page, speech_for, switches
from portal.tokens import Visit
from service.cities import City
from service.speech import Speech
from store import nases, residents
from store.nases import Nas

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Captive:
    """What the residents' views need, made once a city."""

    city: City
    speeches: dict[str, Speech]
    metrics: PortalMetrics
    clock: Clock
    random_octets: RandomOctets

    def blueprint(self) -> Blueprint:
        """The routes; `portal.app` mounts them on the portal's host."""
        routes = Blueprint("captive", __name__)
        routes.get("/")(self.arrive)
        routes.get("/welcome")(self.welcome)
        routes.post("/accept")(self.accept)
        routes.post("/voucher")(self.voucher)
        routes.get("/status")(self.status)
        routes.post("/logout")(self.logout)
        routes.get("/terms")(self.terms)
        routes.get("/help")(self.help)
        return routes

    # Arriving ---------------------------------------------------------------------------------------

    def arrive(self) -> AnyResponse:
        """The NAS's redirect, or somebody who typed the address."""
        query = request.query_string.decode("latin-1")
        if "res=" not in query:
            return self._not_at_a_hotspot(200)
        nas = self._nas_of(query)
        if nas is None or not uam.verify(f"{self.city.config.portal.url}{request.path}?{query}", nas.uam_secret):
            self.metrics.arrivals.labels("forged").inc()
            return self._not_at_a_hotspot(400)
        try:
            arrival = uam.read(query)
        except InputError:
            self.metrics.arrivals.labels("malformed").inc()
            return self._not_at_a_hotspot(400)
        self.metrics.arrivals.labels(arrival.result.value).inc()
        return self._after(arrival, nas)

    def _nas_of(self, query: str) -> Nas | None:
        claimed = uam.nas_identifier(query)
        with self.city.store.read() as conn:
            known = nases.nases(conn, self.city.store.keys)
        return next((nas for nas in known if nas.nas_identifier == claimed), None)

    def _after(self, arrival: Arrival, nas: Nas) -> AnyResponse:
        visit = Visit(nas.id, arrival.mac, arrival.challenge, arrival.user_url)
        token = tokens.issue(self.city.store.keys, visit, now=self.clock())
        speech = self._speech_of(arrival)
        if arrival.result in (Result.SUCCESS, Result.ALREADY, Result.LOG_OFF):
            return redirect(f"/status?visit={token}&lang={speech.language}", 303)
        failed = arrival.result is Result.FAILED
        problem = speech.text(of_failure(arrival.reason, arrival.reply)) if failed else None
        return self._terms_page(token, speech, problem=problem)

    def _speech_of(self, arrival: Arrival) -> Speech:
        """A device that comes back from its NAS is spoken to as on the page where it accepted the terms."""
        if arrival.result is not Result.NOT_YET and "lang" not in request.args:
            with self.city.store.read() as conn:
                device_id = residents.find_device(conn, self.city.store.keys, arrival.mac, now=self.clock())
                language = residents.language_of(conn, device_id) if device_id is not None else ""
            if language in self.speeches:
                return self.speeches[language]
        return self._speech()

    def welcome(self) -> AnyResponse:
        """The terms page again, for a visit that is under way (the language switch)."""
        token = request.args.get("visit", "")
        return self._terms_page(token, self._speech()) if self._visit(token) else self._not_at_a_hotspot(400)

    def _terms_page(
        self,
        token: str,
        speech: Speech,
        *,
        problem: str | None = None,
        code: str | None = None,
        status: int = 200,
    ) -> Response:
        with self.city.store.read() as conn:
            texts = residents.current_terms(conn)
            plans = {plan.way: plan for plan in reversed(residents.plans(conn))}  # the first is the one that is granted
        return page(
            "captive/arrive.html",
            speech,
            status=status,
            city=self.city.config,
            switches=switches("/welcome", speech, self.speeches, visit=token),
            token=token,
            terms=choose(texts, speech.language, self.city.config.languages[0]),
            tap=plans.get(Way.TAP),
            voucher=plans.get(Way.VOUCHER),
            problem=problem,
            code=code,
        )

    # Getting on -------------------------------------------------------------------------------------

    def accept(self) -> AnyResponse:
        return self._admit(None)

    def voucher(self) -> AnyResponse:
        return self._admit(request.form.get("code", ""))

    def _admit(self, code: str | None) -> AnyResponse:
        token = request.form.get("visit", "")
        visit = self._visit(token)
        nas = self._nas(visit) if visit else None
        if visit is None or nas is None:
            return self._not_at_a_hotspot(400)
        terms_id, address = request.form.get("terms", 0, type=int), client_address(request, self.city)
        wish = Wish(visit.mac, terms_id, code, self._speech().language, address)
        answer = admission.admit(self.city, wish, now=self.clock(), random_octets=self.random_octets)
        if isinstance(answer, Denial):
            self.metrics.logins.labels(wish.way.value, "refused", answer.value).inc()
            speech, status = self._speech(), _STATUS.get(answer, 422)
            return self._terms_page(token, speech, problem=speech.text(DENIALS[answer]), code=code, status=status)
        self.metrics.logins.labels(wish.way.value, "ticket", "").inc()
        location = uam.login_url(
            nas.login_url,
            username=answer.name,
            password=answer.password,
            challenge=visit.challenge,
            uam_secret=nas.uam_secret,
            user_url=visit.user_url,
        )
        return redirect(location, 303)

    # Being on, and going -----------------------------------------------------------------------------

    def status(self) -> AnyResponse:
        """What RADIUS knows of this device's session."""
        token = request.args.get("visit", "")
        visit = self._visit(token)
        nas = self._nas(visit) if visit else None
        if visit is None or nas is None:
            return self._not_at_a_hotspot(400)
        speech = self._speech()
        return page(
            "captive/status.html",
            speech,
            city=self.city.config,
            switches=switches(request.path, speech, self.speeches, visit=token),
            standing=standing_of(self.city, visit.mac, now=self.clock()),
            token=token,
            again=f"/status?visit={token}&lang={speech.language}",
            user_url=visit.user_url,
            walk_in=_way_in(visit, nas),
        )

    def logout(self) -> AnyResponse:
        """End the grants (so the device is not remembered) and let the NAS end the session."""
        visit = self._visit(request.form.get("visit", ""))
        nas = self._nas(visit) if visit else None
        if visit is None or nas is None:
            return self._not_at_a_hotspot(400)
        now = self.clock()
        with self.city.store.write() as conn:
            device_id = residents.find_device(conn, self.city.store.keys, visit.mac, now=now)
            if device_id is not None:
                residents.end_grants(conn, device_id, now=now)
        return redirect(uam.logoff_url(nas.login_url), 303)

    # Standing texts -----------------------------------------------------------------------------------

    def terms(self) -> AnyResponse:
        speech = self._speech()
        with self.city.store.read() as conn:
            texts = residents.current_terms(conn)
        return page(
            "captive/terms.html",
            speech,
            city=self.city.config,
            switches=switches(request.path, speech, self.speeches),
            terms=choose(texts, speech.language, self.city.config.languages[0]),
        )

    def help(self) -> AnyResponse:
        speech = self._speech()
        return page(
            "captive/help.html", speech, city=self.city.config, switches=switches(request.path, speech, self.speeches)
        )

    # Shared -------------------------------------------------------------------------------------------

    def _speech(self) -> Speech:
        return speech_for(request, self.speeches)

    def _visit(self, token: str) -> Visit | None:
        try:
            return tokens.read(self.city.store.keys, token, now=self.clock())
        except InputError:
            return None

    def _nas(self, visit: Visit) -> Nas | None:
        with self.city.store.read() as conn:
            return next((n for n in nases.nases(conn, self.city.store.keys) if n.id == visit.nas_id), None)

    def _not_at_a_hotspot(self, status: int) -> Response:
        """Also the answer to a forged or foreign link: it tells nothing about why."""
        speech = self._speech()
        said = speech.text
        return page(
            "captive/message.html",
            speech,
            status=status,
            city=self.city.config,
            switches=switches(request.path, speech, self.speeches),
            heading=said("Free Wi-Fi of the city"),
            sentences=[
                said("This page lets you on when you come from one of the city's hotspots."),
                said("Connect to the Wi-Fi and open any page: the hotspot brings you here."),
            ],
        )


def _way_in(visit: Visit, nas: Nas) -> str:
    """An address that the NAS answers with its portal: it catches http alone, never https (HANDOFF)."""
    return visit.user_url if visit.user_url.startswith("http:") else f"{nas.login_url}/"


_STATUS = {Denial.TOO_MANY_GUESSES: 429, Denial.BLOCKED: 403}
