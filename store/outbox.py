"""What one service wants of another: rows that outlive both. The portal wants, RADIUS does and records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, insert, select, update

from store.schema import outbox

DISCONNECT = "disconnect"


class State(StrEnum):
    """Of a Disconnect-Request: an ACK is believed only when the session's Stop arrives."""

    WANTED = "wanted"
    SENT = "sent"
    ACKED = "acked"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


UNFINISHED = (State.WANTED, State.SENT, State.ACKED)


@dataclass(frozen=True, slots=True)
class Order:
    """An outbox row that is due."""

    id: int
    session_id: int
    state: State
    attempts: int
    created_at: datetime


def want_disconnect(conn: Connection, *, session_id: int, requested_by: int | None, now: datetime) -> int:
    """Ask RADIUS to end a session; asking again while that is under way is the same wish."""
    pending = select(outbox.c.id).where(
        outbox.c.session_id == session_id, outbox.c.state.in_([state.value for state in UNFINISHED])
    )
    found = conn.execute(pending.limit(1)).scalar()
    if found is not None:
        return int(found)
    statement = insert(outbox).values(
        kind=DISCONNECT,
        session_id=session_id,
        state=State.WANTED.value,
        attempts=0,
        created_at=now,
        next_at=now,
        changed_at=now,
        requested_by=requested_by,
    )
    return int(conn.execute(statement.returning(outbox.c.id)).scalar_one())


def due(conn: Connection, *, now: datetime, limit: int) -> list[Order]:
    """Disconnects to send now, oldest first."""
    query = (
        select(outbox.c.id, outbox.c.session_id, outbox.c.state, outbox.c.attempts, outbox.c.created_at)
        .where(
            outbox.c.kind == DISCONNECT,
            outbox.c.state.in_([State.WANTED.value, State.SENT.value]),
            outbox.c.next_at <= now,
        )
        .order_by(outbox.c.id)
        .limit(limit)
    )
    return [Order(**{**row, "state": State(row["state"])}) for row in conn.execute(query).mappings()]


def mark(
    conn: Connection,
    order_id: int,
    state: State,
    *,
    now: datetime,
    attempts: int,
    next_at: datetime | None = None,
    error_cause: int | None = None,
) -> None:
    """Record what became of an order, unless its Stop was quicker; `error_cause` is RFC 5176's attribute 101."""
    conn.execute(
        update(outbox)
        .where(outbox.c.id == order_id, outbox.c.state.in_([state.value for state in UNFINISHED]))
        .values(
            state=state.value,
            attempts=attempts,
            changed_at=now,
            next_at=next_at or now,
            error_cause=error_cause,
        )
    )


def confirm(conn: Connection, session_ids: list[int], *, now: datetime) -> int:
    """The sessions' Stops arrived: their disconnects are done."""
    if not session_ids:
        return 0
    done = conn.execute(
        update(outbox)
        .where(outbox.c.session_id.in_(session_ids), outbox.c.state.in_([s.value for s in UNFINISHED]))
        .values(state=State.CONFIRMED.value, changed_at=now)
    )
    return done.rowcount
