"""The event log of access points: appended by the monitor, read by staff and reports."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, true

from hotspot.ap_events import ApEvent, Kind
from store.rows import pick
from store.schema import access_point_event

event = access_point_event


def add(conn: Connection, events: Sequence[ApEvent]) -> None:
    """Append all of them. Needs `write()`."""
    if events:
        conn.execute(insert(event), [asdict(each) for each in events])


def of_access_point(
    conn: Connection, access_point_id: int, *, limit: int, before: datetime | None = None
) -> list[ApEvent]:
    """The newest first; `before` goes on where a page ended."""
    return _newest(conn, event.c.access_point_id == access_point_id, limit=limit, before=before)


def recent(conn: Connection, *, since: datetime, limit: int) -> list[ApEvent]:
    """Of all access points, the newest first."""
    return _newest(conn, event.c.at >= since, limit=limit)


def between(
    conn: Connection, since: datetime, until: datetime, *, only: Collection[int] | None = None
) -> list[ApEvent]:
    """Of all access points, or of those alone, in [since, until), in the order of time."""
    query = select(event).where(event.c.at >= since, event.c.at < until, _of(only)).order_by(event.c.at, event.c.id)
    return [_event(row) for row in conn.execute(query).mappings()]


def up_at(conn: Connection, at: datetime, *, only: Collection[int] | None = None) -> dict[int, bool]:
    """Whether each access point was up just before `at`, as its newest earlier entry says; no entry, no answer."""
    told = (event.c.at < at) & event.c.kind.in_((Kind.UP.value, Kind.DOWN.value)) & _of(only)
    newest = select(event.c.access_point_id.label("of"), func.max(event.c.at).label("at")).where(told)
    last = newest.group_by(event.c.access_point_id).subquery()
    query = select(event.c.access_point_id, event.c.kind).where(told)
    query = query.join(last, (event.c.access_point_id == last.c.of) & (event.c.at == last.c.at)).order_by(event.c.id)
    return {row.access_point_id: row.kind == Kind.UP for row in conn.execute(query)}


def _of(only: Collection[int] | None) -> ColumnElement[bool]:
    return true() if only is None else event.c.access_point_id.in_(only)


def delete_before(conn: Connection, at: datetime, *, limit: int) -> int:
    """Delete what is older, at most `limit` rows; returns how many. Needs `write()`."""
    oldest = select(event.c.id).where(event.c.at < at).order_by(event.c.at).limit(limit)
    return conn.execute(delete(event).where(event.c.id.in_(oldest))).rowcount


def _newest(
    conn: Connection, which: ColumnElement[bool], *, limit: int, before: datetime | None = None
) -> list[ApEvent]:
    query = select(event).where(which).order_by(event.c.at.desc(), event.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(event.c.at < before)
    return [_event(row) for row in conn.execute(query).mappings()]


def _event(row: Any) -> ApEvent:
    return pick(ApEvent, row, kind=Kind(row["kind"]))
