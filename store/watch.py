"""When the monitor saw: so that "the monitor was blind" is told apart from "the access point was down"."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from store.schema import monitor_watch

watch = monitor_watch


def beat(conn: Connection, *, now: datetime, gap: timedelta) -> None:
    """The monitor sees. A new stretch begins where the last beat was longer ago than `gap`. Needs `write()`."""
    last = conn.execute(select(watch).order_by(watch.c.last_at.desc()).limit(1)).first()
    if last is None or now - last.last_at > gap:
        conn.execute(insert(watch).values(began_at=now, last_at=now))
    elif now > last.last_at:
        conn.execute(update(watch).where(watch.c.id == last.id).values(last_at=now))


def between(conn: Connection, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """The stretches that touch [since, until), in the order of time, cut to it."""
    query = select(watch).where(watch.c.last_at > since, watch.c.began_at < until).order_by(watch.c.began_at)
    return [(max(row.began_at, since), min(row.last_at, until)) for row in conn.execute(query)]


def delete_before(conn: Connection, at: datetime, *, limit: int) -> int:
    """Delete what ended earlier, at most `limit` rows; returns how many. Needs `write()`."""
    oldest = select(watch.c.id).where(watch.c.last_at < at).order_by(watch.c.last_at).limit(limit)
    return conn.execute(delete(watch).where(watch.c.id.in_(oldest))).rowcount
