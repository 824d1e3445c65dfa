"""Which access point sends under which BSSID: how a session finds its access point and place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from hotspot.errors import InputError
from hotspot.values import MacAddress
from store.rows import insert_for
from store.schema import access_point, access_point_bssid, session, site


@dataclass(frozen=True, slots=True)
class BssidOwner:
    """The access point that sends under a BSSID."""

    access_point_id: int
    name: str
    site_key: str
    site_name: str


def note(conn: Connection, seen: Mapping[int, Sequence[MacAddress]], *, now: datetime) -> None:
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


def owners(conn: Connection, bssids: Collection[str] | None = None) -> dict[str, BssidOwner]:
    """Known BSSIDs as `hotspot.values.MacAddress` writes them, all or those of `bssids`."""
    query = (
        select(access_point_bssid.c.bssid, access_point.c.id, access_point.c.name, site.c.key, site.c.name.label("at"))
        .join(access_point, access_point.c.id == access_point_bssid.c.access_point_id)
        .join(site, site.c.id == access_point.c.site_id)
    )
    if bssids is not None:
        query = query.where(access_point_bssid.c.bssid.in_(bssids))
    return {row.bssid: BssidOwner(row.id, row.name, row.key, row.at) for row in conn.execute(query)}


SLICE = 500
"""Sessions that one query looks at."""


def owners_of(conn: Connection, session_ids: Sequence[int]) -> dict[int, BssidOwner]:
    """The access points at which sessions are, by session; absent where the NAS told no BSSID that is known here.

    NASes spell it as they like (RFC 3580 section 3.20), so it is read here and not compared by the database.
    """
    found: dict[int, BssidOwner] = {}
    for start in range(0, len(session_ids), SLICE):
        ids = session_ids[start : start + SLICE]
        rows = conn.execute(select(session.c.id, session.c.bssid).where(session.c.id.in_(ids), session.c.bssid != ""))
        told = {row.id: str(mac) for row in rows if (mac := _read(row.bssid)) is not None}
        known = owners(conn, set(told.values()))
        found |= {session_id: known[bssid] for session_id, bssid in told.items() if bssid in known}
    return found


def _read(text: str) -> MacAddress | None:
    try:
        return MacAddress.parse(text)
    except InputError:
        return None


def purge_retired(conn: Connection, *, retired_before: datetime) -> int:
    """Forget those of access points that were retired before. Rows deleted."""
    gone = select(access_point.c.id).where(access_point.c.retired_at < retired_before)
    return conn.execute(delete(access_point_bssid).where(access_point_bssid.c.access_point_id.in_(gone))).rowcount
