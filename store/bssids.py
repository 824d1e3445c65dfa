"""Which access point sends under which BSSID: how a session finds its access point and place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from hotspot.values import MacAddress
from store.rows import insert_for
from store.schema import access_point, access_point_bssid, site


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


def owners(conn: Connection) -> dict[str, BssidOwner]:
    """All known BSSIDs, as `hotspot.values.MacAddress` writes them."""
    query = (
        select(access_point_bssid.c.bssid, access_point.c.id, access_point.c.name, site.c.key, site.c.name.label("at"))
        .join(access_point, access_point.c.id == access_point_bssid.c.access_point_id)
        .join(site, site.c.id == access_point.c.site_id)
    )
    return {row.bssid: BssidOwner(row.id, row.name, row.key, row.at) for row in conn.execute(query)}


def purge_retired(conn: Connection, *, retired_before: datetime) -> int:
    """Forget those of access points that were retired before. Rows deleted."""
    gone = select(access_point.c.id).where(access_point.c.retired_at < retired_before)
    return conn.execute(delete(access_point_bssid).where(access_point_bssid.c.access_point_id.in_(gone))).rowcount
