"""Where a device stands: online, about to be, or offline, and what is left. One read, then pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hotspot.access import PENDING_SECONDS, Accept, Facts, decide_running
from hotspot.values import MacAddress
from service.cities import City
from store import access, residents, sessions
from store.sessions import SessionView


@dataclass(frozen=True, slots=True)
class Standing:
    """`view` is the newest session, open or not. `starting`: RADIUS said yes and the NAS has not reported yet."""

    view: SessionView | None
    starting: bool
    seconds_left: int


NOWHERE = Standing(None, False, 0)


def standing_of(city: City, mac: MacAddress, *, now: datetime) -> Standing:
    """What RADIUS and accounting know of the device; what is left is what RADIUS would say."""
    with city.store.read() as conn:
        device_id = residents.find_device(conn, city.store.keys, mac, now=now)
        if device_id is None:
            return NOWHERE
        view = sessions.latest_of_device(conn, device_id)
        grant = residents.latest_grant(conn, device_id)
        accepted_at = residents.accepted_at(conn, device_id)
        facts = {} if view is None else access.gather_running(conn, [view.id], now=now, zone=city.zone)
    return Standing(
        view=view,
        starting=grant is not None and grant.ended_at is None and _is_starting(view, accepted_at, now),
        seconds_left=sum(_left(each, city, now) for each in facts.values()),
    )


def _left(facts: Facts, city: City, now: datetime) -> int:
    decision = decide_running(facts, now=now, zone=city.zone)
    return decision.session_seconds if isinstance(decision, Accept) else 0


def _is_starting(view: SessionView | None, accepted_at: datetime | None, now: datetime) -> bool:
    if accepted_at is None or now - accepted_at > timedelta(seconds=PENDING_SECONDS):
        return False
    return view is None or view.started_at < accepted_at - timedelta(seconds=1)
