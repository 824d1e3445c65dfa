"""When a message that was not sent is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 15, 30, 60, 120))
"""After each attempt; the last one again and again. A person waits for most of these messages with a phone in hand."""


def again_at(attempts: int, *, expires_at: datetime, now: datetime) -> datetime | None:
    """When the next attempt is made after `attempts` that failed; None where it would come too late."""
    at = now + PAUSES[min(attempts, len(PAUSES)) - 1]
    return at if at < expires_at else None
