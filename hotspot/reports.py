"""The council's figures: a month of days, from what the store counted, with small groups hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from hotspot.privacy import suppress
from hotspot.values import NO_OCTETS, Month, Octets


@dataclass(frozen=True, slots=True)
class DayCount:
    """One local day, as counted. `device_days`: devices seen that day (never "users": addresses rotate)."""

    day: date
    sessions: int
    device_days: int
    seconds: int
    octets: Octets


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One line of the report; None where the group is too small to be shown."""

    day: date
    sessions: int | None
    device_days: int | None
    minutes: int | None
    megabytes_down: int | None
    megabytes_up: int | None

    @property
    def hidden(self) -> bool:
        return self.device_days is None


@dataclass(frozen=True, slots=True)
class MonthReport:
    """A month for the officials of one city. Totals are None where the whole month is too small a group.

    `under_way`: the month is not over, so its totals are of the days shown.
    """

    month: Month
    days: tuple[DayFigures, ...]
    smallest_group: int
    under_way: bool
    sessions: int | None = None
    device_days: int | None = None
    hours: int | None = None
    gigabytes_down: float | None = None
    gigabytes_up: float | None = None

    @property
    def busiest(self) -> DayFigures | None:
        """The day with most device-days among those shown, None in a month without any."""
        shown = [day for day in self.days if day.device_days]
        return max(shown, key=lambda day: day.device_days or 0, default=None)


def build_month(counts: Sequence[DayCount], month: Month, *, today: date, smallest_group: int) -> MonthReport:
    """Every day of the month up to `today`, in order, days without a row as zeros.

    Totals of a month that is over are exact. While it is under way they are of the days shown: who compares today's
    totals with yesterday's must not learn of a hidden day.
    """
    by_day = {count.day: count for count in counts}
    days = [month.first_day + timedelta(days=n) for n in range(month.last_day.day)]
    rows = [by_day.get(day) or DayCount(day, 0, 0, 0, NO_OCTETS) for day in days if day <= today]
    # Sessions whose device was not counted are somebody's, too.
    visible = suppress([max(row.device_days, min(row.sessions, 1)) for row in rows], smallest=smallest_group)
    figures = tuple(_figures(row, shown) for row, shown in zip(rows, visible, strict=True))
    under_way = today <= month.last_day
    report = MonthReport(month, figures, smallest_group, under_way)
    counted = [row for row, shown in zip(rows, visible, strict=True) if shown is not None or not under_way]
    device_days = sum(row.device_days for row in counted)
    nobody_shown = not device_days and None in visible
    if nobody_shown or 0 < device_days < smallest_group:  # a lone hidden day would stand in the total
        return report
    return replace(
        report,
        sessions=sum(row.sessions for row in counted),
        device_days=device_days,
        hours=round(sum(row.seconds for row in counted) / 3600),
        gigabytes_down=round(sum(row.octets.down for row in counted) / 1e9, 2),
        gigabytes_up=round(sum(row.octets.up for row in counted) / 1e9, 2),
    )


def _figures(row: DayCount, shown: int | None) -> DayFigures:
    if shown is None:
        return DayFigures(row.day, None, None, None, None, None)
    return DayFigures(
        row.day,
        row.sessions,
        row.device_days,
        row.seconds // 60,
        row.octets.down // 1_000_000,
        row.octets.up // 1_000_000,
    )
