"""Sessions as people ask for them: who is online, what has this device been doing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from hotspot.values import Octets
from store.outbox import Kind
from store.schema import grant as grant_table
from store.schema import nas, outbox, plan, session, site


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as shown. `disconnect` is the state of the newest Disconnect for it, if any.

    `disconnect_reason`: who or which limit wanted that.
    """

    id: int
    device_id: int
    nas_name: str
    site_key: str
    site_name: str
    plan_name: str | None
    ssid: str
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    seconds: int
    octets: Octets
    terminate_cause: str | None
    estimated: bool
    disconnect: str | None
    error_cause: int | None
    disconnect_reason: str | None = None
    nas_id: int = 0
    planned_end_at: datetime | None = None


def _views() -> Select[Any]:
    older = outbox.alias()
    its_own = (older.c.session_id == session.c.id, older.c.kind == Kind.DISCONNECT.value)
    newest = select(func.max(older.c.id)).where(*its_own).scalar_subquery()
    return (
        select(
            session,
            nas.c.name.label("nas_name"),
            site.c.key.label("site_key"),
            site.c.name.label("site_name"),
            plan.c.name.label("plan_name"),
            outbox.c.state.label("disconnect"),
            outbox.c.error_cause,
            outbox.c.reason.label("disconnect_reason"),
        )
        .join(nas, nas.c.id == session.c.nas_id)
        .join(site, site.c.id == nas.c.site_id)
        .outerjoin(grant_table, grant_table.c.id == session.c.grant_id)
        .outerjoin(plan, plan.c.id == grant_table.c.plan_id)
        .outerjoin(outbox, outbox.c.id == newest)
    )


def _view_of(row: Any) -> SessionView:
    octets = Octets(row["segment_down"] + row["finished_down"], row["segment_up"] + row["finished_up"])
    return SessionView(
        id=row["id"],
        device_id=row["device_id"],
        nas_name=row["nas_name"],
        site_key=row["site_key"],
        site_name=row["site_name"],
        plan_name=row["plan_name"],
        ssid=row["ssid"],
        started_at=row["started_at"],
        updated_at=row["updated_at"],
        ended_at=row["ended_at"],
        seconds=row["seconds"],
        octets=octets,
        terminate_cause=row["terminate_cause"],
        estimated=row["estimated"],
        disconnect=row["disconnect"],
        error_cause=row["error_cause"],
        disconnect_reason=row["disconnect_reason"],
        nas_id=row["nas_id"],
        planned_end_at=row["planned_end_at"],
    )


def live(conn: Connection, *, limit: int, offset: int = 0) -> Sequence[SessionView]:
    """Open sessions, newest first."""
    query = _views().where(session.c.ended_at.is_(None)).order_by(session.c.started_at.desc(), session.c.id)
    return [_view_of(row) for row in conn.execute(query.limit(limit).offset(offset)).mappings()]


def open_of(conn: Connection, which: ColumnElement[bool], *, limit: int) -> Sequence[SessionView]:
    """Open sessions of which that is true, newest first."""
    query = _views().where(session.c.ended_at.is_(None), which).order_by(session.c.started_at.desc(), session.c.id)
    return [_view_of(row) for row in conn.execute(query.limit(limit)).mappings()]


def recently_ended(conn: Connection, *, since: datetime, limit: int) -> Sequence[SessionView]:
    """Sessions that ended after `since`, the latest end first."""
    query = _views().where(session.c.ended_at >= since).order_by(session.c.ended_at.desc())
    return [_view_of(row) for row in conn.execute(query.limit(limit)).mappings()]


def count_live(conn: Connection) -> int:
    query = select(func.count()).select_from(session).where(session.c.ended_at.is_(None))
    return int(conn.execute(query).scalar_one())


def count_live_by_site(conn: Connection) -> dict[str, int]:
    """Open sessions by the key of their NAS's site; 0 where a site has none."""
    query = (
        select(site.c.key, func.count(session.c.id))
        .select_from(
            site.outerjoin(nas).outerjoin(session, (session.c.nas_id == nas.c.id) & session.c.ended_at.is_(None))
        )
        .group_by(site.c.key)
    )
    return {key: int(count) for key, count in conn.execute(query)}


@dataclass(frozen=True, slots=True)
class Place:
    """Of which sessions a list is: all of the city, or those of a NAS, of a site, or of both."""

    nas_name: str | None = None
    site_key: str | None = None


def _at(place: Place) -> list[ColumnElement[bool]]:
    wanted = ((nas.c.name, place.nas_name), (site.c.key, place.site_key))
    return [column == value for column, value in wanted if value is not None]


def current(conn: Connection, place: Place, *, ended_since: datetime, limit: int) -> list[SessionView]:
    """Open sessions and those that ended after `ended_since`, by their start, newest first."""
    query = _views().where(*_at(place)).order_by(session.c.started_at.desc(), session.c.id.desc()).limit(limit)
    tests = (session.c.ended_at.is_(None), session.c.ended_at >= ended_since)  # two queries: an index for each
    found = [_view_of(row) for test in tests for row in conn.execute(query.where(test)).mappings()]
    return sorted(found, key=lambda view: (view.started_at, view.id), reverse=True)[:limit]


def count_current(conn: Connection, place: Place, *, ended_since: datetime) -> tuple[int, int]:
    """How many are open, and how many ended after `ended_since`."""
    count = select(func.count()).select_from(session.join(nas, nas.c.id == session.c.nas_id).join(site))
    tests = (session.c.ended_at.is_(None), session.c.ended_at >= ended_since)
    is_open, ended = (int(conn.execute(count.where(test, *_at(place))).scalar_one()) for test in tests)
    return is_open, ended


def known_places(conn: Connection) -> tuple[set[str], set[str]]:
    """Names of the NASes, removed ones included since their sessions stay, and keys of the sites."""
    return set(conn.execute(select(nas.c.name)).scalars()), set(conn.execute(select(site.c.key)).scalars())


def by_id(conn: Connection, session_id: int) -> SessionView | None:
    """One session of this city, None where it has none of that id."""
    row = conn.execute(_views().where(session.c.id == session_id)).mappings().first()
    return None if row is None else _view_of(row)


@dataclass(frozen=True, slots=True)
class Held:
    """Whose session holds an address, at which NAS."""

    device_id: int
    nas_id: int


def open_at(conn: Connection, address: IPv4Address | IPv6Address) -> list[Held]:
    """Open sessions of devices with just this address: a prefix may be the whole network's, strangers in it."""
    query = select(session.c.device_id, session.c.nas_id).where(session.c.ended_at.is_(None))
    if isinstance(address, IPv4Address):
        return [Held(*row) for row in conn.execute(query.where(session.c.framed_ip == str(address)))]
    names = {str(address), f"{address}/128"}
    rows = conn.execute(query.add_columns(session.c.framed_ipv6).where(session.c.framed_ipv6.contains(str(address))))
    return [Held(row.device_id, row.nas_id) for row in rows if not names.isdisjoint(row.framed_ipv6.split())]


def latest_of_device(conn: Connection, device_id: int) -> SessionView | None:
    """The device's newest session, open or not."""
    query = _views().where(session.c.device_id == device_id)
    row = conn.execute(query.order_by(session.c.started_at.desc()).limit(1)).mappings().first()
    return None if row is None else _view_of(row)
