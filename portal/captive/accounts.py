"""The use cases of an account: register, confirm, log in, a new password, delete. Nothing of HTTP is known here.

Whether an address has an account is told to nobody but its mailbox: each answer is the same, and takes as long,
whether it has or not. Passwords are hashed outside of every transaction (`portal.passwords`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from hotspot.accounts import MAILS_WINDOW, RESET, UNCONFIRMED
from hotspot.admission import Denial, tap_span
from hotspot.errors import InputError
from hotspot.plan import Way
from portal import passwords
from portal.captive.account_mails import Occasion, write
from portal.captive.admission import Admission, Asking, Entitlement, RandomOctets, WayIn, Wish, enter
from portal.captive.grace import give, going_on
from portal.captive.guessing import Guess, Guesser
from portal.tokens import seal, unseal
from service.cities import City
from service.speech import Speech
from store import accounts, guesses, messages
from store.accounts import Account
from store.store import Connection

SURE = timedelta(minutes=15)
"""How long the question whether an account shall really be deleted waits for its answer."""


class Purpose(StrEnum):
    """What a link or a form about an account is good for."""

    CONFIRM = "account-confirm"
    RESET = "account-reset"
    DELETE = "account-delete"


_LIFETIMES = {Purpose.CONFIRM: UNCONFIRMED, Purpose.RESET: RESET, Purpose.DELETE: SURE}
_PAGES = {Purpose.CONFIRM: "/account/confirm", Purpose.RESET: "/account/password"}


@dataclass(frozen=True, slots=True)
class Mailed:
    """A mail is on its way, or it is not: nobody is told which. `grace` lets its reader on for a few minutes."""

    grace: Admission | None


@dataclass(frozen=True, slots=True)
class Accounts:
    """One city's accounts."""

    city: City
    speeches: Mapping[str, Speech]

    # Registering ----------------------------------------------------------------------------------------

    def register(
        self, wish: Wish, address: str, password: str, *, now: datetime, random_octets: RandomOctets
    ) -> Mailed | Denial:
        """An account that waits for its confirmation, a mail, and grace to read it. May raise BusyError."""
        hashed = passwords.hashed(password)
        with self.city.store.write() as conn:
            asking = self._enter(conn, wish, now)
            if isinstance(asking, Denial):
                return asking
            if self._may_mail(asking, address):
                self._register(asking, address, hashed, wish.language)
            return Mailed(give(asking, wish, random_octets=random_octets))

    def _register(self, asking: Asking, address: str, hashed: str, language: str) -> None:
        conn, keys, now = asking.conn, self.city.store.keys, asking.now
        known = accounts.find(conn, keys, address)
        if known is not None and known.confirmed_at is not None:
            self._mail(conn, known, address, Occasion.KNOWN, Purpose.RESET, now)
            return
        if known is not None:
            accounts.register_anew(conn, known.id, password_hash=hashed, language=language, now=now)
        else:
            accounts.register(conn, keys, address, password_hash=hashed, language=language, now=now)
        waiting = accounts.find(conn, keys, address)
        assert waiting is not None, "it was registered in this transaction"
        self._mail(conn, waiting, address, Occasion.CONFIRM, Purpose.CONFIRM, now)

    def confirm(self, token: str, *, now: datetime) -> bool:
        """Whether the link in the mail was good; it is so once."""
        with self.city.store.write() as conn:
            found = self._of_token(conn, token, Purpose.CONFIRM, now)
            if found is not None:
                accounts.confirm(conn, found.id, now=now)
        return found is not None

    # Logging in -------------------------------------------------------------------------------------------

    def log_in(self, address: str, password: str, guess: Guess, *, now: datetime) -> Account | Denial:
        """The account of this address and password, or why not. May raise BusyError. Counts no wrong guess."""
        with self.city.store.read() as conn:
            if not Guesser(self.city).allowed(conn, guess, now=now):
                return Denial.TOO_MANY_GUESSES
            found = accounts.find(conn, self.city.store.keys, address)
        if not passwords.matches(found.password_hash if found is not None else None, password) or found is None:
            return Denial.WRONG_LOGIN
        return found if found.confirmed_at is not None else Denial.NOT_CONFIRMED

    def prove(self, address: str, password: str, guess: Guess, *, now: datetime) -> Account | Denial:
        """`log_in` for what is not followed by an admission: counts a wrong guess itself."""
        found = self.log_in(address, password, guess, now=now)
        if found is Denial.WRONG_LOGIN:
            with self.city.store.write() as conn:
                Guesser(self.city).wrong(conn, guess, now=now)
        return found

    # A new password, and the end ------------------------------------------------------------------------------

    def ask_reset(self, wish: Wish, address: str, *, now: datetime, random_octets: RandomOctets) -> Mailed | Denial:
        """A mail with a link to a new password, if the address has an account; grace in either case."""
        with self.city.store.write() as conn:
            asking = self._enter(conn, wish, now)
            if isinstance(asking, Denial):
                return asking
            allowed = self._may_mail(asking, address)
            known = accounts.find(conn, self.city.store.keys, address)
            if allowed and known is not None:
                self._mail(conn, known, address, Occasion.RESET, Purpose.RESET, now)
            return Mailed(give(asking, wish, random_octets=random_octets))

    def _enter(self, conn: Connection, wish: Wish, now: datetime) -> Asking | Denial:
        asking = enter(conn, self.city, wish, now=now)
        offered = isinstance(asking, Denial) or Way.ACCOUNT in asking.plans
        return asking if offered else Denial.NOT_OFFERED

    def set_password(self, account: Account, password: str, *, now: datetime) -> bool:
        """False where it was changed or deleted meanwhile. Whoever reads its mail has confirmed it, too."""
        hashed = passwords.hashed(password)
        with self.city.store.write() as conn:
            current = accounts.by_id(conn, account.id)
            if current is None or self._stamp(current) != self._stamp(account):
                return False
            accounts.set_password(conn, account.id, hashed)
            if current.confirmed_at is None:
                accounts.confirm(conn, account.id, now=now)
        return True

    def delete(self, token: str, *, now: datetime) -> bool:
        """Delete at once, by the token of the question whether one is sure."""
        with self.city.store.write() as conn:
            found = self._of_token(conn, token, Purpose.DELETE, now)
            return found is not None and accounts.delete(conn, found.id, now=now)

    def address_of(self, account: Account) -> str:
        return account.address(self.city.store.keys)

    # Links ------------------------------------------------------------------------------------------------

    def token(self, account: Account, purpose: Purpose, *, now: datetime) -> str:
        """Good once: what is done with it changes the account, and with it the stamp."""
        fields = [account.id, self._stamp(account)]
        return seal(self.city.store.keys, purpose, fields, expires_at=now + _LIFETIMES[purpose])

    def of_token(self, token: str, purpose: Purpose, *, now: datetime) -> Account | None:
        """The account that a link is about; None for no, a used, a foreign or an expired one."""
        with self.city.store.read() as conn:
            return self._of_token(conn, token, purpose, now)

    def _of_token(self, conn: Connection, token: str, purpose: Purpose, now: datetime) -> Account | None:
        try:
            account_id, stamp = unseal(self.city.store.keys, purpose, token, now=now)
        except InputError:
            return None
        found = accounts.by_id(conn, account_id)
        return found if found is not None and self._stamp(found) == stamp else None

    def _stamp(self, account: Account) -> str:
        """Changes with the password and with the confirmation."""
        state = f"{account.id}\0{account.password_hash}\0{account.confirmed_at}"
        return self.city.store.keys.keyed_hash("account-stamp", state.encode())[:12].hex()

    # Mails ------------------------------------------------------------------------------------------------

    def _may_mail(self, asking: Asking, address: str) -> bool:
        """Count a mail that is asked for, by address and by device; no more than so many of each go out a day."""
        keys, most = self.city.store.keys, self.city.config.limits.account_mails
        buckets = [guesses.bucket(keys, "mail-to", address), guesses.bucket(keys, "mail-from", str(asking.mac))]
        counted = guesses.counts(asking.conn, buckets, since=asking.now - MAILS_WINDOW)
        allowed = max(counted) < most
        for each in buckets if allowed else ():
            guesses.note(asking.conn, each, now=asking.now)
        return allowed

    def _mail(
        self, conn: Connection, account: Account, address: str, occasion: Occasion, purpose: Purpose, now: datetime
    ) -> None:
        speech = self.speeches.get(account.language) or next(iter(self.speeches.values()))
        query = urlencode({"token": self.token(account, purpose, now=now), "lang": speech.language})
        link = f"{self.city.config.portal.url}{_PAGES[purpose]}?{query}"
        mail = write(occasion, speech, city=self.city.config.name, link=link)
        messages.add(
            conn,
            self.city.store.keys,
            messages.Kind.EMAIL,
            recipient=address,
            subject=mail.subject,
            text=mail.text,
            now=now,
            expires_at=now + _LIFETIMES[purpose],
        )


def by_account(found: Account | Denial, language: str, *, proven: bool) -> WayIn:
    """With an account whose password was right; what was found wrong before counts as a guess in here.

    `proven`: the browser speaks for the device, so the session in which its reader opened a mail may go on.
    """

    def way_in(asking: Asking) -> Entitlement | Denial:
        plan = asking.plans.get(Way.ACCOUNT)
        if plan is None:
            return Denial.NOT_OFFERED
        if isinstance(found, Denial):
            return found
        current = accounts.by_id(asking.conn, found.id)
        if current is None or current.password_hash != found.password_hash:
            return Denial.WRONG_LOGIN
        accounts.note_use(asking.conn, found.id, language=language, now=asking.now)
        carried = going_on(asking) if proven else ()
        return Entitlement(plan, tap_span(plan, now=asking.now), account_id=found.id, carried=carried)

    return way_in
