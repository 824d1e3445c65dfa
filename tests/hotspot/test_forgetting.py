"""When a wish to be forgotten is done: at once, but for what today's limits count."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from hotspot.forgetting import Cut, cut

BERLIN = ZoneInfo("Europe/Berlin")


def utc(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked_at", "now", "last_day", "today_began"),
    [
        (utc(23, 12), utc(23, 12), date(2026, 11, 22), utc(22, 23)),  # the day began at midnight in Berlin
        (utc(23, 12), utc(23, 22, 59), date(2026, 11, 22), utc(22, 23)),
        (utc(23, 12), utc(23, 23), date(2026, 11, 23), utc(23, 23)),
        (utc(23, 12), utc(30, 12), date(2026, 11, 23), utc(29, 23)),  # what came after the wish stays
        (utc(25, 21, month=10), utc(25, 22, 59, month=10), date(2026, 10, 24), utc(24, 22, month=10)),  # 25 hours
        (utc(25, 21, month=10), utc(25, 23, month=10), date(2026, 10, 25), utc(25, 23, month=10)),
    ],
)
def test_today_waits_for_midnight(asked_at: datetime, now: datetime, last_day: date, today_began: datetime) -> None:
    asked_day = asked_at.astimezone(BERLIN).date()
    assert cut(asked_at, now=now, zone=BERLIN) == Cut(asked_at, asked_day, last_day, today_began)
