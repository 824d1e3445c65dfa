"""The access decision: from the facts about one Access-Request to an Accept with limits or a Refusal with a reason.

Pure policy. It never asks a database or a clock: RADIUS gathers the facts, this module judges them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from hotspot.plan import Plan, Way
from hotspot.values import NO_OCTETS, Octets, seconds_to_day_end

PENDING_SECONDS = 60
"""A grant that was accepted but has not started accounting counts as online for this long."""

TICKET_SECONDS = 300
"""How long a ticket may be redeemed after the portal issued it."""

SESSION_SECONDS_MIN = 60
"""With less than this left, a session is not worth starting: it would end while the page loads."""


class Proof(StrEnum):
    """What the request proved about who asks."""

    TICKET = "ticket"
    WRONG_PASSWORD = "wrong_password"
    MAC = "mac"
    NOTHING = "nothing"


class Reason(StrEnum):
    """Why a device is refused: the word in the log, in the metric and in the explanation."""

    NO_CREDENTIALS = "no_credentials"
    UNKNOWN_USER = "unknown_user"
    WRONG_PASSWORD = "wrong_password"
    WRONG_DEVICE = "wrong_device"
    TICKET_EXPIRED = "ticket_expired"
    BLOCKED = "blocked"
    NOT_REMEMBERED = "not_remembered"
    TERMS_CHANGED = "terms_changed"
    GRANT_ENDED = "grant_ended"
    GRANT_EXPIRED = "grant_expired"
    TOO_MANY_DEVICES = "too_many_devices"
    DAILY_TIME_USED = "daily_time_used"
    DAILY_VOLUME_USED = "daily_volume_used"
    CLOSED = "closed"
    VOUCHER_USED_UP = "voucher_used_up"
    VOUCHER_DAILY_TIME_USED = "voucher_daily_time_used"
    VOUCHER_DAILY_VOLUME_USED = "voucher_daily_volume_used"
    TOO_MANY_GUESSES = "too_many_guesses"


@dataclass(frozen=True, slots=True)
class Grant:
    """An admission of a device: which plan, until when, how it was obtained, under which text of the terms.

    `language` is that of the page on which the terms were accepted, empty where it is unknown.
    """

    id: int
    device_id: int
    plan_id: int
    way: Way
    voucher_id: int | None
    terms_id: int
    terms_version: int
    granted_at: datetime
    until_at: datetime
    remember_until: datetime | None
    remembered: bool
    ended_at: datetime | None
    language: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """The credential with which a NAS redeems a grant; its password is recomputed, never stored."""

    name: str
    grant_id: int
    device_id: int
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class DayUse:
    """What a device used on the current local day."""

    seconds: int = 0
    octets: Octets = NO_OCTETS


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision may look at. `device_id` is the Calling-Station-Id's device, None where unknown."""

    proof: Proof
    device_id: int | None
    ticket: Ticket | None
    grant: Grant | None
    plan: Plan | None
    blocked: bool
    used_today: DayUse
    terms_version: int
    other_devices_online: int


