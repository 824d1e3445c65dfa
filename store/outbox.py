"""What one service wants of another: rows that outlive both. Portal, monitor and operator want, RADIUS does it.

An order is a Disconnect or a CoA for one session. `next_at` is when RADIUS takes it up: at once where it is wanted,
and where it is sent, when nobody has touched it for longer than a running process would leave it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from store.schema import grant, outbox, session

STOP_PATIENCE = timedelta(minutes=2)
"""How long an acknowledged Disconnect waits for the session's Stop before it may be wanted anew."""

BY_STAFF, BY_OPERATOR, BY_RESIDENT, BY_NEW_GRANT = "staff", "operator", "resident", "new_grant"
"""Why an order was made, where no limit was reached; `new_grant`: the device is to go on under another grant."""


class Kind(StrEnum):
    """What is asked of the NAS (RFC 5176)."""

    DISCONNECT = "disconnect"
    COA = "coa"


class State(StrEnum):
    """Of an order. A Disconnect's ACK is believed only when the session's Stop arrives; a CoA's confirms it."""

    WANTED = "wanted"
    SENT = "sent"
    ACKED = "acked"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


UNFINISHED = (State.WANTED, State.SENT, State.ACKED)
FINAL = (State.CONFIRMED, State.REFUSED, State.UNANSWERED)


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it stands. `attempts` are requests sent; a refusal after none of them is our own."""

    id: int
    kind: Kind
    session_id: int
    nas_id: int
    state: State
    attempts: int
    error_cause: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an order. `error_cause` is RFC 5176's attribute 101; `next_at` None is now."""

    order_id: int
    kind: Kind
    state: State
    attempts: int
    error_cause: int | None = None
    next_at: datetime | None = None


# Wanting ------------------------------------------------------------------------------------------------


def want(
    conn: Connection, kind: Kind, session_id: int, *, reason: str, requested_by: int | None = None, now: datetime
) -> int:
    """Order something for a session; asking again while that is under way is the same wish. Needs `write()`."""
    under_way = outbox.c.state == State.WANTED.value if kind is Kind.COA else _under_way(now)  # a sent one said less
    query = select(outbox.c.id).where(outbox.c.session_id == session_id, outbox.c.kind == kind.value, under_way)
    found = conn.execute(query.limit(1)).scalar()
    if found is not None:
        return int(found)
    statement = insert(outbox).values(**_wanted(kind, session_id, reason, now), requested_by=requested_by)
    return int(conn.execute(statement.returning(outbox.c.id)).scalar_one())


def want_disconnect(conn: Connection, *, session_id: int, requested_by: int | None, now: datetime) -> int:
    """Ask RADIUS to end a session, on behalf of a member of staff. Needs `write()`."""
    return want(conn, Kind.DISCONNECT, session_id, reason=BY_STAFF, requested_by=requested_by, now=now)


def want_disconnects(conn: Connection, reasons: Mapping[int, str], *, now: datetime) -> int:
    """Disconnects for these sessions, by the limit that each reached, but for those under way. Needs `write()`.

    Returns how many are new.
    """
    if not reasons:
        return 0
    pending = select(outbox.c.session_id).where(
        outbox.c.session_id.in_(reasons), outbox.c.kind == Kind.DISCONNECT.value, _under_way(now)
    )
    known = set(conn.execute(pending).scalars())
    rows = [_wanted(Kind.DISCONNECT, id_, why, now) for id_, why in reasons.items() if id_ not in known]
    if rows:
        conn.execute(insert(outbox), rows)
    return len(rows)


def _wanted(kind: Kind, session_id: int, reason: str, now: datetime) -> dict[str, Any]:
    return {
        "kind": kind.value,
        "session_id": session_id,
        "state": State.WANTED.value,
        "attempts": 0,
        "reason": reason,
        "created_at": now,
        "next_at": now,
        "changed_at": now,
    }


def _under_way(now: datetime) -> ColumnElement[bool]:
    """Not answered yet, or acknowledged so lately that the Stop may still come."""
    waiting = outbox.c.state.in_([State.WANTED.value, State.SENT.value])
    return waiting | ((outbox.c.state == State.ACKED.value) & (outbox.c.changed_at > now - STOP_PATIENCE))


@dataclass(frozen=True, slots=True)
class Asked:
    """What has been asked of a session's NAS so far: how many Disconnects, when the last one changed."""

    orders: int
    changed_at: datetime


def asked(conn: Connection, session_ids: Collection[int]) -> dict[int, Asked]:
    """The Disconnects that these sessions have had, whoever wanted them; none is absent."""
    query = (
        select(outbox.c.session_id, func.count(), func.max(outbox.c.changed_at))
        .where(outbox.c.session_id.in_(session_ids), outbox.c.kind == Kind.DISCONNECT.value)
        .group_by(outbox.c.session_id)
    )
    return {row[0]: Asked(row[1], row[2]) for row in conn.execute(query)} if session_ids else {}


# Doing --------------------------------------------------------------------------------------------------

_ORDER = (*(outbox.c[name] for name in ("id", "kind", "session_id", "state", "attempts", "error_cause", "reason")),)
_ORDERS = select(*_ORDER, session.c.nas_id).join(session, session.c.id == outbox.c.session_id)


