"""Sessions as accounting changes them: loaded and saved in batches, with the day's usage beside them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection, select, tuple_

from hotspot.session import Contact, Totals, close_estimated, is_stale
from hotspot.values import NO_OCTETS, Octets
from store import bulk
from store.outbox import confirm
from store.rows import insert_for
from store.schema import decision, nas_contact, outbox, session, usage_daily, voucher_usage_daily
from store.types import day_of, instant_of, microseconds

LOST_CARRIER = "Lost-Carrier"
"""Terminate cause of a session whose interims stopped coming (RFC 2866 section 5.10)."""

PURGE_ROWS_MAX = 10_000
"""Rows that one purge deletes, so that no transaction is long; the next run goes on."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session's row. `id` is None until it is saved; `user_name` never holds a MAC address.

    `voucher_id` is its grant's: whose quota it uses besides the device's. `framed_ipv6`: addresses and prefixes,
    separated by spaces. `nas_address`: where its first record came from, so where a Disconnect must go.
    `planned_end_at`: of a session that the portal itself admitted (`store.unaccounted`); None: its NAS accounts.
    """

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
    framed_ipv6: str = ""
    nas_address: str = ""
    voucher_id: int | None = None
    planned_end_at: datetime | None = None


SessionKey = tuple[int, str]
"""NAS id and Acct-Session-Id."""

_OF_START = (
    "device_id",
    "nas_id",
    "acct_session_id",
    "user_name",
    "ssid",
    "bssid",
    "framed_ip",
    "nas_address",
    "local_day",
)
"""Columns that no later record changes."""

_COUNTERS = (
    "grant_id",
    "framed_ipv6",
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
    "planned_end_at",
)
"""Columns that later records change; a device has its IPv6 addresses often only after the Start."""

_STATIC = slice(1, 1 + len(_OF_START))
_CHANGING = slice(_STATIC.stop, _STATIC.stop + len(_COUNTERS))
_WHAT = (
    f"SELECT s.id, {', '.join(f's.{name}' for name in (*_OF_START, *_COUNTERS))},"
    " (SELECT g.voucher_id FROM grant_ g WHERE g.id = s.grant_id)"  # a join tempts PostgreSQL to read all grants
)
_SELECT = f"{_WHAT} FROM session s WHERE "
_BY_KEY = bulk.Keyed(
    _SELECT + "s.nas_id = %s AND s.acct_session_id {keys}",
    "text",
    # One look into the index a key. Asked as above, PostgreSQL reads all sessions of the NAS where it has no
    # statistics yet, in a plan that it keeps.
    postgresql=_WHAT + " FROM (SELECT %s::bigint AS nas_id, unnest(%s::text[]) AS key) k CROSS JOIN LATERAL ("
    "SELECT * FROM session WHERE nas_id = k.nas_id AND acct_session_id = k.key ORDER BY started_at DESC LIMIT 1) s",
)
_OPEN_OF_DEVICES = bulk.Keyed(_SELECT + "s.ended_at IS NULL AND s.device_id {keys}", "bigint")
_OPEN_OF_NASES = bulk.Keyed(_SELECT + "s.ended_at IS NULL AND s.nas_id {keys}", "bigint")
_BY_ID = bulk.Keyed(_SELECT + "s.id {keys}", "bigint")
_INSERT = bulk.insert(session, (*_OF_START, *_COUNTERS))
_UPDATE = bulk.update(session, "id", _COUNTERS)
_PROGRESS = bulk.update(
    session, "id", ("updated_at", "seconds", "segment_down", "segment_up", "finished_down", "finished_up")
)


def load_many(conn: Connection, wanted: Collection[SessionKey]) -> dict[SessionKey, Session]:
    """The newest session under each key; keys without one are absent."""
    by_nas: dict[int, list[str]] = {}
    for nas_id, acct_session_id in wanted:
        by_nas.setdefault(nas_id, []).append(acct_session_id)
    found: dict[SessionKey, Session] = {}
    for nas_id, ids in by_nas.items():  # row values in an IN list would not use SQLite's index
        for each in map(_session_of, _BY_KEY.rows(conn, ids, nas_id)):
            known = found.get((nas_id, each.acct_session_id))
            if known is None or known.totals.started_at < each.totals.started_at:
                found[nas_id, each.acct_session_id] = each
    return found


def open_of_devices(conn: Connection, device_ids: Collection[int]) -> list[Session]:
    """Open sessions of these devices, on whatever NAS of the city."""
    return [_session_of(row) for row in _OPEN_OF_DEVICES.rows(conn, device_ids)]


def open_of_nas(conn: Connection, nas_id: int) -> list[Session]:
    return [_session_of(row) for row in _OPEN_OF_NASES.rows(conn, (nas_id,))]


def open_and_planned(conn: Connection) -> list[Session]:
    """Open sessions that the portal itself admitted."""
    return [
        _session_of(row) for row in bulk.fetch(conn, _SELECT + "s.ended_at IS NULL AND s.planned_end_at IS NOT NULL")
    ]


def open_with_grant(conn: Connection, *, now: datetime) -> list[int]:
    """Ids of the open sessions that we admitted, but for those whose planned end has come anyway."""
    running = (
        "SELECT s.id FROM session s WHERE s.ended_at IS NULL AND s.grant_id IS NOT NULL"
        " AND (s.planned_end_at IS NULL OR s.planned_end_at > %s)"
    )
    return [row[0] for row in bulk.fetch(conn, running, microseconds(now))]


def by_ids(conn: Connection, ids: Collection[int]) -> dict[int, Session]:
    return {row[0]: _session_of(row) for row in _BY_ID.rows(conn, ids)}


def _session_of(row: bulk.Row) -> Session:
    device_id, nas_id, acct_session_id, user_name, ssid, bssid, framed_ip, nas_address, day = row[_STATIC]
    grant_id, framed_ipv6, started, updated, start_seen, seconds, *octets, ended, cause, estimated, planned = row[
        _CHANGING
    ]
    down, up, down_before, up_before = octets
    return Session(
        row[0],
        device_id,
        grant_id,
        nas_id,
        acct_session_id,
        user_name,
        ssid,
        bssid,
        framed_ip,
        day_of(day),
        Totals(
            instant_of(started),
            instant_of(updated),
            bool(start_seen),
            seconds,
            Octets(down, up),
            Octets(down_before, up_before) if down_before or up_before else NO_OCTETS,
            None if ended is None else instant_of(ended),
            cause,
            bool(estimated),
        ),
        framed_ipv6,
        nas_address,
        row[-1],
        None if planned is None else instant_of(planned),
    )


def save_many(conn: Connection, sessions: Iterable[tuple[Session | None, Session]]) -> None:
    """Insert the new ones, update the others, from pairs of before and after. Needs `write()`.

    Most records only make counters grow. No index holds those; SQLite would write every index whose column stands in
    an UPDATE, changed or not.
    """
    fresh, grown, changed = [], [], []
    for before, after in sessions:
        if after.id is None:
            fresh.append((*_of_start(after), *_counters(after)))
        elif before is not None and _only_grew(before, after):
            grown.append(_progress(after))
        else:
            changed.append((*_counters(after), after.id))
    _INSERT.run(conn, fresh)
    _PROGRESS.run(conn, grown)
    _UPDATE.run(conn, changed)


def _only_grew(before: Session, after: Session) -> bool:
    old, new = before.totals, after.totals
    return (
        old.ended_at == new.ended_at
        and old.start_seen == new.start_seen
        and old.started_at == new.started_at
        and old.terminate_cause == new.terminate_cause
        and old.estimated == new.estimated
        and before.grant_id == after.grant_id
        and before.framed_ipv6 == after.framed_ipv6
        and before.planned_end_at == after.planned_end_at
    )


def _progress(each: Session) -> bulk.Row:
    totals = each.totals
    segment, finished = totals.segment, totals.finished
    updated = microseconds(totals.updated_at)
    return updated, totals.seconds, segment.down, segment.up, finished.down, finished.up, each.id


def _of_start(each: Session) -> bulk.Row:
    return (
        each.device_id,
        each.nas_id,
        each.acct_session_id,
        each.user_name,
        each.ssid,
        each.bssid,
        each.framed_ip,
        each.nas_address,
        each.local_day.isoformat(),
    )


def _counters(each: Session) -> bulk.Row:
    totals = each.totals
    segment, finished = totals.segment, totals.finished
    return (
        each.grant_id,
        each.framed_ipv6,
        microseconds(totals.started_at),
        microseconds(totals.updated_at),
        totals.start_seen,
        totals.seconds,
        segment.down,
        segment.up,
        finished.down,
        finished.up,
        None if totals.ended_at is None else microseconds(totals.ended_at),
        totals.terminate_cause,
        totals.estimated,
        None if each.planned_end_at is None else microseconds(each.planned_end_at),
    )


# What was used of quotas ------------------------------------------------------------------------------

Usage = Mapping[tuple[int, date], tuple[int, Octets]]
"""Seconds and octets by owner (a device or a voucher) and local day."""

_USED = ("seconds", "octets_down", "octets_up")
_ADD_USAGE = bulk.add(usage_daily, ("device_id", "day"), _USED)
_ADD_VOUCHER_USAGE = bulk.add(voucher_usage_daily, ("voucher_id", "day"), _USED)


def add_usage(conn: Connection, usage: Usage) -> None:
    """Add to devices' local days. Needs `write()`."""
    _ADD_USAGE.run(conn, _usage_rows(usage))


