"""What is known of one device or one voucher, for whoever asks why it cannot get on. It only reads.

RADIUS asks for whole batches (`store.access`); a helpdesk asks for one, and for what no decision needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from hotspot.access import DayUse, Holder, Holding, Ticket
from hotspot.values import Octets
from store.rows import ticket_of
from store.schema import block, grant, nas, nas_arrival, session, site, ticket, voucher_batch, voucher_usage_daily


@dataclass(frozen=True, slots=True)
class Block:
    """Why a device may not get on; `until_at` None is until somebody lifts it."""

    reason: str
    from_at: datetime
    until_at: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """A NAS as a decision sees it."""

    nas_name: str
    nas_identifier: str
    site_name: str
    opening_hours: str


def block_of(conn: Connection, device_id: int, *, now: datetime) -> Block | None:
    """The block of a device that lasts longest."""
    query = (
        select(block.c.reason, block.c.from_at, block.c.until_at)
        .where(block.c.device_id == device_id, block.c.from_at <= now)
        .where(block.c.until_at.is_(None) | (block.c.until_at > now))
        .order_by(block.c.until_at.is_not(None), block.c.until_at.desc())
        .limit(1)
    )
    row = conn.execute(query).first()
    return None if row is None else Block(*row)


def place_of(conn: Connection, nas_id: int) -> Place:
    query = select(nas.c.name, nas.c.nas_identifier, site.c.name, site.c.opening_hours).join(site)
    return Place(*conn.execute(query.where(nas.c.id == nas_id)).one())


def site_key_of(conn: Connection, nas_id: int) -> str:
    return str(conn.execute(select(site.c.key).join(nas).where(nas.c.id == nas_id)).scalar_one())


def last_nas_of(conn: Connection, device_id: int) -> int | None:
    """The NAS of the device's newest session, None where it had none."""
    query = select(session.c.nas_id).where(session.c.device_id == device_id)
    return conn.execute(query.order_by(session.c.started_at.desc()).limit(1)).scalar()


def fresh_ticket(conn: Connection, device_id: int, *, now: datetime) -> Ticket | None:
    """The newest ticket that the device's NAS may still redeem."""
    query = select(ticket).where(ticket.c.device_id == device_id, ticket.c.expires_at > now)
    row = conn.execute(query.order_by(ticket.c.issued_at.desc()).limit(1)).mappings().first()
    return None if row is None else ticket_of(row)


def device_of_open_session(conn: Connection, user_name: str) -> int | None:
    """Whose open session a NAS accounts under that User-Name."""
    query = select(session.c.device_id).where(session.c.ended_at.is_(None), session.c.user_name == user_name)
    return conn.execute(query.limit(1)).scalar()


@dataclass(frozen=True, slots=True)
class Silence:
    """From where packets came that RADIUS did not answer, and why (docs/metrics.md). `nas_identifier` is a claim."""

    source: str
    nas_identifier: str
    verdict: str
    last_at: datetime


def silences(conn: Connection, *, since: datetime, limit: int) -> list[Silence]:
    """The newest ones: a device may be unknown because its NAS is not heard."""
    columns = nas_arrival.c
    query = select(columns.source, columns.nas_identifier, columns.verdict, columns.last_at)
    query = query.outerjoin(nas, nas.c.id == columns.nas_id).where(nas.c.removed_at.is_(None))  # no NAS: NULL as well
    query = query.where(columns.verdict != HEARD, columns.last_at >= since).order_by(columns.last_at.desc())
    return [Silence(*row) for row in conn.execute(query.limit(limit))]


HEARD = "ok"
"""The verdict on packets that were let in."""


# Vouchers ---------------------------------------------------------------------------------------------


def holders(conn: Connection, voucher_id: int) -> list[int]:
    """Devices that ever got a grant of the voucher, the latest to come first."""
    newest = func.max(grant.c.granted_at)
    query = select(grant.c.device_id).where(grant.c.voucher_id == voucher_id).group_by(grant.c.device_id)
    return list(conn.execute(query.order_by(newest.desc(), grant.c.device_id)).scalars())


def online_with(conn: Connection, holder: Holder) -> set[int]:
    """Devices with an open session under a grant of the voucher or account."""
    kind, id_ = holder
    held = grant.c.voucher_id if kind is Holding.VOUCHER else grant.c.account_id
    query = select(session.c.device_id).join(grant, grant.c.id == session.c.grant_id)
    return set(conn.execute(query.where(held == id_, session.c.ended_at.is_(None))).scalars())


def voucher_use(conn: Connection, voucher_id: int, day: date) -> DayUse:
    """What all devices of the voucher used on a local day together."""
    columns = voucher_usage_daily.c
    query = select(columns.seconds, columns.octets_down, columns.octets_up)
    row = conn.execute(query.where(columns.voucher_id == voucher_id, columns.day == day)).first()
    return DayUse() if row is None else DayUse(row.seconds, Octets(row.octets_down, row.octets_up))


def batch_label(conn: Connection, batch_id: int) -> str:
    return str(conn.execute(select(voucher_batch.c.label).where(voucher_batch.c.id == batch_id)).scalar_one())
