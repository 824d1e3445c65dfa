"""Devices, terms, acceptances, grants and tickets: what a resident leaves behind on the way to online."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, func, insert, select, update

from hotspot.access import Grant, Ticket
from hotspot.plan import Plan, Way
from hotspot.terms import Terms, digest
from hotspot.values import MacAddress
from store import bulk
from store.keys import KeyRing
from store.rows import GRANT_COLUMNS, grant_of, insert_for, plan_of, terms_of
from store.schema import (
    acceptance,
    block,
    decision,
    device,
    grant,
    one_time_code,
    plan,
    session,
    terms,
    ticket,
    usage_daily,
)

DEVICES_A_PURGE = 500
"""Devices that one purge deletes, so that no transaction is long; the next run goes on."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device that the city knows. Its MAC stays sealed until `mac_of` is asked."""

    id: int
    mac_sealed: bytes
    key_period: str
    first_seen_at: datetime
    last_seen_at: datetime


def find_devices(
    conn: Connection, keys: KeyRing, macs: Iterable[MacAddress], *, now: datetime
) -> dict[MacAddress, int]:
    """Ids of the devices that are known, by MAC address, in one query; unknown ones are absent."""
    return ask_devices(conn, keys, macs, now=now)()


def ask_devices(
    conn: Connection, keys: KeyRing, macs: Iterable[MacAddress], *, now: datetime
) -> Callable[[], dict[MacAddress, int]]:
    """`find_devices` whose answer is wanted later; see `store.bulk.together`."""
    periods = keys.held_periods(now)
    by_hash = {period.hash(mac): mac for mac in macs for period in periods}
    found = _BY_HASH.ask(conn, by_hash)
    return lambda: {by_hash[bytes(mac_hash)]: id_ for mac_hash, id_ in found()}


_BY_HASH = bulk.Keyed("SELECT mac_hash, id FROM device WHERE mac_hash {keys}", "bytea")


def find_device(conn: Connection, keys: KeyRing, mac: MacAddress, *, now: datetime) -> int | None:
    return find_devices(conn, keys, [mac], now=now).get(mac)


def note_device(conn: Connection, keys: KeyRing, mac: MacAddress, *, now: datetime) -> int:
    """The device's id, made where it is new; its MAC moves to the current period's key. Needs `write()`."""
    period = keys.current_period(now)
    sealed = {
        "mac_hash": period.hash(mac),
        "mac_sealed": period.seal(mac),
        "key_period": period.name,
    }
    known = find_device(conn, keys, mac, now=now)
    if known is not None:
        conn.execute(update(device).where(device.c.id == known).values(last_seen_at=now, **sealed))
        return known
    statement = insert_for(conn, device).values(first_seen_at=now, last_seen_at=now, **sealed)
    statement = statement.on_conflict_do_update(index_elements=["mac_hash"], set_={"last_seen_at": now})
    return int(conn.execute(statement.returning(device.c.id)).scalar_one())


def mac_of(conn: Connection, keys: KeyRing, device_id: int) -> MacAddress | None:
    """The device's MAC address, None once its period's key is destroyed."""
    row = conn.execute(select(device.c.mac_sealed, device.c.key_period).where(device.c.id == device_id)).one()
    return unseal_mac(keys, bytes(row.mac_sealed), row.key_period)


def macs_of(conn: Connection, keys: KeyRing, device_ids: Collection[int]) -> dict[int, MacAddress]:
    """MAC addresses by device id; those whose period's key is destroyed are absent."""
    rows = _SEALED.rows(conn, device_ids)
    found = ((id_, unseal_mac(keys, bytes(sealed), period)) for id_, sealed, period in rows)
    return {id_: mac for id_, mac in found if mac is not None}


_SEALED = bulk.Keyed("SELECT id, mac_sealed, key_period FROM device WHERE id {keys}", "bigint")


def unseal_mac(keys: KeyRing, sealed: bytes, period: str) -> MacAddress | None:
    held = keys.periods.get(period)
    return None if held is None else held.unseal(sealed)


# Plans and terms --------------------------------------------------------------------------------


def plans(conn: Connection, way: Way | None = None) -> list[Plan]:
    """All plans, or those of one way in, by name."""
    query = select(plan).order_by(plan.c.name)
    if way is not None:
        query = query.where(plan.c.way == way.value)
    return [plan_of(row) for row in conn.execute(query).mappings()]


def current_terms(conn: Connection) -> list[Terms]:
    """The newest version's texts, one per language."""
    newest = select(func.max(terms.c.version)).scalar_subquery()
    rows = conn.execute(select(terms).where(terms.c.version == newest)).mappings()
    return [terms_of(row) for row in rows]


# Acceptances, grants, tickets ----------------------------------------------------------------------


def record_acceptance(conn: Connection, *, device_id: int, seen: Terms, now: datetime) -> None:
    """The device accepted this very text; its digest proves which it was (docs/adr/0026-terms-and-proof.md)."""
    values = {"device_id": device_id, "terms_id": seen.id, "accepted_at": now, "digest": digest(seen)}
    conn.execute(insert(acceptance).values(**values))


