"""When the monitor saw, and when it was blind: stretches of time, each a row that the running monitor makes longer."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from store.schema import monitor_watch


def beat(conn: Connection, *, now: datetime, gap: timedelta) -> None:
    """The monitor sees. Silent for longer than `gap`, it was blind meanwhile: a new stretch begins. Needs `write()`."""
    newest = conn.execute(select(monitor_watch).order_by(monitor_watch.c.last_at.desc()).limit(1)).first()
    if newest is None or now - newest.last_at > gap:
        conn.execute(insert(monitor_watch).values(began_at=now, last_at=now))
    elif now > newest.last_at:  # never back, whatever the clock does
        conn.execute(update(monitor_watch).where(monitor_watch.c.id == newest.id).values(last_at=now))


def between(conn: Connection, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """The stretches in which it saw, cut to the period, oldest first."""
    query = select(monitor_watch.c.began_at, monitor_watch.c.last_at).where(
        monitor_watch.c.last_at > since, monitor_watch.c.began_at < until
    )
    rows = conn.execute(query.order_by(monitor_watch.c.began_at))
    return [(max(row.began_at, since), min(row.last_at, until)) for row in rows]


def purge(conn: Connection, *, before: datetime) -> int:
    """Delete stretches that ended before. Rows deleted."""
    return conn.execute(delete(monitor_watch).where(monitor_watch.c.last_at < before)).rowcount
