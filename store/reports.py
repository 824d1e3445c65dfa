"""Figures for the council, counted in the database."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, func, select

from hotspot.reports import DayCount
from hotspot.values import Octets
from store.schema import session, usage_daily


def day_counts(conn: Connection, first: date, last: date) -> list[DayCount]:
    """One row for each local day from `first` to `last` on which anything was counted."""
    starts = conn.execute(
        select(session.c.local_day, func.count().label("count"))
        .where(session.c.local_day.between(first, last))
        .group_by(session.c.local_day)
    )
    started = {row["local_day"]: int(row["count"]) for row in starts.mappings()}
    use = conn.execute(
        select(
            usage_daily.c.day,
            func.count().label("devices"),
            func.sum(usage_daily.c.seconds).label("seconds"),
            func.sum(usage_daily.c.octets_down).label("down"),
            func.sum(usage_daily.c.octets_up).label("up"),
        )
        .where(usage_daily.c.day.between(first, last))
        .group_by(usage_daily.c.day)
    )
    rows = {row.day: row for row in use}
    return [
        DayCount(
            day,
            sessions=started.get(day, 0),
            device_days=int(rows[day].devices) if day in rows else 0,
            seconds=int(rows[day].seconds) if day in rows else 0,
            octets=Octets(int(rows[day].down), int(rows[day].up)) if day in rows else Octets(),
        )
        for day in sorted(started.keys() | rows.keys())
    ]
