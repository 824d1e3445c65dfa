"""Getting a grant at the portal: may this voucher admit this device, and how long does a grant last."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hotspot.access import SESSION_SECONDS_MIN
from hotspot.plan import Counting, Plan


class Denial(StrEnum):
    """Why the portal issued no ticket: the word in the metric, and what the page puts into a sentence."""

    NOT_OFFERED = "not_offered"
    TERMS_CHANGED = "terms_changed"
    BLOCKED = "blocked"
    BAD_CODE = "bad_code"
    UNKNOWN_CODE = "unknown_code"
    CODE_REVOKED = "code_revoked"
    CODE_EXPIRED = "code_expired"
    CODE_USED_UP = "code_used_up"
    TOO_MANY_DEVICES = "too_many_devices"
    TOO_MANY_GUESSES = "too_many_guesses"
    BAD_EMAIL = "bad_email"
    BAD_NUMBER = "bad_number"
    NUMBER_NOT_SERVED = "number_not_served"
    CODE_TOO_SOON = "code_too_soon"
    TOO_MANY_CODES = "too_many_codes"
    SENDING_FULL = "sending_full"
    NOT_SIX_DIGITS = "not_six_digits"
    WRONG_CODE = "wrong_code"
    CODE_OVER = "code_over"
    WRONG_LOGIN = "wrong_login"
    NOT_CONFIRMED = "not_confirmed"
    PROVIDER_AWAY = "provider_away"
    PROVIDER_REFUSED = "provider_refused"
    NOT_ENTITLED = "not_entitled"


@dataclass(frozen=True, slots=True)
class Span:
    """How long a grant admits, and until when its device comes back without the page (None: never)."""

    until_at: datetime
    remember_until: datetime | None


def judge_voucher(
    *,
    redeem_until: datetime,
    until_at: datetime | None,
    revoked_at: datetime | None,
    plan: Plan,
    valid_seconds: int,
    seconds_used: int,
    holders: Collection[int],
    device_id: int,
    now: datetime,
) -> Denial | None:
    """Whether a voucher may admit a device now. `holders` are the devices that hold a grant of it."""
    if revoked_at is not None:
        return Denial.CODE_REVOKED
    if until_at is None and now >= redeem_until:
        return Denial.CODE_EXPIRED
    if until_at is not None and now >= until_at:
        return Denial.CODE_USED_UP
    if plan.voucher_counts is Counting.USE and valid_seconds - seconds_used < SESSION_SECONDS_MIN:
        return Denial.CODE_USED_UP
    others = set(holders) - {device_id}
    return Denial.TOO_MANY_DEVICES if len(others) >= plan.devices_max else None


def tap_span(plan: Plan, *, now: datetime) -> Span:
    """A tap or an account admits for one session with its extensions, and again without the page while remembered."""
    remembered = now + timedelta(hours=plan.remember_hours)
    until = max(remembered, now + timedelta(minutes=plan.session_minutes * (1 + plan.extensions_max)))
    return Span(until, remembered if plan.remember_hours else None)


def voucher_span(plan: Plan, *, ends_at: datetime, now: datetime) -> Span:
    """A voucher's grants end with the voucher's clock."""
    remembered = min(ends_at, now + timedelta(hours=plan.remember_hours))
    return Span(ends_at, remembered if plan.remember_hours else None)
