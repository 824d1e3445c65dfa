"""Arriving: the NAS's redirect, whatever its product, and the page that it leads to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.errors import InputError
from hotspot.plan import Way
from portal.address import client_address
from portal.captive import wispr
from portal.captive.account_pages import mailed_address
from portal.captive.capport import nas_of_network, own_network
from portal.captive.code_step import code_address
from portal.captive.controllers import CallError
from portal.captive.front import Trouble, front_page
from portal.captive.gateways import Call, Desk, NotBelievedError
from portal.captive.getting_on import GettingOn
from portal.captive.handoff import fas
from portal.captive.handoff.methods import METHODS, claimed_identifier
from portal.captive.handoff.protocol import Arrival, ForgedError, Inbound, Method, Result
from portal.captive.room import Guest, Room
from portal.captive.sentences import of_failure
from portal.captive.standing import fetching_for
from portal.metrics import GATEWAY_CALLS
from portal.pages import origin
from portal.tokens import Visit
from service.speech import Speech
from store import residents
from store.nases import Nas

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Arriving:
    """The routes by which a browser comes in."""

    room: Room
    getting_on: GettingOn

    def mount(self, routes: Blueprint) -> None:
        routes.get("/")(self.arrive)
        routes.get("/at/<path:nas_identifier>")(self.arrive_at)
        routes.post("/at/<path:nas_identifier>")(self.arrive_at)
        routes.get("/guest/s/<nas_identifier>/", strict_slashes=False)(self.arrive_at)  # UniFi's, by its site
        routes.get("/welcome")(self.welcome)

    def arrive(self) -> AnyResponse:
        """The front door: a redirect that names its NAS by itself, or somebody who typed the address."""
        inbound = self._inbound()
        identifier = claimed_identifier(inbound)
        if identifier:
            return self._from(identifier, inbound)
        if inbound.fields.keys() - {"lang"}:
            return self._refused("unknown")
        return self.room.not_at_a_hotspot(200, way_in=self._way_in())

    def _way_in(self) -> str:
        """The NAS of somebody who typed our address, where his own address tells which it is."""
        city = self.room.city
        network = own_network(city, client_address(request, city))
        if network is None:
            return ""
        with city.store.read() as conn:
            nas = nas_of_network(conn, city, network)
        return f"{origin(nas.login_url)}/" if nas is not None else ""

    def arrive_at(self, nas_identifier: str) -> AnyResponse:
        """The door of one NAS, for products whose redirect does not name it: the admin gave it this address."""
        inbound = self._inbound()
        if "auth_get" in inbound.fields:
            return self._gateway(nas_identifier, inbound.fields)
        landing = fas.comes_back_online(inbound.fields, self.room.city.config.portal.url)
        return redirect(landing, 303) if landing else self._from(nas_identifier, inbound)

    def _gateway(self, nas_identifier: str, said: Mapping[str, str]) -> AnyResponse:
        """Not a browser: an openNDS gateway speaks for itself."""
        nas, _ = self._nas(nas_identifier)
        call = Call(
            said["auth_get"],
            said.get("gatewayhash", ""),
            said.get("payload", ""),
            said.get("signature", ""),
            client_address(request, self.room.city),
        )
        counted = call.said if call.said in GATEWAY_CALLS else "other"
        try:
            if nas is None or not nas.handoff.startswith("fas"):
                raise NotBelievedError
            answer, result, status = Desk(self.room.city, nas, self.room.clock()).answer(call), "ok", 200
        except NotBelievedError:
            answer, result, status = "", "not_believed", 403
        except InputError:
            answer, result, status = "", "malformed", 400
        self.room.metrics.gateway_calls.labels(counted, result).inc()
        return Response(answer, status, {"Cache-Control": "no-store"}, content_type="text/plain; charset=utf-8")

    def _inbound(self) -> Inbound:
        query = request.query_string.decode("latin-1")
        fields = {name: values[0] for name, values in (*request.form.lists(), *request.args.lists()) if values}
        url = f"{self.room.city.config.portal.url}{request.path}?{query}"
        return Inbound(url, query, fields, self.room.controllers)

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
        except CallError as error:
            return self._unreadable(nas, error)
        self.room.metrics.arrivals.labels(arrival.result.value).inc()
        return self._after(arrival, nas)

    def _unreadable(self, nas: Nas, error: CallError) -> AnyResponse:
        """The device's address is encrypted, and the controller does not say it: nobody can be let on."""
        self.room.metrics.arrivals.labels("unreadable").inc()
        log.warning("%s: %s: an encrypted address stays so: %s", self.room.city.key, nas.name, error.reason)
        self.room.stands_at(nas)
        said = self.room.speech().text
        sentences = [said(of_failure(error.reason, error.reply))]
        return self.room.show(
            "captive/message.html", status=502, path="", heading=said("This did not work"), sentences=sentences
        )

    def _nas(self, identifier: str) -> tuple[Nas | None, Method | None]:
        if "\0" in identifier:  # PostgreSQL takes none
            return None, None
        nas = self.room.nas_called(identifier)
        return nas, METHODS.get(nas.handoff) if nas is not None else None

    def _refused(self, why: str) -> AnyResponse:
        self.room.metrics.arrivals.labels(why).inc()
        return self.room.not_at_a_hotspot(400)

    def _after(self, arrival: Arrival, nas: Nas) -> AnyResponse:
        visit = Visit(nas.id, arrival.mac, arrival.back, arrival.user_url, arrival.signed, arrived_at=self.room.clock())
        token, speech = self.room.token(visit), self._speech_of(arrival)
        if arrival.result in (Result.SUCCESS, Result.ALREADY, Result.LOG_OFF):
            fetching = self._fetching(arrival)
            if fetching is not None:
                return redirect(_FETCHING[fetching](token, speech.language), 303)
            to_status = redirect(f"/status?visit={token}&lang={speech.language}", 303)
            if arrival.signed:
                told = wispr.logged_off() if arrival.result is Result.LOG_OFF else wispr.logged_in(nas.login_url)
                to_status.set_data(f"{to_status.get_data(as_text=True)}{told}\n")
            return to_status
        guest = Guest(token, visit, nas)
        if arrival.result is Result.NOT_YET:
            back_on = self.getting_on.let_back_on(guest, speech)
            if back_on is not None:
                return back_on
        if arrival.result is not Result.FAILED:
            return front_page(self.room, guest, speech)
        sentence = speech.text(of_failure(arrival.reason, arrival.reply))
        told = wispr.failed(sentence, rejected=arrival.reason == "reject") if arrival.signed else ""
        return front_page(self.room, guest, speech, trouble=Trouble(sentence), for_machines=told)

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
        guest = self.room.guest()
        return front_page(self.room, guest) if guest is not None else self.room.not_at_a_hotspot(400)


_FETCHING: dict[Way, Callable[[str, str], str]] = {
    Way.EMAIL: lambda token, language: code_address(token, Way.EMAIL, language),
    Way.ACCOUNT: mailed_address,
}
"""The page on which somebody goes on who has read the mail."""
