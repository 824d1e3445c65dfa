"""An access point changed by somebody in a form: everything at once, with an audit row that says what it was before."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from hotspot.ap_entry import PointEntry, PointError, fault
from hotspot.nas import Fault
from store.ap_list import Point
from store.fleet import SnmpCredential, seal_credential
from store.keys import KeyRing
from store.nases import Author
from store.schema import access_point, site

SHOWN = ("name", "site", "address", "port", "kind")
"""Fields that the audit log may show."""


def twins(conn: Connection, entry: PointEntry, *, besides: int | None = None) -> list[Fault]:
    """Where another access point in service has this one's name or its address."""
    others = select(access_point.c.name).where(access_point.c.retired_at.is_(None), access_point.c.id != (besides or 0))
    found = []
    if conn.execute(others.where(access_point.c.name == entry.name)).first() is not None:
        found.append(fault("name", "taken", text=entry.name))
    there = (access_point.c.address == entry.address, access_point.c.port == entry.port)
    other = conn.execute(others.where(*there)).scalar()
    if other is not None:
        found.append(fault("address", "place_taken", text=f"{entry.address} port {entry.port}", other=other))
    return found


def change(
    conn: Connection, keys: KeyRing, point: Point, entry: PointEntry, *, author: Author, now: datetime
) -> list[str]:
    """Change what differs; without a credential that one stays. Returns what changed.

    PointError where another has its name or its address.
    """
    faults = twins(conn, entry, besides=point.id)
    if faults:
        raise PointError(*faults)
    before = {
        "name": point.name,
        "site": point.site_key,
        "address": point.address,
        "port": point.port,
        "kind": point.kind.value,
    }
    after = {name: str(getattr(entry, name)) if name == "kind" else getattr(entry, name) for name in SHOWN}
    detail: dict[str, Any] = {
        name: {"before": before[name], "after": after[name]} for name in SHOWN if before[name] != after[name]
    }
    values = {name: after[name] for name in SHOWN if name != "site"}
    values["site_id"] = conn.execute(select(site.c.id).where(site.c.key == entry.site)).scalar_one()
    if entry.credential:
        credential = SnmpCredential(**asdict(entry.credential))
        values |= {"snmp_version": credential.version, "snmp_sealed": seal_credential(keys, credential)}
        detail["credential"] = "changed"
    if detail:
        conn.execute(update(access_point).where(access_point.c.id == point.id).values(**values))
        author.note(conn, "ap.change", f"access_point:{point.id}", now=now, **detail)
    return list(detail)