def add_voucher_usage(conn: Connection, usage: Usage) -> None:
    """Add to vouchers' local days, all their devices together. Needs `write()`."""
    _ADD_VOUCHER_USAGE.run(conn, _usage_rows(usage))


def _usage_rows(usage: Usage) -> list[bulk.Row]:
    return [
        (owner, day.isoformat(), seconds, octets.down, octets.up) for (owner, day), (seconds, octets) in usage.items()
    ]


# Which grant a session belongs to --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose a grant is."""

    grant_id: int
    device_id: int
    voucher_id: int | None


_HOLDERS = bulk.Keyed("SELECT id, device_id, voucher_id FROM grant_ WHERE id {keys}", "bigint")
_TICKET_HOLDERS = bulk.Keyed(
    "SELECT t.name, g.id, g.device_id, g.voucher_id FROM ticket t JOIN grant_ g ON g.id = t.grant_id"
    " WHERE t.name {keys}",
    "text",
)


def ask_holders(conn: Connection, grant_ids: Collection[int]) -> Callable[[], dict[int, Holder]]:
    """Who holds each grant: a Class that names another device's grant is not believed. See `store.bulk.together`."""
    found = _HOLDERS.ask(conn, grant_ids)
    return lambda: {row[0]: Holder(*row) for row in found()}


