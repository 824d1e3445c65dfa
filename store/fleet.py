"""Sites, access points with their last known health, and NASes (RADIUS clients) with their secrets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select

from hotspot.fleet import ApHealth
from store.keys import KeyRing
from store.rows import insert_for, pick
from store.schema import access_point, access_point_health, nas, site

_SNMP = "snmp-credential"
_NAS = "nas-secret"
_UAM = "uam-secret"


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


@dataclass(frozen=True, slots=True)
class AccessPointState:
    """An access point as the staff sees it; `reading` is the current one as plain data, None while down."""

    id: int
    name: str
    site_name: str
    address: str
    up: bool | None
    checked_at: datetime | None
    since: datetime | None
    last_success_at: datetime | None
    failure: str | None
    model: str
    firmware: str
    reading: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Nas:
    """A RADIUS client with its secrets in the clear: never log or show one. `opening_hours` are its site's."""

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

    def __repr__(self) -> str:
        return f"Nas({self.id}, {self.name!r})"


def access_points(conn: Connection, keys: KeyRing) -> list[AccessPoint]:
    """All access points with their credentials, by name."""
    query = select(access_point, site.c.key.label("site")).join(site).order_by(access_point.c.name)
    return [
        pick(AccessPoint, row, credential=_credential(keys, row["snmp_version"], bytes(row["snmp_sealed"])))
        for row in conn.execute(query).mappings()
    ]


def _credential(keys: KeyRing, version: str, sealed: bytes) -> SnmpCredential:
    return SnmpCredential(version=version, **json.loads(keys.unseal(_SNMP, sealed)))


def seal_credential(keys: KeyRing, credential: SnmpCredential) -> bytes:
    """As stored in `access_point.snmp_sealed`."""
    secret = {name: value for name, value in asdict(credential).items() if name != "version" and value}
    return keys.seal(_SNMP, json.dumps(secret).encode())


def save_health(conn: Connection, access_point_id: int, health: ApHealth) -> None:
    """Keep an access point's health for the staff pages. Model and firmware outlive an outage."""
    values: dict[str, Any] = {
        "up": health.up,
        "checked_at": health.checked_at,
        "since": health.since,
        "last_success_at": health.last_success_at,
        "failure": health.failure.value if health.failure else None,
        "reading": None,
    }
    if health.reading is not None:
        values |= {
            "model": health.reading.model,
            "firmware": health.reading.firmware,
            "reading": json.dumps(asdict(health.reading) | {"clients": health.reading.clients}, default=str),
        }
    statement = insert_for(conn, access_point_health).values(access_point_id=access_point_id, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["access_point_id"], set_=values))


def access_point_states(conn: Connection) -> list[AccessPointState]:
    """All access points with what the last poll found, by site and name."""
    query = (
        select(access_point, site.c.name.label("site_name"), *_health_columns())
        .join(site)
        .outerjoin(access_point_health)
        .order_by(site.c.name, access_point.c.name)
    )
    return [
        pick(
            AccessPointState,
            row,
            model=row["model"] or "",
            firmware=row["firmware"] or "",
            reading=json.loads(row["reading"]) if row["reading"] else None,
        )
        for row in conn.execute(query).mappings()
    ]


def _health_columns() -> list[Any]:
    return [column for column in access_point_health.c if column.name != "access_point_id"]


def nases(conn: Connection, keys: KeyRing) -> list[Nas]:
    """All RADIUS clients with their secrets, by name."""
    query = _NASES.where(nas.c.removed_at.is_(None)).order_by(nas.c.name)
    return [_nas_of(keys, row) for row in conn.execute(query).mappings()]


def sealed_nases(conn: Connection, *, hidden: str) -> Sequence[Row[Any]]:
    """All RADIUS clients as they are stored, and the removed one called `hidden`.

    Equal rows are equal NASes, so whoever reads often compares them and unseals only what has changed: opening two
    secrets takes five times as long as reading a row (19 and 4 µs).
    """
    heard = or_(nas.c.removed_at.is_(None), nas.c.nas_identifier == hidden)
    return conn.execute(_NASES.where(heard).order_by(nas.c.name)).all()


def unsealed(keys: KeyRing, rows: Sequence[Row[Any]]) -> list[Nas]:
    """Rows of `sealed_nases` with their secrets in the clear."""
    return [_nas_of(keys, row._mapping) for row in rows]


def hidden_nas(conn: Connection, keys: KeyRing, nas_identifier: str) -> Nas | None:
    """A NAS that counts as removed, so that no list shows it: the one of `store.self_test`."""
    query = _NASES.where(nas.c.nas_identifier == nas_identifier, nas.c.removed_at.is_not(None))
    row = conn.execute(query.limit(1)).mappings().first()
    return None if row is None else _nas_of(keys, row)


_NASES = select(nas, site.c.name.label("site_name"), site.c.opening_hours).join(site, site.c.id == nas.c.site_id)


def _nas_of(keys: KeyRing, row: Any) -> Nas:
    return pick(
        Nas,
        row,
        secret=keys.unseal(_NAS, bytes(row["secret_sealed"])),
        uam_secret=keys.unseal(_UAM, bytes(row["uam_secret_sealed"])),
    )


def seal_nas_secrets(keys: KeyRing, secret: bytes, uam_secret: bytes) -> dict[str, bytes]:
    """The sealed columns of a NAS."""
    return {"secret_sealed": keys.seal(_NAS, secret), "uam_secret_sealed": keys.seal(_UAM, uam_secret)}


def add_nas(conn: Connection, keys: KeyRing, *, secret: bytes, uam_secret: bytes, **columns: Any) -> int:
    """A new RADIUS client; `columns` are those of `nas` but the sealed ones."""
    sealed = seal_nas_secrets(keys, secret, uam_secret)
    return int(conn.execute(insert(nas).values(**columns, **sealed).returning(nas.c.id)).scalar_one())


def add_site(conn: Connection, **columns: Any) -> int:
    return int(conn.execute(insert(site).values(**columns).returning(site.c.id)).scalar_one())


def add_access_point(conn: Connection, keys: KeyRing, *, credential: SnmpCredential, **columns: Any) -> int:
    """A new access point; `columns` are those of `access_point` but the credential's."""
    statement = insert(access_point).values(
        snmp_version=credential.version, snmp_sealed=seal_credential(keys, credential), **columns
    )
    return int(conn.execute(statement.returning(access_point.c.id)).scalar_one())
