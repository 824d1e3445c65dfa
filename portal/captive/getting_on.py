"""Getting on: a way in was taken; the grant is made and the browser handed over to the NAS."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.admission import Denial
from hotspot.plan import Way
from portal.address import client_address
from portal.captive import admission
from portal.captive.admission import Admission, WayIn, Wish, by_tap, by_voucher
from portal.captive.front import Trouble, front_page
from portal.captive.handoff.methods import METHODS
from portal.captive.handoff.protocol import Admitted, Failed, GoTo, Handing, HandOff, Submit
from portal.captive.room import Guest, Room
from portal.captive.sentences import DENIALS, HOTSPOT_REFUSED
from portal.forms import row_number
from portal.pages import origin
from service.speech import Speech


@dataclass(frozen=True)
class GettingOn:
    """The forms of the ways in that need one step, and what every way in ends with (`let_on`)."""

    room: Room

    def mount(self, routes: Blueprint) -> None:
        routes.post("/accept")(self.accept)
        routes.post("/voucher")(self.voucher)

    def accept(self) -> AnyResponse:
        """One tap on the terms."""
        return self._with(Way.TAP, by_tap)

    def voucher(self) -> AnyResponse:
        code = request.form.get("code", "")
        return self._with(Way.VOUCHER, by_voucher(code), typed={"code": code})

    def _with(self, way: Way, way_in: WayIn, typed: dict[str, str] | None = None) -> AnyResponse:
        guest = self.room.guest()
        if guest is None:
            return self.room.not_at_a_hotspot(400)
        return self.let_on(guest, way, way_in, terms_id=row_number(request.form.get("terms", "")), typed=typed)

    def let_on(
        self, guest: Guest, way: Way, way_in: WayIn, *, terms_id: int, typed: dict[str, str] | None = None
    ) -> AnyResponse:
        """Admit the guest by this way in and hand over to the NAS; the front page with the reason where it may not."""
        speech = self.room.speech()
        address = client_address(request, self.room.city)
        wish = Wish(guest.visit.mac, terms_id, speech.language, guest.nas.site_ways, address)
        answer = admission.admit(
            self.room.city, wish, way_in, now=self.room.clock(), random_octets=self.room.random_octets
        )
        self.count(way, answer)
        if isinstance(answer, Denial):
            trouble = Trouble(speech.text(DENIALS[answer]), way, typed or {})
            return front_page(self.room, guest, speech, trouble=trouble, status=STATUS_OF.get(answer, 422))
        return self.hand_over(guest, answer, speech)

    def count(self, way: Way, answer: Admission | Denial) -> None:
        """Count what became of somebody who asked to get on."""
        result, reason = ("refused", answer.value) if isinstance(answer, Denial) else ("ticket", "")
        self.room.metrics.logins.labels(way.value, result, reason).inc()

    def hand_over(self, guest: Guest, answer: Admission, speech: Speech, *, landing: str = "") -> AnyResponse:
        """Send the browser to the NAS with the ticket; afterwards to `landing`, the status page where it is empty."""
        visit = replace(guest.visit, grant_id=answer.grant_id)
        landing = landing or f"/status?visit={self.room.token(visit)}&lang={speech.language}"
        handing = Handing(
            nas=guest.nas,
            mac=visit.mac,
            back=visit.back,
            user_url=visit.user_url,
            landing=f"{self.room.city.config.portal.url}{landing}",
            credential=answer.credential,
        )
        return self._follow(METHODS[guest.nas.handoff].hand_off(handing), guest, landing, speech)

    def _follow(self, handed: HandOff, guest: Guest, landing: str, speech: Speech) -> AnyResponse:
        """What the browser is told of a hand-off."""
        match handed:
            case GoTo(url):
                return redirect(url, 303)
            case Submit(url, fields):
                return self.room.show("captive/submit.html", speech, url=url, fields=fields, target=origin(url))
            case Admitted():
                return redirect(landing, 303)
            case Failed():
                return front_page(self.room, guest, speech, trouble=Trouble(speech.text(HOTSPOT_REFUSED)), status=502)


STATUS_OF = {
    Denial.TOO_MANY_GUESSES: 429,
    Denial.CODE_TOO_SOON: 429,
    Denial.TOO_MANY_CODES: 429,
    Denial.SENDING_FULL: 503,
    Denial.BLOCKED: 403,
}
"""HTTP status of a page that says a denial; 422 for the others."""
