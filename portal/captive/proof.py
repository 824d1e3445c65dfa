"""What proves that a browser speaks for a device, and does not just say its MAC address (docs/adr/0023).

Either the NAS signed the redirect, or RADIUS accepted the very ticket that this browser was given: a NAS takes it from
the device alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from portal.tokens import Visit
from service.cities import City
from store import residents

FRESH = timedelta(hours=1)
"""How old an arrival may be for what cannot be undone: a link stays in a browser's history for longer."""


def proven(city: City, visit: Visit, *, now: datetime) -> bool:
    """Enough to see what is the device's, and to leave."""
    return visit.signed or _accepted(city, visit, now)


def fresh(city: City, visit: Visit, *, now: datetime) -> bool:
    """Enough to delete what is the device's: proven by an arrival of the last hour, or by the session that runs."""
    lately = visit.arrived_at is not None and now - visit.arrived_at <= FRESH
    if lately:
        return proven(city, visit, now=now)
    with city.store.read() as conn:
        device_id = residents.find_device(conn, city.store.keys, visit.mac, now=now)
        return device_id is not None and residents.is_online_by(conn, visit.grant_id, device_id)


def _accepted(city: City, visit: Visit, now: datetime) -> bool:
    if visit.grant_id == 0:
        return False
    with city.store.read() as conn:
        device_id = residents.find_device(conn, city.store.keys, visit.mac, now=now)
        return device_id is not None and residents.was_accepted(conn, visit.grant_id, device_id)
