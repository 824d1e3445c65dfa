"""Access points behind controllers: made when the controller first tells of them, never polled themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from hotspot.errors import InputError
from hotspot.fleet import PointKind
from store.rows import pick
from store.schema import access_point, site


@dataclass(frozen=True, slots=True)
class MemberPoint:
    """An access point behind a controller. `member_key` is what the controller's table calls it."""

    id: int
    name: str
    site: str
    controller_id: int
    member_key: str


def all_of(conn: Connection) -> list[MemberPoint]:
    """All access points behind controllers that are not retired, by id."""
    of_controller = access_point.c.retired_at.is_(None) & access_point.c.controller_id.is_not(None)
    query = select(access_point, site.c.key.label("site")).join(site).where(of_controller).order_by(access_point.c.id)
    return [pick(MemberPoint, row) for row in conn.execute(query).mappings()]


def add(conn: Connection, controller_id: int, names: Mapping[str, str], *, now: datetime) -> list[MemberPoint]:
    """New rows for access points behind a controller: names by key. Where a name is taken a number is put behind it.

    They stand at the controller's site until somebody moves them. InputError where a name is taken meanwhile.
    Needs `write()`.
    """
    at = select(site.c.id, site.c.key).join(access_point).where(access_point.c.id == controller_id)
    site_id, site_key = conn.execute(at).one()
    taken = set(conn.execute(select(access_point.c.name).where(access_point.c.retired_at.is_(None))).scalars())
    rows: list[dict[str, object]] = []
    numbers: defaultdict[str, int] = defaultdict(lambda: 2)
    for key, wanted in names.items():
        name = wanted = wanted or key
        while name in taken:
            name = f"{wanted}-{numbers[wanted]}"
            numbers[wanted] += 1
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
    try:
        with conn.begin_nested():
            found = conn.execute(made, rows).all()
    except IntegrityError:
        raise InputError("another access point got one of the names at this moment") from None
    return [MemberPoint(row.id, row.name, site_key, controller_id, row.member_key) for row in found]
