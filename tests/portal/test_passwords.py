"""Passwords are hashed few at a time: others wait, and beyond them somebody is told so."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from portal import passwords
from portal.passwords import AT_ONCE, WAITING_MAX, BusyError, hashed, matches

CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


def test_a_hash_is_argon2id_and_fits_its_password_alone() -> None:
    stored = hashed("vier Wörter sind gut")
    parameters = extract_parameters(stored)
    assert parameters.type is Type.ID and parameters.memory_cost >= 65_536 and parameters.time_cost >= 3
    assert matches(stored, "vier Wörter sind gut") and not matches(stored, "vier Wörter sind böse")
    assert stored != hashed("vier Wörter sind gut")


def test_nobody_has_no_password() -> None:
    assert not matches(None, "nobody's password: verified so that an unknown name takes as long as a known one")
    assert not matches("no hash", "anything")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Semaphore, threading.Event]]:
    """argon2 that begins (the semaphore counts) and ends when the event says so."""
    begun, end = threading.Semaphore(0), threading.Event()

    class Slow:
        def hash(self, password: str) -> str:
            begun.release()
            assert end.wait(20)
            return CHEAP.hash(password)

    monkeypatch.setattr(passwords, "_HASHER", Slow())
    yield begun, end
    end.set()


def test_beyond_those_that_compute_and_wait_it_is_busy(slow: tuple[threading.Semaphore, threading.Event]) -> None:
    begun, end = slow
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(hashed("vier Wörter"))) for _ in range(AT_ONCE + WAITING_MAX)
    ]
    for each in threads:
        each.start()
    for _ in range(AT_ONCE):
        assert begun.acquire(timeout=20)
    while passwords._PLACES._value:  # the last one has its place, and waits for its turn
        threading.Event().wait(0.01)
    with pytest.raises(BusyError):
        hashed("vier Wörter")
    assert not begun.acquire(blocking=False)
    end.set()
    for each in threads:
        each.join(20)
    assert len(found) == AT_ONCE + WAITING_MAX and hashed("vier Wörter")


def test_whoever_waits_too_long_is_told_so(
    slow: tuple[threading.Semaphore, threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, end = slow
    monkeypatch.setattr(passwords, "TURN_SECONDS", 0.05)
    threads = [threading.Thread(target=lambda: hashed("vier Wörter")) for _ in range(AT_ONCE)]
    for each in threads:
        each.start()
    for _ in range(AT_ONCE):
        assert begun.acquire(timeout=20)
    with pytest.raises(BusyError):
        hashed("vier Wörter")
    end.set()
    for each in threads:
        each.join(20)
