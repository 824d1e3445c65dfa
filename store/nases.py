"""NASes (RADIUS clients) with their secrets: added, changed and removed by people, each change with its audit row.

RADIUS reads the list every second, so a change takes effect by itself. A removed NAS keeps its row, because its
sessions stay; its name and NAS-Identifier may be used again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from hotspot.nas import FIELDS, SECRETS, NasEntry, NasError, taken, twins
from hotspot.products import PRODUCTS
from hotspot.session import close_estimated
from store import accounting, audit
from store.keys import KeyRing
from store.rows import pick
from store.schema import nas, nas_contact, session, site

_NAS = "nas-secret"
_UAM = "uam-secret"

ADMIN_RESET = "Admin-Reset"
"""Acct-Terminate-Cause of sessions whose NAS was removed (RFC 2866 section 5.10)."""


@dataclass(frozen=True, slots=True)
class Nas:
    """A RADIUS client with its secrets in the clear: never log or show one. `opening_hours` are its site's.

    `site_ways`: the ways in that its site offers (`hotspot.ways`).
    """

    id: int
    name: str
    site_name: str
    nas_identifier: str
    address: str
    product: str
    login_url: str
    coa_port: int
    require_message_authenticator: str
    message_authenticator_at: datetime | None
    limit_proxy_state: bool
    octets_swapped: bool
    secret: bytes
    uam_secret: bytes
    opening_hours: str = ""
    handoff: str = "none"
    walled_garden: str = ""
    site_id: int = 0
    site_ways: str = ""

    def __repr__(self) -> str:
        return f"Nas({self.id}, {self.name!r})"


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes a NAS: a member of the staff, or whoever sits at the command line."""

    staff_id: int | None = None

    def note(self, conn: Connection, action: str, subject: str, *, now: datetime, **detail: Any) -> None:
        """An audit row; without a member it says that it was the command line."""
        by = {} if self.staff_id is not None else {"by": "command line"}
        audit.add(conn, now=now, action=action, subject=subject, staff_id=self.staff_id, **by, **detail)


COMMAND_LINE = Author()


# Reading ------------------------------------------------------------------------------------------------


_NASES = select(nas, site.c.name.label("site_name"), site.c.opening_hours, site.c.ways.label("site_ways")).join(
    site, site.c.id == nas.c.site_id
)
_LIVE = _NASES.where(nas.c.removed_at.is_(None))


def nases(conn: Connection, keys: KeyRing) -> list[Nas]:
    """All RADIUS clients with their secrets, by name."""
    return [_nas_of(keys, row) for row in conn.execute(_LIVE.order_by(nas.c.name)).mappings()]


def some_nases(conn: Connection, keys: KeyRing, *, limit: int, offset: int) -> list[Nas]:
    """A page of `nases`."""
    query = _LIVE.order_by(nas.c.name).limit(limit).offset(offset)
    return [_nas_of(keys, row) for row in conn.execute(query).mappings()]


def identifiers(conn: Connection) -> dict[int, str]:
    """The NAS-Identifier of every NAS, by its id."""
    query = select(nas.c.id, nas.c.nas_identifier).where(nas.c.removed_at.is_(None))
    return {row.id: row.nas_identifier for row in conn.execute(query)}


def sealed_nases(conn: Connection, *, hidden: str) -> Sequence[Row[Any]]:
    """All RADIUS clients as they are stored, and the removed one called `hidden`.

    Equal rows are equal NASes, so whoever reads often compares them and unseals only what has changed: opening two
    secrets takes five times as long as reading a row (19 and 4 µs).
    """
    heard = or_(nas.c.removed_at.is_(None), nas.c.nas_identifier == hidden)
    return conn.execute(_NASES.where(heard).order_by(nas.c.name)).all()


def unsealed(keys: KeyRing, row: Row[Any]) -> Nas:
    """A row of `sealed_nases` with its secrets in the clear; ConfigError where they were sealed with another key."""
    return _nas_of(keys, row._mapping)


def by_name(conn: Connection, keys: KeyRing, name: str) -> Nas | None:
    """The NAS of that name; None where there is none, or none any more."""
    return _one(keys, conn.execute(_LIVE.where(nas.c.name == name)).mappings().first())


