"""Access points' polls for the charts of the last day and week: one row an access point and hour (`store.packing`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, tuple_

from hotspot.ap_history import Point
from store import bulk
from store.packing import pack, unpack
from store.schema import access_point_hour
from store.types import microseconds

HOUR = timedelta(hours=1)

_APPEND = bulk.append(access_point_hour, ("access_point_id", "hour"), "packed")


def hour_of(at: datetime) -> datetime:
    """The hour that an instant is in, in UTC: the same in every zone and on the nights when clocks are changed."""
    return at.replace(minute=0, second=0, microsecond=0)


def save(conn: Connection, access_point_id: int, hour: datetime, points: Sequence[Point]) -> None:
    """Add polls to an hour. Needs `write()`."""
    append(conn, {(access_point_id, hour): pack(hour, points)})


def append(conn: Connection, packs: Mapping[tuple[int, datetime], bytes]) -> None:
    """Add packed polls to many hours, by access point and hour, in one statement. Needs `write()`."""
    _APPEND.run(conn, [(point_id, microseconds(hour), packed) for (point_id, hour), packed in packs.items()])


def points(conn: Connection, access_point_id: int, *, since: datetime, until: datetime) -> list[Point]:
    """Polls from `since` to before `until`, oldest first."""
    query = select(access_point_hour.c.hour, access_point_hour.c.packed).where(
        access_point_hour.c.access_point_id == access_point_id,
        access_point_hour.c.hour > since - HOUR,
        access_point_hour.c.hour < until,
    )
    rows = conn.execute(query.order_by(access_point_hour.c.hour))
    return [point for row in rows for point in unpack(row.hour, bytes(row.packed)) if since <= point.at < until]


def purge(conn: Connection, *, before: datetime, limit: int) -> int:
    """Delete hours that began before, at most `limit` rows at a time. Rows deleted."""
    key = tuple_(access_point_hour.c.access_point_id, access_point_hour.c.hour)
    old = select(access_point_hour.c.access_point_id, access_point_hour.c.hour).where(access_point_hour.c.hour < before)
    return conn.execute(delete(access_point_hour).where(key.in_(old.limit(limit)))).rowcount
