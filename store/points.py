"""Access points as people add, change, move and retire them, each change with its audit row.

The poller reads the list every few seconds, so a change takes effect by itself. A retired one keeps its row, because
its events and history stay; its name may be used again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from hotspot.ap_entry import CredentialWords, PointEntry, PointError, fault
from hotspot.ap_events import Kind
from hotspot.ap_file import Here, Placed
from hotspot.discovery import Found, Known, Network
from hotspot.errors import InputError
from hotspot.faults import Fault
from hotspot.fleet import PointKind
from store.fleet import SnmpCredential, seal_credential, unseal_credential
from store.keys import KeyRing
from store.nases import Author
from store.rows import pick
from store.schema import access_point, access_point_event, site


@dataclass(frozen=True, slots=True)
class Point:
    """An access point, a controller or one behind it, in service. `address` is empty behind a controller."""

    id: int
    name: str
    kind: PointKind
    site_key: str
    address: str
    port: int


_IN_SERVICE = (
    select(access_point, site.c.key.label("site_key"))
    .join(site, site.c.id == access_point.c.site_id)
    .where(access_point.c.retired_at.is_(None))
)


def by_name(conn: Connection, name: str) -> Point | None:
    """The one in service of that name."""
    row = conn.execute(_IN_SERVICE.where(access_point.c.name == name)).mappings().first()
    return None if row is None else pick(Point, row, kind=PointKind(row["kind"]))


def id_of(conn: Connection, name: str) -> int | None:
    """Of the one in service of that name, else of the one that was retired last."""
    query = select(access_point.c.id).where(access_point.c.name == name)
    order = (access_point.c.retired_at.is_not(None), access_point.c.retired_at.desc())
    return conn.execute(query.order_by(*order).limit(1)).scalar()


def names(conn: Connection) -> dict[int, str]:
    """Of all that there ever were, by id."""
    return {row.id: row.name for row in conn.execute(select(access_point.c.id, access_point.c.name))}


def credential_of(conn: Connection, keys: KeyRing, point_id: int) -> SnmpCredential:
    """What an access point with an address answers to."""
    query = select(access_point.c.snmp_version, access_point.c.snmp_sealed).where(access_point.c.id == point_id)
    row = conn.execute(query).one()
    return unseal_credential(keys, row.snmp_version, bytes(row.snmp_sealed))


def entries(conn: Connection, keys: KeyRing) -> list[PointEntry]:
    """Every one that has an address as a person described it, its credential included; by name."""
    query = _IN_SERVICE.where(access_point.c.kind != PointKind.MEMBER).order_by(access_point.c.name)
    return [
        PointEntry(
            name=row.name,
            site=row.site_key,
            address=row.address,
            port=row.port,
            kind=PointKind(row.kind),
            credential=CredentialWords(**asdict(unseal_credential(keys, row.snmp_version, bytes(row.snmp_sealed)))),
        )
        for row in conn.execute(query)
    ]


def here(conn: Connection, networks: list[Network]) -> Here:
    """What a file of access points is compared with; `networks` are those of the kept credentials."""
    rows = conn.execute(_IN_SERVICE).all()
    behind = {row.controller_id for row in rows} - {None}
    return Here(
        sites=set(conn.execute(select(site.c.key)).scalars()),
        points={
            row.name: Placed(row.address, row.port, PointKind(row.kind)) for row in rows if row.kind != PointKind.MEMBER
        },
        members={row.name for row in rows if row.kind == PointKind.MEMBER},
        controllers={row.name for row in rows if row.id in behind},
        networks=networks,
    )


# Many at once -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Changes:
    """What an import comes to, as rows; those that change have their `its_id`."""

    added: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    unchanged: int


def plan(
    conn: Connection,
    keys: KeyRing,
    wanted: Iterable[tuple[PointEntry, SnmpCredential | None]],
    *,
    now: datetime,
    tick: Callable[[], None] = lambda: None,
) -> Changes:
    """Compare with what is there, by name; without a credential that one stays. Not in a `write()`: sealing is slow."""
    known = {row.name: row for row in conn.execute(_IN_SERVICE)}
    site_ids = {row.key: row.id for row in conn.execute(select(site.c.key, site.c.id))}
    added: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    unchanged = 0
    for entry, credential in wanted:
        tick()
        columns, before = _columns(entry, site_ids[entry.site]), known.get(entry.name)
        if before is None:
            assert credential is not None, "a new access point needs one"
            added.append(columns | _sealed(keys, credential) | {"created_at": now})
            continue
        sealed = {"snmp_version": before.snmp_version, "snmp_sealed": before.snmp_sealed}
        if credential not in (None, unseal_credential(keys, before.snmp_version, before.snmp_sealed)):
            sealed = _sealed(keys, credential)
        values = columns | sealed
        if any(getattr(before, name) != value for name, value in values.items()):
            changed.append(values | {"its_id": before.id})
        else:
            unchanged += 1
    return Changes(added, changed, unchanged)


def apply(conn: Connection, changes: Changes, *, author: Author, now: datetime) -> None:
    """All of it. InputError where somebody took one of the names since `plan`."""
    with _named_once(conn, "one in the file"):
        if changes.added:
            conn.execute(insert(access_point), changes.added)
    if changes.changed:
        columns: dict[str, Any] = {name: bindparam(name) for name in changes.changed[0] if name != "its_id"}
        conn.execute(
            update(access_point).where(access_point.c.id == bindparam("its_id")).values(columns), changes.changed
        )
    counts = {"added": len(changes.added), "changed": len(changes.changed)}
    author.note(conn, "ap.import", "access points", now=now, **counts)


# Changing -----------------------------------------------------------------------------------------------


def twins(conn: Connection, entry: PointEntry, *, besides: int | None = None) -> list[Fault]:
    """Where another one in service has this one's name or its address."""
    others = select(access_point.c.name).where(access_point.c.retired_at.is_(None), access_point.c.id != (besides or 0))
    found = []
    if conn.execute(others.where(access_point.c.name == entry.name)).first() is not None:
        found.append(fault("name", "taken", text=entry.name))
    there = (access_point.c.address == entry.address, access_point.c.port == entry.port)
    other = conn.execute(others.where(*there)).scalar()
    if other is not None:
        found.append(fault("address", "place_taken", text=f"{entry.address} port {entry.port}", other=other))
    return found


