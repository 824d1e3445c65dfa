"""Access points as staff looks for them: searched, filtered, sorted, counted; one with all that is known of it.

The state of an access point is decided here, in one expression: `_state`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, Select, and_, case, cast, func, or_, select, type_coerce

from hotspot.fleet import PointKind
from hotspot.values import MacAddress
from store.rows import pick
from store.schema import access_point, access_point_bssid, access_point_health, monitor_watch, session, site
from store.sessions import SessionView, open_of

controller = access_point.alias("controller")
controller_health = access_point_health.alias("controller_health")


class State(StrEnum):
    """As the filter writes it; in the order of what needs attention first."""

    DOWN = "down"
    UNKNOWN = "unknown"
    """Not polled yet, or behind a controller that does not answer."""

    UP = "up"
    RETIRED = "retired"


_SILENT = and_(access_point.c.controller_id.is_not(None), func.coalesce(controller_health.c.up, True).is_(False))

_state = case(
    (access_point.c.retired_at.is_not(None), State.RETIRED.value),
    (or_(access_point_health.c.up.is_(None), _SILENT), State.UNKNOWN.value),
    (access_point_health.c.up.is_(True), State.UP.value),
    else_=State.DOWN.value,
)

_ATTENTION = case({State.DOWN.value: 0, State.UNKNOWN.value: 1, State.UP.value: 2}, value=_state, else_=3)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which access points: those that have `text` in their name, address, model, serial or place, and so on.

    Empty: all. Retired ones are among them only where `state` asks for them.
    """

    text: str = ""
    state: str = ""
    site: str = ""
    controller: int = 0
    sort: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """An access point with its last known health. `controller_silent`: so that nothing is known of it now."""

    id: int
    name: str
    kind: PointKind
    site_id: int
    site_key: str
    site_name: str
    address: str
    port: int
    snmp_version: str
    controller_id: int | None
    controller_name: str | None
    controller_silent: bool
    member_key: str
    created_at: datetime
    retired_at: datetime | None
    state: State
    up: bool | None
    checked_at: datetime | None
    since: datetime | None
    last_success_at: datetime | None
    failure: str | None
    model: str
    firmware: str
    serial: str
    profile: str
    reading: dict[str, Any]
    """What the last poll told, by the names of `hotspot.fleet.ApReading`; empty while nothing is known."""


_JOINED = (
    access_point.join(site)
    .outerjoin(access_point_health, access_point_health.c.access_point_id == access_point.c.id)
    .outerjoin(controller, controller.c.id == access_point.c.controller_id)
    .outerjoin(controller_health, controller_health.c.access_point_id == controller.c.id)
)

_TEXTS = (
    access_point.c.name,
    access_point.c.address,
    access_point_health.c.model,
    access_point_health.c.serial,
    site.c.name,
)


def _clients(conn: Connection) -> ColumnElement[Any]:
    """Of the reading's JSON. SQLite has functions and no type for JSON, PostgreSQL the other way round."""
    reading = access_point_health.c.reading
    told = type_coerce(reading, JSON) if conn.dialect.name == "sqlite" else cast(reading, JSON)
    clients: ColumnElement[Any] = told["clients"].as_integer()
    return clients


def _order(conn: Connection, sort: str) -> list[Any]:
    """What is well, is sorted by name alone where attention is asked for."""
    since = access_point_health.c.since
    attention = [_ATTENTION, case((_state != State.UP.value, since)).asc().nulls_last()]
    orders: dict[str, list[Any]] = {
        "name": [],
        "site": [site.c.name],
        "model": [func.coalesce(access_point_health.c.model, "")],
        "clients": [func.coalesce(_clients(conn), -1).desc()],
        "since": [since.desc().nulls_last()],
    }
    return [*orders.get(sort, attention), access_point.c.name, access_point.c.id]


SORTS = ("attention", "name", "site", "model", "clients", "since")


def _filters(wanted: Wanted, *, whatever_state: bool = False) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.text:
        found.append(or_(*(column.icontains(wanted.text, autoescape=True) for column in _TEXTS)))
    if wanted.site:
        found.append(site.c.key == wanted.site)
    if wanted.controller:
        found.append(access_point.c.controller_id == wanted.controller)
    if not whatever_state:
        retired = access_point.c.retired_at.is_(None)
        found.append(_state == wanted.state if wanted.state else retired)
    return found


