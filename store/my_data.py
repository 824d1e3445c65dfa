"""Everything that is stored about one device, as its owner may read it: a table of kinds, a SELECT each. It only reads.

The MAC address itself is not among it: whoever asks has proven it. Keys and hashes say nothing to anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, case, func, select

from store import guesses
from store.keys import KeyRing
from store.schema import (
    acceptance,
    account,
    block,
    decision,
    device,
    grant,
    nas,
    one_time_code,
    plan,
    session,
    site,
    terms,
    usage_daily,
    voucher,
    voucher_batch,
)

EXPORT_ROWS_MAX = 100_000
"""Rows of each kind that a download holds; a session a minute for 70 days."""

Row = dict[str, Any]


def _device(device_id: int) -> Select[Any]:
    return select(device.c.first_seen_at, device.c.last_seen_at, device.c.forget_at).where(device.c.id == device_id)


def _acceptances(device_id: int) -> Select[Any]:
    query = select(acceptance.c.accepted_at, terms.c.version, terms.c.language, terms.c.title)
    query = query.join(terms, terms.c.id == acceptance.c.terms_id).where(acceptance.c.device_id == device_id)
    return query.order_by(acceptance.c.accepted_at.desc(), acceptance.c.id.desc())


def _grants(device_id: int) -> Select[Any]:
    columns = grant.c
    query = select(
        columns.granted_at,
        columns.way,
        plan.c.name.label("plan"),
        columns.until_at,
        columns.remember_until,
        columns.accepted_at,
        columns.ended_at,
        columns.extensions,
        columns.language,
        columns.voucher_id.is_not(None).label("by_voucher"),
        columns.account_id.is_not(None).label("by_account"),
    )
    query = query.join(plan, plan.c.id == columns.plan_id).where(columns.device_id == device_id)
    return query.order_by(columns.granted_at.desc(), columns.id.desc())


def _vouchers(device_id: int) -> Select[Any]:
    """Of each voucher its clock; its code stays with whoever holds the paper."""
    held = select(grant.c.voucher_id).where(grant.c.device_id == device_id)
    query = select(voucher.c.first_used_at, voucher.c.until_at, voucher.c.revoked_at, plan.c.name.label("plan"))
    query = query.join(voucher_batch, voucher_batch.c.id == voucher.c.batch_id)
    query = query.join(plan, plan.c.id == voucher_batch.c.plan_id).where(voucher.c.id.in_(held))
    return query.order_by(voucher.c.first_used_at.desc())


def _accounts(device_id: int) -> Select[Any]:
    """That there is one and since when; its address is shown to whoever logs in to it, not to its devices."""
    held = select(grant.c.account_id).where(grant.c.device_id == device_id)
    query = select(account.c.created_at, account.c.confirmed_at, account.c.last_used_at)
    return query.where(account.c.id.in_(held)).order_by(account.c.created_at)


def _sessions(device_id: int) -> Select[Any]:
    columns = session.c
    query = select(
        columns.started_at,
        columns.ended_at,
        columns.seconds,
        (columns.segment_down + columns.finished_down).label("octets_down"),
        (columns.segment_up + columns.finished_up).label("octets_up"),
        site.c.name.label("place"),
        columns.ssid,
        columns.bssid,
        columns.framed_ip,
        columns.framed_ipv6,
        columns.terminate_cause,
    )
    query = query.join(nas, nas.c.id == columns.nas_id).join(site, site.c.id == nas.c.site_id)
    return query.where(columns.device_id == device_id).order_by(columns.started_at.desc(), columns.id.desc())


def _days(device_id: int) -> Select[Any]:
    columns = usage_daily.c
    query = select(columns.day, columns.seconds, columns.octets_down, columns.octets_up)
    return query.where(columns.device_id == device_id).order_by(columns.day.desc())


def _decisions(device_id: int) -> Select[Any]:
    columns = decision.c
    verdict = case((columns.reason.is_(None), "accepted"), else_=columns.reason).label("answer")
    query = select(columns.decided_at, site.c.name.label("place"), columns.proof, verdict)
    query = query.join(nas, nas.c.id == columns.nas_id).join(site, site.c.id == nas.c.site_id)
    return query.where(columns.device_id == device_id).order_by(columns.id.desc())


def _codes(device_id: int) -> Select[Any]:
    columns = one_time_code.c
    query = select(columns.created_at, columns.way, columns.expires_at, columns.used_at)
    return query.where(columns.device_id == device_id).order_by(columns.created_at.desc())


def _blocks(device_id: int) -> Select[Any]:
    query = select(block.c.from_at, block.c.until_at, block.c.reason)
    return query.where(block.c.device_id == device_id).order_by(block.c.from_at.desc())


KINDS: dict[str, Callable[[int], Select[Any]]] = {
    "device": _device,
    "acceptances": _acceptances,
    "grants": _grants,
    "vouchers": _vouchers,
    "accounts": _accounts,
    "sessions": _sessions,
    "days": _days,
    "decisions": _decisions,
    "codes": _codes,
    "blocks": _blocks,
}
"""Every kind of row that points at a device or belongs to what does; tests hold it to the schema."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind's newest rows, and how many there are."""

    rows: list[Row]
    count: int


def collect(conn: Connection, device_id: int, *, limit: int) -> dict[str, Kind]:
    """All kinds, at most `limit` rows of each."""
    return {name: _kind(conn, query(device_id), limit) for name, query in KINDS.items()}


def _kind(conn: Connection, query: Select[Any], limit: int) -> Kind:
    rows = [dict(row) for row in conn.execute(query.limit(limit)).mappings()]
    if len(rows) < limit:
        return Kind(rows, len(rows))
    count = select(func.count()).select_from(query.order_by(None).subquery())
    return Kind(rows, int(conn.execute(count).scalar_one()))


def wrong_guesses(conn: Connection, keys: KeyRing, mac: str, *, since: datetime) -> int:
    """Wrong codes and passwords that count against the device now."""
    return guesses.count(conn, guesses.bucket(keys, guesses.BY_DEVICE, mac), since=since)
