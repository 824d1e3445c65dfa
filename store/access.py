"""What RADIUS asks before a decision, for a whole batch at once, and what it notes afterwards.

Every function takes many and asks once: the cost of a batch is a handful of queries, whatever its size.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, exists, func, insert, select, update

from hotspot.access import DayUse, Grant, Ticket
from hotspot.plan import Plan
from hotspot.values import MacAddress, Octets
from store import bulk
from store.keys import KeyRing
from store.residents import find_devices
from store.rows import GRANT_COLUMNS, grant_of, plan_of, ticket_of
from store.schema import block, decision, grant, plan, session, terms, ticket, usage_daily


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows about a batch. Voucher look-ups give the devices that are online with it."""

    devices: dict[MacAddress, int] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    grants: dict[int, Grant] = field(default_factory=dict)  # by grant id
    remembered: dict[int, Grant] = field(default_factory=dict)  # by device id
    plans: dict[int, Plan] = field(default_factory=dict)
    blocked: frozenset[int] = frozenset()
    used_today: dict[int, DayUse] = field(default_factory=dict)
    online: dict[int, set[int]] = field(default_factory=dict)  # voucher id -> device ids
    terms_version: int = 0


@dataclass(frozen=True, slots=True)
class Noted:
    """One decision for the log; `reason` None is an Accept."""

    nas_id: int
    device_id: int | None
    grant_id: int | None
    proof: str
    reason: str | None


def gather(
    conn: Connection,
    keys: KeyRing,
    *,
    names: Collection[str],
    macs: Collection[MacAddress],
    today: date,
    pending_since: datetime,
    now: datetime,
) -> Known:
    """Everything that decisions about these tickets and devices need. `pending_since`: see PENDING_SECONDS."""
    devices = find_devices(conn, keys, macs, now=now)
    ids = set(devices.values())
    tickets = _tickets(conn, names)
    grants = _grants(conn, {found.grant_id for found in tickets.values()})
    remembered = _remembered(conn, ids)
    every = (*grants.values(), *remembered.values())
    return Known(
        devices=devices,
        tickets=tickets,
        grants=grants,
        remembered=remembered,
        plans=_plans(conn),
        blocked=_blocked(conn, ids, now),
        used_today=_used(conn, ids, today),
        online=_online(conn, {each.voucher_id for each in every if each.voucher_id is not None}, pending_since),
        terms_version=int(conn.execute(select(func.coalesce(func.max(terms.c.version), 0))).scalar_one()),
    )


def _tickets(conn: Connection, names: Collection[str]) -> dict[str, Ticket]:
    rows = conn.execute(select(ticket).where(ticket.c.name.in_(names))).mappings() if names else ()
    return {row["name"]: ticket_of(row) for row in rows}


def _grants(conn: Connection, ids: Collection[int]) -> dict[int, Grant]:
    if not ids:
        return {}
    query = select(*GRANT_COLUMNS).join(terms, terms.c.id == grant.c.terms_id).where(grant.c.id.in_(ids))
    return {row["id"]: grant_of(row) for row in conn.execute(query).mappings()}


def _remembered(conn: Connection, device_ids: Collection[int]) -> dict[int, Grant]:
    if not device_ids:
        return {}
    query = (
        select(*GRANT_COLUMNS)
        .join(terms, terms.c.id == grant.c.terms_id)
        .where(grant.c.device_id.in_(device_ids), grant.c.remembered)
        .order_by(grant.c.granted_at)  # a later one overwrites an earlier one below
    )
    return {row["device_id"]: grant_of(row) for row in conn.execute(query).mappings()}


def _plans(conn: Connection) -> dict[int, Plan]:
    return {row["id"]: plan_of(row) for row in conn.execute(select(plan)).mappings()}


def _blocked(conn: Connection, device_ids: Collection[int], now: datetime) -> frozenset[int]:
    if not device_ids:
        return frozenset()
    query = select(block.c.device_id).where(
        block.c.device_id.in_(device_ids),
        block.c.from_at <= now,
        (block.c.until_at.is_(None)) | (block.c.until_at > now),
    )
    return frozenset(conn.execute(query).scalars())


def _used(conn: Connection, device_ids: Collection[int], today: date) -> dict[int, DayUse]:
    if not device_ids:
        return {}
    query = select(usage_daily).where(usage_daily.c.device_id.in_(device_ids), usage_daily.c.day == today)
    return {row.device_id: DayUse(row.seconds, Octets(row.octets_down, row.octets_up)) for row in conn.execute(query)}


def _online(conn: Connection, voucher_ids: Collection[int], pending_since: datetime) -> dict[int, set[int]]:
    """Devices of these vouchers with an open session, or accepted so lately that the Start is still on its way."""
    if not voucher_ids:
        return {}
    is_open = exists().where(session.c.grant_id == grant.c.id, session.c.ended_at.is_(None))
    has_session = exists().where(session.c.grant_id == grant.c.id)
    pending = (grant.c.accepted_at > pending_since) & ~has_session
    query = select(grant.c.voucher_id, grant.c.device_id).where(grant.c.voucher_id.in_(voucher_ids), is_open | pending)
    found: dict[int, set[int]] = {}
    for voucher_id, device_id in conn.execute(query):
        found.setdefault(voucher_id, set()).add(device_id)
    return found


def note_decisions(conn: Connection, noted: Sequence[Noted], *, now: datetime) -> None:
    """The decision log, and when each grant was last accepted. Needs `write()`."""
    if noted:
        conn.execute(insert(decision), [_decision_row(each, now) for each in noted])
    accepted = {each.grant_id for each in noted if each.reason is None}
    if accepted:
        conn.execute(update(grant).where(grant.c.id.in_(accepted)).values(accepted_at=now))


def _decision_row(each: Noted, now: datetime) -> dict[str, Any]:
    return {
        "decided_at": now,
        "nas_id": each.nas_id,
        "device_id": each.device_id,
        "grant_id": each.grant_id,
        "proof": each.proof,
        "reason": each.reason,
    }


_REMEMBER = bulk.Keyed(
    "UPDATE grant_ SET remembered = true WHERE accepted_at IS NOT NULL AND ended_at IS NULL"
    " AND remember_until IS NOT NULL AND NOT remembered AND id {keys}",
    "bigint",
)


def remember(conn: Connection, grant_ids: Collection[int]) -> None:
    """These grants' sessions started: their devices may come back without the page, where the plan allows it."""
    _REMEMBER.run(conn, grant_ids)
