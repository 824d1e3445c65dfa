"""What RADIUS packets came from where lately and what became of them: how a NAS that is being set up is told what is
wrong. The rows are few and unproven: anybody can send a packet that claims a NAS-Identifier.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, func, or_, select, update

from store.rows import insert_for, pick
from store.schema import nas, nas_arrival

ARRIVALS_MAX = 256
"""Rows that are kept, the newest."""

STRANGERS_MAX = 128
"""How many of them may be of no registered NAS: a flood from random addresses pushes no NAS out of the list."""

OF_ONE_NAS_MAX = 32
"""How many of them may be of one NAS: nor does a flood from random addresses of a NAS's network."""

ARRIVALS_KEPT = timedelta(days=30)
"""An address that has been silent for so long is nobody's business."""

OK = "ok"
"""The verdict on a packet that was let in; any other is the reason of the silence (docs/metrics.md)."""

_KEY = ("source", "port", "nas_identifier", "verdict")


@dataclass(frozen=True, slots=True)
class Arrival:
    """Packets alike. `port` is auth or acct, `nas_id` None where they are no registered NAS's for certain.

    `nas_identifier` is the NAS's own, or what the packet claims where there is no such NAS. `packets` is a lower bound:
    a flood is not counted to the last one.
    """

    source: str
    port: str
    nas_identifier: str
    verdict: str
    nas_id: int | None
    packets: int
    first_at: datetime
    last_at: datetime


def note_many(conn: Connection, arrivals: Sequence[Arrival]) -> None:
    """Add what came in: packets add up, `last_at` moves, the oldest rows go. Needs `write()`."""
    if not arrivals:
        return
    # A NAS may be gone by now, and then its packets are still worth telling.
    known = select(nas.c.id).where(nas.c.id == bindparam("of_nas")).scalar_subquery()
    statement = insert_for(conn, nas_arrival).values(nas_id=known)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=_KEY,
        set_={"packets": nas_arrival.c.packets + new.packets, "last_at": new.last_at, "nas_id": new.nas_id},
    )
    conn.execute(statement, [_row(each) for each in arrivals])
    conn.execute(delete(nas_arrival).where(nas_arrival.c.last_at < max(a.last_at for a in arrivals) - ARRIVALS_KEPT))
    _trim(conn)


def _row(arrival: Arrival) -> dict[str, Any]:
    row = asdict(arrival)
    return row | {"of_nas": row.pop("nas_id")}


_NEWEST = nas_arrival.c.last_at.desc(), nas_arrival.c.id.desc()


def _trim(conn: Connection) -> None:
    place = func.row_number().over(partition_by=nas_arrival.c.nas_id, order_by=_NEWEST).label("place")
    most = case((nas_arrival.c.nas_id.is_(None), STRANGERS_MAX), else_=OF_ONE_NAS_MAX).label("most")
    placed = select(nas_arrival.c.id, place, most).subquery()
    too_many = select(placed.c.id).where(placed.c.place > placed.c.most)
    conn.execute(delete(nas_arrival).where(nas_arrival.c.id.in_(too_many)))
    kept = select(nas_arrival.c.id).order_by(*_NEWEST).limit(ARRIVALS_MAX)
    conn.execute(delete(nas_arrival).where(nas_arrival.c.id.not_in(kept)))


def recent(conn: Connection, *, since: datetime, limit: int) -> list[Arrival]:
    """What came in at `since` or later, newest first. Nothing of a NAS that has been removed."""
    query = (
        select(nas_arrival)
        .outerjoin(nas, nas.c.id == nas_arrival.c.nas_id)
        .where(nas_arrival.c.last_at >= since, or_(nas.c.id.is_(None), nas.c.removed_at.is_(None)))
        .order_by(*_NEWEST)
        .limit(limit)
    )
    return [pick(Arrival, row) for row in conn.execute(query).mappings()]


def learn_message_authenticator(conn: Connection, nas_ids: Collection[int], *, now: datetime) -> None:
    """These NASes have signed an Access-Request: those set to `auto` must from now on. Needs `write()`."""
    if not nas_ids:
        return
    learning = nas.c.require_message_authenticator == "auto", nas.c.message_authenticator_at.is_(None)
    conn.execute(update(nas).where(nas.c.id.in_(nas_ids), *learning).values(message_authenticator_at=now))
