"""Sites, and access points with their last known health (NASes: `store.nases`; people's changes: `store.points`)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, insert

from hotspot.fleet import PointKind
from store import bulk
from store.keys import KeyRing
from store.schema import access_point, site

_SNMP = "snmp-credential"


@dataclass(frozen=True, slots=True)
class SnmpCredential:
    """What opens an access point: a community (v2c), or a user with passwords (v3, SHA-256 and AES-128)."""

    version: str
    community: str = ""
    user: str = ""
    auth_password: str = ""
    priv_password: str = ""

    def __repr__(self) -> str:
        return f"SnmpCredential(version={self.version!r}, …)"


@dataclass(frozen=True, slots=True)
class AccessPoint:
    """An access point to poll."""

    id: int
    name: str
    site: str
    address: str
    port: int
    credential: SnmpCredential
    kind: PointKind = PointKind.ACCESS_POINT


# What is polled -------------------------------------------------------------------------------------------


PolledRow = tuple[Any, ...]
"""An access point as it is stored, its credential sealed: equal rows are equal access points."""

_POLLED = (
    "SELECT p.id, p.name, s.key, p.address, p.port, p.kind, p.snmp_version, p.snmp_sealed FROM access_point p "
    "JOIN site s ON s.id = p.site_id WHERE p.retired_at IS NULL AND p.kind <> 'member' ORDER BY p.name"
)


def access_points(conn: Connection, keys: KeyRing) -> list[AccessPoint]:
    """What is polled, with its credentials, by name: access points and controllers that are not retired."""
    return [polled(keys, row) for row in polled_rows(conn)]


def polled_rows(conn: Connection) -> list[PolledRow]:
    """The same as it is stored, for whoever looks often: opening a secret takes five times as long as reading a row."""
    return bulk.fetch(conn, _POLLED)


def polled(keys: KeyRing, row: PolledRow) -> AccessPoint:
    """A row of `polled_rows` with its credential; ConfigError where that was sealed with another key."""
    point_id, name, site_key, address, port, kind, version, sealed = row
    credential = unseal_credential(keys, version, bytes(sealed))
    return AccessPoint(point_id, name, site_key, address, port, credential, PointKind(kind))


def unseal_credential(keys: KeyRing, version: str, sealed: bytes) -> SnmpCredential:
    """As `seal_credential` sealed it; ConfigError where that was with another key."""
    return SnmpCredential(version=version, **json.loads(keys.unseal(_SNMP, sealed)))


def seal_credential(keys: KeyRing, credential: SnmpCredential) -> bytes:
    """As stored in `access_point.snmp_sealed`."""
    secret = {name: value for name, value in asdict(credential).items() if name != "version" and value}
    return keys.seal(_SNMP, json.dumps(secret).encode())


# New rows -------------------------------------------------------------------------------------------------


def add_site(conn: Connection, **columns: Any) -> int:
    return int(conn.execute(insert(site).values(**columns).returning(site.c.id)).scalar_one())


def add_access_point(conn: Connection, keys: KeyRing, *, credential: SnmpCredential, **columns: Any) -> int:
    """A new access point; `columns` are those of `access_point` but the credential's."""
    statement = insert(access_point).values(
        snmp_version=credential.version, snmp_sealed=seal_credential(keys, credential), **columns
    )
    return int(conn.execute(statement.returning(access_point.c.id)).scalar_one())


def set_credential(conn: Connection, keys: KeyRing, access_point_id: int, credential: SnmpCredential) -> None:
    """Another credential than its own opened it: from now on that is its own."""
    values = {"snmp_version": credential.version, "snmp_sealed": seal_credential(keys, credential)}
    conn.execute(access_point.update().where(access_point.c.id == access_point_id).values(**values))
