"""Sessions as accounting changes them: loaded and saved in batches, with the day's usage beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, tuple_, update

from hotspot.session import Contact, Totals, close_estimated, is_stale
from hotspot.values import Octets
from store.rows import insert_for
from store.schema import decision, grant, nas_contact, outbox, session, ticket, usage_daily

LOST_CARRIER = "Lost-Carrier"
"""Terminate cause of a session whose interims stopped coming (RFC 2866 section 5.10)."""

PURGE_ROWS_MAX = 10_000
"""Rows that one purge deletes, so that no transaction is long; the next run goes on."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session's row. `id` is None until it is saved; `user_name` never holds a MAC address."""

    id: int | None
    device_id: int
    grant_id: int | None
    nas_id: int
    acct_session_id: str
    user_name: str
    ssid: str
    bssid: str
    framed_ip: str
    local_day: date
    totals: Totals


SessionKey = tuple[int, str]
"""NAS id and Acct-Session-Id."""


def load_many(conn: Connection, wanted: Collection[SessionKey]) -> dict[SessionKey, Session]:
    """The newest session under each key; keys without one are absent."""
    by_nas: dict[int, list[str]] = {}
    for nas_id, acct_session_id in wanted:
        by_nas.setdefault(nas_id, []).append(acct_session_id)
    found: dict[SessionKey, Session] = {}
    for nas_id, ids in by_nas.items():  # row values in an IN list would not use SQLite's index
        query = select(session).where(session.c.nas_id == nas_id, session.c.acct_session_id.in_(ids))
        for row in conn.execute(query.order_by(session.c.started_at)):
            found[nas_id, row.acct_session_id] = _session_of(row)
    return found


def open_of_devices(conn: Connection, device_ids: Collection[int]) -> list[Session]:
    """Open sessions of these devices, on whatever NAS of the city."""
    if not device_ids:
        return []
    query = select(session).where(session.c.device_id.in_(device_ids), session.c.ended_at.is_(None))
    return [_session_of(row) for row in conn.execute(query)]


def open_of_nas(conn: Connection, nas_id: int) -> list[Session]:
    query = select(session).where(session.c.nas_id == nas_id, session.c.ended_at.is_(None))
    return [_session_of(row) for row in conn.execute(query)]


def by_ids(conn: Connection, ids: Collection[int]) -> dict[int, Session]:
    query = select(session).where(session.c.id.in_(ids))
    return {row.id: _session_of(row) for row in conn.execute(query)} if ids else {}


def _session_of(row: Any) -> Session:
    totals = Totals(
        started_at=row.started_at,
        updated_at=row.updated_at,
        start_seen=row.start_seen,
        seconds=row.seconds,
        segment=Octets(row.segment_down, row.segment_up),
        finished=Octets(row.finished_down, row.finished_up),
        ended_at=row.ended_at,
        terminate_cause=row.terminate_cause,
        estimated=row.estimated,
    )
    return Session(
        id=row.id,
        device_id=row.device_id,
        grant_id=row.grant_id,
        nas_id=row.nas_id,
        acct_session_id=row.acct_session_id,
        user_name=row.user_name,
        ssid=row.ssid,
        bssid=row.bssid,
        framed_ip=row.framed_ip,
        local_day=row.local_day,
        totals=totals,
    )


_COUNTERS = (
    "grant_id",
    "started_at",
    "updated_at",
    "start_seen",
    "seconds",
    "segment_down",
    "segment_up",
    "finished_down",
    "finished_up",
    "ended_at",
    "terminate_cause",
    "estimated",
)
"""Columns that later records change."""

_UPDATE = (
    update(session)
    .where(session.c.id == bindparam("row_id"))
    .values({name: bindparam(f"new_{name}") for name in _COUNTERS})
)


def save_many(conn: Connection, sessions: Iterable[Session]) -> None:
    """Insert the new ones, update the others. Needs `write()`."""
    rows = [(each.id, _row(each)) for each in sessions]
    fresh = [row for id_, row in rows if id_ is None]
    known = [{"row_id": id_} | {f"new_{name}": row[name] for name in _COUNTERS} for id_, row in rows if id_]
    if fresh:
        conn.execute(insert(session), fresh)
    if known:
        conn.execute(_UPDATE, known)