def by_id(conn: Connection, keys: KeyRing, nas_id: int) -> Nas | None:
    """The NAS of that id; None where there is none, or none any more."""
    return _one(keys, conn.execute(_LIVE.where(nas.c.id == nas_id)).mappings().first())


def by_identifier(conn: Connection, keys: KeyRing, nas_identifier: str) -> Nas | None:
    """The NAS of that NAS-Identifier; None where there is none, or none any more."""
    return _one(keys, conn.execute(_LIVE.where(nas.c.nas_identifier == nas_identifier)).mappings().first())


def hidden_nas(conn: Connection, keys: KeyRing, nas_identifier: str) -> Nas | None:
    """A NAS that counts as removed, so that no list shows it: the one of `store.self_test`."""
    query = _NASES.where(nas.c.nas_identifier == nas_identifier, nas.c.removed_at.is_not(None))
    return _one(keys, conn.execute(query.limit(1)).mappings().first())


def _one(keys: KeyRing, row: Any) -> Nas | None:
    return None if row is None else _nas_of(keys, row)


def _nas_of(keys: KeyRing, row: Any) -> Nas:
    return pick(
        Nas,
        row,
        secret=keys.unseal(_NAS, bytes(row["secret_sealed"])),
        uam_secret=keys.unseal(_UAM, bytes(row["uam_secret_sealed"])),
        # The one that counts as removed has none: `kogge radius test` says whether RADIUS works, at night too.
        opening_hours=row["opening_hours"] if row["removed_at"] is None else "",
    )


def entries(conn: Connection, keys: KeyRing) -> dict[int, NasEntry]:
    """Every NAS by its id as a person described it, secrets included; by name."""
    query = _LIVE.add_columns(site.c.key.label("site")).order_by(nas.c.name)
    return {row["id"]: _entry_of(keys, row) for row in conn.execute(query).mappings()}


def _entry_of(keys: KeyRing, row: Any) -> NasEntry:
    found = _nas_of(keys, row)
    return pick(NasEntry, row, secret=found.secret.decode(), uam_secret=found.uam_secret.decode())


def sites(conn: Connection) -> dict[str, str]:
    """Names of the places where a NAS may stand, by their keys."""
    return {row.key: row.name for row in conn.execute(select(site.c.key, site.c.name).order_by(site.c.name))}


def last_accounting(conn: Connection) -> dict[int, datetime]:
    """When accounting came in last, by NAS; one that never sent any is absent."""
    return {row.nas_id: row.last_at for row in conn.execute(select(nas_contact.c.nas_id, nas_contact.c.last_at))}


def open_sessions(conn: Connection, nas_id: int) -> int:
    """How many sessions are open there."""
    query = select(func.count()).where(session.c.nas_id == nas_id, session.c.ended_at.is_(None))
    return int(conn.execute(query.select_from(session)).scalar_one())


# Changing -----------------------------------------------------------------------------------------------


def add_nas(conn: Connection, keys: KeyRing, *, secret: bytes, uam_secret: bytes, **columns: Any) -> int:
    """The row alone, as the seed brings it; `columns` are those of `nas` but the sealed ones.

    Without a `handoff` it is its product's usual one.
    """
    sealed = seal_nas_secrets(keys, secret, uam_secret)
    columns = {"handoff": PRODUCTS[columns["product"]].handoffs[0]} | columns
    return int(conn.execute(insert(nas).values(**columns, **sealed).returning(nas.c.id)).scalar_one())


def add(conn: Connection, keys: KeyRing, entry: NasEntry, *, author: Author, now: datetime) -> int:
    """Register a NAS whose secrets are given; returns its id. NasError where another has its name or identifier."""
    _refuse_twins(conn, entry)
    with _twins_named(entry):
        nas_id = add_nas(conn, keys, created_at=now, **_sealable(entry), **_columns(conn, entry))
    shown = {name: getattr(entry, name) for name in FIELDS if name not in SECRETS}
    author.note(conn, "nas.add", f"nas:{nas_id}", now=now, **shown)
    return nas_id


