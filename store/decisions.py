"""The decision log as people ask for it: what RADIUS said to a device, when, at which NAS, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from store.schema import decision, nas, site


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision. `reason` is a word of `hotspot.access.Reason`, None for an Accept; `proof` one of its Proof."""

    id: int
    at: datetime
    nas_id: int
    nas_name: str
    site_name: str
    proof: str
    reason: str | None


def latest_of_device(conn: Connection, device_id: int, *, limit: int) -> list[Decided]:
    """The device's newest decisions, newest first."""
    return _latest(conn, decision.c.device_id == device_id, limit)


def latest_of_stations(conn: Connection, station_hashes: Sequence[bytes], *, limit: int) -> list[Decided]:
    """Those about a device that the city did not know then, by its hash under the keys that are held."""
    return _latest(conn, decision.c.station_hash.in_(station_hashes), limit)


def refusal_of_grant(conn: Connection, grant_id: int, device_id: int) -> str | None:
    """The reason word with which RADIUS last refused the grant's ticket to its own device; None where it did not."""
    query = select(decision.c.reason).where(decision.c.device_id == device_id, decision.c.grant_id == grant_id)
    return conn.execute(query.order_by(decision.c.id.desc()).limit(1)).scalar()


def _latest(conn: Connection, which: ColumnElement[Any], limit: int) -> list[Decided]:
    query = (
        select(
            decision.c.id,
            decision.c.decided_at,
            decision.c.nas_id,
            nas.c.name,
            site.c.name,
            decision.c.proof,
            decision.c.reason,
        )
        .join(nas, nas.c.id == decision.c.nas_id)
        .join(site, site.c.id == nas.c.site_id)
        .where(which)
        .order_by(decision.c.id.desc())
        .limit(limit)
    )
    return [Decided(*row) for row in conn.execute(query)]
