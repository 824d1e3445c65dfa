"""The access decision: from the facts about one Access-Request to an Accept with limits or a Refusal with a reason.

Pure policy. It never asks a database or a clock: RADIUS gathers the facts, this module judges them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from hotspot.plan import Counting, Plan, Way
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
    ACCOUNT_IN_USE = "account_in_use"
    DAILY_TIME_USED = "daily_time_used"
    DAILY_VOLUME_USED = "daily_volume_used"
    CLOSED = "closed"
    VOUCHER_USED_UP = "voucher_used_up"
    VOUCHER_DAILY_TIME_USED = "voucher_daily_time_used"
    VOUCHER_DAILY_VOLUME_USED = "voucher_daily_volume_used"
    TOO_MANY_GUESSES = "too_many_guesses"
    SESSION_OVER = "session_over"


class Holding(StrEnum):
    """What several devices may hold grants of, so that the plan limits how many are online at once."""

    VOUCHER = "voucher"
    ACCOUNT = "account"


Holder = tuple[Holding, int]
"""A voucher or an account, with its row's number."""


@dataclass(frozen=True, slots=True)
class Grant:
    """An admission of a device: which plan, until when, how it was obtained, under which text of the terms.

    `language` is that of the page on which the terms were accepted, empty where it is unknown. `extensions`: how often
    its running session was lengthened; RADIUS's next Accept begins anew.
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
    account_id: int | None = None
    extensions: int = 0

    @property
    def holder(self) -> Holder | None:
        """Whose grant it is, beside its device; None where it is the device's alone."""
        if self.voucher_id is not None:
            return Holding.VOUCHER, self.voucher_id
        return None if self.account_id is None else (Holding.ACCOUNT, self.account_id)


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
class VoucherState:
    """A voucher as a decision sees it. `seconds_used` is the time that all its devices were online, ever."""

    id: int
    valid_seconds: int
    seconds_used: int
    used_today: DayUse
    revoked: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision may look at. `device_id` is the Calling-Station-Id's device, None where unknown.

    `seconds_open`: until the site closes, None where it never does. `locked`: too many wrong guesses by this device or
    at this user name; `nas_locked`: through this NAS, which bars only who proves nothing. `seconds_wanted`: with less
    left a session is not worth starting; one that runs may use the last second. `extensions`: of a session that runs.
    """

    proof: Proof
    device_id: int | None
    ticket: Ticket | None
    grant: Grant | None
    plan: Plan | None
    blocked: bool
    used_today: DayUse
    terms_version: int
    other_devices_online: int
    voucher: VoucherState | None = None
    seconds_open: int | None = None
    locked: bool = False
    nas_locked: bool = False
    seconds_wanted: int = SESSION_SECONDS_MIN
    seconds_online: int = 0
    extensions: int = 0


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
    if facts.locked:
        return Reason.TOO_MANY_GUESSES
    if facts.proof is Proof.MAC:
        return None
    if facts.ticket is None:
        return Reason.TOO_MANY_GUESSES if facts.nas_locked else Reason.UNKNOWN_USER
    if facts.proof is Proof.WRONG_PASSWORD:
        return Reason.TOO_MANY_GUESSES if facts.nas_locked else Reason.WRONG_PASSWORD
    return None


def _device(facts: Facts, now: datetime) -> Reason | None:
    return Reason.WRONG_DEVICE if facts.ticket is not None and facts.device_id != facts.ticket.device_id else None


def _blocked(facts: Facts, now: datetime) -> Reason | None:
    return Reason.BLOCKED if facts.blocked else None


def _ticket_fresh(facts: Facts, now: datetime) -> Reason | None:
    return Reason.TICKET_EXPIRED if facts.ticket is not None and now >= facts.ticket.expires_at else None


def _open(facts: Facts, now: datetime) -> Reason | None:
    return Reason.CLOSED if facts.seconds_open == 0 else None


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


def _voucher(facts: Facts, now: datetime) -> Reason | None:
    voucher = facts.voucher
    if voucher is None:
        return None
    if voucher.revoked:
        return Reason.GRANT_ENDED
    left = voucher_seconds_left(facts)
    return Reason.VOUCHER_USED_UP if left is not None and left < facts.seconds_wanted else None


def _devices_at_once(facts: Facts, now: datetime) -> Reason | None:
    plan, holder = facts.plan, facts.grant.holder if facts.grant is not None else None
    if plan is None or holder is None or facts.other_devices_online < plan.devices_max:
        return None
    return Reason.TOO_MANY_DEVICES if holder[0] is Holding.VOUCHER else Reason.ACCOUNT_IN_USE


def _daily_quota(facts: Facts, now: datetime) -> Reason | None:
    plan, used = facts.plan, facts.used_today
    if plan is None:
        return None
    if plan.daily_seconds and plan.daily_seconds - used.seconds < facts.seconds_wanted:
        return Reason.DAILY_TIME_USED
    if plan.daily_octets and used.octets.total >= plan.daily_octets:
        return Reason.DAILY_VOLUME_USED
    return None


def _voucher_daily_quota(facts: Facts, now: datetime) -> Reason | None:
    plan, voucher = facts.plan, facts.voucher
    if plan is None or voucher is None:
        return None
    used = voucher.used_today
    if plan.voucher_daily_seconds and plan.voucher_daily_seconds - used.seconds < facts.seconds_wanted:
        return Reason.VOUCHER_DAILY_TIME_USED
    if plan.voucher_daily_octets and used.octets.total >= plan.voucher_daily_octets:
        return Reason.VOUCHER_DAILY_VOLUME_USED
    return None


def _session_time(facts: Facts, now: datetime) -> Reason | None:
    """Of a running session: a NAS that knows Session-Timeout ended it before."""
    plan = facts.plan
    over = plan is not None and facts.seconds_online >= session_seconds(plan, facts.extensions)
    return Reason.SESSION_OVER if over else None


CHECKS: dict[str, Check] = {
    "credentials": _proof,
    "device": _device,
    "not blocked": _blocked,
    "ticket fresh": _ticket_fresh,
    "site open": _open,
    "remembered": _remembered,
    "grant": _grant,
    "voucher": _voucher,
    "devices at once": _devices_at_once,
    "daily limits": _daily_quota,
    "voucher's daily limits": _voucher_daily_quota,
}
"""In the order in which a person would want to hear of them; the first that objects gives the reason."""

RUNNING_CHECKS: tuple[Check, ...] = (
    _blocked,
    _open,
    _grant,
    _voucher,
    _daily_quota,
    _voucher_daily_quota,
    _session_time,
)
"""What may end a session that runs. Its log-in was judged; new terms wait for the next one."""

_ENTRY = tuple(CHECKS.values())


def decide(facts: Facts, *, now: datetime, zone: ZoneInfo) -> Decision:
    """Judge one Access-Request."""
    for check in _ENTRY:
        reason = check(facts, now)
        if reason is not None:
            return Refusal(reason)
    return _accept(facts, now, zone)


def decide_running(facts: Facts, *, now: datetime, zone: ZoneInfo) -> Decision:
    """Judge a session that runs: what is left of it now, or why it must end."""
    for check in RUNNING_CHECKS:
        reason = check(facts, now)
        if reason is not None:
            return Refusal(reason)
    return _accept(facts, now, zone)


def check_all(facts: Facts, *, now: datetime) -> list[tuple[str, Reason | None]]:
    """What every check says, in their order; for explaining."""
    return [(name, check(facts, now)) for name, check in CHECKS.items()]


def _accept(facts: Facts, now: datetime, zone: ZoneInfo) -> Accept:
    grant, plan, device_id = facts.grant, facts.plan, facts.device_id
    assert grant is not None and plan is not None and device_id is not None
    return Accept(
        grant.id,
        device_id,
        seconds_left(facts, now=now, zone=zone),
        plan.idle_minutes * 60,
        plan.rate_down_kbps * 1000,
        plan.rate_up_kbps * 1000,
        octets_left(facts),
        plan.vlan_id,
    )


# What is left -------------------------------------------------------------------------------------


def voucher_seconds_left(facts: Facts) -> int | None:
    """Of a voucher that counts time online; None where the clock counts, which ends the grant itself."""
    plan, voucher = facts.plan, facts.voucher
    if plan is None or voucher is None or plan.voucher_counts is not Counting.USE:
        return None
    return voucher.valid_seconds - voucher.seconds_used


def octets_left(facts: Facts) -> int | None:
    """Of today's volume: the device's or its voucher's, whichever ends first; None where neither is limited."""
    plan, voucher = facts.plan, facts.voucher
    assert plan is not None
    left = []
    if plan.daily_octets:
        left.append(plan.daily_octets - facts.used_today.octets.total)
    if voucher is not None and plan.voucher_daily_octets:
        left.append(plan.voucher_daily_octets - voucher.used_today.octets.total)
    return max(0, min(left)) if left else None


