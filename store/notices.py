"""Notices as they are stored: added and ended, never rewritten, so that it stays known what residents were told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from hotspot.errors import InputError
from hotspot.notices import OPEN_MAX, Notice
from store.nases import Author
from store.schema import notice


def open_notices(conn: Connection, *, now: datetime) -> list[Notice]:
    """Those that are not over, the next to begin last."""
    query = select(notice).where(_not_over(now)).order_by(notice.c.from_at, notice.c.id).limit(OPEN_MAX)
    return [_notice_of(row) for row in conn.execute(query)]


def some_notices(conn: Connection, *, limit: int) -> list[Notice]:
    """The newest, over or not."""
    return [_notice_of(row) for row in conn.execute(select(notice).order_by(notice.c.id.desc()).limit(limit))]


def add(
    conn: Connection,
    texts: Mapping[str, str],
    *,
    site_id: int | None,
    from_at: datetime,
    until_at: datetime | None,
    author: Author,
    now: datetime,
) -> int:
    """A new notice; returns its id. InputError where the city has as many as there may be."""
    standing = conn.execute(select(func.count()).select_from(notice).where(_not_over(now))).scalar_one()
    if standing >= OPEN_MAX:
        raise InputError(f"the city has {OPEN_MAX} notices that are not over; end one first")
    values = {
        "site_id": site_id,
        "texts": json.dumps(dict(texts), ensure_ascii=False),
        "from_at": from_at,
        "until_at": until_at,
        "created_at": now,
        "created_by": author.staff_id,
    }
    notice_id = int(conn.execute(insert(notice).values(**values).returning(notice.c.id)).scalar_one())
    author.note(conn, "notice.add", f"notice:{notice_id}", now=now)
    return notice_id


def end(conn: Connection, notice_id: int, *, author: Author, now: datetime) -> bool:
    """End a notice now, before it began or after; False where there is none that is not over."""
    ended = conn.execute(update(notice).where(notice.c.id == notice_id, _not_over(now)).values(until_at=now))
    if ended.rowcount:
        author.note(conn, "notice.end", f"notice:{notice_id}", now=now)
    return bool(ended.rowcount)


def _not_over(now: datetime) -> Any:
    return notice.c.until_at.is_(None) | (notice.c.until_at > now)


def _notice_of(row: Row[Any]) -> Notice:
    return Notice(row.id, row.site_id, json.loads(row.texts), row.from_at, row.until_at)
