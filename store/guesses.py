"""Failed guesses, counted per bucket: what is limited is stored only as a keyed hash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from store.keys import KeyRing
from store.schema import guess

BY_DEVICE, BY_USER, BY_NAS = "voucher", "user", "nas"
"""Kinds of buckets that lock out of a log-in: of a device, typed codes among them; of a user name; of a NAS.

A device's is the portal's and RADIUS's: whoever guessed at one is locked out at both.
"""

BY_RANGE, BY_CITY, BY_ACCOUNT = "range", "city", "account"
"""Kinds of buckets that many share: they shrink what each device may guess and lock nobody out (`hotspot.guessing`)."""


def bucket(keys: KeyRing, kind: str, subject: str) -> bytes:
    """The bucket of a log-in name, a device or an address; `kind` keeps them apart."""
    return keys.keyed_hash("guess", f"{kind}\0{subject}".encode())


def note(conn: Connection, bucket_: bytes, *, now: datetime) -> None:
    """One more wrong guess."""
    conn.execute(insert(guess).values(bucket=bucket_, at=now))


def count(conn: Connection, bucket_: bytes, *, since: datetime) -> int:
    """Wrong guesses after `since`."""
    query = select(func.count()).select_from(guess).where(guess.c.bucket == bucket_, guess.c.at > since)
    return int(conn.execute(query).scalar_one())


def counts(conn: Connection, buckets: Sequence[bytes], *, since: datetime) -> list[int]:
    """Wrong guesses after `since` in each of these buckets, in their order."""
    query = (
        select(guess.c.bucket, func.count())
        .where(guess.c.bucket.in_(buckets), guess.c.at > since)
        .group_by(guess.c.bucket)
    )
    found = {bytes(row[0]): int(row[1]) for row in conn.execute(query)}
    return [found.get(each, 0) for each in buckets]


def times(conn: Connection, bucket_: bytes, *, since: datetime) -> list[datetime]:
    """When each wrong guess after `since` was made, oldest first."""
    query = select(guess.c.at).where(guess.c.bucket == bucket_, guess.c.at > since).order_by(guess.c.at)
    return list(conn.execute(query).scalars())


def clear(conn: Connection, bucket_: bytes) -> None:
    """A right answer forgives the wrong ones."""
    conn.execute(guess.delete().where(guess.c.bucket == bucket_))


def clear_shared(conn: Connection, bucket_: bytes, own: bytes) -> None:
    """Take out of a shared bucket what was noted at the same instants as the guesses of `own`: they are the same."""
    instants = select(guess.c.at).where(guess.c.bucket == own)
    conn.execute(guess.delete().where(guess.c.bucket == bucket_, guess.c.at.in_(instants)))


def purge(conn: Connection, *, before: datetime) -> int:
    """Delete guesses that no window counts any more."""
    return conn.execute(guess.delete().where(guess.c.at < before)).rowcount
