"""When to poll next. Pure: seconds in, seconds out; randomness is an argument."""

from __future__ import annotations

import random
from zlib import crc32

BACK_OFF = (1, 2, 4, 8)
"""Intervals between probes of a device that is down, by failures in a row."""

BACK_OFF_MAX_S = 600.0
JITTER = 0.1
"""Share by which a probe of a device that is down may come earlier or later, so that a dead site does not beat."""

DEADLINE_TIMEOUTS = 5
"""A poll of several questions may take as long as so many unanswered ones, and never longer than the interval."""


def offset(name: str, interval_s: float) -> float:
    """The device's place in the interval, the same in every process: polls spread evenly without coordination."""
    return crc32(name.encode()) / 2**32 * interval_s


def next_slot(name: str, interval_s: float, *, at: float) -> float:
    """The first of the device's places after `at`; missed ones are skipped, never caught up on."""
    place = offset(name, interval_s)
    return place + ((at - place) // interval_s + 1) * interval_s


def back_off(failures: int, interval_s: float, dice: random.Random) -> float:
    """Seconds until a device that failed so many times in a row is probed again; at most 10 minutes."""
    factor = BACK_OFF[min(failures, len(BACK_OFF)) - 1]
    jitter = dice.uniform(1 - JITTER, 1 + JITTER)
    return min(factor * interval_s * jitter, max(BACK_OFF_MAX_S, interval_s))


def deadline(interval_s: float, timeout_s: float, retries: int) -> float:
    """Seconds a poll may take from its first packet to its last."""
    return min(interval_s, DEADLINE_TIMEOUTS * timeout_s * (retries + 1))
