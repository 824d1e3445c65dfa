"""What all residents' pages share: one city, its languages, who stands before the page, and how a page is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response, g, request

from hotspot.errors import InputError
from hotspot.handoffs import HANDOVERS
from hotspot.plan import Plan, Way
from hotspot.terms import Terms, choose
from hotspot.ways import offered
from portal import tokens
from portal.captive import proof
from portal.captive.admission import RandomOctets
from portal.captive.controllers import Controllers
from portal.captive.faces import Faces
from portal.memo import Memo
from portal.metrics import PortalMetrics
from portal.pages import origin, page, speech_for, switches
from portal.tokens import Visit
from service.cities import City
from service.speech import Speech
from store import nases, residents
from store.nases import Nas

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Guest:
    """A device at one of the city's NASes; `token` is its visit as it came, for the next form or link."""

    token: str
    visit: Visit
    nas: Nas


@dataclass(frozen=True)
class Room:
    """What the residents' views need, made once a city."""

    city: City
    speeches: dict[str, Speech]
    metrics: PortalMetrics
    clock: Clock
    random_octets: RandomOctets
    faces: Faces
    controllers: Controllers
    memo: Memo

    def nas(self, nas_id: int) -> Nas | None:
        """The NAS of that id."""
        keys = self.city.store.keys
        return self.memo.get(("nas", nas_id), lambda conn: nases.by_id(conn, keys, nas_id))

    def nas_called(self, identifier: str) -> Nas | None:
        """The NAS of that NAS-Identifier."""
        keys = self.city.store.keys
        return self.memo.get(("nas", identifier), lambda conn: nases.by_identifier(conn, keys, identifier))

    def plans(self, site_ways: str) -> dict[Way, Plan]:
        """The plan of each way in that a place offers."""
        found = self.memo.get("plans", lambda conn: tuple(residents.plans(conn)))
        return offered(found, site_ways, unready=self.city.config.unready)

    def terms(self, language: str) -> Terms:
        """The current terms in this language, or the city's first, or the one that there is."""
        texts = self.memo.get("terms", lambda conn: tuple(residents.current_terms(conn)))
        return choose(texts, language, self.city.config.languages[0])

    def speech(self) -> Speech:
        return speech_for(request, self.speeches)

    def guest(self) -> Guest | None:
        """Who asks, by the sealed `visit` in the form or the address; None for no, a foreign or an expired one."""
        return self.guest_of(request.form.get("visit", "") or request.args.get("visit", ""))

    def guest_at(self, way: Way) -> Guest | None:
        """The same at a place that offers this way in, for pages that lead to it."""
        guest = self.guest()
        if guest is None:
            return None
        return guest if way in self.plans(guest.nas.site_ways) else None

    def guest_of(self, token: str) -> Guest | None:
        """The same for a visit that came by another way."""
        visit = self._visit(token)
        if visit is None:
            return None
        nas = self.nas(visit.nas_id)
        if nas is None:
            return None
        self.stands_at(nas)
        return Guest(token, visit, nas)

    def stands_at(self, nas: Nas) -> None:
        """Whoever asks stands at this NAS: every page of this request has its site's face and notices.

        And its forms may lead there: Chromium applies `form-action` to the redirect behind a form, too.
        """
        g.site_id = nas.site_id
        g.form_targets = (origin(nas.login_url),) if nas.login_url and not HANDOVERS[nas.handoff].calls else ()

    def _visit(self, token: str) -> Visit | None:
        try:
            return tokens.read(self.city.store.keys, token, now=self.clock())
        except InputError:
            return None

    def token(self, visit: Visit) -> str:
        return tokens.issue(self.city.store.keys, visit, now=self.clock())

    def proven(self, visit: Visit) -> bool:
        """Whether the browser shows that it speaks for the device, and does not just say its MAC address."""
        return proof.proven(self.city, visit, now=self.clock())

    def show(self, template: str, speech: Speech | None = None, *, status: int = 200, **values: Any) -> Response:
        """A page. `kept` are the parameters that its language switch must not lose; `path` where it leads, empty: no
        switch. `face` and `site_id`: of another place than the reader's."""
        speech = speech or self.speech()
        path, kept = values.pop("path", request.path), values.pop("kept", {})
        own, notices = self.faces.at(values.pop("site_id", g.get("site_id")))
        face = values.pop("face", own)
        default = self.city.config.languages[0]
        return page(
            template,
            speech,
            status=status,
            face=face,
            city=self.city.config,
            notices=[notice.said(speech.language, default) for notice in notices],
            welcome=face.welcomed(speech.language),
            switches=switches(path, speech, self.speeches, **kept) if path else [],
            foot=urlencode({**kept, "lang": speech.language}),
            **values,
        )

    def not_at_a_hotspot(self, status: int, *, way_in: str = "") -> Response:
        """Also the answer to a forged or foreign link: it tells nothing about why. `way_in`: a NAS, if one is known."""
        said = self.speech().text
        return self.show(
            "captive/message.html",
            status=status,
            heading=said("Free Wi-Fi of the city"),
            sentences=[
                said("This page lets you on when you come from one of the city's hotspots."),
                said("Connect to the Wi-Fi and open any page: the hotspot brings you here."),
            ],
            link=way_in,
            link_text=said("Get online"),
        )
