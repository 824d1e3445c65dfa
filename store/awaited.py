"""Devices that a NAS was allowed to let on and that it has not told of yet.

openNDS asks for them or is told by the browser, and says later that it did; only then does a session begin.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update

from hotspot.access import Accept
from store.rows import insert_for
from store.schema import awaited

KEPT = timedelta(hours=1)
"""How long a NAS may take to tell; openNDS forgets a client that does not log in after 30 minutes."""

EACH_NAS_MAX = 1_000
"""Devices that one NAS may be awaited to tell of; the oldest make room."""

LISTED_FOR = timedelta(minutes=2)
"""How long a gateway that asks is told of a device: its resident stands there and waits, or has gone."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One of them, with what it may. `proven`: a signature showed that it is this device."""

    id: int
    session_id: str
    accept: Accept
    framed_ip: str
    proven: bool


def add(
    conn: Connection,
    nas_id: int,
    session_id: str,
    accept: Accept,
    *,
    framed_ip: str,
    gateway: str,
    proven: bool,
    now: datetime,
) -> int:
    """Await one more; the same one anew gets the new limits. Needs `write()`; returns how many made room."""
    values = {
        "gateway": gateway,
        "device_id": accept.device_id,
        "grant_id": accept.grant_id,
        "session_seconds": accept.session_seconds,
        "rate_down_bps": accept.rate_down_bps,
        "rate_up_bps": accept.rate_up_bps,
        "octets_left": accept.octets_left,
        "framed_ip": framed_ip,
        "proven": proven,
        "made_at": now,
        "listed_at": None,
    }
    statement = insert_for(conn, awaited).values(nas_id=nas_id, session_id=session_id, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["nas_id", "session_id"], set_=values))
    count = conn.execute(select(func.count()).select_from(awaited).where(awaited.c.nas_id == nas_id)).scalar_one()
    if count <= EACH_NAS_MAX:
        return 0
    oldest = select(awaited.c.id).where(awaited.c.nas_id == nas_id).order_by(awaited.c.made_at, awaited.c.id)
    return conn.execute(awaited.delete().where(awaited.c.id.in_(oldest.limit(count - EACH_NAS_MAX)))).rowcount


def of_gateway(conn: Connection, nas_id: int, gateway: str, *, now: datetime, limit: int) -> list[Waiting]:
    """Whom a gateway that asks may let on: first those that it was told of least lately."""
    query = (
        select(awaited)
        .where(awaited.c.nas_id == nas_id, awaited.c.gateway == gateway, awaited.c.gateway != "")
        .where(awaited.c.made_at > now - LISTED_FOR)
        .order_by(awaited.c.listed_at.is_not(None), awaited.c.listed_at, awaited.c.id)
        .limit(limit)
    )
    return [_waiting_of(row) for row in conn.execute(query).mappings()]


def note_listed(conn: Connection, ids: Collection[int], *, now: datetime) -> None:
    conn.execute(update(awaited).where(awaited.c.id.in_(ids)).values(listed_at=now))


def take(conn: Connection, nas_id: int, session_id: str) -> Waiting | None:
    """The NAS told of it: it is awaited no more. None where nobody awaits it. Needs `write()`."""
    its = (awaited.c.nas_id == nas_id, awaited.c.session_id == session_id)
    row = conn.execute(awaited.delete().where(*its).returning(*awaited.c)).mappings().first()
    return None if row is None else _waiting_of(row)


def forget(conn: Connection, nas_id: int, gateway: str) -> int:
    """The gateway begins anew and knows none of its clients. Needs `write()`."""
    return conn.execute(awaited.delete().where(awaited.c.nas_id == nas_id, awaited.c.gateway == gateway)).rowcount


def purge(conn: Connection, *, now: datetime) -> int:
    """Delete those that their NAS never told of."""
    return conn.execute(awaited.delete().where(awaited.c.made_at < now - KEPT)).rowcount


def _waiting_of(row: Any) -> Waiting:
    accept = Accept(
        grant_id=row["grant_id"],
        device_id=row["device_id"],
        session_seconds=row["session_seconds"],
        idle_seconds=0,
        rate_down_bps=row["rate_down_bps"],
        rate_up_bps=row["rate_up_bps"],
        octets_left=row["octets_left"],
    )
    return Waiting(row["id"], row["session_id"], accept, row["framed_ip"], bool(row["proven"]))