def accepted_terms(conn: Connection, device_id: int) -> int | None:
    """The text of the newest version that the device accepted last; None where it accepted none of that version."""
    newest = select(func.max(terms.c.version)).scalar_subquery()
    query = (
        select(terms.c.id)
        .join(acceptance, acceptance.c.terms_id == terms.c.id)
        .where(acceptance.c.device_id == device_id, terms.c.version == newest)
        .order_by(acceptance.c.accepted_at.desc())
        .limit(1)
    )
    return conn.execute(query).scalar()


def add_grant(conn: Connection, **values: Any) -> int:
    """A new grant; `values` are the columns of `grant_` without its id and its later marks."""
    return int(conn.execute(insert(grant).values(**values).returning(grant.c.id)).scalar_one())


def add_ticket(conn: Connection, ticket_: Ticket) -> None:
    conn.execute(
        insert(ticket).values(
            name=ticket_.name,
            grant_id=ticket_.grant_id,
            device_id=ticket_.device_id,
            issued_at=ticket_.issued_at,
            expires_at=ticket_.expires_at,
        )
    )


def latest_grant(conn: Connection, device_id: int) -> Grant | None:
    """The device's newest grant, ended or not."""
    query = (
        select(*GRANT_COLUMNS)
        .join(terms, terms.c.id == grant.c.terms_id)
        .where(grant.c.device_id == device_id)
        .order_by(grant.c.granted_at.desc(), grant.c.id.desc())
        .limit(1)
    )
    row = conn.execute(query).mappings().first()
    return None if row is None else grant_of(row)


def language_of(conn: Connection, device_id: int) -> str:
    """The language in which the device last accepted the terms; empty where it never did."""
    query = select(grant.c.language).where(grant.c.device_id == device_id).order_by(grant.c.id.desc()).limit(1)
    return conn.execute(query).scalar() or ""


def accepted_at(conn: Connection, device_id: int) -> datetime | None:
    """When RADIUS last accepted the device, None where it never did."""
    query = select(func.max(grant.c.accepted_at)).where(grant.c.device_id == device_id)
    value: datetime | None = conn.execute(query).scalar_one()
    return value


def was_accepted(conn: Connection, grant_id: int, device_id: int) -> bool:
    """Whether RADIUS ever accepted this grant of this device; SQLite gives the number of a deleted grant anew."""
    query = select(grant.c.id).where(grant.c.id == grant_id, grant.c.device_id == device_id)
    return conn.execute(query.where(grant.c.accepted_at.is_not(None))).first() is not None


def is_online_by(conn: Connection, grant_id: int, device_id: int) -> bool:
    """Whether the device has an open session that this very grant admitted."""
    query = select(session.c.id).where(session.c.ended_at.is_(None), session.c.device_id == device_id)
    return conn.execute(query.where(session.c.grant_id == grant_id).limit(1)).first() is not None


def grants_since(conn: Connection, device_id: int, way: Way, *, since: datetime) -> int:
    """How many grants of this way the device got after `since`."""
    mine = (grant.c.device_id == device_id, grant.c.granted_at > since, grant.c.way == way.value)
    return int(conn.execute(select(func.count()).select_from(grant).where(*mine)).scalar_one())


def end_grants(conn: Connection, device_id: int, *, now: datetime) -> int:
    """End every grant of a device that still admits it, and its remembering. Returns how many."""
    ended = conn.execute(
        update(grant)
        .where(grant.c.device_id == device_id, grant.c.ended_at.is_(None))
        .values(ended_at=now, remembered=False)
    )
    return ended.rowcount


def is_blocked(conn: Connection, device_id: int, *, now: datetime) -> bool:
    query = select(block.c.id).where(
        block.c.device_id == device_id,
        block.c.from_at <= now,
        (block.c.until_at.is_(None)) | (block.c.until_at > now),
    )
    return conn.execute(query.limit(1)).first() is not None


def used_on(conn: Connection, device_id: int, day: Any) -> tuple[int, int, int]:
    """Seconds, octets down and octets up of a device on a local day."""
    row = conn.execute(
        select(usage_daily.c.seconds, usage_daily.c.octets_down, usage_daily.c.octets_up).where(
            usage_daily.c.device_id == device_id, usage_daily.c.day == day
        )
    ).first()
    return (0, 0, 0) if row is None else (row.seconds, row.octets_down, row.octets_up)


def purge_tickets(conn: Connection, *, expired_before: datetime) -> int:
    """Delete tickets that nobody can redeem any more."""
    return conn.execute(ticket.delete().where(ticket.c.expires_at < expired_before)).rowcount


def purge_devices(conn: Connection, *, unseen_since: datetime) -> int:
    """Delete devices without a session since `unseen_since`, with all that is theirs. Needs `write()`.

    Their MAC addresses are unreadable anyway once the period's key is destroyed; this removes the rest.
    """
    has_session = exists().where(session.c.device_id == device.c.id)
    is_blocked_now = exists().where(block.c.device_id == device.c.id)
    old = select(device.c.id).where(device.c.last_seen_at < unseen_since, ~has_session, ~is_blocked_now)
    ids = list(conn.execute(old.order_by(device.c.id).limit(DEVICES_A_PURGE)).scalars())
    for table in (
        ticket,
        decision,
        usage_daily,
        acceptance,
        one_time_code,
        grant,
    ):  # what points at a grant goes before it
        conn.execute(table.delete().where(table.c.device_id.in_(ids)))
    return conn.execute(device.delete().where(device.c.id.in_(ids))).rowcount
