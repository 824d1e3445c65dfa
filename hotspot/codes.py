"""One-time codes by e-mail and SMS: how they look, how often one may be asked for, and which typed one is right.

Six digits are one in a million. A code belongs to one device, falls after a few wrong guesses, and a device gets only
a few codes a day: with the defaults nobody has more than one chance in thirty thousand a day at a device's codes.
What a device guesses is counted besides with all other guesses (`hotspot.guessing`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hotspot.admission import Denial
from hotspot.errors import InputError

DIGITS = 6
CODE_TEXT_MAX = 40
CODE_OCTETS = 8
"""Random octets that make a code: 2^64 is so far beyond 10^6 that no code is likelier than another."""

DAY = timedelta(hours=24)
"""What "a day" is to limits: the last 24 hours, so that midnight gives nobody two days' worth."""

_IGNORED = str.maketrans("", "", " \t-–\u00a0")


def make_code(random_octets: bytes) -> str:
    """Six digits from eight random octets."""
    return f"{int.from_bytes(random_octets[:CODE_OCTETS], 'big') % 10**DIGITS:0{DIGITS}d}"


def parse_code(text: str) -> str:
    """What a person typed or pasted, as stored; InputError where it cannot be a code."""
    code = text.translate(_IGNORED) if len(text) <= CODE_TEXT_MAX else ""
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        raise InputError("not a code: it has six digits")
    return code


# Asking for one -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bounds:
    """How often codes may be asked for: a pause between two, and how many in 24 hours; `city_day` 0 is no bound."""

    pause: timedelta
    device_day: int
    address_day: int
    city_day: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """Codes of the last 24 hours: when this device asked, when one went to this address, how many the city sent."""

    by_device: Sequence[datetime] = ()
    to_address: Sequence[datetime] = ()
    in_city: int = 0


def judge_asking(asked: Asked, bounds: Bounds, *, now: datetime) -> Denial | None:
    """Whether one more code may be sent."""
    times = [*asked.by_device, *asked.to_address]
    if times and now < max(times) + bounds.pause:
        return Denial.CODE_TOO_SOON
    if len(asked.by_device) >= bounds.device_day or len(asked.to_address) >= bounds.address_day:
        return Denial.TOO_MANY_CODES
    return Denial.SENDING_FULL if bounds.city_day and asked.in_city >= bounds.city_day else None


# Typing one ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OneTimeCode:
    """A code as stored. Once it was used, `expires_at` is its grant's end: so long it is good on its own device."""

    id: int
    code_hash: bytes
    created_at: datetime
    expires_at: datetime
    attempts: int
    used_at: datetime | None


def judge_code(
    codes: Collection[OneTimeCode], hashes: Collection[bytes], *, attempts_max: int, now: datetime
) -> OneTimeCode | Denial:
    """Which of a device's codes was typed, by its hash under each key that is held; or why none is good.

    Any that still is may be typed, whichever message comes first. A used one lets the same device on again until its
    grant's end, so that a log-in which the hotspot lost costs no second message; it gives no minute more.
    """
    alive = [code for code in codes if now < code.expires_at]
    found = next((code for code in alive if code.code_hash in hashes), None)
    if found is not None and (found.used_at is not None or found.attempts < attempts_max):
        return found
    open_ones = [code for code in alive if code.used_at is None and code.attempts < attempts_max]
    return Denial.WRONG_CODE if open_ones else Denial.CODE_OVER
