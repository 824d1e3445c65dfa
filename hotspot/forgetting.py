"""What of a resident's wish to be forgotten may be done when: at once, or once today's limits need it no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hotspot.values import day_start, local_day


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the wish of `asked_at` cuts, as it stands now.

    Everything up to `asked_at` goes, but what counts on a day's limits: of that only what is of `last_day` or earlier,
    before `today_began`. `asked_day` is the wish's own day: nothing later is touched, for it came afterwards.
    """

    asked_at: datetime
    asked_day: date
    last_day: date
    today_began: datetime


def cut(asked_at: datetime, *, now: datetime, zone: ZoneInfo) -> Cut:
    """What is used of today's minutes and megabytes stays until midnight, or one tap would begin the day anew."""
    today, asked_day = local_day(now, zone), local_day(asked_at, zone)
    return Cut(
        asked_at=asked_at,
        asked_day=asked_day,
        last_day=min(asked_day, today - timedelta(days=1)),
        today_began=day_start(today, zone),
    )