def _refuse_twins(conn: Connection, entry: PointEntry, *, besides: int | None = None) -> None:
    found = twins(conn, entry, besides=besides)
    if found:
        raise PointError(*found)


def add(
    conn: Connection, keys: KeyRing, entry: PointEntry, credential: SnmpCredential, *, author: Author, now: datetime
) -> int:
    """A new one that answers to `credential`. PointError where its name or its address is another's."""
    _refuse_twins(conn, entry)
    statement = insert(access_point).values(
        created_at=now, **_columns(entry, _site_id(conn, entry.site)), **_sealed(keys, credential)
    )
    with _named_once(conn, entry.name):
        point_id = int(conn.execute(statement.returning(access_point.c.id)).scalar_one())
    author.note(conn, "ap.add", f"access_point:{point_id}", now=now, **_shown(entry))
    return point_id


def change(
    conn: Connection, keys: KeyRing, point: Point, entry: PointEntry, *, author: Author, now: datetime
) -> list[str]:
    """Change what differs; without a credential that one stays. Returns what changed.

    PointError where another has its name or its address.
    """
    _refuse_twins(conn, entry, besides=point.id)
    before, after = _shown(point), _shown(entry)
    detail: dict[str, Any] = {
        name: {"before": before[name], "after": after[name]} for name in after if before[name] != after[name]
    }
    values = _columns(entry, _site_id(conn, entry.site))
    if entry.credential:
        values |= _sealed(keys, SnmpCredential(**asdict(entry.credential)))
        detail["credential"] = "changed"
    if detail:
        conn.execute(update(access_point).where(access_point.c.id == point.id).values(**values))
        author.note(conn, "ap.change", f"access_point:{point.id}", now=now, **detail)
    return list(detail)


