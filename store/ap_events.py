"""The event log of access points: written in batches by the poller, read by pages, reports and commands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select

from hotspot.ap_events import ApEvent, Kind
from store.rows import pick
from store.schema import access_point_event

_EVENTS = select(access_point_event)


def add(conn: Connection, events: Sequence[ApEvent]) -> None:
    """Append them, in one statement. Needs `write()`."""
    if not events:
        return
    rows = [
        {
            "access_point_id": each.access_point_id,
            "at": each.at,
            "kind": each.kind.value,
            "before": each.before,
            "after": each.after,
            "radio": each.radio,
        }
        for each in events
    ]
    conn.execute(insert(access_point_event), rows)


def of_access_point(
    conn: Connection, access_point_id: int, *, limit: int, before_id: int | None = None
) -> list[ApEvent]:
    """The newest entries of one access point, newest first; `before_id`: those older than that entry."""
    query = _EVENTS.where(access_point_event.c.access_point_id == access_point_id)
    if before_id is not None:
        edge = select(access_point_event.c.at).where(access_point_event.c.id == before_id).scalar_subquery()
        older = access_point_event.c.at < edge
        same = (access_point_event.c.at == edge) & (access_point_event.c.id < before_id)
        query = query.where(older | same)
    return _read(conn, _newest_first(query).limit(limit))


def recent(conn: Connection, *, since: datetime, limit: int) -> list[ApEvent]:
    """The newest entries of all access points after `since`, newest first."""
    return _read(conn, _newest_first(_EVENTS.where(access_point_event.c.at > since)).limit(limit))


def between(conn: Connection, since: datetime, until: datetime, *, access_point_id: int | None = None) -> list[ApEvent]:
    """All entries from `since` to before `until`, oldest first; of one access point where one is named."""
    query = _EVENTS.where(access_point_event.c.at >= since, access_point_event.c.at < until)
    if access_point_id is not None:
        query = query.where(access_point_event.c.access_point_id == access_point_id)
    return _read(conn, query.order_by(access_point_event.c.at, access_point_event.c.id))


def up_at(conn: Connection, at: datetime) -> dict[int, bool]:
    """Whether each access point was up just before `at`, as its newest earlier entry says; no entry, no answer."""
    told = (access_point_event.c.at < at) & access_point_event.c.kind.in_((Kind.UP, Kind.DOWN))
    newest = (
        select(access_point_event.c.access_point_id, func.max(access_point_event.c.at).label("at"))
        .where(told)
        .group_by(access_point_event.c.access_point_id)
        .subquery()
    )
    same = (access_point_event.c.access_point_id == newest.c.access_point_id) & (access_point_event.c.at == newest.c.at)
    query = select(access_point_event.c.access_point_id, access_point_event.c.kind).join(newest, same).where(told)
    return {row.access_point_id: row.kind == Kind.UP for row in conn.execute(query.order_by(access_point_event.c.id))}


def purge(conn: Connection, *, before: datetime, limit: int) -> int:
    """Delete entries older than `before`, at most `limit` at a time. Rows deleted."""
    old = select(access_point_event.c.id).where(access_point_event.c.at < before).limit(limit)
    return conn.execute(delete(access_point_event).where(access_point_event.c.id.in_(old))).rowcount


def _newest_first(query: Select[Any]) -> Select[Any]:
    return query.order_by(access_point_event.c.at.desc(), access_point_event.c.id.desc())


def _read(conn: Connection, query: Select[Any]) -> list[ApEvent]:
    return [pick(ApEvent, row, kind=Kind(row["kind"])) for row in conn.execute(query).mappings()]
