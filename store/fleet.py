"""Sites, and access points with their last known health (NASes: `store.nases`; people's changes: `store.points`)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from hotspot.fleet import ApHealth, PointKind
from hotspot.values import MacAddress
from store.health import save_healths
from store.keys import KeyRing
from store.rows import insert_for, pick
from store.schema import access_point, access_point_bssid, access_point_health, site

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


@dataclass(frozen=True, slots=True)
class MemberPoint:
    """An access point behind a controller. `member_key` is what the controller's table calls it."""

    id: int
    name: str
    site: str
    controller_id: int
    member_key: str


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


# What is polled -------------------------------------------------------------------------------------------


def access_points(conn: Connection, keys: KeyRing) -> list[AccessPoint]:
    """What is polled, with its credentials, by name: access points and controllers that are not retired."""
    polled = access_point.c.retired_at.is_(None) & (access_point.c.kind != PointKind.MEMBER)
    query = select(access_point, site.c.key.label("site")).join(site).where(polled).order_by(access_point.c.name)
    return [
        pick(
            AccessPoint,
            row,
            credential=unseal_credential(keys, row["snmp_version"], bytes(row["snmp_sealed"])),
            kind=PointKind(row["kind"]),
        )
        for row in conn.execute(query).mappings()
    ]


def members(conn: Connection) -> list[MemberPoint]:
    """All access points behind controllers that are not retired, by id."""
    of_controller = access_point.c.retired_at.is_(None) & access_point.c.controller_id.is_not(None)
    query = select(access_point, site.c.key.label("site")).join(site).where(of_controller).order_by(access_point.c.id)
    return [pick(MemberPoint, row) for row in conn.execute(query).mappings()]


def unseal_credential(keys: KeyRing, version: str, sealed: bytes) -> SnmpCredential:
    """As `seal_credential` sealed it; ConfigError where that was with another key."""
    return SnmpCredential(version=version, **json.loads(keys.unseal(_SNMP, sealed)))


def seal_credential(keys: KeyRing, credential: SnmpCredential) -> bytes:
    """As stored in `access_point.snmp_sealed`."""
    secret = {name: value for name, value in asdict(credential).items() if name != "version" and value}
    return keys.seal(_SNMP, json.dumps(secret).encode())


# What the polls found -------------------------------------------------------------------------------------


def save_health(conn: Connection, access_point_id: int, health: ApHealth) -> None:
    """Keep an access point's health for the staff pages; see `store.health`."""
    save_healths(conn, {access_point_id: health})


def access_point_states(conn: Connection) -> list[AccessPointState]:
    """All access points with what the last poll found, by site and name."""
    query = (
        select(access_point, site.c.name.label("site_name"), *_health_columns())
        .join(site)
        .outerjoin(access_point_health)
        .where(access_point.c.retired_at.is_(None))
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


def add_members(conn: Connection, controller_id: int, names: Mapping[str, str], *, now: datetime) -> list[MemberPoint]:
    """New rows for access points behind a controller: names by key. Where a name is taken a number is put behind it.

    They stand at the controller's site until somebody moves them. Needs `write()`.
    """
    at = select(site.c.id, site.c.key).join(access_point).where(access_point.c.id == controller_id)
    site_id, site_key = conn.execute(at).one()
    taken = set(conn.execute(select(access_point.c.name).where(access_point.c.retired_at.is_(None))).scalars())
    rows = []
    for key, wanted in names.items():
        name = _free_name(wanted or key, taken)
        taken.add(name)
        rows.append(
            {
                "site_id": site_id,
                "name": name,
                "kind": PointKind.MEMBER.value,
                "address": "",
                "port": 0,
                "snmp_version": "",
                "snmp_sealed": b"",
                "controller_id": controller_id,
                "member_key": key,
                "created_at": now,
            }
        )
    if not rows:
        return []
    made = insert(access_point).returning(access_point.c.id, access_point.c.name, access_point.c.member_key)
    return [MemberPoint(row.id, row.name, site_key, controller_id, row.member_key) for row in conn.execute(made, rows)]


def add_member(conn: Connection, controller_id: int, *, key: str, name: str, now: datetime) -> int:
    """One access point behind a controller; its id."""
    return add_members(conn, controller_id, {key: name}, now=now)[0].id


def _free_name(wanted: str, taken: Collection[str]) -> str:
    if wanted not in taken:
        return wanted
    return next(name for number in range(2, len(taken) + 3) if (name := f"{wanted}-{number}") not in taken)


# Which access point sends under which BSSID ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BssidOwner:
    """The access point that sends under a BSSID."""

    access_point_id: int
    name: str
    site_key: str
    site_name: str


def note_bssids(conn: Connection, seen: Mapping[int, Sequence[MacAddress]], *, now: datetime) -> None:
    """All that these access points send under, by id; whoever sent under one before does so no more.

    What an access point sent under before stays its own until another takes it. Needs `write()`.
    """
    rows = {str(bssid): each for each, bssids in seen.items() for bssid in bssids}
    if not rows:
        return
    values = [{"bssid": bssid, "access_point_id": each, "seen_at": now} for bssid, each in rows.items()]
    statement = insert_for(conn, access_point_bssid)
    news = {"access_point_id": statement.excluded.access_point_id, "seen_at": statement.excluded.seen_at}
    conn.execute(statement.on_conflict_do_update(index_elements=["bssid"], set_=news), values)


def bssid_owners(conn: Connection) -> dict[str, BssidOwner]:
    """All known BSSIDs, as `hotspot.values.MacAddress` writes them."""
    query = (
        select(access_point_bssid.c.bssid, access_point.c.id, access_point.c.name, site.c.key, site.c.name.label("at"))
        .join(access_point, access_point.c.id == access_point_bssid.c.access_point_id)
        .join(site, site.c.id == access_point.c.site_id)
    )
    return {row.bssid: BssidOwner(row.id, row.name, row.key, row.at) for row in conn.execute(query)}


def purge_bssids(conn: Connection, *, unseen_since: datetime) -> int:
    """Delete those that nobody sends under any more. Rows deleted."""
    return conn.execute(delete(access_point_bssid).where(access_point_bssid.c.seen_at < unseen_since)).rowcount
