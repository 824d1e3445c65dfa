"""Where a device stands: online, about to be, or offline; what is left, what it waits for. One read, then sums."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hotspot.access import PENDING_SECONDS, Accept, Facts, decide_running
from hotspot.plan import Way
from hotspot.values import MacAddress
from service.cities import City
from store import access, carrying, codes, messages, residents, sessions
from store.messages import Fate
from store.sessions import SessionView


@dataclass(frozen=True, slots=True)
class Standing:
    """`view` is the newest session, open or not. `starting`: RADIUS said yes and the NAS has not reported yet.

    `fetching`: it is a grace session, to fetch a code with.
    """

    view: SessionView | None
    starting: bool
    seconds_left: int
    fetching: bool = False


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
    granted = [each.grant.way for each in facts.values() if each.grant is not None]
    return Standing(
        view=view,
        starting=grant is not None and grant.ended_at is None and _is_starting(view, accepted_at, now),
        seconds_left=sum(_left(each, city, now) for each in facts.values()),
        fetching=Way.GRACE in granted,
    )


def _left(facts: Facts, city: City, now: datetime) -> int:
    decision = decide_running(facts, now=now, zone=city.zone)
    return decision.session_seconds if isinstance(decision, Accept) else 0


def _is_starting(view: SessionView | None, accepted_at: datetime | None, now: datetime) -> bool:
    if accepted_at is None or now - accepted_at > timedelta(seconds=PENDING_SECONDS):
        return False
    return view is None or view.started_at < accepted_at - timedelta(seconds=1)


# Fetching a code ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fetching:
    """Where a device that waits for a code stands. `fate`: of the message, None where there is none.

    `grace_seconds`: how long it is online yet to fetch the code; 0: it is not.
    """

    fate: Fate | None
    grace_seconds: int


NO_FETCHING = Fetching(None, 0)


def fetching_of(city: City, mac: MacAddress, way: Way, *, now: datetime) -> Fetching:
    """The device's newest code and its grace session; only for a browser that speaks for the device."""
    with city.store.read() as conn:
        device_id = residents.find_device(conn, city.store.keys, mac, now=now)
        if device_id is None:
            return NO_FETCHING
        message_id = codes.latest_message(conn, device_id, way, now=now)
        fate = None if message_id is None else messages.fate(conn, message_id)
        grace = [each.session_id for each in carrying.open_sessions(conn, device_id) if each.way is Way.GRACE]
        facts = access.gather_running(conn, grace, now=now, zone=city.zone)
    return Fetching(fate, sum(_left(each, city, now) for each in facts.values()))
