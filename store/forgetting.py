"""A resident's data deleted at his wish: what happened on one day moves to a device of that day that nobody can know.

Its sessions and minutes stay for the figures (docs/adr/0024); its hash is random, its address none. What today's
limits still count, and a session that runs, wait; `device.forget_at` says so, and housekeeping asks again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, exists, insert, select, update

from hotspot.forgetting import Cut
from hotspot.values import day_start, local_day
from store import bulk
from store.schema import (
    acceptance,
    block,
    decision,
    device,
    grant,
    one_time_code,
    session,
    ticket,
    usage_daily,
    voucher,
)

DAYS_MAX = 31
"""Days that one transaction moves, so that none is long."""

NO_PERIOD = "none"
"""The key period of a device without an address: no key was ever called so."""

HASH_BYTES = 32

RandomOctets = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What one step did. `more`: there are further days, so ask again; `waits`: something must wait."""

    sessions: int
    days: int
    more: bool
    waits: bool


def waiting(conn: Connection, *, limit: int) -> list[tuple[int, datetime]]:
    """Devices whose wish is not done yet, with when it was made, the oldest first."""
    query = select(device.c.id, device.c.forget_at).where(device.c.forget_at.is_not(None))
    return [(row.id, row.forget_at) for row in conn.execute(query.order_by(device.c.forget_at).limit(limit))]


def forget(
    conn: Connection, device_id: int, cut: Cut, *, now: datetime, zone: ZoneInfo, random_octets: RandomOctets
) -> Forgotten:
    """One step of deleting what a device left before the cut. Needs `write()`."""
    days, more = _days(conn, device_id, cut, zone)
    nameless = {day: _nameless(conn, day, zone, random_octets) for day in days}
    moved = _move_sessions(conn, device_id, cut, nameless)
    _move_usage(conn, device_id, cut, nameless)
    _end_grants(conn, device_id, cut)
    _move_grants(conn, device_id, cut, nameless, now=now, zone=zone)
    if more:
        waits = True
    else:
        _delete_rest(conn, device_id, cut, now)
        waits = _something_waits(conn, device_id, cut)
    conn.execute(update(device).where(device.c.id == device_id).values(forget_at=cut.asked_at if waits else None))
    if not waits:
        _drop_device(conn, device_id, cut, now)
    return Forgotten(moved, len(days), more, waits)


# Days -------------------------------------------------------------------------------------------------------


def _ended(device_id: int, cut: Cut) -> list[ColumnElement[bool]]:
    columns = session.c
    return [columns.device_id == device_id, columns.ended_at.is_not(None), columns.started_at <= cut.asked_at]


def _of_usage(device_id: int, cut: Cut) -> list[ColumnElement[bool]]:
    return [usage_daily.c.device_id == device_id, usage_daily.c.day <= cut.last_day]


def _of_grants(device_id: int, cut: Cut) -> list[ColumnElement[bool]]:
    """Grants that no limit counts any more and no session that runs goes by."""
    runs = exists().where(
        session.c.device_id == device_id, session.c.grant_id == grant.c.id, session.c.ended_at.is_(None)
    )
    return [grant.c.device_id == device_id, *_counts_no_more(grant.c.granted_at, cut), ~runs]


def _counts_no_more(at: ColumnElement[datetime], cut: Cut) -> list[ColumnElement[bool]]:
    return [at <= cut.asked_at, at < cut.today_began]


def _days(conn: Connection, device_id: int, cut: Cut, zone: ZoneInfo) -> tuple[list[date], bool]:
    """The local days of which anything may go, as many as one step takes, and whether there are more."""
    found = set(conn.execute(select(session.c.local_day).distinct().where(*_ended(device_id, cut))).scalars())
    found |= set(conn.execute(select(usage_daily.c.day).where(*_of_usage(device_id, cut))).scalars())
    granted = conn.execute(select(grant.c.granted_at).where(*_of_grants(device_id, cut))).scalars()
    found |= {local_day(at, zone) for at in granted}
    return sorted(found)[:DAYS_MAX], len(found) > DAYS_MAX


def _nameless(conn: Connection, day: date, zone: ZoneInfo, random_octets: RandomOctets) -> int:
    """A device of that day, of which nothing else is known and no address can be."""
    at = day_start(day, zone)
    values = {
        "mac_hash": random_octets(HASH_BYTES),
        "mac_sealed": b"",
        "key_period": NO_PERIOD,
        "first_seen_at": at,
        "last_seen_at": at,
    }
    return int(conn.execute(insert(device).values(**values).returning(device.c.id)).scalar_one())


_UNLINK = bulk.update(session, "id", ("device_id", "grant_id", "user_name", "framed_ip", "framed_ipv6"))


def _move_sessions(conn: Connection, device_id: int, cut: Cut, nameless: dict[date, int]) -> int:
    """The Acct-Session-Id stays: a Stop that is sent once more must find its session, not make a new one."""
    query = select(session.c.id, session.c.local_day).where(*_ended(device_id, cut))
    rows = conn.execute(query.where(session.c.local_day.in_(nameless))).all()
    _UNLINK.run(conn, [(nameless[row.local_day], None, "", "", "", row.id) for row in rows])
    return len(rows)


