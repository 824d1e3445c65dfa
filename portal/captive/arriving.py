"""Arriving: the NAS's redirect, whatever its product, and the page that it leads to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.errors import InputError
from hotspot.plan import Way
from portal.captive.account_pages import mailed_address
from portal.captive.code_step import code_address
from portal.captive.front import Trouble, front_page
from portal.captive.getting_on import GettingOn
from portal.captive.handoff.methods import METHODS, claimed_identifier
from portal.captive.handoff.protocol import Arrival, ForgedError, Inbound, Method, Result
from portal.captive.room import Guest, Room
from portal.captive.sentences import of_failure
from portal.captive.standing import fetching_for
from portal.tokens import Visit
from service.speech import Speech
from store import nases, residents
from store.nases import Nas


@dataclass(frozen=True)
class Arriving:
    """The routes by which a browser comes in."""

    room: Room
    getting_on: GettingOn

    def mount(self, routes: Blueprint) -> None:
        routes.get("/")(self.arrive)
        routes.get("/at/<path:nas_identifier>")(self.arrive_at)
        routes.post("/at/<path:nas_identifier>")(self.arrive_at)
        routes.get("/welcome")(self.welcome)

    def arrive(self) -> AnyResponse:
        """The front door: a redirect that names its NAS by itself, or somebody who typed the address."""
        inbound = self._inbound()
        identifier = claimed_identifier(inbound)
        if identifier:
            return self._from(identifier, inbound)
        return self._refused("unknown") if inbound.fields.keys() - {"lang"} else self.room.not_at_a_hotspot(200)

    def arrive_at(self, nas_identifier: str) -> AnyResponse:
        """The door of one NAS, for products whose redirect does not name it: the admin gave it this address."""
        return self._from(nas_identifier, self._inbound())

    def _inbound(self) -> Inbound:
        query = request.query_string.decode("latin-1")
        fields = {name: values[0] for name, values in (*request.form.lists(), *request.args.lists()) if values}
        return Inbound(f"{self.room.city.config.portal.url}{request.path}?{query}", query, fields)

    def _from(self, identifier: str, inbound: Inbound) -> AnyResponse:
        nas, method = self._nas(identifier)
        if nas is None or method is None:
            return self._refused("unknown")
        try:
            arrival = method.read(inbound, nas)
        except ForgedError:
            return self._refused("forged")
        except InputError:
            return self._refused("malformed")
        self.room.metrics.arrivals.labels(arrival.result.value).inc()
        return self._after(arrival, nas)

    def _nas(self, identifier: str) -> tuple[Nas | None, Method | None]:
        if "\0" in identifier:  # PostgreSQL takes none
            return None, None
        with self.room.city.store.read() as conn:
            nas = nases.by_identifier(conn, self.room.city.store.keys, identifier)
        return nas, METHODS.get(nas.handoff) if nas is not None else None

    def _refused(self, why: str) -> AnyResponse:
        self.room.metrics.arrivals.labels(why).inc()
        return self.room.not_at_a_hotspot(400)

    def _after(self, arrival: Arrival, nas: Nas) -> AnyResponse:
        visit = Visit(nas.id, arrival.mac, arrival.back, arrival.user_url, arrival.signed)
        token, speech = self.room.token(visit), self._speech_of(arrival)
        if arrival.result in (Result.SUCCESS, Result.ALREADY, Result.LOG_OFF):
            fetching = self._fetching(arrival)
            if fetching is not None:
                return redirect(_FETCHING[fetching](token, speech.language), 303)
            return redirect(f"/status?visit={token}&lang={speech.language}", 303)
        guest = Guest(token, visit, nas)
        if arrival.result is Result.NOT_YET:
            back_on = self.getting_on.let_back_on(guest, speech)
            if back_on is not None:
                return back_on
        failed = arrival.result is Result.FAILED
        trouble = Trouble(speech.text(of_failure(arrival.reason, arrival.reply))) if failed else None
        return front_page(self.room, guest, speech, trouble=trouble)

    def _fetching(self, arrival: Arrival) -> Way | None:
        """For which way in the device is online to read a mail; its page is what the reader needs next."""
        city, now = self.room.city, self.room.clock()
        if arrival.result is Result.LOG_OFF or not arrival.signed:
            return None
        with city.store.read() as conn:
            device_id = residents.find_device(conn, city.store.keys, arrival.mac, now=now)
            return None if device_id is None else fetching_for(conn, device_id, now=now)

    def _speech_of(self, arrival: Arrival) -> Speech:
        """A device that comes back from its NAS is spoken to as on the page where it accepted the terms."""
        if arrival.result is not Result.NOT_YET and arrival.signed and "lang" not in request.args:
            city = self.room.city
            with city.store.read() as conn:
                device_id = residents.find_device(conn, city.store.keys, arrival.mac, now=self.room.clock())
                language = residents.language_of(conn, device_id) if device_id is not None else ""
            if language in self.room.speeches:
                return self.room.speeches[language]
        return self.room.speech()

    def welcome(self) -> AnyResponse:
        """The front page again, for a visit that is under way (the language switch)."""
        return self.for_guest(lambda guest: front_page(self.room, guest))

    def for_guest(self, then: Callable[[Guest], AnyResponse]) -> AnyResponse:
        guest = self.room.guest()
        return then(guest) if guest is not None else self.room.not_at_a_hotspot(400)


_FETCHING: dict[Way, Callable[[str, str], str]] = {
    Way.EMAIL: lambda token, language: code_address(token, Way.EMAIL, language),
    Way.ACCOUNT: mailed_address,
}
"""The page on which somebody goes on who has read the mail."""
