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
from store.store import Connection


@dataclass(frozen=True, slots=True)
class Standing:
    """`view` is the newest session, open or not. `starting`: RADIUS said yes and the NAS has not reported yet.

    `fetching`: it is a grace session, to read a mail for that way in.
    """

    view: SessionView | None
    starting: bool
    seconds_left: int
    fetching: Way | None = None


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
        fetching = fetching_for(conn, device_id, now=now) if Way.GRACE in granted else None
    return Standing(
        view=view,
        starting=grant is not None and grant.ended_at is None and _is_starting(view, accepted_at, now),
        seconds_left=sum(_left(each, city, now) for each in facts.values()),
        fetching=fetching,
    )


def _left(facts: Facts, city: City, now: datetime) -> int:
    decision = decide_running(facts, now=now, zone=city.zone)
    return decision.session_seconds if isinstance(decision, Accept) else 0


def _is_starting(view: SessionView | None, accepted_at: datetime | None, now: datetime) -> bool:
    if accepted_at is None or now - accepted_at > timedelta(seconds=PENDING_SECONDS):
        return False
    return view is None or view.started_at < accepted_at - timedelta(seconds=1)


# Fetching a mail ----------------------------------------------------------------------------------------


def fetching_for(conn: Connection, device_id: int, *, now: datetime) -> Way | None:
    """For which way in the device was let on to read a mail: a code's, or an account's; None where it was not."""
    grant = residents.latest_grant(conn, device_id)
    if grant is None or grant.way is not Way.GRACE or grant.ended_at is not None or now >= grant.until_at:
        return None
    return Way.EMAIL if codes.of_device(conn, device_id, Way.EMAIL, now=now) else Way.ACCOUNT


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