def _row(each: Session) -> dict[str, Any]:
    totals = each.totals
    return {
        "device_id": each.device_id,
        "grant_id": each.grant_id,
        "nas_id": each.nas_id,
        "acct_session_id": each.acct_session_id,
        "user_name": each.user_name,
        "ssid": each.ssid,
        "bssid": each.bssid,
        "framed_ip": each.framed_ip,
        "local_day": each.local_day,
        "started_at": totals.started_at,
        "updated_at": totals.updated_at,
        "start_seen": totals.start_seen,
        "seconds": totals.seconds,
        "segment_down": totals.segment.down,
        "segment_up": totals.segment.up,
        "finished_down": totals.finished.down,
        "finished_up": totals.finished.up,
        "ended_at": totals.ended_at,
        "terminate_cause": totals.terminate_cause,
        "estimated": totals.estimated,
    }


def add_usage(conn: Connection, usage: Mapping[tuple[int, date], tuple[int, Octets]]) -> None:
    """Add seconds and octets to devices' local days. Needs `write()`."""
    if not usage:
        return
    rows = [
        {"device_id": device_id, "day": day, "seconds": seconds, "octets_down": octets.down, "octets_up": octets.up}
        for (device_id, day), (seconds, octets) in usage.items()
    ]
    statement = insert_for(conn, usage_daily)
    added = {name: usage_daily.c[name] + statement.excluded[name] for name in ("seconds", "octets_down", "octets_up")}
    conn.execute(statement.on_conflict_do_update(index_elements=["device_id", "day"], set_=added), rows)


# Which grant a session belongs to --------------------------------------------------------------------


def grant_devices(conn: Connection, grant_ids: Collection[int]) -> dict[int, int]:
    """Device of each grant: a Class that names another device's grant is not believed."""
    query = select(grant.c.id, grant.c.device_id).where(grant.c.id.in_(grant_ids))
    return {row.id: row.device_id for row in conn.execute(query)} if grant_ids else {}


def grants_of_tickets(conn: Connection, names: Collection[str]) -> dict[str, int]:
    """Grant of each ticket, for NASes that do not return the Class."""
    query = select(ticket.c.name, ticket.c.grant_id).where(ticket.c.name.in_(names))
    return {row.name: row.grant_id for row in conn.execute(query)} if names else {}


# Contact with NASes, and what is over ----------------------------------------------------------------


def contacts(conn: Connection) -> dict[int, Contact]:
    """Since when and until when accounting came in, by NAS id."""
    return {row.nas_id: Contact(row.since_at, row.last_at) for row in conn.execute(select(nas_contact))}


def save_contact(conn: Connection, nas_id: int, contact: Contact) -> None:
    values = {"since_at": contact.since, "last_at": contact.last}
    statement = insert_for(conn, nas_contact).values(nas_id=nas_id, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["nas_id"], set_=values))


def close_stale(conn: Connection, *, interim_seconds: int, now: datetime) -> int:
    """Close sessions whose interims stopped coming while their NAS was heard. Needs `write()`; returns how many."""
    heard = contacts(conn)
    stale = [
        replace(each, totals=close_estimated(each.totals, cause=LOST_CARRIER))
        for each in map(_session_of, conn.execute(select(session).where(session.c.ended_at.is_(None))))
        if is_stale(each.totals.updated_at, heard.get(each.nas_id), interim_seconds=interim_seconds, now=now)
    ]
    save_many(conn, stale)
    return len(stale)


# Retention ---------------------------------------------------------------------------------------


def purge_decisions(conn: Connection, *, before: datetime) -> int:
    """Delete the decision log's oldest rows."""
    old = select(decision.c.id).where(decision.c.decided_at < before).limit(PURGE_ROWS_MAX)
    return conn.execute(decision.delete().where(decision.c.id.in_(old))).rowcount


def purge_sessions(conn: Connection, *, before: date) -> int:
    """Delete ended sessions of local days before `before`, their disconnects and the days' usage."""
    old = (
        select(session.c.id)
        .where(session.c.local_day < before, session.c.ended_at.is_not(None))
        .order_by(session.c.id)
        .limit(PURGE_ROWS_MAX)
    )
    ids = list(conn.execute(old).scalars())
    for part in _slices(ids):
        conn.execute(outbox.delete().where(outbox.c.session_id.in_(part)))
        conn.execute(session.delete().where(session.c.id.in_(part)))
    stale = select(usage_daily.c.device_id, usage_daily.c.day).where(usage_daily.c.day < before).limit(PURGE_ROWS_MAX)
    used = tuple_(usage_daily.c.device_id, usage_daily.c.day).in_(stale)
    return len(ids) + conn.execute(usage_daily.delete().where(used)).rowcount


def _slices(ids: Sequence[int], width: int = 500) -> Iterable[Sequence[int]]:
    return (ids[start : start + width] for start in range(0, len(ids), width))
