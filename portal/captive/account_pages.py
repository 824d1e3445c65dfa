"""The pages of an account: log in, register, confirm, a new password, delete. Each view parses, asks, renders.

There is no log-in that lasts: what changes an account proves it anew, by its password or by a link in a mail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.accounts import Flaw, flaw_of, normal, parse_address
from hotspot.addresses import EMAIL_MAX
from hotspot.admission import Denial
from hotspot.plan import Way
from hotspot.terms import choose
from portal.address import client_address
from portal.captive.accounts import Accounts, Mailed, Purpose, by_account
from portal.captive.admission import Wish
from portal.captive.getting_on import STATUS, GettingOn
from portal.captive.guessing import Guess
from portal.captive.handoff.methods import asks_radius
from portal.captive.room import Guest, Room
from portal.captive.sentences import DENIALS, FLAWS
from portal.captive.standing import NO_FETCHING, fetching_of
from portal.forms import line, row_number
from service.speech import marked as _
from store import residents
from store.accounts import Account

READY = (_("Your account is ready"), _("Log in with it on the Wi-Fi's log-in page."))
NEW_PASSWORD = (_("Your new password is set"), _("Log in with it on the Wi-Fi's log-in page."))
CHANGED = (_("Your new password is set"), _("Your other devices need it when they next log in."))
DELETED = (_("Your account is deleted"), _("Your e-mail address and your password are gone for good."))
SPENT = (
    _("This link is not good any more"),
    _("It was used already, or it is too old. Start again on the Wi-Fi's log-in page."),
)
"""Heading and sentence of what is said at the end."""


@dataclass(frozen=True)
class AccountPages:
    """The routes. Registering, logging in and asking for a mail need a hotspot; links in mails work anywhere."""

    room: Room
    getting_on: GettingOn

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.room.city, self.room.speeches)

    def mount(self, routes: Blueprint) -> None:
        routes.post("/account/login")(self.log_in)
        routes.get("/account")(self.hub)
        routes.get("/account/new")(self.new)
        routes.post("/account/new")(self.register)
        routes.get("/account/mailed")(self.mailed)
        routes.get("/account/confirm")(self.confirm)
        routes.post("/account/confirm")(self.confirmed)
        routes.post("/account/forgotten")(self.forgotten)
        routes.get("/account/password")(self.reset)
        routes.post("/account/password")(self.set_password)
        routes.post("/account/change")(self.change)
        routes.post("/account/delete")(self.delete)
        routes.post("/account/deleted")(self.deleted)

    # Getting on -------------------------------------------------------------------------------------------

    def log_in(self) -> AnyResponse:
        """The way in by account: the password is checked before the transaction that admits."""
        guest = self.room.guest()
        if guest is None:
            return self.room.not_at_a_hotspot(400)
        typed = _typed_address()
        address = parse_address(typed) or ""
        found = self.accounts.log_in(address, _password(), self._guess(guest, address), now=self.room.clock())
        proven = asks_radius(guest.nas) and self.room.proven(guest.visit)
        return self.getting_on.let_on(
            guest,
            Way.ACCOUNT,
            by_account(found, self.room.speech().language, proven=proven),
            terms_id=row_number(request.form.get("terms", "")),
            typed={"email": typed},
            account=address,
        )

    # Registering --------------------------------------------------------------------------------------------

    def new(self) -> AnyResponse:
        guest = self.room.guest_at(Way.ACCOUNT)
        return self.room.not_at_a_hotspot(400) if guest is None else self._new(guest)

    def register(self) -> AnyResponse:
        guest = self.room.guest_at(Way.ACCOUNT)
        if guest is None:
            return self.room.not_at_a_hotspot(400)
        typed, password = _typed_address(), _password()
        address = parse_address(typed)
        flaw = flaw_of(password, address) if address is not None else Flaw.ADDRESS
        if address is None or flaw is not None:
            return self._new(guest, typed, FLAWS[flaw or Flaw.ADDRESS])
        mailed = self.accounts.register(
            self._wish(guest), address, password, now=self.room.clock(), random_octets=self.room.random_octets
        )
        return self._new(guest, typed, DENIALS[mailed]) if isinstance(mailed, Denial) else self._on(guest, mailed)

    def _new(self, guest: Guest, typed: str = "", trouble: str = "") -> AnyResponse:
        return self._show(
            "captive/account/new.html",
            guest,
            status=422 if trouble else 200,
            path="/account/new",
            typed=typed,
            trouble=self._said(trouble) if trouble else "",
            days=self.room.city.config.limits.account_days,
        )

    def _wish(self, guest: Guest) -> Wish:
        terms_id, language = row_number(request.form.get("terms", "")), self.room.speech().language
        return Wish(guest.visit.mac, terms_id, language, guest.nas.site_ways)

    def _on(self, guest: Guest, mailed: Mailed) -> AnyResponse:
        """To the page that says to open the mail, the same whether one was sent; with grace, by way of the NAS."""
        speech = self.room.speech()
        if mailed.grace is None:
            return redirect(mailed_address(guest.token, speech.language), 303)
        token = self.room.token(replace(guest.visit, grant_id=mailed.grace.grant_id))
        return self.getting_on.hand_over(guest, mailed.grace, speech, landing=mailed_address(token, speech.language))

    def mailed(self) -> AnyResponse:
        """What to do with the mail, and the log-in for afterwards."""
        guest = self.room.guest_at(Way.ACCOUNT)
        if guest is None:
            return self.room.not_at_a_hotspot(400)
        fetching = NO_FETCHING
        if self.room.proven(guest.visit):
            fetching = fetching_of(self.room.city, guest.visit.mac, Way.EMAIL, now=self.room.clock())
        return self._show("captive/account/mailed.html", guest, path="/account/mailed", fetching=fetching, typed={})

    def confirm(self) -> AnyResponse:
        """The link in the mail asks for one more tap: mail servers open links, too, to see whether they are good."""
        token = request.args.get("token", "")
        if self.accounts.of_token(token, Purpose.CONFIRM, now=self.room.clock()) is None:
            return self._spent()
        return self.room.show("captive/account/confirm.html", kept={"token": token}, link=token)

    def confirmed(self) -> AnyResponse:
        if not self.accounts.confirm(request.form.get("token", ""), now=self.room.clock()):
            return self._spent()
        return self._message(READY)

    # A new password -----------------------------------------------------------------------------------------

    def forgotten(self) -> AnyResponse:
        guest = self.room.guest_at(Way.ACCOUNT)
        if guest is None:
            return self.room.not_at_a_hotspot(400)
        typed = _typed_address()
        address = parse_address(typed)
        if address is None:
            return self._hub(guest, "forgotten", FLAWS[Flaw.ADDRESS], 422)
        mailed = self.accounts.ask_reset(
            self._wish(guest), address, now=self.room.clock(), random_octets=self.room.random_octets
        )
        if isinstance(mailed, Denial):
            return self._hub(guest, "forgotten", DENIALS[mailed], 422)
        return self._on(guest, mailed)

    def reset(self) -> AnyResponse:
        """The link in the mail: a form for the new password, and one that deletes the account."""
        token = request.args.get("token", "")
        found = self.accounts.of_token(token, Purpose.RESET, now=self.room.clock())
        return self._spent() if found is None else self._password_form(token, found)

    def set_password(self) -> AnyResponse:
        token, password, now = request.form.get("token", ""), _password(), self.room.clock()
        found = self.accounts.of_token(token, Purpose.RESET, now=now)
        if found is None:
            return self._spent()
        flaw = flaw_of(password, self.accounts.address_of(found))
        if flaw is not None:
            return self._password_form(token, found, FLAWS[flaw])
        if not self.accounts.set_password(found, password, now=now):
            return self._spent()
        return self._message(NEW_PASSWORD)

    def _password_form(self, token: str, account: Account, trouble: str = "") -> AnyResponse:
        return self.room.show(
            "captive/account/password.html",
            status=422 if trouble else 200,
            path="/account/password",
            kept={"token": token},
            link=token,
            address=self.accounts.address_of(account),
            trouble=self._said(trouble) if trouble else "",
            sure=self.accounts.token(account, Purpose.DELETE, now=self.room.clock()),
        )

    # Changing and deleting ------------------------------------------------------------------------------------

    def hub(self) -> AnyResponse:
        guest = self.room.guest_at(Way.ACCOUNT)
        return self.room.not_at_a_hotspot(400) if guest is None else self._hub(guest)

    def _hub(self, guest: Guest, form: str = "", trouble: str = "", status: int = 200) -> AnyResponse:
        """`form`: the one in which something was wrong."""
        said = self._said(trouble) if trouble else ""
        return self._show(
            "captive/account/hub.html",
            guest,
            status=status,
            path="/account",
            form=form,
            trouble=said,
            typed=_typed_address(),
        )

    def change(self) -> AnyResponse:
        guest = self.room.guest_at(Way.ACCOUNT)
        if guest is None:
            return self.room.not_at_a_hotspot(400)
        now, wanted = self.room.clock(), normal(request.form.get("new", ""))
        flaw = flaw_of(wanted, parse_address(_typed_address()) or "")
        if flaw is not None:
            return self._hub(guest, "change", FLAWS[flaw], 422)
        found = self._prove(guest)
        if isinstance(found, Denial):
            return self._hub(guest, "change", DENIALS[found], STATUS.get(found, 422))
        if not self.accounts.set_password(found, wanted, now=now):
            return self._spent()
        return self._message(CHANGED, guest)

    def delete(self) -> AnyResponse:
        """Asks once more, with a token that does it."""
        guest = self.room.guest_at(Way.ACCOUNT)
        if guest is None:
            return self.room.not_at_a_hotspot(400)
        found = self._prove(guest)
        if isinstance(found, Denial):
            return self._hub(guest, "delete", DENIALS[found], STATUS.get(found, 422))
        sure = self.accounts.token(found, Purpose.DELETE, now=self.room.clock())
        return self._show("captive/account/delete.html", guest, path="/account", sure=sure)

    def deleted(self) -> AnyResponse:
        if not self.accounts.delete(request.form.get("token", ""), now=self.room.clock()):
            return self._spent()
        return self._message(DELETED)

    def _prove(self, guest: Guest) -> Account | Denial:
        address = parse_address(_typed_address()) or ""
        return self.accounts.prove(address, _password(), self._guess(guest, address), now=self.room.clock())

    # What they share ------------------------------------------------------------------------------------------

    def _guess(self, guest: Guest, address: str) -> Guess:
        return Guess(guest.visit.mac, client_address(request, self.room.city), address)

    def _said(self, text: str) -> str:
        return self.room.speech().text(text)

    def _show(self, template: str, guest: Guest, **values: Any) -> AnyResponse:
        """A page for a guest, with the terms that a form on it may accept."""
        with self.room.city.store.read() as conn:
            texts = residents.current_terms(conn)
        terms = choose(texts, self.room.speech().language, self.room.city.config.languages[0])
        return self.room.show(template, kept={"visit": guest.token}, token=guest.token, terms=terms, **values)

    def _spent(self) -> AnyResponse:
        return self._message(SPENT, status=410)

    def _message(self, said: tuple[str, str], guest: Guest | None = None, *, status: int = 200) -> AnyResponse:
        """`guest`: who may go back to the log-in page from here."""
        (heading, sentence), speech = said, self.room.speech()
        return self.room.show(
            "captive/message.html",
            speech,
            status=status,
            path="/welcome" if guest is not None else "/help",
            kept={"visit": guest.token} if guest is not None else {},
            heading=speech.text(heading),
            sentences=[speech.text(sentence)],
            link=f"/welcome?visit={guest.token}&lang={speech.language}" if guest is not None else "",
            link_text=speech.text("To the log-in page"),
        )


def mailed_address(token: str, language: str) -> str:
    """Path and query of the page that says to open the mail."""
    return f"/account/mailed?{urlencode({'visit': token, 'lang': language})}"


def _typed_address() -> str:
    return line(request.form.get("email", ""), EMAIL_MAX)


def _password() -> str:
    return normal(request.form.get("password", ""))
