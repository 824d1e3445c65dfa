"""A phone that is online, as RADIUS and accounting leave it, for the pages that come after the log-in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from hotspot.values import Octets
from store import schema
from tests.portal.hands import Door, Phone, add_session


def radius_accepts(door: Door) -> int:
    """What RADIUS notes on an Access-Accept, for the newest grant; returns the grant's id."""
    with door.city.store.write() as conn:
        grant_id = int(conn.execute(select(func.max(schema.grant.c.id))).scalar_one())
        conn.execute(update(schema.grant).where(schema.grant.c.id == grant_id).values(accepted_at=door.clock()))
        return grant_id


def go_online(door: Door, phone: Phone, *, octets: Octets = Octets(5_000_000, 400_000), name: str = "session-1") -> int:  # noqa: B008
    """The phone taps, RADIUS accepts, the NAS accounts; returns the session's id."""
    phone.accept()
    return add_session(
        door.city, phone.mac, grant_id=radius_accepts(door), octets=octets, started_at=door.clock(), name=name
    )


def change(door: Door, table: Any, row_id: int, **values: Any) -> None:
    with door.city.store.write() as conn:
        conn.execute(update(table).where(table.c.id == row_id).values(**values))


def set_plan(door: Door, key: str, **limits: int) -> None:
    with door.city.store.write() as conn:
        conn.execute(update(schema.plan).where(schema.plan.c.key == key).values(**limits))


def end(door: Door, session_id: int, at: datetime) -> None:
    change(door, schema.session, session_id, ended_at=at, terminate_cause="User-Request")
