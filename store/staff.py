"""Staff, their invitations and their log-in sessions. Tokens are stored as hashes only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from hotspot.roles import Role
from store.schema import staff, staff_invite, staff_session


@dataclass(frozen=True, slots=True)
class Member:
    """A member of one city's staff."""

    id: int
    login: str
    name: str
    role: Role
    password_hash: str | None
    disabled_at: datetime | None

    def __repr__(self) -> str:
        return f"Member({self.login!r}, {self.role.value})"


_MEMBER = (
    staff.c.id,
    staff.c.login,
    staff.c.name,
    staff.c.role,
    staff.c.password_hash,
    staff.c.disabled_at,
)


def token_hash(token: str) -> bytes:
    """Tokens are 256 random bits, so a plain hash protects them."""
    return hashlib.sha256(token.encode()).digest()


def add(
    conn: Connection,
    *,
    login: str,
    name: str,
    role: Role,
    now: datetime,
    password_hash: str | None = None,
) -> int:
    """A new member; without a password they need an invitation."""
    statement = insert(staff).values(
        login=login, name=name, role=role.value, password_hash=password_hash, created_at=now
    )
    return int(conn.execute(statement.returning(staff.c.id)).scalar_one())


def by_login(conn: Connection, login: str) -> Member | None:
    row = conn.execute(select(*_MEMBER).where(staff.c.login == login)).mappings().first()
    return None if row is None else Member(**{**row, "role": Role(row["role"])})


def set_password(conn: Connection, staff_id: int, password_hash: str) -> None:
    """A new password ends every session of the member."""
    conn.execute(update(staff).where(staff.c.id == staff_id).values(password_hash=password_hash))
    conn.execute(staff_session.delete().where(staff_session.c.staff_id == staff_id))


def add_invite(conn: Connection, *, staff_id: int, token: str, expires_at: datetime) -> None:
    conn.execute(insert(staff_invite).values(token_hash=token_hash(token), staff_id=staff_id, expires_at=expires_at))


def invited(conn: Connection, token: str, *, now: datetime) -> Member | None:
    """Whose unused, unexpired invitation this token is."""
    query = (
        select(*_MEMBER)
        .join(staff_invite, staff_invite.c.staff_id == staff.c.id)
        .where(
            staff_invite.c.token_hash == token_hash(token),
            staff_invite.c.used_at.is_(None),
            staff_invite.c.expires_at > now,
            staff.c.disabled_at.is_(None),
        )
    )
    row = conn.execute(query).mappings().first()
    return None if row is None else Member(**{**row, "role": Role(row["role"])})


def use_invite(conn: Connection, token: str, *, now: datetime) -> bool:
    """Mark it used; False where another request was quicker."""
    used = conn.execute(
        update(staff_invite)
        .where(staff_invite.c.token_hash == token_hash(token), staff_invite.c.used_at.is_(None))
        .values(used_at=now)
    )
    return used.rowcount == 1


def open_session(conn: Connection, *, staff_id: int, token: str, now: datetime, expires_at: datetime) -> None:
    conn.execute(
        insert(staff_session).values(
            token_hash=token_hash(token), staff_id=staff_id, created_at=now, expires_at=expires_at
        )
    )


def of_session(conn: Connection, token: str, *, now: datetime) -> Member | None:
    """Who is logged in with this token: None where it is unknown, expired or the member disabled."""
    query = (
        select(*_MEMBER)
        .join(staff_session, staff_session.c.staff_id == staff.c.id)
        .where(
            staff_session.c.token_hash == token_hash(token),
            staff_session.c.expires_at > now,
            staff.c.disabled_at.is_(None),
        )
    )
    row = conn.execute(query).mappings().first()
    return None if row is None else Member(**{**row, "role": Role(row["role"])})


def close_session(conn: Connection, token: str) -> None:
    conn.execute(staff_session.delete().where(staff_session.c.token_hash == token_hash(token)))


def purge_sessions(conn: Connection, *, now: datetime) -> int:
    """Delete expired log-in sessions."""
    return conn.execute(staff_session.delete().where(staff_session.c.expires_at <= now)).rowcount
