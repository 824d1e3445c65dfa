"""Failed guesses, counted per bucket: what is limited is stored only as a keyed hash."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from store.keys import KeyRing
from store.schema import guess

BY_DEVICE, BY_USER, BY_NAS = "voucher", "user", "nas"
"""Kinds of buckets that lock out of a log-in: of a device, typed codes among them; of a user name; of a NAS.

A device's is the portal's and RADIUS's: whoever guessed at one is locked out at both.
"""


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


def times(conn: Connection, bucket_: bytes, *, since: datetime) -> list[datetime]:
    """When each wrong guess after `since` was made, oldest first."""
    query = select(guess.c.at).where(guess.c.bucket == bucket_, guess.c.at > since).order_by(guess.c.at)
    return list(conn.execute(query).scalars())


def clear(conn: Connection, bucket_: bytes) -> None:
    """A right answer forgives the wrong ones."""
    conn.execute(guess.delete().where(guess.c.bucket == bucket_))


def purge(conn: Connection, *, before: datetime) -> int:
    """Delete guesses that no window counts any more."""
    return conn.execute(guess.delete().where(guess.c.at < before)).rowcount
