"""Polls of access points for the charts, one row an access point and hour, packed (`store.packing`).

Polls are written behind those that the hour's row has already, so that whoever keeps them needs to remember only what
is not written yet, and a monitor that was restarted need not read what an earlier one wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, select, tuple_

from hotspot.ap_history import Point
from store import bulk
from store.packing import pack, unpack
from store.schema import access_point_hour
from store.types import microseconds

HOUR = timedelta(hours=1)

hour_of = access_point_hour

_APPEND = bulk.append(access_point_hour, ("access_point_id", "hour"), "packed")


def hour(at: datetime) -> datetime:
    """The hour that an instant is in, in UTC: no zone's rules move it."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def save(conn: Connection, access_point_id: int, at_hour: datetime, points: Sequence[Point]) -> None:
    """Add polls to what is kept of an hour. Needs `write()`."""
    save_packed(conn, [(access_point_id, at_hour, pack(at_hour, points))])


def save_packed(conn: Connection, hours: Iterable[tuple[int, datetime, bytes]]) -> None:
    """The same for many, each hour of an access point once, packed before: that takes time which a `write()` has not.

    Needs `write()`.
    """
    _APPEND.run(conn, [(of, microseconds(at_hour), packed) for of, at_hour, packed in hours])


def points(conn: Connection, access_point_id: int, *, since: datetime, until: datetime) -> list[Point]:
    """The polls in [since, until), in the order of time."""
    query = (
        select(hour_of.c.hour, hour_of.c.packed)
        .where(hour_of.c.access_point_id == access_point_id, hour_of.c.hour > since - HOUR, hour_of.c.hour < until)
        .order_by(hour_of.c.hour)
    )
    found = (point for row in conn.execute(query) for point in unpack(row.hour, bytes(row.packed)))
    return [point for point in found if since <= point.at < until]


def delete_before(conn: Connection, at: datetime, *, limit: int) -> int:
    """Delete older hours, at most `limit` rows; returns how many. Needs `write()`."""
    key = (hour_of.c.access_point_id, hour_of.c.hour)
    oldest = select(*key).where(hour_of.c.hour < at).order_by(hour_of.c.hour).limit(limit)
    return conn.execute(delete(hour_of).where(tuple_(*key).in_(oldest))).rowcount