def some(conn: Connection, wanted: Wanted, *, limit: int, offset: int) -> list[Point]:
    """A page of those wanted. Sorted by id first: rows carry a reading, which sorting ten thousand would drag along."""
    ids = select(access_point.c.id).select_from(_JOINED).where(*_filters(wanted)).order_by(*_order(conn, wanted.sort))
    page = list(conn.execute(ids.limit(limit).offset(offset)).scalars())
    found = {each.id: each for each in _read(conn, access_point.c.id.in_(page))}
    return [found[each] for each in page]


def counts(conn: Connection, wanted: Wanted) -> dict[State, int]:
    """How many of those wanted are in each state, whichever state is wanted."""
    query = select(_state, func.count()).select_from(_JOINED).where(*_filters(wanted, whatever_state=True))
    found = {State(row[0]): int(row[1]) for row in conn.execute(query.group_by(_state))}
    return {state: found.get(state, 0) for state in State}


def point(conn: Connection, access_point_id: int) -> Point | None:
    """One, retired or not; None where this city has none of that id."""
    return next(iter(_read(conn, access_point.c.id == access_point_id)), None)


def _read(conn: Connection, *filters: ColumnElement[bool]) -> list[Point]:
    query: Select[Any] = (
        select(
            access_point,
            *(column for column in access_point_health.c if column.name != "access_point_id"),
            site.c.key.label("site_key"),
            site.c.name.label("site_name"),
            controller.c.name.label("controller_name"),
            _SILENT.label("controller_silent"),
            _state.label("state"),
        )
        .select_from(_JOINED)
        .where(*filters)
    )
    return [_point_of(row) for row in conn.execute(query).mappings()]


_TOLD = ("model", "firmware", "serial", "profile")


def _point_of(row: Any) -> Point:
    state = State(row["state"])
    told = json.loads(row["reading"]) if row["reading"] and state is State.UP else {}
    texts = {name: row[name] or "" for name in _TOLD}
    kind, silent = PointKind(row["kind"]), bool(row["controller_silent"])
    return pick(Point, row, kind=kind, state=state, controller_silent=silent, reading=told, **texts)


# Around them --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SiteStates:
    """A place with how many of its access points are in each state; those that are retired do not count."""

    id: int
    key: str
    name: str
    district: str
    latitude: float | None
    longitude: float | None
    counts: dict[State, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def sites(conn: Connection) -> list[SiteStates]:
    """All places by name, those without access points included."""
    query = select(access_point.c.site_id, _state, func.count()).select_from(_JOINED)
    live = query.where(access_point.c.retired_at.is_(None)).group_by(access_point.c.site_id, _state)
    found: dict[int, dict[State, int]] = {}
    for site_id, state, count in conn.execute(live):
        found.setdefault(site_id, {})[State(state)] = int(count)
    columns = [site.c[each.name] for each in fields(SiteStates) if each.name != "counts"]
    rows = conn.execute(select(*columns).order_by(site.c.name)).mappings()
    return [pick(SiteStates, row, counts=found.get(row["id"], {})) for row in rows]


def controllers(conn: Connection) -> dict[int, str]:
    """Names of the controllers by their ids."""
    is_one = (access_point.c.kind == PointKind.CONTROLLER.value, access_point.c.retired_at.is_(None))
    query = select(access_point.c.id, access_point.c.name).where(*is_one).order_by(access_point.c.name)
    return {row.id: row.name for row in conn.execute(query)}


def members(conn: Connection, controller_id: int) -> int:
    """How many access points stand behind a controller."""
    query = select(func.count()).select_from(access_point).where(access_point.c.controller_id == controller_id)
    return int(conn.execute(query.where(access_point.c.retired_at.is_(None))).scalar_one())


def sessions_at(conn: Connection, access_point_id: int, *, limit: int) -> Sequence[SessionView]:
    """Open sessions whose BSSID is one of this access point's, newest first."""
    query = select(access_point_bssid.c.bssid).where(access_point_bssid.c.access_point_id == access_point_id)
    digits = [MacAddress.parse(text).octets.hex() for text in conn.execute(query).scalars()]
    if not digits:
        return []
    bare = func.lower(session.c.bssid)
    for sign in ("-", ":", "."):  # NASes disagree about the spelling
        bare = func.replace(bare, sign, "")
    return open_of(conn, bare.in_(digits), limit=limit)


def watched_until(conn: Connection) -> datetime | None:
    """When the monitor looked last, at whichever access point; None where it never did."""
    return conn.execute(select(func.max(monitor_watch.c.last_at))).scalar()
