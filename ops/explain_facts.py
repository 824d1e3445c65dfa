"""What `kogge explain` finds out: gathered in one read, then judged by the same functions as RADIUS's decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from hotspot.access import (
    PENDING_SECONDS,
    SESSION_SECONDS_MIN,
    Decision,
    Facts,
    Grant,
    Holding,
    Proof,
    Reason,
    Ticket,
    VoucherState,
    check_all,
    decide,
    decide_running,
)
from hotspot.admission import Denial, judge_voucher
from hotspot.facts import Known, Lock, facts_of
from hotspot.plan import Counting, Plan
from hotspot.values import MacAddress, local_day
from ops import explain_air
from ops.explain_air import Air
from service.cities import City
from store import access, decisions, guesses, residents, sessions, standing, vouchers
from store.access import Window
from store.decisions import Decided
from store.sessions import SessionView
from store.standing import Block, Place, Silence
from store.store import Connection
from store.vouchers import Voucher

DECISIONS_SHOWN = 5
SILENCES_SHOWN = 3
LATELY = timedelta(hours=24)
DEVICES_SHOWN = 20
"""Of a voucher; it rarely has more than a handful."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a limit. `unit`: seconds or octets, of `left` and of the limit, `of`."""

    name: str
    unit: str
    left: int
    of: int


@dataclass(frozen=True, slots=True)
class Guessed:
    """Wrong guesses that count now, of whom, and until when that locks out (None: it does not)."""

    whose: str
    count: int
    limit: int
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What RADIUS would say now: `by_ticket` to the log-in that the page has just issued, else to the MAC address."""

    by_ticket: bool
    decision: Decision
    checks: Sequence[tuple[str, Reason | None]]


@dataclass(frozen=True, slots=True)
class DeviceStanding:
    """A device that the city knows. `session` is its newest, `running` what RADIUS thinks of it while it is open."""

    number: int
    mac: MacAddress | None
    place: Place | None
    decided: Sequence[Decided]
    session: SessionView | None
    running: Decision | None
    grant: Grant | None
    plan: Plan | None
    quotas: Sequence[Quota]
    guessed: Sequence[Guessed]
    block: Block | None
    outlook: Outlook
    air: Air | None = None


@dataclass(frozen=True, slots=True)
class StrangerStanding:
    """A device that the city does not know: nobody accepted the terms on it, or it was forgotten since."""

    decided: Sequence[Decided]
    guessed: Sequence[Guessed]


class Life(StrEnum):
    """Where a voucher is in its life."""

    UNUSED = "unused"
    EXPIRED = "expired"
    IN_USE = "in_use"
    OVER = "over"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class VoucherStanding:
    """A voucher. `denial`: what the page would say to a further device, None where it would let it on."""

    number: int
    label: str
    voucher: Voucher
    life: Life
    denial: Denial | None
    quotas: Sequence[Quota]
    online: int
    devices: Sequence[DeviceStanding]
    devices_left_out: int


@dataclass(frozen=True, slots=True)
class NothingKnown:
    """Of a MAC address (`of_device`), or of a code or name. `silences`: whose packets were not answered lately."""

    of_device: bool
    silences: Sequence[Silence] = ()


Standing = DeviceStanding | StrangerStanding | VoucherStanding | NothingKnown


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a city's database."""

    city: City
    conn: Connection
    now: datetime


# Devices ----------------------------------------------------------------------------------------------


def device_of_mac(look: Look, mac: MacAddress) -> Standing:
    """What is known of the address; where nothing is, whose packets RADIUS did not answer: its NAS may be there."""
    keys = look.city.store.keys
    hashes = [period.hash(mac) for period in keys.held_periods(look.now)]
    as_stranger = decisions.latest_of_stations(look.conn, hashes, limit=DECISIONS_SHOWN)
    device_id = residents.find_device(look.conn, keys, mac, now=look.now)
    if device_id is not None:
        return device_of_id(look, device_id, as_stranger=as_stranger)
    guessed = [_guessed(look, "this device", guesses.BY_DEVICE, str(mac), look.city.config.limits.voucher_guesses)]
    guessed = [each for each in guessed if each.count]
    if as_stranger or guessed:
        return StrangerStanding(as_stranger, guessed)
    return NothingKnown(True, standing.silences(look.conn, since=look.now - LATELY, limit=SILENCES_SHOWN))


def device_of_user(look: Look, name: str) -> DeviceStanding | None:
    """Whose ticket or open session has that User-Name; None where there is none, or no more."""
    known = _gather(look, names={name}, mac=None)
    ticket = known.tickets.get(name)
    device_id = ticket.device_id if ticket else standing.device_of_open_session(look.conn, name)
    return None if device_id is None else device_of_id(look, device_id, ticket=ticket)


