"""Logging staff in: a password, a pause after too many wrong ones, a session on the server's side.

Hashing is slow on purpose, so it never happens inside a transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hotspot.errors import InputError
from portal import passwords
from portal.passwords import PASSWORD_MAX
from service.cities import City
from store import audit, guesses, staff
from store.staff import Member

PASSWORD_MIN = 12
RandomOctets = Callable[[int], bytes]


class Outcome(StrEnum):
    """Of a log-in; the word in the metric."""

    SUCCESS = "success"
    WRONG = "wrong"
    LIMITED = "limited"


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """`token` goes into the cookie; only its hash is stored."""

    outcome: Outcome
    token: str = ""


def log_in(
    city: City, *, login: str, password: str, address: str, now: datetime, random_octets: RandomOctets
) -> LoggedIn:
    """Check a password; wrong ones are counted by name and by address. May raise BusyError."""
    limits = city.config.limits
    buckets = [
        guesses.bucket(city.store.keys, "staff-login", login.lower()),
        guesses.bucket(city.store.keys, "staff-address", address),
    ]
    since = now - timedelta(minutes=limits.login_window_minutes)
    with city.store.read() as conn:
        limited = any(guesses.count(conn, each, since=since) >= limits.login_attempts for each in buckets)
        member = staff.by_login(conn, login)
    if limited:
        return LoggedIn(Outcome.LIMITED)
    if not _matches(member, password) or member is None:
        with city.store.write() as conn:
            for each in buckets:
                guesses.note(conn, each, now=now)
            audit.add(conn, now=now, action="staff.login_failed", subject=login[:80])
        return LoggedIn(Outcome.WRONG)
    token = random_octets(32).hex()
    with city.store.write() as conn:
        guesses.clear(conn, buckets[0])
        expires_at = now + timedelta(minutes=limits.staff_session_minutes)
        staff.open_session(conn, staff_id=member.id, token=token, now=now, expires_at=expires_at)
        audit.add(conn, now=now, action="staff.login", subject=member.login, staff_id=member.id)
    return LoggedIn(Outcome.SUCCESS, token)


def _matches(member: Member | None, password: str) -> bool:
    usable = member is not None and member.password_hash is not None and member.disabled_at is None
    return passwords.matches(member.password_hash if member is not None and usable else None, password)


def hash_password(password: str) -> str:
    """argon2id of a new password. InputError where it is too short or too long."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise InputError(f"a password has {PASSWORD_MIN} to {PASSWORD_MAX} characters")
    return passwords.hashed(password)
