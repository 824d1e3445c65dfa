"""Sessions that run under one grant and go on under another: a grace session whose resident typed the right code."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from hotspot.plan import Way
from store.schema import grant, nas, session


@dataclass(frozen=True, slots=True)
class Running:
    """An open session, its grant, and what its NAS is."""

    session_id: int
    grant_id: int
    way: Way
    product: str


def open_sessions(conn: Connection, device_id: int) -> list[Running]:
    """The device's open sessions that we admitted, the newest first."""
    query = (
        select(session.c.id, grant.c.id, grant.c.way, nas.c.product)
        .join(grant, grant.c.id == session.c.grant_id)
        .join(nas, nas.c.id == session.c.nas_id)
        .where(session.c.device_id == device_id, session.c.ended_at.is_(None))
        .order_by(session.c.id.desc())
    )
    return [Running(row[0], row[1], Way(row[2]), row[3]) for row in conn.execute(query)]


def carry_over(conn: Connection, sessions: Collection[Running], grant_id: int, *, now: datetime) -> None:
    """These sessions belong to the new grant from now on; what admitted them ends. Needs `write()`.

    Their devices were accepted and have started, so the new grant is an accepted one, and remembered if it may be.
    """
    ids = [each.session_id for each in sessions]
    before = {each.grant_id for each in sessions}
    conn.execute(update(session).where(session.c.id.in_(ids)).values(grant_id=grant_id))
    conn.execute(update(grant).where(grant.c.id.in_(before)).values(ended_at=now, remembered=False))
    accepted = {"accepted_at": now, "remembered": grant.c.remember_until.is_not(None)}
    conn.execute(update(grant).where(grant.c.id == grant_id).values(**accepted))