def change(
    conn: Connection, keys: KeyRing, nas_id: int, entry: NasEntry, *, author: Author, now: datetime
) -> list[str] | None:
    """Change what differs, an empty secret stays; returns the fields that changed. None where there is no such NAS.

    NasError where another has its name or identifier. Whoever sets anew whether Message-Authenticator is needed
    starts anew: what `auto` had learnt is forgotten.
    """
    before = entries(conn, keys).get(nas_id)
    if before is None:
        return None
    changed = [name for name in FIELDS if _wanted(entry, name) and getattr(entry, name) != getattr(before, name)]
    if not changed:
        return []
    _refuse_twins(conn, entry, besides=nas_id)
    values = _columns(conn, entry)
    if "require_message_authenticator" in changed:
        values["message_authenticator_at"] = None
    secret, uam_secret = (getattr(entry, name) or getattr(before, name) for name in SECRETS)
    sealed = seal_nas_secrets(keys, secret.encode(), uam_secret.encode())
    with _twins_named(entry):
        conn.execute(update(nas).where(nas.c.id == nas_id).values(**values, **sealed))
    detail = {name: "changed" if name in SECRETS else getattr(entry, name) for name in changed}
    author.note(conn, "nas.change", f"nas:{nas_id}", now=now, **detail)
    return changed


def remove(conn: Connection, nas_id: int, *, author: Author, now: datetime) -> bool:
    """Take a NAS out of service: from then on it is a stranger. False where there is no such NAS.

    Its open sessions close as estimated: nothing will be heard of them any more, and open they would count against
    the devices for a day.
    """
    live = update(nas).where(nas.c.id == nas_id, nas.c.removed_at.is_(None))
    name = conn.execute(live.values(removed_at=now).returning(nas.c.name)).scalar()
    if name is None:
        return False
    still_open = accounting.open_of_nas(conn, nas_id)
    closed = [(each, replace(each, totals=close_estimated(each.totals, cause=ADMIN_RESET))) for each in still_open]
    accounting.save_many(conn, closed)
    author.note(conn, "nas.remove", f"nas:{nas_id}", now=now, name=name, sessions_closed=len(closed))
    return True


def note_secrets_shown(conn: Connection, nas_id: int, *, author: Author, now: datetime) -> None:
    """Somebody looked at the secrets."""
    author.note(conn, "nas.secrets", f"nas:{nas_id}", now=now)


def seal_nas_secrets(keys: KeyRing, secret: bytes, uam_secret: bytes) -> dict[str, bytes]:
    """The sealed columns of a NAS."""
    return {"secret_sealed": keys.seal(_NAS, secret), "uam_secret_sealed": keys.seal(_UAM, uam_secret)}


def _sealable(entry: NasEntry) -> dict[str, bytes]:
    assert entry.secret and entry.uam_secret, "secrets are made before a NAS is added"
    return {name: getattr(entry, name).encode() for name in SECRETS}


def _wanted(entry: NasEntry, name: str) -> bool:
    return name not in SECRETS or bool(getattr(entry, name))


def _columns(conn: Connection, entry: NasEntry) -> dict[str, Any]:
    """The entry's columns but the sealed ones, its site by id."""
    values = {name: getattr(entry, name) for name in FIELDS if name not in (*SECRETS, "site")}
    return values | {"site_id": conn.execute(select(site.c.id).where(site.c.key == entry.site)).scalar_one()}


def _refuse_twins(conn: Connection, entry: NasEntry, *, besides: int | None = None) -> None:
    alike = or_(nas.c.name == entry.name, nas.c.nas_identifier == entry.nas_identifier)
    query = select(nas.c.name, nas.c.nas_identifier).where(
        alike, nas.c.removed_at.is_(None), nas.c.id != (besides or 0)
    )
    found = conn.execute(query).all()
    faults = twins(entry, {row.name for row in found}, {row.nas_identifier for row in found})
    if faults:
        raise NasError(*faults)


@contextmanager
def _twins_named(entry: NasEntry) -> Iterator[None]:
    """Two admins at once: both found the name free, and the database's unique index lets one of them have it."""
    try:
        yield
    except IntegrityError as error:
        said = str(error.orig)
        name = "nas_identifier" if "nas.nas_identifier" in said or "uq_nas_nas_identifier" in said else "name"
        raise NasError(taken(name, getattr(entry, name))) from None
