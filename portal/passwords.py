"""Passwords: argon2id for staff and residents alike, slow on purpose, and so few at once that pages go on.

A hash takes a processor for a tenth of a second and 64 MiB; each request is a thread. So a bounded number computes, a
bounded number waits for its turn, and whoever comes beyond them is told to try again. Never call this inside
`store.write()`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

PASSWORD_MAX = 200
"""Characters; longer ones are never hashed."""

AT_ONCE = 2
"""Hashes that the process computes at a time, of all its cities."""

WAITING_MAX = 1
"""Requests that wait for their turn: with those that compute, fewer than a city's share of the threads."""

TURN_SECONDS = 3.0

_HASHER = PasswordHasher()  # the library's defaults follow RFC 9106's second choice: 64 MiB, 3 passes
_NOBODY = _HASHER.hash("nobody's password: verified so that an unknown name takes as long as a known one")

_PLACES = threading.BoundedSemaphore(AT_ONCE + WAITING_MAX)
_TURNS = threading.BoundedSemaphore(AT_ONCE)


class BusyError(Exception):
    """Too many passwords are being checked; the page says to try again in a moment."""


def matches(stored: str | None, password: str) -> bool:
    """Whether the password is the one of a stored hash. None takes as long, and never matches. May raise BusyError."""
    with _turn():
        try:
            _HASHER.verify(stored or _NOBODY, password[:PASSWORD_MAX])
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def hashed(password: str) -> str:
    """argon2id of a new password, whose length the caller has checked. May raise BusyError."""
    with _turn():
        return _HASHER.hash(password)


@contextmanager
def _turn() -> Iterator[None]:
    if not _PLACES.acquire(blocking=False):
        raise BusyError
    try:
        if not _TURNS.acquire(timeout=TURN_SECONDS):
            raise BusyError
        try:
            yield
        finally:
            _TURNS.release()
    finally:
        _PLACES.release()
