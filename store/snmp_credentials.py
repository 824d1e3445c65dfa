"""Credentials that are kept for a network: what a search tries there, in this order, and what new access points get."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from hotspot.ap_entry import PointEntry, PointError, fault
from hotspot.discovery import Network
from hotspot.errors import InputError
from store.fleet import SnmpCredential, seal_credential, unseal_credential
from store.keys import KeyRing
from store.nases import Author
from store.schema import snmp_credential

KEPT_MAX = 100
"""Credentials of a city."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A credential in the clear: never log or show one. `network`: where it is tried."""

    id: int
    name: str
    network: Network
    credential: SnmpCredential
    created_at: datetime


def candidates(conn: Connection, keys: KeyRing) -> list[Candidate]:
    """All of them, in the order in which they are tried: the oldest first."""
    return [
        Candidate(
            row.id,
            row.name,
            ip_network(row.network),
            unseal_credential(keys, row.version, bytes(row.sealed)),
            row.created_at,
        )
        for row in conn.execute(select(snmp_credential).order_by(snmp_credential.c.id))
    ]


def for_address(known: list[Candidate], address: str) -> list[Candidate]:
    """Those of `known` that are tried at this address."""
    return [each for each in known if ip_address(address) in each.network]


def of_entry(known: list[Candidate], entry: PointEntry) -> SnmpCredential:
    """The entry's own, else the first of `known` that is kept for its address; PointError where there is none."""
    if entry.credential:
        return SnmpCredential(**asdict(entry.credential))
    kept = for_address(known, entry.address)
    if not kept:
        raise PointError(fault("community", "no_candidate", text=entry.address))
    return kept[0].credential


def of_import(known: list[Candidate], entry: PointEntry, *, there: bool) -> SnmpCredential | None:
    """The same for a file's line; None where the access point is there and the line leaves its credential as it is."""
    return None if there and not entry.credential else of_entry(known, entry)


def add(
    conn: Connection,
    keys: KeyRing,
    name: str,
    network: Network,
    credential: SnmpCredential,
    *,
    author: Author,
    now: datetime,
) -> int:
    """Keep one. InputError where the name is taken or there are too many."""
    if conn.execute(select(func.count()).select_from(snmp_credential)).scalar_one() >= KEPT_MAX:
        raise InputError(f"a city keeps at most {KEPT_MAX} SNMP credentials; remove one that opens nothing any more")
    columns = {"version": credential.version, "sealed": seal_credential(keys, credential), "created_at": now}
    statement = insert(snmp_credential).values(name=name, network=str(network), **columns)
    try:
        with conn.begin_nested():
            row_id = int(conn.execute(statement.returning(snmp_credential.c.id)).scalar_one())
    except IntegrityError:
        raise InputError(f"another credential is called {name}") from None
    author.note(conn, "snmp_credential.add", f"snmp_credential:{row_id}", now=now, name=name, network=str(network))
    return row_id


def remove(conn: Connection, name: str, *, author: Author, now: datetime) -> bool:
    """Forget one; access points that have it keep it. False where there is none of that name."""
    row_id = conn.execute(
        delete(snmp_credential).where(snmp_credential.c.name == name).returning(snmp_credential.c.id)
    ).scalar()
    if row_id is None:
        return False
    author.note(conn, "snmp_credential.remove", f"snmp_credential:{row_id}", now=now, name=name)
    return True
