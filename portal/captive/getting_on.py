"""Getting on: a way in was taken; the grant is made and the browser handed over to the NAS."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.access import Accept, Refusal
from hotspot.admission import Denial
from hotspot.credentials import TICKET_NAME_BYTES, ticket_name
from hotspot.plan import Way
from portal.address import client_address
from portal.captive import admission, authorising
from portal.captive.admission import Admission, WayIn, Wish, by_tap, by_voucher
from portal.captive.authorising import Stay
from portal.captive.front import Trouble, front_page
from portal.captive.grace import is_in_the_way
from portal.captive.handoff.methods import asks_radius, hand_off
from portal.captive.handoff.protocol import Admitted, Awaited, Back, Credential, Failed, GoTo, Handing, HandOff, Submit
from portal.captive.room import Guest, Room
from portal.captive.sentences import DENIALS, ONCE_MORE, of_failure
from portal.forms import row_number
from portal.tokens import Visit
from service.reasons import REASONS
from service.speech import Speech

log = logging.getLogger(__name__)


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
        self,
        guest: Guest,
        way: Way,
        way_in: WayIn,
        *,
        terms_id: int,
        typed: dict[str, str] | None = None,
        account: str = "",
        speech: Speech | None = None,
    ) -> AnyResponse:
        """Admit the guest by this way in and hand over to the NAS; the front page with the reason where it may not.

        `account`: whose password is guessed at, if any. `speech`: where the request itself does not say the language.
        """
        speech = speech or self.room.speech()
        answer = self.ask(guest, way, way_in, terms_id=terms_id, account=account, speech=speech)
        if isinstance(answer, Denial):
            trouble = Trouble(speech.text(DENIALS[answer]), way, typed or {})
            return front_page(self.room, guest, speech, trouble=trouble, status=STATUS.get(answer, 422))
        if answer.carried:
            token = self.room.token(replace(guest.visit, grant_id=answer.grant_id))
            return redirect(f"/status?visit={token}&lang={speech.language}", 303)
        if way is Way.ACCOUNT and is_in_the_way(self.room.city, answer.device_id):
            return front_page(self.room, guest, speech, trouble=Trouble(speech.text(ONCE_MORE), way, typed or {}))
        return self.hand_over(guest, answer, speech)

    def ask(
        self, guest: Guest, way: Way, way_in: WayIn, *, terms_id: int, account: str = "", speech: Speech | None = None
    ) -> Admission | Denial:
        """The judgement alone, counted."""
        language = (speech or self.room.speech()).language
        address = client_address(request, self.room.city)
        wish = Wish(guest.visit.mac, terms_id, language, guest.nas.site_ways, address, account)
        answer = admission.admit(
            self.room.city, wish, way_in, now=self.room.clock(), random_octets=self.room.random_octets
        )
        self.count(way, answer)
        return answer

    def hand(self, guest: Guest, answer: Admission) -> HandOff | None:
        """The hand-off to a NAS that asks RADIUS, as a value."""
        visit = replace(guest.visit, grant_id=answer.grant_id)
        landing = self._status(visit, self.room.speech())
        return self._handed(replace(guest, visit=visit), answer.credential, None, landing)

    def count(self, way: Way, answer: Admission | Denial) -> None:
        """Count what became of somebody who asked to get on."""
        result, reason = ("refused", answer.value) if isinstance(answer, Denial) else ("ticket", "")
        self.room.metrics.logins.labels(way.value, result, reason).inc()

    def hand_over(self, guest: Guest, answer: Admission, speech: Speech, *, landing: str = "") -> AnyResponse:
        """To a NAS that asks RADIUS with the ticket; another one lets on whom the portal says.

        `landing`: path and query of the page for afterwards; empty: the status page.
        """
        if asks_radius(guest.nas):
            visit = replace(guest.visit, grant_id=answer.grant_id)
            return self._go(replace(guest, visit=visit), answer.credential, None, speech, landing)
        name, now = answer.credential.name, self.room.clock()
        decision = authorising.by_ticket(self.room.city, guest.nas, guest.visit.mac, name, now=now)
        if isinstance(decision, Refusal):
            trouble = Trouble(speech.text(REASONS[decision.reason]))
            return front_page(self.room, guest, speech, trouble=trouble, status=403)
        return self._go(guest, answer.credential, decision, speech, landing)

    def let_back_on(self, guest: Guest, speech: Speech) -> AnyResponse | None:
        """A remembered device comes back to a NAS that asks no RADIUS and signs who comes; None: show the page."""
        if asks_radius(guest.nas) or not guest.visit.signed:
            return None
        now = self.room.clock()
        accept = authorising.by_memory(self.room.city, guest.nas, guest.visit.mac, now=now)
        if accept is None:
            return None
        name = ticket_name(self.room.random_octets(TICKET_NAME_BYTES))
        return self._go(guest, Credential(name, ""), accept, speech)

    def _go(
        self, guest: Guest, credential: Credential, accept: Accept | None, speech: Speech, landing: str = ""
    ) -> AnyResponse:
        landing = landing or self._status(guest.visit, speech)
        return self._follow(self._handed(guest, credential, accept, landing), guest, landing, speech)

    def _status(self, visit: Visit, speech: Speech) -> str:
        return f"/status?visit={self.room.token(visit)}&lang={speech.language}"

    def _handed(self, guest: Guest, credential: Credential, accept: Accept | None, landing: str) -> HandOff | None:
        """The hand-off itself; without RADIUS the portal records the session once its NAS was told."""
        visit = guest.visit
        handing = Handing(
            nas=guest.nas,
            mac=visit.mac,
            back=Back(visit.back),
            user_url=visit.user_url,
            landing=f"{self.room.city.config.portal.url}{landing}",
            credential=credential,
            accept=accept,
            controllers=self.room.controllers,
        )
        handed = hand_off(handing)
        self.room.metrics.note_handoff(handed)
        if isinstance(handed, Failed):
            log.warning("%s: %s: nobody let on: %s", self.room.city.key, guest.nas.name, handed.reason)
        session_id = handed.session_id if isinstance(handed, Admitted | GoTo) else ""
        if session_id and accept is not None:
            stay = Stay(guest.nas, accept, session_id, visit.signed)
            authorising.started(self.room.city, stay, now=self.room.clock())
        if isinstance(handed, Awaited):
            made_room = authorising.await_word(
                self.room.city, guest.nas, handed, proven=visit.signed, now=self.room.clock()
            )
            self.room.metrics.given_up.inc(made_room)
        return handed

    def _follow(self, handed: HandOff | None, guest: Guest, landing: str, speech: Speech) -> AnyResponse:
        """What the browser is told of a hand-off."""
        match handed:
            case GoTo(url) | Awaited(url=url):
                return redirect(url, 303)
            case Submit(url, fields):
                return self.room.show("captive/submit.html", speech, url=url, fields=fields)
            case Admitted():
                return redirect(landing, 303)
            case None:
                return self.room.not_at_a_hotspot(400)
            case Failed(reason, reply):
                trouble = Trouble(speech.text(of_failure(reason, reply)))
                return front_page(self.room, guest, speech, trouble=trouble, status=502)


STATUS = {
    Denial.TOO_MANY_GUESSES: 429,
    Denial.CODE_TOO_SOON: 429,
    Denial.TOO_MANY_CODES: 429,
    Denial.SENDING_FULL: 503,
    Denial.BLOCKED: 403,
    Denial.NOT_ENTITLED: 403,
    Denial.PROVIDER_AWAY: 502,
}
"""HTTP's word for a denial; 422 for every other."""
