"""Voucher batches and codes. A code is found by its keyed hash and printed from its sealed text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from hotspot.plan import Counting, Plan
from store.keys import KeyRing
from store.rows import plan_of
from store.schema import grant, plan, voucher, voucher_batch, voucher_usage_daily

_PURPOSE = "voucher-code"


@dataclass(frozen=True, slots=True)
class Voucher:
    """A voucher with its batch's rules. `until_at` is set at first use; `seconds_used`: its devices' time online."""

    id: int
    batch_id: int
    valid_minutes: int
    redeem_until: datetime
    first_used_at: datetime | None
    until_at: datetime | None
    revoked_at: datetime | None
    seconds_used: int
    plan: Plan


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as the voucher desk lists it."""

    id: int
    label: str
    plan_name: str
    valid_minutes: int
    redeem_until: datetime
    created_at: datetime
    size: int
    used: int


def add_batch(
    conn: Connection,
    keys: KeyRing,
    codes: Sequence[str],
    *,
    plan_id: int,
    label: str,
    valid_minutes: int,
    redeem_until: datetime,
    created_by: int,
    now: datetime,
) -> int:
    """Store a batch of fresh codes; sealing is quick (microseconds a code)."""
    batch_id = int(
        conn.execute(
            insert(voucher_batch)
            .values(
                plan_id=plan_id,
                label=label,
                valid_minutes=valid_minutes,
                redeem_until=redeem_until,
                created_at=now,
                created_by=created_by,
            )
            .returning(voucher_batch.c.id)
        ).scalar_one()
    )
    conn.execute(insert(voucher), [_row(keys, batch_id, code) for code in codes])
    return batch_id


def _row(keys: KeyRing, batch_id: int, code: str) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "code_hash": keys.keyed_hash(_PURPOSE, code.encode()),
        "code_sealed": keys.seal(_PURPOSE, code.encode()),
    }


def find(conn: Connection, keys: KeyRing, code: str) -> Voucher | None:
    """The voucher of a parsed code; locked against a second redeemer where the database can. Needs `write()`."""
    return _found(conn, _of_code(keys, code).with_for_update(of=voucher))


def look_up(conn: Connection, keys: KeyRing, code: str) -> Voucher | None:
    """The same for who only looks."""
    return _found(conn, _of_code(keys, code))


def by_id(conn: Connection, voucher_id: int) -> Voucher | None:
    return _found(conn, _VOUCHERS.where(voucher.c.id == voucher_id))


_VOUCHERS = select(voucher, voucher_batch.c.valid_minutes, voucher_batch.c.redeem_until, voucher_batch.c.plan_id).join(
    voucher_batch, voucher_batch.c.id == voucher.c.batch_id
)


def _of_code(keys: KeyRing, code: str) -> Select[Any]:
    return _VOUCHERS.where(voucher.c.code_hash.in_(keys.keyed_hashes(_PURPOSE, code.encode())))


def _found(conn: Connection, query: Select[Any]) -> Voucher | None:
    row = conn.execute(query).mappings().first()
    if row is None:
        return None
    plan_row = conn.execute(select(plan).where(plan.c.id == row["plan_id"])).mappings().one()
    return Voucher(
        id=row["id"],
        batch_id=row["batch_id"],
        valid_minutes=row["valid_minutes"],
        redeem_until=row["redeem_until"],
        first_used_at=row["first_used_at"],
        until_at=row["until_at"],
        revoked_at=row["revoked_at"],
        seconds_used=_seconds_used(conn, row["id"]),
        plan=plan_of(plan_row),
    )


def _seconds_used(conn: Connection, voucher_id: int) -> int:
    query = select(func.sum(voucher_usage_daily.c.seconds)).where(voucher_usage_daily.c.voucher_id == voucher_id)
    return int(conn.execute(query).scalar() or 0)


def use(conn: Connection, found: Voucher, *, now: datetime) -> datetime:
    """Start the voucher's clock at its first use; returns when it ends.

    One that counts time online ends when it had to be redeemed by, if its time is not used up before.
    """
    if found.until_at is not None:
        return found.until_at
    by_clock = now + timedelta(minutes=found.valid_minutes)
    until = found.redeem_until if found.plan.voucher_counts is Counting.USE else by_clock
    conn.execute(update(voucher).where(voucher.c.id == found.id).values(first_used_at=now, until_at=until))
    return until


def devices_of(conn: Connection, voucher_id: int) -> set[int]:
    """Devices that hold a grant of the voucher which has not ended."""
    query = select(grant.c.device_id).where(grant.c.voucher_id == voucher_id, grant.c.ended_at.is_(None))
    return set(conn.execute(query.distinct()).scalars())


_BATCHES = (
    select(
        voucher_batch.c.id,
        voucher_batch.c.label,
        plan.c.name.label("plan_name"),
        voucher_batch.c.valid_minutes,
        voucher_batch.c.redeem_until,
        voucher_batch.c.created_at,
        func.count(voucher.c.id).label("size"),
        func.count(voucher.c.first_used_at).label("used"),
    )
    .join(plan, plan.c.id == voucher_batch.c.plan_id)
    .join(voucher, voucher.c.batch_id == voucher_batch.c.id)
    .group_by(voucher_batch.c.id, plan.c.name)
)


def batches(conn: Connection, *, limit: int) -> list[Batch]:
    """Newest first."""
    query = _BATCHES.order_by(voucher_batch.c.created_at.desc(), voucher_batch.c.id.desc()).limit(limit)
    return [Batch(**row) for row in conn.execute(query).mappings()]


def batch(conn: Connection, batch_id: int) -> Batch | None:
    """One batch, None where this city has none of that id."""
    row = conn.execute(_BATCHES.where(voucher_batch.c.id == batch_id)).mappings().first()
    return None if row is None else Batch(**row)


def codes_of(conn: Connection, keys: KeyRing, batch_id: int) -> list[str]:
    """The batch's codes in the order they were made, to print them."""
    query = select(voucher.c.code_sealed).where(voucher.c.batch_id == batch_id).order_by(voucher.c.id)
    return [keys.unseal(_PURPOSE, bytes(sealed)).decode() for sealed in conn.execute(query).scalars()]
