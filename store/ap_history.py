"""Polls of access points for the charts, one row an access point and hour: packed as columns of JSON, deflated.

Columns compress well, since neighbours are alike; and a field that comes with a later version is just another one.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, tuple_

from hotspot.ap_history import Point, RadioPoint
from store.rows import insert_for
from store.schema import access_point_hour

HOUR = timedelta(hours=1)
POINTS_MAX = 720
"""Polls of one hour: one every five seconds, which is as often as `monitor.poll_interval_s` allows."""

LEVEL = 6
"""Of zlib: 60 polls are packed in about 0.2 ms."""

_RATIO_DIGITS = 3
_FIELDS = tuple(each.name for each in fields(Point) if each.name not in ("at", "radios"))
_RADIO_FIELDS = tuple(each.name for each in fields(RadioPoint) if each.name != "radio")

hour_of = access_point_hour


def hour(at: datetime) -> datetime:
    """The hour that an instant is in, in UTC: no zone's rules move it."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def save(conn: Connection, access_point_id: int, at_hour: datetime, points: Sequence[Point]) -> None:
    """Keep an hour's polls, in place of what was kept of that hour before. Needs `write()`."""
    save_packed(conn, [(access_point_id, at_hour, pack(at_hour, points))])


def save_packed(conn: Connection, hours: Iterable[tuple[int, datetime, bytes]]) -> None:
    """The same for many, packed before (`pack` takes time that a `write()` has not). Needs `write()`."""
    rows = [{"access_point_id": of, "hour": at_hour, "packed": packed} for of, at_hour, packed in hours]
    if rows:
        statement = insert_for(conn, access_point_hour)
        kept = statement.on_conflict_do_update(
            index_elements=["access_point_id", "hour"], set_={"packed": statement.excluded.packed}
        )
        conn.execute(kept, rows)


def points(conn: Connection, access_point_id: int, *, since: datetime, until: datetime) -> list[Point]:
    """The polls in [since, until), in the order of time."""
    query = (
        select(hour_of.c.hour, hour_of.c.packed)
        .where(hour_of.c.access_point_id == access_point_id, hour_of.c.hour > since - HOUR, hour_of.c.hour < until)
        .order_by(hour_of.c.hour)
    )
    found = (point for row in conn.execute(query) for point in unpack(row.hour, bytes(row.packed)))
    return [point for point in found if since <= point.at < until]


def of_hour(conn: Connection, at_hour: datetime) -> dict[int, list[Point]]:
    """What is kept of that hour by access point: a monitor that was restarted goes on with it."""
    query = select(hour_of.c.access_point_id, hour_of.c.packed).where(hour_of.c.hour == at_hour)
    return {row.access_point_id: unpack(at_hour, bytes(row.packed)) for row in conn.execute(query)}


def delete_before(conn: Connection, at: datetime, *, limit: int) -> int:
    """Delete older hours, at most `limit` rows; returns how many. Needs `write()`."""
    key = (hour_of.c.access_point_id, hour_of.c.hour)
    oldest = select(*key).where(hour_of.c.hour < at).order_by(hour_of.c.hour).limit(limit)
    return conn.execute(delete(hour_of).where(tuple_(*key).in_(oldest))).rowcount


# Packing ------------------------------------------------------------------------------------------------


def pack(at_hour: datetime, polls: Sequence[Point]) -> bytes:
    """An hour's polls as octets; the newest `POINTS_MAX` of them. Seconds and ratios are rounded."""
    kept = polls[-POINTS_MAX:]
    columns: dict[str, Any] = {"at": [round((point.at - at_hour).total_seconds()) for point in kept]}
    columns |= {name: [_rounded(getattr(point, name)) for point in kept] for name in _FIELDS}
    by_radio = [{each.radio: each for each in point.radios} for point in kept]
    for radio in dict.fromkeys(name for radios in by_radio for name in radios):
        for name in _RADIO_FIELDS:
            cells = [_rounded(getattr(radios.get(radio), name, None)) for radios in by_radio]
            columns.setdefault("radios", {}).setdefault(radio, {})[name] = cells
        columns["radios"][radio]["there"] = [int(radio in radios) for radios in by_radio]
    return zlib.compress(json.dumps(columns, separators=(",", ":")).encode(), LEVEL)


def _rounded(value: Any) -> Any:
    return round(value, _RATIO_DIGITS) if isinstance(value, float) else value


def unpack(at_hour: datetime, packed: bytes) -> list[Point]:
    """What `pack` packed."""
    columns = json.loads(zlib.decompress(packed))
    radios = columns.get("radios", {})
    return [
        Point(
            at=at_hour + timedelta(seconds=second),
            radios=tuple(_radio(name, cells, row) for name, cells in radios.items() if cells["there"][row]),
            **{name: columns[name][row] for name in _FIELDS if name in columns},
        )
        for row, second in enumerate(columns["at"])
    ]


def _radio(name: str, cells: dict[str, list[Any]], row: int) -> RadioPoint:
    return RadioPoint(name, **{field: cells[field][row] for field in _RADIO_FIELDS if field in cells})