def device_of_id(
    look: Look, device_id: int, *, ticket: Ticket | None = None, as_stranger: Sequence[Decided] = ()
) -> DeviceStanding:
    """All of one device. Judged is `ticket`, else one that its NAS may still redeem, else its MAC address."""
    conn, city = look.conn, look.city
    mac = residents.mac_of(conn, city.store.keys, device_id)
    decided = [*decisions.latest_of_device(conn, device_id, limit=DECISIONS_SHOWN), *as_stranger]
    decided = sorted(decided, key=lambda each: each.id, reverse=True)[:DECISIONS_SHOWN]
    nas_id = decided[0].nas_id if decided else standing.last_nas_of(conn, device_id)
    place = None if nas_id is None else standing.place_of(conn, nas_id)
    session = sessions.latest_of_device(conn, device_id)
    running = access.gather_running(conn, [session.id] if session else [], now=look.now, zone=city.zone)
    ticket = ticket or standing.fresh_ticket(conn, device_id, now=look.now)
    guessed = _all_guessed(look, mac, ticket, place)
    facts = _facts(look, device_id, mac, ticket, place, guessed)
    of_session = next(iter(running.values()), None)
    return DeviceStanding(
        number=device_id,
        mac=mac,
        place=place,
        decided=decided,
        session=session,
        running=None if of_session is None else decide_running(of_session, now=look.now, zone=city.zone),
        grant=facts.grant,
        plan=facts.plan,
        quotas=quotas(of_session or facts, now=look.now),
        guessed=guessed,
        block=standing.block_of(conn, device_id, now=look.now),
        outlook=Outlook(
            ticket is not None, decide(facts, now=look.now, zone=city.zone), check_all(facts, now=look.now)
        ),
        air=explain_air.gather(conn, session_id=session.id if session else None, nas_id=nas_id),
    )


def _facts(
    look: Look, device_id: int, mac: MacAddress | None, ticket: Ticket | None, place: Place | None,
    guessed: Sequence[Guessed],
) -> Facts:  # fmt: skip
    """As RADIUS would gather them, but that the newest grant stands in where none is remembered.

    So that the checks after "remembered" tell what the resident will meet after a tap on the page.
    """
    known = _gather(look, names={ticket.name} if ticket else set(), mac=mac)
    if ticket is None and device_id not in known.remembered:
        grant = residents.latest_grant(look.conn, device_id)
        known = known if grant is None else _with_grant(look, known, grant)
    return facts_of(
        known,
        proof=Proof.MAC if ticket is None else Proof.TICKET,
        device_id=device_id,
        ticket=ticket,
        opening_hours="" if place is None else place.opening_hours,
        lock=Lock(
            locked=any(each.locked_until for each in guessed if each.whose != OF_NAS),
            nas_locked=any(each.locked_until for each in guessed if each.whose == OF_NAS),
        ),
        now=look.now,
        zone=look.city.zone,
    )


def _gather(look: Look, *, names: set[str], mac: MacAddress | None) -> Known:
    macs = set() if mac is None else {mac}
    return access.gather(
        look.conn,
        look.city.store.keys,
        names=names,
        macs=macs,
        remembered=macs,
        today=local_day(look.now, look.city.zone),
        pending_since=look.now - timedelta(seconds=PENDING_SECONDS),
        guesses=Window(look.now, 1),
        now=look.now,
    )


def _with_grant(look: Look, known: Known, grant: Grant) -> Known:
    """As if the device were remembered for this grant: its own `remembered` still says that it is not."""
    known = replace(known, remembered={grant.device_id: grant})
    if grant.holder is not None:
        known = replace(known, online={grant.holder: standing.online_with(look.conn, grant.holder)})
    voucher = None if grant.voucher_id is None else vouchers.by_id(look.conn, grant.voucher_id)
    return known if voucher is None else replace(known, vouchers={voucher.id: _state(look, voucher)})


# Guesses ----------------------------------------------------------------------------------------------

OF_NAS = "its NAS"


def _all_guessed(look: Look, mac: MacAddress | None, ticket: Ticket | None, place: Place | None) -> list[Guessed]:
    """Those that count against the device, the user name and the NAS; none is left out."""
    limits = look.city.config.limits
    subjects = [
        ("this device", guesses.BY_DEVICE, None if mac is None else str(mac), limits.voucher_guesses),
        ("its user name", guesses.BY_USER, None if ticket is None else ticket.name, limits.voucher_guesses),
        (OF_NAS, guesses.BY_NAS, None if place is None else place.nas_identifier, limits.nas_guesses),
    ]
    found = [_guessed(look, whose, kind, of, limit) for whose, kind, of, limit in subjects if of is not None]
    return [each for each in found if each.count]


