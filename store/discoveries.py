"""Searches for access points that somebody asked for: requests, how far they are, finds, and what becomes of these.

The staff page asks and shows; the monitor process searches (`monitor.searches`); `kogge ap discover` searches by itself
and shares the last part: which find is known already, and making an access point of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from hotspot.ap_entry import PointEntry
from hotspot.discovery import Failure, Found, Known, Network, Register, Trait
from hotspot.errors import InputError
from hotspot.fleet import PointKind
from hotspot.values import MacAddress
from store import points
from store.fleet import SnmpCredential, seal_credential, unseal_credential
from store.keys import KeyRing
from store.nases import Author
from store.rows import pick
from store.schema import access_point, access_point_bssid, access_point_health, discovery, discovery_find

KEPT = 20
"""Searches of a city that are kept; a further request forgets the oldest with its finds."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """A search. `total` questions at most, `asked` so far; `answered` addresses.

    `failure`: None, or why it ended early. It waits while `began_at` is None, and runs while `ended_at` is.
    """

    id: int
    network: str
    port: int
    asked_by: int | None
    asked_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    total: int
    asked: int
    answered: int
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class Find:
    """What a search found. `access_point_id`: it was made of it or moved there; `known`: it is one already."""

    id: int
    found: Found
    access_point_id: int | None
    known: Known | None


# Requests -----------------------------------------------------------------------------------------------


def request(conn: Connection, network: Network, *, port: int, author: Author, now: datetime) -> int:
    """Ask for a search; the monitor begins within seconds. InputError while another one waits or runs."""
    if conn.execute(select(discovery.c.id).where(discovery.c.ended_at.is_(None))).first() is not None:
        raise InputError("a search is under way in this city; wait for its end, or end it")
    _forget_old(conn)
    row = insert(discovery).values(network=str(network), port=port, asked_by=author.staff_id, asked_at=now)
    discovery_id = int(conn.execute(row.returning(discovery.c.id)).scalar_one())
    author.note(conn, "ap.discover", f"discovery:{discovery_id}", now=now, network=str(network), port=port)
    return discovery_id


def _forget_old(conn: Connection) -> None:
    newest = select(discovery.c.id).order_by(discovery.c.id.desc()).limit(KEPT - 1)
    kept = list(conn.execute(newest).scalars())
    conn.execute(delete(discovery_find).where(discovery_find.c.discovery_id.not_in(kept)))
    conn.execute(delete(discovery).where(discovery.c.id.not_in(kept)))


def latest(conn: Connection) -> Discovery | None:
    """The newest search."""
    row = conn.execute(select(discovery).order_by(discovery.c.id.desc()).limit(1)).first()
    return None if row is None else _discovery_of(row)


def unfinished(conn: Connection) -> Discovery | None:
    """The oldest that has no end: one that waits, runs, or was left by a process that died."""
    query = select(discovery).where(discovery.c.ended_at.is_(None)).order_by(discovery.c.id).limit(1)
    row = conn.execute(query).first()
    return None if row is None else _discovery_of(row)


def _discovery_of(row: Row[Any]) -> Discovery:
    return pick(Discovery, row._mapping, failure=Failure(row.failure) if row.failure else None)


def begin(conn: Connection, discovery_id: int, *, total: int, now: datetime) -> None:
    """From the start, whoever may have begun it before."""
    _change(conn, discovery_id, began_at=now, total=total, asked=0, answered=0)


def note_progress(conn: Connection, discovery_id: int, *, asked: int, answered: int) -> bool:
    """How far it is. False where somebody has ended it."""
    return _change(conn, discovery_id, asked=asked, answered=answered)


def end(conn: Connection, discovery_id: int, *, now: datetime, failure: Failure | None = None) -> bool:
    """The search is over; False where it was already."""
    return _change(conn, discovery_id, ended_at=now, failure=failure.value if failure else "")


def _change(conn: Connection, discovery_id: int, **values: Any) -> bool:
    still_open = (discovery.c.id == discovery_id, discovery.c.ended_at.is_(None))
    return conn.execute(update(discovery).where(*still_open).values(**values)).rowcount > 0


# Finds --------------------------------------------------------------------------------------------------


def add_finds(
    conn: Connection, keys: KeyRing, discovery_id: int, found: Sequence[tuple[Found, SnmpCredential]]
) -> None:
    """What a search found, with the credential that each device answers to."""
    rows = [
        asdict(each)
        | {"discovery_id": discovery_id, "bssids": " ".join(map(str, each.bssids))}
        | {"snmp_version": credential.version, "snmp_sealed": seal_credential(keys, credential)}
        for each, credential in found
    ]
    if rows:
        conn.execute(insert(discovery_find), rows)


def finds(conn: Connection, discovery_id: int) -> list[Find]:
    """All of a search, in the order in which they were found, each compared with what is known now."""
    known = register(conn)
    query = select(discovery_find).where(discovery_find.c.discovery_id == discovery_id).order_by(discovery_find.c.id)
    return [_find_of(row, known) for row in conn.execute(query)]


def find(conn: Connection, find_id: int) -> Find | None:
    row = conn.execute(select(discovery_find).where(discovery_find.c.id == find_id)).first()
    return None if row is None else _find_of(row, register(conn))


def _find_of(row: Row[Any], known: Register) -> Find:
    found = Found(
        address=row.address,
        port=row.port,
        kind=PointKind(row.kind),
        profile=row.profile,
        system_name=row.system_name,
        model=row.model,
        firmware=row.firmware,
        serial=row.serial,
        bssids=tuple(map(MacAddress.parse, row.bssids.split())),
    )
    return Find(row.id, found, row.access_point_id, known.look_up(found))


def register(conn: Connection) -> Register:
    """The access points of today, to look finds up in."""
    bssids: dict[int, set[MacAddress]] = {}
    for row in conn.execute(select(access_point_bssid.c.access_point_id, access_point_bssid.c.bssid)):
        bssids.setdefault(row.access_point_id, set()).add(MacAddress.parse(row.bssid))
    columns = (access_point.c.id, access_point.c.name, access_point.c.address, access_point.c.port)
    query = select(*columns, access_point_health.c.serial, access_point_health.c.up).outerjoin(access_point_health)
    return Register(
        Trait(*row[:4], row.serial or "", frozenset(bssids.get(row.id, ())), bool(row.up))
        for row in conn.execute(query.where(access_point.c.retired_at.is_(None)))
    )


# What becomes of them -----------------------------------------------------------------------------------


def take(conn: Connection, keys: KeyRing, find_id: int, *, site: str, name: str, author: Author, now: datetime) -> int:
    """Make an access point of a find, at the site of that key; it is polled within seconds. Returns its id.

    InputError where it cannot be.
    """
    row = _free(conn, find_id)
    entry = PointEntry(name, site, row.address, row.port, PointKind(row.kind))
    point_id = points.add(conn, keys, entry, _credential(keys, row), author=author, now=now)
    _note_taken(conn, find_id, point_id)
    return point_id


def follow(conn: Connection, keys: KeyRing, find_id: int, *, author: Author, now: datetime) -> Known:
    """A find that is a known access point which moved: poll it at its new address. InputError where it is none."""
    row = _free(conn, find_id)
    find = _find_of(row, register(conn))
    if find.known is None or not find.known.moved:
        raise InputError(f"{row.address} is no access point that has moved")
    points.follow(conn, keys, find.known, find.found, _credential(keys, row), author=author, now=now)
    _note_taken(conn, find_id, find.known.id)
    return find.known


def _free(conn: Connection, find_id: int) -> Row[Any]:
    row = conn.execute(select(discovery_find).where(discovery_find.c.id == find_id)).first()
    if row is None:
        raise InputError("this find is no longer kept; search again")
    if row.access_point_id is not None:
        raise InputError(f"{row.address} is an access point already")
    return row


def _credential(keys: KeyRing, row: Row[Any]) -> SnmpCredential:
    return unseal_credential(keys, row.snmp_version, bytes(row.snmp_sealed))


def _note_taken(conn: Connection, find_id: int, point_id: int) -> None:
    taken = update(discovery_find).where(discovery_find.c.id == find_id)
    conn.execute(taken.values(access_point_id=point_id))
