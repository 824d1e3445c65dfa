"""The ways in by a code that is sent: asking for one, and typing it. Nothing of HTTP is known here.

The address stands in the message alone, sealed, until it was sent; a keyed hash of it counts for the limits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.model import CityConfig
from hotspot import codes as policy
from hotspot.addresses import is_served, parse_email, parse_number
from hotspot.admission import Denial, tap_span
from hotspot.codes import CODE_OCTETS, DAY, Bounds, judge_asking, judge_code, make_code, parse_code
from hotspot.errors import InputError
from hotspot.plan import Way
from portal.captive.admission import (
    Admission,
    Asking,
    Entitlement,
    RandomOctets,
    WayIn,
    Wish,
    enter,
    guessed_too_often,
)
from portal.captive.grace import give, going_on
from service.cities import City
from store import codes, messages
from store.messages import Kind

SENT_BY = {Way.EMAIL: Kind.EMAIL, Way.SMS: Kind.SMS}
"""The ways in whose code is sent, and as what kind of message."""


@dataclass(frozen=True, slots=True)
class Written:
    """A message in the resident's language; text messages have no subject."""

    subject: str
    text: str


Write = Callable[[str, int], Written]
"""From a code and the id of the grant with which it may be fetched (0: none) to the message."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A code is on its way; `grace` lets its reader on for a few minutes to fetch it."""

    grace: Admission | None


# Asking for a code --------------------------------------------------------------------------------------


def send_code(
    city: City, wish: Wish, way: Way, typed: str, write: Write, *, now: datetime, random_octets: RandomOctets
) -> Sent | Denial:
    """Want a message with a new code to what was typed; for e-mail a grace grant besides. One transaction."""
    address = read_address(city.config, way, typed)
    if isinstance(address, Denial):
        return address
    expires_at = now + timedelta(minutes=city.config.limits.code_minutes)
    with city.store.write() as conn:
        asking = enter(conn, city, wish, now=now)
        if isinstance(asking, Denial):
            return asking
        denial = _may_ask(asking, way, address)
        if denial is not None:
            return denial
        grace = give(asking, wish, random_octets=random_octets) if way is Way.EMAIL else None
        code = make_code(random_octets(CODE_OCTETS))
        written = write(code, grace.grant_id if grace is not None else 0)
        message_id = messages.add(
            conn,
            city.store.keys,
            SENT_BY[way],
            recipient=address,
            subject=written.subject,
            text=written.text,
            expires_at=expires_at,
            now=now,
        )
        codes.add(
            conn,
            city.store.keys,
            device_id=asking.device_id,
            way=way,
            address=address,
            code=code,
            message_id=message_id,
            expires_at=expires_at,
            now=now,
        )
    return Sent(grace)


def read_address(config: CityConfig, way: Way, typed: str) -> str | Denial:
    """Where a code is to go, as gateways take it."""
    try:
        if way is Way.EMAIL:
            return parse_email(typed)
        number = parse_number(typed, country_code=config.sms.country_code)
    except InputError:
        return Denial.BAD_EMAIL if way is Way.EMAIL else Denial.BAD_NUMBER
    return number if is_served(number, config.sms.prefixes) else Denial.NUMBER_NOT_SERVED


def _may_ask(asking: Asking, way: Way, address: str) -> Denial | None:
    if way not in asking.plans:
        return Denial.NOT_OFFERED
    keys, since = asking.city.store.keys, asking.now - DAY
    asked = codes.asked(asking.conn, keys, device_id=asking.device_id, way=way, address=address, since=since)
    return judge_asking(asked, bounds_of(asking.city.config, way), now=asking.now)


def bounds_of(config: CityConfig, way: Way) -> Bounds:
    """How often codes of this way may be asked for."""
    limits, sms = config.limits, config.sms
    if way is Way.SMS:
        return Bounds(timedelta(seconds=sms.pause_seconds), sms.device_day, sms.number_day, sms.city_day)
    return Bounds(timedelta(seconds=limits.code_pause_seconds), limits.codes_device_day, limits.codes_address_day)


# Typing it ----------------------------------------------------------------------------------------------


def by_code(way: Way, typed: str, *, proven: bool) -> WayIn:
    """With a code as it was typed. `proven`: the browser speaks for the device, so its grace session may go on."""

    def way_in(asking: Asking) -> Entitlement | Denial:
        plan = asking.plans.get(way)
        if plan is None:
            return Denial.NOT_OFFERED
        if guessed_too_often(asking):
            return Denial.TOO_MANY_GUESSES
        code = _typed_code(asking, way, typed)
        if isinstance(code, Denial):
            return code
        span = tap_span(plan, now=code.used_at or asking.now)
        if span.until_at <= asking.now:
            return Denial.CODE_OVER
        codes.use(asking.conn, code.id, until=span.until_at, now=code.used_at or asking.now)
        return Entitlement(plan, span, carried=going_on(asking) if proven else ())

    return way_in


def _typed_code(asking: Asking, way: Way, typed: str) -> policy.OneTimeCode | Denial:
    conn, device_id, limits = asking.conn, asking.device_id, asking.city.config.limits
    try:
        code = parse_code(typed)
    except InputError:
        return Denial.NOT_SIX_DIGITS
    known = codes.of_device(conn, device_id, way, now=asking.now)
    hashes = codes.hashes_of(asking.city.store.keys, device_id, code)
    found = judge_code(known, hashes, attempts_max=limits.code_attempts, now=asking.now)
    if found is Denial.WRONG_CODE:
        codes.note_wrong(conn, device_id, way, now=asking.now)
    return found
