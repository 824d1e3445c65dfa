"""The ways in by e-mail and SMS: the form that asks for a code, and the page on which it is typed.

The page's address holds all that it needs, so that it works again after a phone's log-in window was closed, and from
the link in the e-mail. Opening it changes nothing: mail filters open links, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.admission import Denial
from hotspot.codes import CODE_TEXT_MAX, parse_code
from hotspot.errors import InputError
from hotspot.plan import Way
from hotspot.terms import choose
from portal.address import client_address
from portal.captive import admission
from portal.captive.admission import Admission, Wish
from portal.captive.codes import SENT_BY, Sent, Written, by_code, send_code
from portal.captive.front import Trouble, front_page
from portal.captive.getting_on import STATUS, GettingOn
from portal.captive.grace import is_in_the_way
from portal.captive.handoff.methods import asks_radius
from portal.captive.room import Guest, Room
from portal.captive.sentences import DENIALS
from portal.captive.standing import NO_FETCHING, fetching_of
from portal.forms import row_number
from service.speech import Speech
from store import residents

ADDRESS_MAX = 320
"""Characters of an address or number that are looked at."""


@dataclass(frozen=True)
class CodeStep:
    """The routes of codes that are sent."""

    room: Room
    getting_on: GettingOn

    def mount(self, routes: Blueprint) -> None:
        routes.post("/email")(self.by_email)
        routes.post("/sms")(self.by_sms)
        routes.get("/code")(self.code_page)
        routes.post("/code")(self.enter_code)

    # Asking for a code ----------------------------------------------------------------------------------

    def by_email(self) -> AnyResponse:
        """An e-mail address was typed."""
        return self._send(Way.EMAIL)

    def by_sms(self) -> AnyResponse:
        """A telephone number was typed."""
        return self._send(Way.SMS)

    def _send(self, way: Way) -> AnyResponse:
        guest = self.room.guest()
        if guest is None:
            return self.room.not_at_a_hotspot(400)
        speech, typed = self.room.speech(), request.form.get("address", "")[:ADDRESS_MAX]

        def write(code: str, grant_id: int) -> Written:
            return self._written(guest, way, speech, code, grant_id)

        sent = send_code(
            self.room.city,
            self._wish(guest, speech),
            way,
            typed,
            write,
            now=self.room.clock(),
            random_octets=self.room.random_octets,
        )
        result = sent.value if isinstance(sent, Denial) else "wanted"
        self.room.metrics.codes.labels(way.value, result).inc()
        if isinstance(sent, Denial):
            trouble = Trouble(speech.text(DENIALS[sent]), way, {"address": typed})
            return front_page(self.room, guest, speech, trouble=trouble, status=STATUS.get(sent, 422))
        return self._to_the_page(guest, way, speech, sent)

    def _to_the_page(self, guest: Guest, way: Way, speech: Speech, sent: Sent) -> AnyResponse:
        """On to the page for the code; where there is grace, by way of the NAS."""
        if sent.grace is None:
            return redirect(code_address(guest.token, way, speech.language), 303)
        landing = code_address(self._token(guest, sent.grace.grant_id), way, speech.language)
        return self.getting_on.hand_over(guest, sent.grace, speech, landing=landing)

    def _wish(self, guest: Guest, speech: Speech) -> Wish:
        terms_id = row_number(request.form.get("terms", ""))
        address = client_address(request, self.room.city)
        return Wish(guest.visit.mac, terms_id, speech.language, guest.nas.site_ways, address)

    def _token(self, guest: Guest, grant_id: int) -> str:
        return self.room.token(replace(guest.visit, grant_id=grant_id or guest.visit.grant_id))

    def _written(self, guest: Guest, way: Way, speech: Speech, code: str, grant_id: int) -> Written:
        """The message: short, with a link that fills the code in. Text messages name the page that may read them."""
        config = self.room.city.config
        if way is Way.SMS:
            text = speech.text("%(code)s is your code for the Wi-Fi of %(city)s.", code=code, city=config.name)
            return Written("", f"{text}\n\n@{config.portal.host} #{code}")
        link = config.portal.url + code_address(self._token(guest, grant_id), way, speech.language, code=code)
        time = speech.duration(config.limits.code_minutes * 60)
        paragraphs = (
            speech.text("Your code for the Wi-Fi of %(city)s: %(code)s", city=config.name, code=code),
            speech.text("Type it on the page of the Wi-Fi, or open this link on the device that shall get online:"),
            link,
            speech.text("The code is good for %(time)s and for that device alone.", time=time),
            speech.text("You did not ask for it? Then somebody mistyped an address, and you need do nothing."),
        )
        return Written(speech.text("%(code)s is your Wi-Fi code", code=code), "\n\n".join(paragraphs) + "\n")

    # Typing it ------------------------------------------------------------------------------------------

    def code_page(self) -> AnyResponse:
        """The page for the code; a code in the address is filled in, and not tried."""
        guest = self.room.guest()
        if guest is None:
            return self.room.not_at_a_hotspot(400)
        try:
            filled = parse_code(request.args.get("code", ""))
        except InputError:
            filled = ""
        return self._page(guest, _way_of(request.args.get("way", "")), self.room.speech(), typed=filled)

    def _page(
        self,
        guest: Guest,
        way: Way,
        speech: Speech,
        *,
        typed: str = "",
        trouble: str = "",
        again: bool = False,
        status: int = 200,
    ) -> AnyResponse:
        city = self.room.city
        proven = self.room.proven(guest.visit)
        with city.store.read() as conn:
            texts = residents.current_terms(conn)
        return self.room.show(
            "captive/code.html",
            speech,
            status=status,
            path="/code",
            kept={"visit": guest.token, "way": way.value},
            token=guest.token,
            way=way.value,
            terms=choose(texts, speech.language, city.config.languages[0]),
            fetching=fetching_of(city, guest.visit.mac, way, now=self.room.clock()) if proven else NO_FETCHING,
            typed=typed,
            trouble=trouble,
            again=again,
        )

    def enter_code(self) -> AnyResponse:
        """A code was typed: on to the NAS, or straight to the status page where the device is online with grace."""
        guest = self.room.guest()
        if guest is None:
            return self.room.not_at_a_hotspot(400)
        way, speech = _way_of(request.form.get("way", "")), self.room.speech()
        typed = request.form.get("code", "")[:CODE_TEXT_MAX]
        proven = asks_radius(guest.nas) and self.room.proven(guest.visit)
        answer = admission.admit(
            self.room.city,
            self._wish(guest, speech),
            by_code(way, typed, proven=proven),
            now=self.room.clock(),
            random_octets=self.room.random_octets,
        )
        self.getting_on.count(way, answer)
        if isinstance(answer, Denial):
            trouble = Trouble(speech.text(DENIALS[answer]), way)
            if answer in (Denial.TERMS_CHANGED, Denial.NOT_OFFERED, Denial.BLOCKED):
                return front_page(self.room, guest, speech, trouble=trouble, status=STATUS.get(answer, 422))
            status = STATUS.get(answer, 422)
            return self._page(guest, way, speech, typed=typed, trouble=trouble.sentence, status=status)
        return self._let_on(guest, way, speech, typed, answer, proven=proven)

    def _let_on(
        self, guest: Guest, way: Way, speech: Speech, typed: str, answer: Admission, *, proven: bool
    ) -> AnyResponse:
        if answer.carried:
            token = self._token(guest, answer.grant_id)
            return redirect(f"/status?visit={token}&lang={speech.language}", 303)
        if proven and is_in_the_way(self.room.city, answer.device_id):
            return self._page(guest, way, speech, typed=typed, again=True)
        return self.getting_on.hand_over(guest, answer, speech)


def code_address(token: str, way: Way, language: str, **more: str) -> str:
    """Path and query of the page on which a code is typed."""
    return f"/code?{urlencode({'visit': token, 'way': way.value, 'lang': language, **more})}"


def _way_of(word: str) -> Way:
    """The way that a form or an address names; e-mail where it names none of ours."""
    return next((way for way in SENT_BY if way.value == word), Way.EMAIL)