@dataclass(frozen=True, slots=True)
class Accept:
    """Admitted, with what is really left. `octets_left` is None where no volume is limited; `vlan_id` 0 is none."""

    grant_id: int
    device_id: int
    session_seconds: int
    idle_seconds: int
    rate_down_bps: int
    rate_up_bps: int
    octets_left: int | None
    vlan_id: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Not admitted, and why."""

    reason: Reason


Decision = Accept | Refusal
Check = Callable[[Facts, datetime], Reason | None]


def _proof(facts: Facts, now: datetime) -> Reason | None:
    if facts.proof is Proof.NOTHING:
        return Reason.NO_CREDENTIALS
    if facts.proof is not Proof.MAC and facts.ticket is None:
        return Reason.UNKNOWN_USER
    return Reason.WRONG_PASSWORD if facts.proof is Proof.WRONG_PASSWORD else None


def _device(facts: Facts, now: datetime) -> Reason | None:
    if facts.ticket is not None and facts.device_id != facts.ticket.device_id:
        return Reason.WRONG_DEVICE
    return Reason.BLOCKED if facts.blocked else None


def _ticket_fresh(facts: Facts, now: datetime) -> Reason | None:
    return Reason.TICKET_EXPIRED if facts.ticket is not None and now >= facts.ticket.expires_at else None


def _remembered(facts: Facts, now: datetime) -> Reason | None:
    if facts.proof is not Proof.MAC:
        return None
    grant = facts.grant
    if grant is None or not grant.remembered or grant.remember_until is None:
        return Reason.NOT_REMEMBERED
    if now >= grant.remember_until:
        return Reason.NOT_REMEMBERED
    return Reason.TERMS_CHANGED if grant.terms_version != facts.terms_version else None


def _grant(facts: Facts, now: datetime) -> Reason | None:
    if facts.grant is None or facts.plan is None or facts.grant.ended_at is not None:
        return Reason.GRANT_ENDED
    return Reason.GRANT_EXPIRED if now >= facts.grant.until_at else None


def _devices_at_once(facts: Facts, now: datetime) -> Reason | None:
    plan = facts.plan
    if plan is None or facts.grant is None or facts.grant.voucher_id is None:
        return None
    return Reason.TOO_MANY_DEVICES if facts.other_devices_online >= plan.devices_max else None


def _daily_quota(facts: Facts, now: datetime) -> Reason | None:
    plan, used = facts.plan, facts.used_today
    if plan is None:
        return None
    if plan.daily_seconds and plan.daily_seconds - used.seconds < SESSION_SECONDS_MIN:
        return Reason.DAILY_TIME_USED
    if plan.daily_octets and used.octets.total >= plan.daily_octets:
        return Reason.DAILY_VOLUME_USED
    return None


CHECKS: tuple[Check, ...] = (
    _proof,
    _device,
    _ticket_fresh,
    _remembered,
    _grant,
    _devices_at_once,
    _daily_quota,
)
"""In the order in which a person would want to hear of them; the first that objects gives the reason."""


def decide(facts: Facts, *, now: datetime, zone: ZoneInfo) -> Decision:
    """Judge one Access-Request."""
    reason = next((why for check in CHECKS if (why := check(facts, now)) is not None), None)
    if reason is not None:
        return Refusal(reason)
    assert facts.grant is not None and facts.plan is not None and facts.device_id is not None
    plan, used = facts.plan, facts.used_today
    return Accept(
        grant_id=facts.grant.id,
        device_id=facts.device_id,
        session_seconds=session_seconds_left(plan, used, until=facts.grant.until_at, now=now, zone=zone),
        idle_seconds=plan.idle_minutes * 60,
        rate_down_bps=plan.rate_down_kbps * 1000,
        rate_up_bps=plan.rate_up_kbps * 1000,
        octets_left=plan.daily_octets - used.octets.total if plan.daily_octets else None,
    )


def session_seconds_left(plan: Plan, used: DayUse, *, until: datetime, now: datetime, zone: ZoneInfo) -> int:
    """Seconds that a session starting now may last: the plan's session, the grant's end, the day's minutes.

    A session that outlives midnight gets the new day's minutes on top, since the quota is a day's.
    At least 1: RFC 2865 section 5.27 leaves a Session-Timeout of 0 undefined.
    """
    limits = [plan.session_minutes * 60, int((until - now).total_seconds())]
    if plan.daily_seconds:
        left, to_midnight = plan.daily_seconds - used.seconds, seconds_to_day_end(now, zone)
        limits.append(left if left < to_midnight else to_midnight + plan.daily_seconds)
    return max(1, min(limits))


def seconds_left_of(
    plan: Plan, used: DayUse, *, started_at: datetime, until: datetime, now: datetime, zone: ZoneInfo
) -> int:
    """Seconds that a running session may still last, as its status page says. Never negative."""
    left = session_seconds_left(plan, used, until=until, now=now, zone=zone)
    of_session = plan.session_minutes * 60 - int((now - started_at).total_seconds())
    return max(0, min(left, of_session))
