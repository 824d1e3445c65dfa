"""Rows that a test wants to stand in a city's database, with whatever it does not care about filled in."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from hotspot.plan import Way
from hotspot.values import MacAddress
from store import residents
from store.schema import metadata, nas, plan, session
from store.store import Connection, Store

MINUTE = timedelta(minutes=1)


def add_device(store: Store, mac: str, *, now: datetime) -> int:
    with store.write() as conn:
        return residents.note_device(conn, store.keys, MacAddress.parse(mac), now=now)


def first_nas(conn: Connection) -> int:
    return int(conn.execute(select(nas.c.id).order_by(nas.c.id).limit(1)).scalar_one())


def add_session(store: Store, device_id: int, *, started_at: datetime, **columns: Any) -> int:
    """A session at the city's first NAS, open and heard of at its start unless `columns` say otherwise."""
    with store.write() as conn:
        values: dict[str, Any] = {
            "device_id": device_id,
            "nas_id": first_nas(conn),
            "acct_session_id": f"s-{device_id}-{started_at.timestamp()}",
            "user_name": "opaque",
            "local_day": date(2026, 11, 23),
            "started_at": started_at,
            "updated_at": started_at,
            "start_seen": True,
            "seconds": 0,
            "segment_down": 0,
            "segment_up": 0,
            "finished_down": 0,
            "finished_up": 0,
            "estimated": False,
        }
        return int(conn.execute(insert(session).values(values | columns).returning(session.c.id)).scalar_one())


def all_rows(store: Store, *, leave_out: frozenset[str] = frozenset()) -> dict[str, list[tuple[object, ...]]]:
    """All that stands in a city's database, by table: to show that something changed nothing."""
    tables = [table for table in metadata.sorted_tables if table.name not in leave_out]
    with store.read() as conn:
        return {table.name: [tuple(row) for row in conn.execute(select(table))] for table in tables}


def add_plan(store: Store, way: Way, **limits: Any) -> int:
    """A plan for a way in, two hours a session unless `limits` say otherwise."""
    values: dict[str, Any] = {
        "key": f"test-{way.value}",
        "name": way.value,
        "way": way.value,
        "session_minutes": 120,
        "idle_minutes": 15,
        "daily_minutes": 0,
        "daily_megabytes": 0,
        "rate_down_kbps": 0,
        "rate_up_kbps": 0,
        "devices_max": 1,
        "remember_hours": 0,
    }
    with store.write() as conn:
        return int(conn.execute(insert(plan).values(values | limits).returning(plan.c.id)).scalar_one())
