"""The message outbox: e-mails and text messages that one service wants sent, and what became of each.

Recipient and text are sealed with the city's key, and wiped as soon as the message was sent or given up: what stays
is that there was one. A page only writes the row, so a dead gateway holds up nobody (docs/adr/0020).
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, case, exists, func, insert, select, update

from store.keys import KeyRing
from store.schema import message, one_time_code

PURPOSE = "message"
CLAIM = timedelta(minutes=2)
"""How long a message that a sender took is left alone; where that sender died, another takes it up then. It may have
been sent just before: a message goes out at least once, not exactly once."""


class Kind(StrEnum):
    """By what a message goes."""

    EMAIL = "email"
    SMS = "sms"


class State(StrEnum):
    """Of a message. A failed one is tried no more."""

    WANTED = "wanted"
    SENT = "sent"
    FAILED = "failed"


EXPIRED = "expired"
"""The failure of a message whose time was over before a gateway was asked."""


@dataclass(frozen=True, slots=True)
class Message:
    """One to be sent; its repr shows neither recipient nor text. `attempts` includes the one that is being made."""

    id: int
    kind: Kind
    attempts: int
    created_at: datetime
    expires_at: datetime
    recipient: str
    subject: str
    text: str

    def __repr__(self) -> str:
        return f"Message({self.id}, {self.kind.value})"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a message; `failure` is the word of its last attempt that failed."""

    state: State
    attempts: int
    failure: str


# Wanting ------------------------------------------------------------------------------------------------


def add(
    conn: Connection,
    keys: KeyRing,
    kind: Kind,
    *,
    recipient: str,
    subject: str = "",
    text: str,
    expires_at: datetime,
    now: datetime,
) -> int:
    """Want a message sent by `expires_at`; the monitor sees it within a second. Needs `write()`."""
    values = {
        "kind": kind.value,
        "recipient_sealed": keys.seal(PURPOSE, recipient.encode()),
        "content_sealed": keys.seal(PURPOSE, json.dumps([subject, text]).encode()),
        "state": State.WANTED.value,
        "attempts": 0,
        "created_at": now,
        "next_at": now,
        "changed_at": now,
        "expires_at": expires_at,
    }
    return int(conn.execute(insert(message).values(**values).returning(message.c.id)).scalar_one())


def fate(conn: Connection, message_id: int) -> Fate | None:
    """None where it was purged, or there never was one."""
    columns = (message.c.state, message.c.attempts, message.c.failure)
    row = conn.execute(select(*columns).where(message.c.id == message_id)).first()
    return None if row is None else Fate(State(row.state), row.attempts, row.failure)


# Sending ------------------------------------------------------------------------------------------------


def is_due(conn: Connection, kind: Kind, *, now: datetime) -> bool:
    """Whether one waits for its attempt, or for being given up: a sender asks each second."""
    return conn.execute(select(message.c.id).where(*_waiting(kind, now)).limit(1)).first() is not None


def claim(conn: Connection, keys: KeyRing, kind: Kind, *, limit: int, now: datetime) -> list[Message]:
    """The oldest that are due, for this sender alone. Needs `write()`."""
    first = select(message.c.id).where(*_waiting(kind, now), message.c.expires_at > now)
    ids = list(conn.execute(first.order_by(message.c.id).limit(limit)).scalars())
    mine = (
        update(message)
        .where(message.c.id.in_(ids), *_waiting(kind, now))
        .values(attempts=message.c.attempts + 1, next_at=now + CLAIM, changed_at=now)
        .returning(message)
    )
    rows = sorted(conn.execute(mine).mappings(), key=lambda row: int(row["id"])) if ids else []
    return [_message_of(keys, row) for row in rows]


def _waiting(kind: Kind, now: datetime) -> tuple[Any, ...]:
    return message.c.kind == kind.value, message.c.state == State.WANTED.value, message.c.next_at <= now


def _message_of(keys: KeyRing, row: Any) -> Message:
    subject, text = json.loads(keys.unseal(PURPOSE, bytes(row["content_sealed"])))
    recipient = keys.unseal(PURPOSE, bytes(row["recipient_sealed"])).decode()
    return Message(
        row["id"],
        Kind(row["kind"]),
        row["attempts"],
        row["created_at"],
        row["expires_at"],
        recipient,
        subject,
        text,
    )


_WIPED = {"recipient_sealed": None, "content_sealed": None}


def note_sent(conn: Connection, message_ids: Collection[int], *, now: datetime) -> None:
    """A gateway took them: what they said is forgotten. Needs `write()`."""
    done = {"state": State.SENT.value, "failure": "", "changed_at": now}
    conn.execute(update(message).where(message.c.id.in_(message_ids)).values(**done, **_WIPED))


def note_failed(conn: Connection, message_id: int, *, failure: str, again_at: datetime | None, now: datetime) -> None:
    """An attempt failed; None gives the message up and forgets what it said. Needs `write()`."""
    values: dict[str, Any] = {"failure": failure, "changed_at": now}
    values |= {"state": State.FAILED.value, **_WIPED} if again_at is None else {"next_at": again_at}
    conn.execute(update(message).where(message.c.id == message_id).values(**values))


def give_up_expired(conn: Connection, kind: Kind, *, now: datetime) -> int:
    """Forget those whose time is over, whatever they wait for. Returns how many. Needs `write()`.

    What the last attempt failed of stays said; of one that was never tried, that its time was over.
    """
    over = (message.c.kind == kind.value, message.c.state == State.WANTED.value, message.c.expires_at <= now)
    last_word = case((message.c.failure == "", EXPIRED), else_=message.c.failure)
    gone = {"state": State.FAILED.value, "failure": last_word, "changed_at": now}
    return conn.execute(update(message).where(*over).values(**gone, **_WIPED)).rowcount


# Counting -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Queue:
    """Messages of a kind that wait; `oldest_at` is None where none does."""

    waiting: int
    oldest_at: datetime | None


def queue(conn: Connection, kind: Kind) -> Queue:
    """How many wait, and since when."""
    query = select(func.count(), func.min(message.c.created_at))
    row = conn.execute(query.where(message.c.kind == kind.value, message.c.state == State.WANTED.value)).one()
    return Queue(row[0], row[1])


def purge(conn: Connection, *, before: datetime) -> int:
    """Delete messages that nothing has happened to since and no code names any more. Needs `write()`."""
    named = exists().where(one_time_code.c.message_id == message.c.id)
    old = (message.c.changed_at < before, message.c.state != State.WANTED.value, ~named)
    return conn.execute(message.delete().where(*old)).rowcount
