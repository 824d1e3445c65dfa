"""Accounts of residents: found by the keyed hash of an e-mail address or of a provider's subject.

Nothing else of a person is kept: no name, no profile. An account that is deleted leaves its grants behind as figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal, or_, select, update

from store.keys import KeyRing
from store.rows import insert_for, pick
from store.schema import account, grant
from store.types import Instant

_ADDRESS, _SUBJECT = "account-address", "account-subject"

ACCOUNTS_A_PURGE = 500
"""Accounts that one purge deletes, so that no transaction is long; the next run goes on."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account. `address_sealed` and `password_hash` are None where a provider vouches for its holder."""

    id: int
    address_sealed: bytes | None
    password_hash: str | None
    language: str
    created_at: datetime
    confirmed_at: datetime | None
    last_used_at: datetime

    def address(self, keys: KeyRing) -> str:
        """The e-mail address; empty where there is none."""
        return keys.unseal(_ADDRESS, self.address_sealed).decode() if self.address_sealed else ""


_ACCOUNTS = select(account)


def _found(conn: Connection, query: Select[Any]) -> Account | None:
    row = conn.execute(query).mappings().first()
    return None if row is None else pick(Account, row)


def find(conn: Connection, keys: KeyRing, address: str) -> Account | None:
    """The account of an address (`hotspot.accounts.parse_address`)."""
    hashes = keys.keyed_hashes(_ADDRESS, address.encode())
    return _found(conn, _ACCOUNTS.where(account.c.address_hash.in_(hashes)))


def by_id(conn: Connection, account_id: int) -> Account | None:
    return _found(conn, _ACCOUNTS.where(account.c.id == account_id))


# By e-mail address ------------------------------------------------------------------------------------


def register(
    conn: Connection, keys: KeyRing, address: str, *, password_hash: str, language: str, now: datetime
) -> int | None:
    """A new account that waits for its confirmation; None where the address has one by now. Needs `write()`."""
    statement = insert_for(conn, account).values(
        address_hash=keys.keyed_hash(_ADDRESS, address.encode()),
        address_sealed=keys.seal(_ADDRESS, address.encode()),
        password_hash=password_hash,
        language=language,
        created_at=now,
        last_used_at=now,
    )
    return conn.execute(
        statement.on_conflict_do_nothing(index_elements=["address_hash"]).returning(account.c.id)
    ).scalar()


def register_anew(conn: Connection, account_id: int, *, password_hash: str, language: str, now: datetime) -> None:
    """Another registration of an address that was never confirmed: the newest password counts."""
    changed = {"password_hash": password_hash, "language": language, "created_at": now, "last_used_at": now}
    conn.execute(update(account).where(account.c.id == account_id, account.c.confirmed_at.is_(None)).values(changed))


def confirm(conn: Connection, account_id: int, *, now: datetime) -> None:
    conn.execute(update(account).where(account.c.id == account_id).values(confirmed_at=now))


def set_password(conn: Connection, account_id: int, password_hash: str) -> None:
    """A new password; devices that came back by themselves must log in again. Sessions that run go on."""
    conn.execute(update(account).where(account.c.id == account_id).values(password_hash=password_hash))
    forgotten = {"remembered": False, "remember_until": None}
    conn.execute(update(grant).where(grant.c.account_id == account_id).values(forgotten))


# By a provider ----------------------------------------------------------------------------------------


def of_subject(conn: Connection, keys: KeyRing, issuer: str, subject: str, *, language: str, now: datetime) -> int:
    """The account of whom a provider calls `subject`, made where it is new. Needs `write()`."""
    named = f"{issuer}\0{subject}".encode()
    known = conn.execute(
        select(account.c.id).where(account.c.subject_hash.in_(keys.keyed_hashes(_SUBJECT, named)))
    ).scalar()
    if known is not None:
        return int(known)
    statement = insert_for(conn, account).values(
        subject_hash=keys.keyed_hash(_SUBJECT, named),
        language=language,
        created_at=now,
        confirmed_at=now,
        last_used_at=now,
    )
    statement = statement.on_conflict_do_update(index_elements=["subject_hash"], set_={"last_used_at": now})
    return int(conn.execute(statement.returning(account.c.id)).scalar_one())


# Both -------------------------------------------------------------------------------------------------


def note_use(conn: Connection, account_id: int, *, language: str, now: datetime) -> None:
    """A log-in: it puts off the day on which an unused account is deleted."""
    conn.execute(update(account).where(account.c.id == account_id).values(last_used_at=now, language=language))


def delete(conn: Connection, account_id: int, *, now: datetime) -> bool:
    """Delete an account; its grants end and belong to nobody. False where there is none. Needs `write()`."""
    return _delete(conn, [account_id], now) == 1


def purge(conn: Connection, *, unconfirmed_since: datetime, unused_since: datetime, now: datetime) -> int:
    """Delete accounts that were not confirmed, or not used, since then. Needs `write()`."""
    idle: ColumnElement[bool] = or_(
        account.c.confirmed_at.is_(None) & (account.c.created_at < unconfirmed_since),
        account.c.last_used_at < unused_since,
    )
    ids = list(conn.execute(select(account.c.id).where(idle).order_by(account.c.id).limit(ACCOUNTS_A_PURGE)).scalars())
    return _delete(conn, ids, now)


def _delete(conn: Connection, ids: list[int], now: datetime) -> int:
    unlinked = {
        "account_id": None,
        "remembered": False,
        "remember_until": None,
        "ended_at": func.coalesce(grant.c.ended_at, literal(now, Instant())),
    }
    conn.execute(update(grant).where(grant.c.account_id.in_(ids)).values(unlinked))
    return conn.execute(account.delete().where(account.c.id.in_(ids))).rowcount
