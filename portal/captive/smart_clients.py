"""Devices that log in without a person and a page, by WISPr: a voucher's code or an account's password.

They see no terms, so only a device is let on that has accepted the current ones on the page before.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, make_response, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.accounts import normal, parse_address
from hotspot.admission import Denial
from hotspot.plan import Way
from portal.address import client_address
from portal.captive import wispr
from portal.captive.accounts import Accounts, by_account
from portal.captive.admission import WayIn, by_voucher
from portal.captive.getting_on import GettingOn
from portal.captive.guessing import Guess
from portal.captive.handoff.protocol import GoTo
from portal.captive.room import Guest, Room
from portal.captive.sentences import DENIALS, HOTSPOT_REFUSED, TERMS_ON_THE_PAGE
from store import residents


@dataclass(frozen=True)
class SmartClients:
    """The address that `wispr.invitation` names."""

    room: Room
    getting_on: GettingOn
    accounts: Accounts

    def mount(self, routes: Blueprint) -> None:
        routes.post("/wispr")(self.wispr_log_in)

    def wispr_log_in(self) -> AnyResponse:
        """`UserName` and `Password` as WISPr names them; the visit stands in the address."""
        guest = self.room.guest()
        if guest is None or not guest.visit.signed:
            return _page(wispr.refused(self.room.speech().text(HOTSPOT_REFUSED)), 400)
        terms_id = self._accepted(guest)
        if terms_id is None:
            return _page(wispr.refused(self.room.speech().text(TERMS_ON_THE_PAGE)))
        way, way_in, account = self._way_in(guest)
        answer = self.getting_on.ask(guest, way, way_in, terms_id=terms_id, account=account)
        if isinstance(answer, Denial):
            return _page(wispr.refused(self.room.speech().text(DENIALS[answer])))
        handed = self.getting_on.hand(guest, answer)
        if not isinstance(handed, GoTo):
            return _page(wispr.refused(self.room.speech().text(HOTSPOT_REFUSED)))
        return _page(wispr.pending(handed.url))

    def _accepted(self, guest: Guest) -> int | None:
        """The current text of the terms that this device has accepted."""
        city = self.room.city
        with city.store.read() as conn:
            device_id = residents.find_device(conn, city.store.keys, guest.visit.mac, now=self.room.clock())
            return None if device_id is None else residents.accepted_terms(conn, device_id)

    def _way_in(self, guest: Guest) -> tuple[Way, WayIn, str]:
        """An e-mail address as user name is an account's; any other name goes with a code as password."""
        name, password = request.form.get("UserName", ""), request.form.get("Password", "")
        address = parse_address(name)
        if address is None:
            return Way.VOUCHER, by_voucher(password), ""
        guess = Guess(guest.visit.mac, client_address(request, self.room.city), address)
        found = self.accounts.log_in(address, normal(password), guess, now=self.room.clock())
        return Way.ACCOUNT, by_account(found, self.room.speech().language, proven=guest.visit.signed), address


def _page(comment: str, status: int = 200) -> Response:
    """What no person looks at."""
    return make_response(f'<!doctype html>\n<html lang="en"><title>WISPr</title>{comment}</html>\n', status)
