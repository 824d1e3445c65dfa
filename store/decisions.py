"""The decision log as people ask for it: what RADIUS said to a device, when, at which NAS, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from store.schema import decision, nas


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision. `reason` is a word of `hotspot.access.Reason`, None for an Accept."""

    at: datetime
    nas_id: int
    nas_name: str
    proof: str
    reason: str | None


def latest_of_device(conn: Connection, device_id: int, *, limit: int) -> list[Decided]:
    """The device's newest decisions, newest first."""
    query = (
        select(decision.c.decided_at, decision.c.nas_id, nas.c.name, decision.c.proof, decision.c.reason)
        .join(nas, nas.c.id == decision.c.nas_id)
        .where(decision.c.device_id == device_id)
        .order_by(decision.c.id.desc())
        .limit(limit)
    )
    return [Decided(*row) for row in conn.execute(query)]