def _move_usage(conn: Connection, device_id: int, cut: Cut, nameless: dict[date, int]) -> None:
    for day in conn.execute(select(usage_daily.c.day).where(*_of_usage(device_id, cut))).scalars().all():
        if day in nameless:
            its_own = (usage_daily.c.device_id == device_id, usage_daily.c.day == day)
            conn.execute(update(usage_daily).where(*its_own).values(device_id=nameless[day]))


# Grants -----------------------------------------------------------------------------------------------------


def _end_grants(conn: Connection, device_id: int, cut: Cut) -> None:
    older = (grant.c.device_id == device_id, grant.c.granted_at <= cut.asked_at)
    conn.execute(
        update(grant).where(*older, grant.c.ended_at.is_(None)).values(ended_at=cut.asked_at, remembered=False)
    )


def _move_grants(
    conn: Connection, device_id: int, cut: Cut, nameless: dict[date, int], *, now: datetime, zone: ZoneInfo
) -> None:
    """To the nameless devices, without account; one grant of a voucher in use keeps it: its places are counted.

    They are moved, not deleted: a database looks through all sessions for one that points at a deleted grant.
    """
    conn.execute(ticket.delete().where(ticket.c.device_id == device_id, ticket.c.issued_at <= cut.asked_at))
    query = select(grant.c.id, grant.c.granted_at, grant.c.voucher_id).where(*_of_grants(device_id, cut))
    owners = {row: nameless.get(local_day(row.granted_at, zone)) for row in conn.execute(query)}
    leaving = {row: owner for row, owner in owners.items() if owner is not None}
    counted = _vouchers_in_use(conn, device_id, now) - _vouchers_but_of(conn, device_id, [row.id for row in leaving])
    for row, owner in leaving.items():
        voucher_id = row.voucher_id if row.voucher_id in counted else None
        counted -= {row.voucher_id}
        moved = {"device_id": owner, "voucher_id": voucher_id, "account_id": None, "language": ""}
        conn.execute(update(grant).where(grant.c.id == row.id).values(**moved))


def _vouchers_in_use(conn: Connection, device_id: int, now: datetime) -> set[int]:
    query = select(grant.c.voucher_id).join(voucher, voucher.c.id == grant.c.voucher_id)
    query = query.where(grant.c.device_id == device_id, voucher.c.until_at.is_(None) | (voucher.c.until_at > now))
    return set(conn.execute(query).scalars())


def _vouchers_but_of(conn: Connection, device_id: int, leaving: list[int]) -> set[int]:
    """Of the grants that stay with the device: those keep the place."""
    query = select(grant.c.id, grant.c.voucher_id).where(grant.c.device_id == device_id)
    return {row.voucher_id for row in conn.execute(query) if row.id not in set(leaving)}


# The rest ---------------------------------------------------------------------------------------------------


def _delete_rest(conn: Connection, device_id: int, cut: Cut, now: datetime) -> None:
    for statement in (
        decision.delete().where(decision.c.device_id == device_id, decision.c.decided_at <= cut.asked_at),
        acceptance.delete().where(acceptance.c.device_id == device_id, acceptance.c.accepted_at <= cut.asked_at),
        one_time_code.delete().where(
            one_time_code.c.device_id == device_id, *_counts_no_more(one_time_code.c.created_at, cut)
        ),
        block.delete().where(block.c.device_id == device_id, block.c.until_at <= now),
    ):
        conn.execute(statement)


def _something_waits(conn: Connection, device_id: int, cut: Cut) -> bool:
    """A session that runs, or what counts on the limits of the day on which the wish was made."""
    left = (
        select(session.c.id).where(
            session.c.device_id == device_id, session.c.ended_at.is_(None), session.c.started_at <= cut.asked_at
        ),
        select(usage_daily.c.day).where(usage_daily.c.device_id == device_id, usage_daily.c.day <= cut.asked_day),
        select(grant.c.id).where(grant.c.device_id == device_id, grant.c.granted_at <= cut.asked_at),
        select(one_time_code.c.id).where(
            one_time_code.c.device_id == device_id, one_time_code.c.created_at <= cut.asked_at
        ),
    )
    return any(conn.execute(query.limit(1)).first() is not None for query in left)


def _drop_device(conn: Connection, device_id: int, cut: Cut, now: datetime) -> None:
    """The device itself, unless it came back meanwhile or is blocked: then it is new from the wish on."""
    conn.execute(ticket.delete().where(ticket.c.device_id == device_id, ticket.c.issued_at <= cut.asked_at))
    if any(
        conn.execute(select(table.c.device_id).where(table.c.device_id == device_id).limit(1)).first() is not None
        for table in (session, usage_daily, grant, acceptance, one_time_code, block, ticket)
    ):
        conn.execute(update(device).where(device.c.id == device_id).values(first_seen_at=cut.asked_at))
        return
    conn.execute(decision.delete().where(decision.c.device_id == device_id))
    conn.execute(device.delete().where(device.c.id == device_id))
