"""Who did what: rows are added and read, never changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from store.schema import audit, staff


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the audit log. `login` is None where the system or a resident acted."""

    id: int
    at: datetime
    login: str | None
    action: str
    subject: str
    detail: dict[str, Any]


def add(
    conn: Connection,
    *,
    now: datetime,
    action: str,
    subject: str,
    staff_id: int | None = None,
    **detail: Any,
) -> None:
    """Note an action in the transaction that does it. No MAC address and no secret goes in here."""
    text = json.dumps(detail, default=str, sort_keys=True)
    conn.execute(insert(audit).values(at=now, staff_id=staff_id, action=action, subject=subject, detail=text))


def entries(conn: Connection, *, limit: int, offset: int = 0) -> list[Entry]:
    """Newest first."""
    columns = (audit.c.id, audit.c.at, staff.c.login, audit.c.action, audit.c.subject, audit.c.detail)
    query = select(*columns).outerjoin(staff, staff.c.id == audit.c.staff_id).order_by(audit.c.id.desc())
    rows = conn.execute(query.limit(limit).offset(offset)).mappings()
    return [Entry(**{**row, "detail": json.loads(row["detail"])}) for row in rows]
