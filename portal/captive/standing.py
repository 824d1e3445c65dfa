"""Where a device stands: online, about to be, or offline, and what is left. One read, then pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hotspot.access import PENDING_SECONDS, DayUse, Grant, seconds_left_of
from hotspot.plan import Plan
from hotspot.values import MacAddress, Octets, local_day
from service.cities import City
from store import residents, sessions
from store.sessions import SessionView


@dataclass(frozen=True, slots=True)
class Standing:
    """`view` is the newest session, open or not. `starting`: RADIUS said yes and the NAS has not reported yet."""

    view: SessionView | None
    starting: bool
    seconds_left: int


NOWHERE = Standing(None, False, 0)


def standing_of(city: City, mac: MacAddress, *, now: datetime) -> Standing:
    """What RADIUS and accounting know of the device."""
    with city.store.read() as conn:
        device_id = residents.find_device(conn, city.store.keys, mac, now=now)
        if device_id is None:
            return NOWHERE
        view = sessions.latest_of_device(conn, device_id)
        grant = residents.latest_grant(conn, device_id)
        if grant is None:
            return Standing(view, False, 0)
        plan = residents.plan_by_id(conn, grant.plan_id)
        accepted_at = residents.accepted_at(conn, device_id)
        seconds, down, up = residents.used_on(conn, device_id, local_day(now, city.zone))
    used = DayUse(seconds, Octets(down, up))
    return Standing(
        view=view,
        starting=grant.ended_at is None and _is_starting(view, accepted_at, now),
        seconds_left=_left(view, grant, plan, used, city, now),
    )


def _is_starting(view: SessionView | None, accepted_at: datetime | None, now: datetime) -> bool:
    if accepted_at is None or now - accepted_at > timedelta(seconds=PENDING_SECONDS):
        return False
    return view is None or view.started_at < accepted_at - timedelta(seconds=1)


def _left(view: SessionView | None, grant: Grant, plan: Plan, used: DayUse, city: City, now: datetime) -> int:
    if view is None or view.ended_at is not None:
        return 0
    return seconds_left_of(plan, used, started_at=view.started_at, until=grant.until_at, now=now, zone=city.zone)
