"""Sessions that the portal itself admitted, written as accounting would have: with usage, quotas and orders confirmed.

What happens to a session's figures is `hotspot.unaccounted`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from hotspot.session import Totals
from hotspot.unaccounted import give_up, go_on, stop
from hotspot.values import Octets, local_day
from store import access, accounting, outbox
from store.accounting import LOST_CARRIER, Session, SessionKey
from store.store import Connection

Change = tuple[Session, Session]
"""A session before and after."""


def begin(conn: Connection, session: Session, *, proven: bool, now: datetime, zone: ZoneInfo) -> None:
    """Record a session that begins. Needs `write()`; `session.planned_end_at` says until when its NAS lets it on.

    `proven`: that it is this device was shown, not just said. Then the device's older sessions are over, as with an
    Accounting-Start, and it is remembered where its plan allows that.
    """
    if proven:
        older = [each for each in accounting.open_of_devices(conn, [session.device_id]) if _is_older(each, session)]
        _write(conn, [(each, _with(each, _given_up(each, now))) for each in older], now=now, zone=zone)
    accounting.save_many(conn, [(None, session)])
    if proven and session.grant_id is not None:
        access.note_accepted(conn, [session.grant_id], now=now)
        access.remember(conn, [session.grant_id])


def _is_older(each: Session, session: Session) -> bool:
    return each.totals.started_at <= session.totals.started_at


def _given_up(each: Session, now: datetime) -> Totals:
    """Of a NAS that accounts, what it told last is the best that is known; of another, that it lasted until now."""
    at = each.totals.updated_at if each.planned_end_at is None else min(now, each.planned_end_at)
    return give_up(each.totals, at=at, cause=LOST_CARRIER)


def go_on_all(conn: Connection, *, now: datetime, zone: ZoneInfo) -> int:
    """What accounting NASes report by themselves, for all sessions that are open. Needs `write()`; how many ended."""
    changes = [
        (each, _with(each, go_on(each.totals, each.planned_end_at, now=now)))
        for each in accounting.open_and_planned(conn)
        if each.planned_end_at is not None
    ]
    return _write(conn, changes, now=now, zone=zone)


def end(
    conn: Connection,
    key: SessionKey,
    *,
    cause: str,
    octets: Octets | None = None,
    at: datetime | None = None,
    now: datetime,
    zone: ZoneInfo,
) -> bool:
    """The NAS says that the session of this key is over, since `at` or just now. Needs `write()`.

    False where there is no such session, or its true end was told before.
    """
    session = accounting.load_many(conn, [key]).get(key)
    if session is None or session.planned_end_at is None:
        return False
    ended_at = min(now, max(at or now, session.totals.started_at))
    after = _with(session, stop(session.totals, at=ended_at, cause=cause, octets=octets))
    _write(conn, [(session, after)], now=now, zone=zone)
    return after.totals.ended_at != session.totals.ended_at or session.totals.estimated


def end_of_device(conn: Connection, device_id: int, nas_id: int, *, cause: str, now: datetime, zone: ZoneInfo) -> None:
    """The NAS was told to let the device go. Needs `write()`."""
    found = [
        each
        for each in accounting.open_of_devices(conn, [device_id])
        if each.nas_id == nas_id and each.planned_end_at is not None
    ]
    _write(conn, [(each, _with(each, stop(each.totals, at=now, cause=cause))) for each in found], now=now, zone=zone)


def _with(session: Session, totals: Totals) -> Session:
    return replace(session, totals=totals)


def _write(conn: Connection, changes: Iterable[Change], *, now: datetime, zone: ZoneInfo) -> int:
    """Save what changed, count it on today's quotas, confirm the orders of what ended; how many ended."""
    changed = [(before, after) for before, after in changes if before != after]
    ended = [after.id for before, after in changed if after.id is not None and after.totals.ended_at is not None]
    accounting.save_many(conn, changed)
    accounting.add_usage(conn, _usage(changed, lambda each: each.device_id, now, zone))
    accounting.add_voucher_usage(conn, _usage(changed, lambda each: each.voucher_id, now, zone))
    outbox.confirm(conn, ended, now=now)
    return len(ended)


def _usage(
    changes: Iterable[Change], owner: Callable[[Session], int | None], now: datetime, zone: ZoneInfo
) -> accounting.Usage:
    """What the changes added, by owner; on the day on which it was told, as RADIUS counts it."""
    today = local_day(now, zone)
    used: dict[int, tuple[int, Octets]] = {}
    for before, after in changes:
        whose = owner(after)
        seconds = after.totals.seconds - before.totals.seconds
        octets = after.totals.octets - before.totals.octets
        if whose is not None and (seconds or octets.total):
            known = used.get(whose, (0, Octets(0, 0)))
            used[whose] = (known[0] + seconds, known[1] + octets)
    return {(whose, today): each for whose, each in used.items()}