def seconds_left(facts: Facts, *, now: datetime, zone: ZoneInfo) -> int:
    """Seconds that a session may last from now: plan, grant, the day's minutes, voucher, opening hours.

    At least 1: RFC 2865 section 5.27 leaves a Session-Timeout of 0 undefined.
    """
    plan, grant, voucher = facts.plan, facts.grant, facts.voucher
    assert plan is not None and grant is not None
    limits = [
        session_seconds(plan, facts.extensions) - facts.seconds_online,
        int((grant.until_at - now).total_seconds()),
    ]
    if plan.daily_seconds:
        limits.append(_daily_seconds_left(plan.daily_seconds, facts.used_today, now, zone))
    if facts.seconds_open is not None:
        limits.append(facts.seconds_open)
    of_voucher = voucher_seconds_left(facts)
    if of_voucher is not None:
        limits.append(of_voucher)
    if voucher is not None and plan.voucher_daily_seconds:
        limits.append(_daily_seconds_left(plan.voucher_daily_seconds, voucher.used_today, now, zone))
    return max(1, min(limits))


def _daily_seconds_left(allowed: int, used: DayUse, now: datetime, zone: ZoneInfo) -> int:
    """A session that outlives midnight gets the new day's seconds on top, since the quota is a day's."""
    left, to_midnight = allowed - used.seconds, seconds_to_day_end(now, zone)
    return left if left < to_midnight else to_midnight + allowed


def session_seconds(plan: Plan, extensions: int) -> int:
    """How long a session may last that was lengthened so often."""
    return plan.session_minutes * 60 * (1 + extensions)