def move(conn: Connection, point: Point, site_key: str, *, author: Author, now: datetime) -> None:
    """To another place. InputError where there is no such place."""
    conn.execute(update(access_point).where(access_point.c.id == point.id).values(site_id=_site_id(conn, site_key)))
    author.note(conn, "ap.move", f"access_point:{point.id}", now=now, site=site_key, before=point.site_key)


def rename(conn: Connection, point: Point, name: str, *, author: Author, now: datetime) -> None:
    """InputError where another is called that. Its series in Prometheus begin anew under the new name."""
    with _named_once(conn, name):
        conn.execute(update(access_point).where(access_point.c.id == point.id).values(name=name))
    author.note(conn, "ap.rename", f"access_point:{point.id}", now=now, name=name, before=point.name)


def follow(
    conn: Connection,
    keys: KeyRing,
    known: Known,
    found: Found,
    credential: SnmpCredential,
    *,
    author: Author,
    now: datetime,
) -> None:
    """A known one that was found to answer at another address and port now, to `credential`."""
    moved = {"address": found.address, "port": found.port}
    conn.execute(update(access_point).where(access_point.c.id == known.id).values(moved | _sealed(keys, credential)))
    before = f"{known.address}:{known.port}"
    author.note(conn, "ap.address", f"access_point:{known.id}", now=now, name=known.name, **moved, before=before)


def retire(conn: Connection, point: Point, *, author: Author, now: datetime) -> int:
    """Poll it no more, nor those behind it. Returns how many were retired; history and events stay."""
    its = (access_point.c.id == point.id) | (access_point.c.controller_id == point.id)
    statement = update(access_point).where(its, access_point.c.retired_at.is_(None)).values(retired_at=now)
    ids = list(conn.execute(statement.returning(access_point.c.id)).scalars())
    rows = [{"access_point_id": each, "at": now, "kind": Kind.RETIRED.value} for each in ids]
    if rows:
        conn.execute(insert(access_point_event), rows)
    author.note(conn, "ap.retire", f"access_point:{point.id}", now=now, name=point.name, members=len(ids) - 1)
    return len(ids)


def note_secrets_shown(conn: Connection, *, subject: str, author: Author, now: datetime) -> None:
    """Somebody looked at SNMP credentials."""
    author.note(conn, "ap.secrets", subject, now=now)


def _shown(point: Point | PointEntry) -> dict[str, Any]:
    """What the audit log may show."""
    site_key = point.site if isinstance(point, PointEntry) else point.site_key
    at = {"address": point.address, "port": point.port}
    return {"name": point.name, "site": site_key, **at, "kind": point.kind.value}


def _columns(entry: PointEntry, site_id: int) -> dict[str, Any]:
    values = {"name": entry.name, "address": entry.address, "port": entry.port, "kind": entry.kind.value}
    return values | {"site_id": site_id}


def _sealed(keys: KeyRing, credential: SnmpCredential) -> dict[str, Any]:
    return {"snmp_version": credential.version, "snmp_sealed": seal_credential(keys, credential)}


def _site_id(conn: Connection, key: str) -> int:
    found = {row.key: row.id for row in conn.execute(select(site.c.key, site.c.id))}
    if key not in found:
        raise InputError(f"there is no site {key}; sites are: {', '.join(sorted(found))}")
    return int(found[key])


@contextmanager
def _named_once(conn: Connection, name: str) -> Iterator[None]:
    """The database's unique index decides; SQLite and PostgreSQL go on after it."""
    try:
        with conn.begin_nested():
            yield
    except IntegrityError:
        raise InputError(f"another access point is called {name}") from None
