"""The use case of getting on: one read, pure judgement, one write. Its answer is a ticket or a Denial.

Nothing of HTTP is known here, and nothing slow happens inside the write. A way in is a function that says, inside
that write, to what a device is entitled (`Entitlement`), or why it is not.
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
from hotspot.terms import Terms
from hotspot.values import MacAddress
from hotspot.vouchers import parse_code
from hotspot.ways import offered
from portal.address import Address
from portal.captive.guessing import Guess, Guesser
from portal.captive.handoff.protocol import Credential
from service.cities import City
from store import carrying, outbox, residents, vouchers
from store.carrying import Running
from store.store import Connection

RandomOctets = Callable[[int], bytes]

GUESSED_WRONG = frozenset({Denial.BAD_CODE, Denial.UNKNOWN_CODE, Denial.WRONG_CODE, Denial.WRONG_LOGIN})
"""Denials that count as a wrong guess."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a resident asks for: to get on at a place, these terms accepted.

    `site_ways`: the ways in that the place offers. `language` is the page's: the way back through the NAS carries
    none, and there is no cookie. `address` is where the request came from, None where that is unknown; `account` the
    one whose password is guessed at, if any.
    """

    mac: MacAddress
    terms_id: int
    language: str
    site_ways: str = ""
    address: Address | None = None
    account: str = ""

    @property
    def guess(self) -> Guess:
        """What is counted where a code or a password is wrong."""
        return Guess(self.mac, self.address, self.account)


@dataclass(frozen=True, slots=True)
class Entitlement:
    """To what a device is entitled, by which plan and until when; `carried` are its sessions that go on under that."""

    plan: Plan
    span: Span
    voucher_id: int | None = None
    account_id: int | None = None
    carried: tuple[Running, ...] = ()


@dataclass(frozen=True, slots=True)
class Admission:
    """A grant was made. The ticket's password is in the clear, for the hand-off alone.

    `carried`: the device is online under it already, so that there is nothing to hand over.
    """

    grant_id: int
    device_id: int
    credential: Credential
    carried: bool = False


@dataclass(frozen=True, slots=True)
class Asking:
    """What a way in may look at: the transaction, the place's plans by way, the device, who guesses, the terms seen."""

    conn: Connection
    city: City
    plans: dict[Way, Plan]
    mac: MacAddress
    device_id: int
    now: datetime
    guess: Guess
    seen: Terms


WayIn = Callable[[Asking], Entitlement | Denial]


def admit(city: City, wish: Wish, way_in: WayIn, *, now: datetime, random_octets: RandomOctets) -> Admission | Denial:
    """Record the acceptance and issue grant and ticket, all in one transaction, or say why not."""
    with city.store.write() as conn:
        asking = enter(conn, city, wish, now=now)
        if isinstance(asking, Denial):
            return asking
        found = way_in(asking)
        if isinstance(found, Denial):
            if found in GUESSED_WRONG:
                Guesser(city).wrong(conn, wish.guess, now=now)
            return found
        return issue(asking, wish, found, random_octets=random_octets)


def enter(conn: Connection, city: City, wish: Wish, *, now: datetime) -> Asking | Denial:
    """What holds for every way in: the current terms are accepted, the device is not blocked. Needs `write()`."""
    seen = next((text for text in residents.current_terms(conn) if text.id == wish.terms_id), None)
    if seen is None:
        return Denial.TERMS_CHANGED
    device_id = residents.note_device(conn, city.store.keys, wish.mac, now=now)
    if residents.is_blocked(conn, device_id, now=now):
        return Denial.BLOCKED
    plans = offered(residents.plans(conn), wish.site_ways, unready=city.config.unready)
    return Asking(conn, city, plans, wish.mac, device_id, now, wish.guess, seen)


def guessed_too_often(asking: Asking) -> bool:
    """Whether this device may try no more codes for now; every way in that takes a code asks first."""
    return not Guesser(asking.city).allowed(asking.conn, asking.guess, now=asking.now)


# Ways in ------------------------------------------------------------------------------------------------


def by_tap(asking: Asking) -> Entitlement | Denial:
    """One tap on the terms."""
    plan = asking.plans.get(Way.TAP)
    return Entitlement(plan, tap_span(plan, now=asking.now)) if plan is not None else Denial.NOT_OFFERED


def by_voucher(typed: str) -> WayIn:
    """With a voucher's code as it was typed."""

    def way_in(asking: Asking) -> Entitlement | Denial:
        if Way.VOUCHER not in asking.plans:
            return Denial.NOT_OFFERED
        if guessed_too_often(asking):
            return Denial.TOO_MANY_GUESSES
        try:
            code = parse_code(typed)
        except InputError:
            return Denial.BAD_CODE
        voucher = vouchers.find(asking.conn, asking.city.store.keys, code)
        if voucher is None:
            return Denial.UNKNOWN_CODE
        denial = judge_voucher(
            redeem_until=voucher.redeem_until,
            until_at=voucher.until_at,
            revoked_at=voucher.revoked_at,
            plan=voucher.plan,
            valid_seconds=voucher.valid_minutes * 60,
            seconds_used=voucher.seconds_used,
            holders=vouchers.devices_of(asking.conn, voucher.id),
            device_id=asking.device_id,
            now=asking.now,
        )
        if denial is not None:
            return denial
        ends_at = vouchers.use(asking.conn, voucher, now=asking.now)
        return Entitlement(voucher.plan, voucher_span(voucher.plan, ends_at=ends_at, now=asking.now), voucher.id)

    return way_in


# The grant ----------------------------------------------------------------------------------------------


def issue(asking: Asking, wish: Wish, found: Entitlement, *, random_octets: RandomOctets) -> Admission:
    """Record the acceptance, make the grant and its ticket. Needs `write()`."""
    conn, device_id, now = asking.conn, asking.device_id, asking.now
    residents.record_acceptance(conn, device_id=device_id, seen=asking.seen, now=now)
    grant_id = residents.add_grant(
        conn,
        device_id=device_id,
        plan_id=found.plan.id,
        voucher_id=found.voucher_id,
        account_id=found.account_id,
        terms_id=asking.seen.id,
        way=found.plan.way.value,
        language=wish.language,
        granted_at=now,
        until_at=found.span.until_at,
        remember_until=found.span.remember_until,
    )
    name = ticket_name(random_octets(TICKET_NAME_BYTES))
    ticket = Ticket(name, grant_id, device_id, now, now + timedelta(seconds=TICKET_SECONDS))
    residents.add_ticket(conn, ticket)
    _carry_over(conn, found.carried, grant_id, now)
    key = asking.city.store.keys.derive("ticket")
    password = ticket_password(key, name=name, device=wish.mac, expires_at=ticket.expires_at)
    return Admission(grant_id, device_id, Credential(name, password), carried=bool(found.carried))


def _carry_over(conn: Connection, sessions: tuple[Running, ...], grant_id: int, now: datetime) -> None:
    """Sessions go on under the new grant; their NASes are told its limits (docs/adr/0020)."""
    if sessions:
        carrying.carry_over(conn, sessions, grant_id, now=now)
    for each in sessions:
        outbox.want(conn, outbox.Kind.COA, each.session_id, reason=outbox.BY_NEW_GRANT, now=now)