def _order_of(row: Any) -> Order:
    return Order(**{**row, "kind": Kind(row["kind"]), "state": State(row["state"])})


def by_id(conn: Connection, order_id: int) -> Order | None:
    """One order as it stands."""
    row = conn.execute(_ORDERS.where(outbox.c.id == order_id)).mappings().first()
    return None if row is None else _order_of(row)


def due(
    conn: Connection, *, now: datetime, limit: int, each_nas: int, except_nases: Collection[int] = ()
) -> list[Order]:
    """Orders to take up now: the oldest of each NAS first, then the second ones, so that no NAS waits for another."""
    waiting = (outbox.c.state.in_([State.WANTED.value, State.SENT.value]), outbox.c.next_at <= now)
    turn = func.row_number().over(partition_by=session.c.nas_id, order_by=outbox.c.id).label("turn")
    query = select(*_ORDER, session.c.nas_id, turn).join(session, session.c.id == outbox.c.session_id).where(*waiting)
    if except_nases:
        query = query.where(session.c.nas_id.not_in(except_nases))
    ranked = query.subquery()
    columns = [column for column in ranked.c if column.name != "turn"]
    first = select(*columns).where(ranked.c.turn <= each_nas).order_by(ranked.c.turn, ranked.c.id).limit(limit)
    return [_order_of(row) for row in conn.execute(first).mappings()]


def still_sent(conn: Connection, order_ids: Collection[int]) -> set[int]:
    """Those of these orders that still wait for an answer: a Stop may have been quicker."""
    query = select(outbox.c.id).where(outbox.c.id.in_(order_ids), outbox.c.state == State.SENT.value)
    return set(conn.execute(query).scalars()) if order_ids else set()


def record(conn: Connection, changes: Iterable[Change], *, now: datetime) -> None:
    """What became of orders, but for those whose Stop was quicker. Needs `write()`.

    An extension of which no NAS took notice is taken back, so that what we say is left is what there is.
    """
    for change in changes:
        done = conn.execute(
            update(outbox)
            .where(outbox.c.id == change.order_id, outbox.c.state.in_([state.value for state in UNFINISHED]))
            .values(
                state=change.state.value,
                attempts=change.attempts,
                changed_at=now,
                next_at=change.next_at or now,
                error_cause=change.error_cause,
            )
        )
        if done.rowcount and change.kind is Kind.COA and change.state in (State.REFUSED, State.UNANSWERED):
            _take_back(conn, change.order_id)


def turn_into_disconnects(conn: Connection, reasons: Mapping[int, str]) -> None:
    """These CoA orders, by order id, found nothing left to grant: from now on they end the session, and say why."""
    for order_id, reason in reasons.items():
        changed = {"kind": Kind.DISCONNECT.value, "reason": reason}
        conn.execute(update(outbox).where(outbox.c.id == order_id).values(changed))


def confirm(conn: Connection, session_ids: Sequence[int], *, now: datetime) -> int:
    """The sessions are over: their disconnects are done. Needs `write()`."""
    if not session_ids:
        return 0
    done = conn.execute(
        update(outbox)
        .where(
            outbox.c.session_id.in_(session_ids),
            outbox.c.kind == Kind.DISCONNECT.value,
            outbox.c.state.in_([state.value for state in UNFINISHED]),
        )
        .values(state=State.CONFIRMED.value, changed_at=now)
    )
    return done.rowcount


# Extensions -----------------------------------------------------------------------------------------------


def extend(conn: Connection, session_id: int, *, seen: int, now: datetime) -> bool:
    """Lengthen a session by one extension more than `seen`, and tell its NAS. Needs `write()`.

    False where there is another number by now: the form was sent twice.
    """
    its_grant = select(session.c.grant_id).where(session.c.id == session_id).scalar_subquery()
    done = conn.execute(
        update(grant).where(grant.c.id == its_grant, grant.c.extensions == seen).values(extensions=seen + 1)
    )
    if done.rowcount:
        want(conn, Kind.COA, session_id, reason=BY_RESIDENT, now=now)
    return done.rowcount == 1


def extension_told(conn: Connection, session_id: int) -> State | None:
    """What became of telling the NAS of the session's newest extension; None where there was none."""
    mine = (outbox.c.session_id == session_id, outbox.c.kind == Kind.COA.value, outbox.c.reason == BY_RESIDENT)
    found = conn.execute(select(outbox.c.state).where(*mine).order_by(outbox.c.id.desc()).limit(1)).scalar()
    return None if found is None else State(found)


def _take_back(conn: Connection, order_id: int) -> None:
    """The last extension of the session that a resident's order is for."""
    its_grant = (
        select(session.c.grant_id)
        .join(outbox, outbox.c.session_id == session.c.id)
        .where(outbox.c.id == order_id, outbox.c.reason == BY_RESIDENT)
        .scalar_subquery()
    )
    conn.execute(
        update(grant).where(grant.c.id == its_grant, grant.c.extensions > 0).values(extensions=grant.c.extensions - 1)
    )