def ask_holders_of_tickets(conn: Connection, names: Collection[str]) -> Callable[[], dict[str, Holder]]:
    """Who holds each ticket's grant, for NASes that do not return the Class. See `store.bulk.together`."""
    found = _TICKET_HOLDERS.ask(conn, names)
    return lambda: {row[0]: Holder(*row[1:]) for row in found()}


# Contact with NASes, and what is over ----------------------------------------------------------------


def contacts(conn: Connection) -> dict[int, Contact]:
    """Since when and until when accounting came in, by NAS id."""
    return {row.nas_id: Contact(row.since_at, row.last_at) for row in conn.execute(select(nas_contact))}


def save_contact(conn: Connection, nas_id: int, contact: Contact) -> None:
    values = {"since_at": contact.since, "last_at": contact.last}
    statement = insert_for(conn, nas_contact).values(nas_id=nas_id, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["nas_id"], set_=values))


def close_stale(conn: Connection, *, interim_seconds: int, now: datetime) -> int:
    """Close sessions whose interims stopped coming while their NAS was heard. Needs `write()`; returns how many.

    Of those that the portal itself admitted nobody sends interims.
    """
    heard = contacts(conn)
    stale = [
        (each, replace(each, totals=close_estimated(each.totals, cause=LOST_CARRIER)))
        for each in map(_session_of, bulk.fetch(conn, _SELECT + "s.ended_at IS NULL AND s.planned_end_at IS NULL"))
        if is_stale(each.totals.updated_at, heard.get(each.nas_id), interim_seconds=interim_seconds, now=now)
    ]
    save_many(conn, stale)
    confirm(conn, [before.id for before, _ in stale if before.id is not None], now=now)
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
