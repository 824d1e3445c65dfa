"""Places as their residents see them: face, ways in, opening hours; read for the pages, changed by the staff."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from hotspot.colours import Colours
from hotspot.face import Face, HelpContact
from hotspot.logo import Logo
from store import audit
from store.schema import site


@dataclass(frozen=True, slots=True)
class Place:
    """A site. `ways` are the ways in that it offers (`hotspot.ways`), `face` what it shows of its own."""

    id: int
    key: str
    name: str
    district: str
    opening_hours: str
    ways: str
    face: Face


def places(conn: Connection) -> list[Place]:
    """All of them, by name."""
    return [_place_of(row) for row in conn.execute(select(site).order_by(site.c.name))]


def place(conn: Connection, site_id: int) -> Place | None:
    row = conn.execute(select(site).where(site.c.id == site_id)).first()
    return None if row is None else _place_of(row)


def place_called(conn: Connection, key: str) -> Place | None:
    row = conn.execute(select(site).where(site.c.key == key)).first()
    return None if row is None else _place_of(row)


def change(conn: Connection, changed: Place, *, staff_id: int, now: datetime) -> None:
    """Store name, opening hours, ways and face of a place that is there, and note who did it."""
    logo = changed.face.logo
    conn.execute(
        update(site)
        .where(site.c.id == changed.id)
        .values(
            name=changed.name,
            opening_hours=changed.opening_hours,
            ways=changed.ways,
            face=_as_json(changed.face),
            logo=logo.content if logo else None,
            logo_type=logo.media_type if logo else "",
        )
    )
    audit.add(conn, now=now, action="site.change", subject=f"site:{changed.key}", staff_id=staff_id)


def _as_json(face: Face) -> str:
    said = {"name": face.name, "welcome": dict(face.welcome), "ssid": face.ssid}
    parts = {"colours": face.colours, "help": face.help}
    said |= {name: asdict(part) for name, part in parts.items() if part is not None}
    return json.dumps({name: value for name, value in said.items() if value}, ensure_ascii=False)


def _place_of(row: Row[Any]) -> Place:
    said = json.loads(row.face)
    face = Face(
        name=said.get("name", ""),
        logo=Logo(row.logo_type, bytes(row.logo)) if row.logo else None,
        colours=Colours(**said["colours"]) if "colours" in said else None,
        welcome=said.get("welcome", {}),
        help=HelpContact(**said["help"]) if "help" in said else None,
        ssid=said.get("ssid", ""),
    )
    return Place(row.id, row.key, row.name, row.district, row.opening_hours, row.ways, face)