def _guessed(look: Look, whose: str, kind: str, subject: str, limit: int) -> Guessed:
    """Locked until so many have left the window that the rest is below the limit."""
    window = timedelta(minutes=look.city.config.limits.voucher_window_minutes)
    bucket = guesses.bucket(look.city.store.keys, kind, subject)
    times = guesses.times(look.conn, bucket, since=look.now - window)
    return Guessed(whose, len(times), limit, times[-limit] + window if len(times) >= limit else None)


# Quotas -----------------------------------------------------------------------------------------------


def quotas(facts: Facts, *, now: datetime) -> list[Quota]:
    """What is left of every limit of the plan; limits that it does not set are absent."""
    plan, used, voucher = facts.plan, facts.used_today, facts.voucher
    if plan is None:
        return []
    found = [
        _quota("today", "seconds", plan.daily_seconds, used.seconds),
        _quota("today", "octets", plan.daily_octets, used.octets.total),
    ]
    of_voucher = (
        []
        if voucher is None or facts.grant is None
        else voucher_quotas(plan, voucher, until=facts.grant.until_at, now=now)
    )
    return [each for each in found if each.of] + of_voucher


def voucher_quotas(plan: Plan, voucher: VoucherState, *, until: datetime | None, now: datetime) -> list[Quota]:
    """Of a voucher: all its devices together. `until`: when its clock ends it, None where it is not in use yet."""
    used, valid = voucher.used_today, voucher.valid_seconds
    by_clock = valid - int((until - now).total_seconds()) if until is not None else 0
    gone = voucher.seconds_used if plan.voucher_counts is Counting.USE else by_clock
    found = [
        _quota("the voucher's day", "seconds", plan.voucher_daily_seconds, used.seconds),
        _quota("the voucher's day", "octets", plan.voucher_daily_octets, used.octets.total),
        _quota("the voucher", "seconds", valid, gone),
    ]
    return [each for each in found if each.of]


def _quota(name: str, unit: str, limit: int, used: int) -> Quota:
    return Quota(name, unit, max(0, limit - used), limit)


# Vouchers ---------------------------------------------------------------------------------------------


def voucher_of_code(look: Look, code: str) -> VoucherStanding | None:
    """None where the city has no such code."""
    conn = look.conn
    voucher = vouchers.look_up(conn, look.city.store.keys, code)
    if voucher is None:
        return None
    devices = standing.holders(conn, voucher.id)
    return VoucherStanding(
        number=voucher.id,
        label=standing.batch_label(conn, voucher.batch_id),
        voucher=voucher,
        life=life_of(voucher, now=look.now),
        denial=_denial(look, voucher),
        quotas=voucher_quotas(voucher.plan, _state(look, voucher), until=voucher.until_at, now=look.now),
        online=len(standing.online_with(conn, (Holding.VOUCHER, voucher.id))),
        devices=[device_of_id(look, device_id) for device_id in devices[:DEVICES_SHOWN]],
        devices_left_out=max(0, len(devices) - DEVICES_SHOWN),
    )


def life_of(voucher: Voucher, *, now: datetime) -> Life:
    """The state in which the page finds it (`hotspot.admission.judge_voucher` judges by the same)."""
    if voucher.revoked_at is not None:
        return Life.REVOKED
    if voucher.until_at is None:
        return Life.EXPIRED if now >= voucher.redeem_until else Life.UNUSED
    left = voucher.valid_minutes * 60 - voucher.seconds_used
    used_up = voucher.plan.voucher_counts is Counting.USE and left < SESSION_SECONDS_MIN
    return Life.OVER if used_up or now >= voucher.until_at else Life.IN_USE


def _state(look: Look, voucher: Voucher) -> VoucherState:
    return VoucherState(
        id=voucher.id,
        valid_seconds=voucher.valid_minutes * 60,
        seconds_used=voucher.seconds_used,
        used_today=standing.voucher_use(look.conn, voucher.id, local_day(look.now, look.city.zone)),
        revoked=voucher.revoked_at is not None,
    )


NO_DEVICE = 0
"""Ids begin with 1: a device that holds no grant of any voucher."""


def _denial(look: Look, voucher: Voucher) -> Denial | None:
    return judge_voucher(
        redeem_until=voucher.redeem_until,
        until_at=voucher.until_at,
        revoked_at=voucher.revoked_at,
        plan=voucher.plan,
        valid_seconds=voucher.valid_minutes * 60,
        seconds_used=voucher.seconds_used,
        holders=vouchers.devices_of(look.conn, voucher.id),
        device_id=NO_DEVICE,
        now=look.now,
    )
