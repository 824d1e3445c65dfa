"""The use case of getting on: one read, pure judgement, one write. Its answer is a ticket or a Denial.

Nothing of HTTP is known here, and nothing slow happens inside the write.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hotspot.access import TICKET_SECONDS, Ticket
from hotspot.admission import Denial, Span, judge_voucher, tap_span, voucher_span
from hotspot.credentials import TICKET_NAME_BYTES, ticket_name, ticket_password
from hotspot.errors import InputError
from hotspot.plan import Plan, Way
from hotspot.values import MacAddress
from hotspot.vouchers import parse_code
from portal.address import Address
from portal.captive.guessing import Guess, Guesser
from service.cities import City
from store import residents, vouchers
from store.store import Connection

RandomOctets = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Redeemable:
    """A ticket with its password in the clear, for the hand-off alone."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What a resident asks for: these terms accepted, by a tap (`code` None) or with a voucher's code.

    `language` is the page's: the way back through the NAS carries none, and there is no cookie. `address` is where the
    request came from, None where that is unknown.
    """

    mac: MacAddress
    terms_id: int
    code: str | None
    language: str
    address: Address | None = None

    @property
    def way(self) -> Way:
        return Way.TAP if self.code is None else Way.VOUCHER


def admit(city: City, wish: Wish, *, now: datetime, random_octets: RandomOctets) -> Redeemable | Denial:
    """Record the acceptance and issue grant and ticket, all in one transaction, or say why not."""
    guesser, guess = Guesser(city), Guess(wish.mac, wish.address)
    with city.store.write() as conn:
        terms_ids = {text.id for text in residents.current_terms(conn)}
        if wish.terms_id not in terms_ids:
            return Denial.TERMS_CHANGED
        if wish.way is Way.VOUCHER and not guesser.allowed(conn, guess, now=now):
            return Denial.TOO_MANY_GUESSES
        device_id = residents.note_device(conn, city.store.keys, wish.mac, now=now)
        if residents.is_blocked(conn, device_id, now=now):
            return Denial.BLOCKED
        found = _by_tap(conn, now) if wish.code is None else _by_code(conn, city, wish.code, device_id, now)
        if isinstance(found, Denial):
            if found in (Denial.BAD_CODE, Denial.UNKNOWN_CODE):
                guesser.wrong(conn, guess, now=now)
            return found
        return _issue(conn, city, wish, device_id, found, now=now, random_octets=random_octets)


@dataclass(frozen=True, slots=True)
class _Found:
    plan: Plan
    span: Span
    voucher_id: int | None = None


def _by_tap(conn: Connection, now: datetime) -> _Found | Denial:
    plans = residents.plans(conn, Way.TAP)
    return _Found(plans[0], tap_span(plans[0], now=now)) if plans else Denial.NO_TAP


def _by_code(conn: Connection, city: City, typed: str, device_id: int, now: datetime) -> _Found | Denial:
    try:
        code = parse_code(typed)
    except InputError:
        return Denial.BAD_CODE
    voucher = vouchers.find(conn, city.store.keys, code)
    if voucher is None:
        return Denial.UNKNOWN_CODE
    denial = judge_voucher(
        redeem_until=voucher.redeem_until,
        until_at=voucher.until_at,
        revoked_at=voucher.revoked_at,
        plan=voucher.plan,
        valid_seconds=voucher.valid_minutes * 60,
        seconds_used=voucher.seconds_used,
        holders=vouchers.devices_of(conn, voucher.id),
        device_id=device_id,
        now=now,
    )
    if denial is not None:
        return denial
    ends_at = vouchers.use(conn, voucher, now=now)
    return _Found(voucher.plan, voucher_span(voucher.plan, ends_at=ends_at, now=now), voucher.id)


def _issue(
    conn: Connection,
    city: City,
    wish: Wish,
    device_id: int,
    found: _Found,
    *,
    now: datetime,
    random_octets: RandomOctets,
) -> Redeemable:
    residents.record_acceptance(conn, device_id=device_id, terms_id=wish.terms_id, now=now)
    grant_id = residents.add_grant(
        conn,
        device_id=device_id,
        plan_id=found.plan.id,
        voucher_id=found.voucher_id,
        terms_id=wish.terms_id,
        way=wish.way.value,
        language=wish.language,
        granted_at=now,
        until_at=found.span.until_at,
        remember_until=found.span.remember_until,
    )
    name = ticket_name(random_octets(TICKET_NAME_BYTES))
    ticket = Ticket(name, grant_id, device_id, now, now + timedelta(seconds=TICKET_SECONDS))
    residents.add_ticket(conn, ticket)
    key = city.store.keys.derive("ticket")
    return Redeemable(name, ticket_password(key, name=name, device=wish.mac, expires_at=ticket.expires_at))
