"""Where a device stands: online, about to be, or offline; what is left, what it waits for. One read, then sums."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hotspot.access import PENDING_SECONDS, Accept, Facts, decide_running
from hotspot.extending import seconds_gained
from hotspot.plan import Way
from hotspot.products import PRODUCTS, Dynamic
from hotspot.values import MacAddress
from service.cities import City
from store import access, carrying, codes, messages, nases, outbox, residents, sessions
from store.messages import Fate
from store.outbox import State as Told
from store.sessions import SessionView
from store.store import Connection


class State(StrEnum):
    """What a status page has to say; the word is the id of its heading.

    STARTING: RADIUS said yes and the NAS has not reported yet. WAITING: a ticket was issued, which RADIUS has not
    accepted. UNKNOWN: nothing proves that the browser speaks for the device.
    """

    ONLINE = "online"
    STARTING = "starting"
    OFFLINE = "offline"
    WAITING = "waiting"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Stretch:
    """How a running session may be lengthened. `seconds`: by one more extension, 0 where it may not be.

    `takes`: whether its NAS can be told while it runs. `told`: what became of telling it the last one.
    """

    used: int
    most: int
    seconds: int
    takes: bool
    told: Told | None


@dataclass(frozen=True, slots=True)
class Standing:
    """`view` is the newest session, open or not.

    `seconds_left` is None of no session of ours, `octets_left` also where no volume is limited. `fetching`: it is a
    grace session, to read a mail for that way in.
    """

    state: State
    view: SessionView | None = None
    seconds_left: int | None = None
    octets_left: int | None = None
    stretch: Stretch | None = None
    fetching: Way | None = None

    @property
    def can_extend(self) -> bool:
        return self.stretch is not None and self.stretch.takes and self.stretch.seconds > 0


OFFLINE = Standing(State.OFFLINE)


def standing_of(city: City, mac: MacAddress, *, now: datetime) -> Standing:
    """What RADIUS and accounting know of the device; what is left is what RADIUS would say."""
    with city.store.read() as conn:
        device_id = residents.find_device(conn, city.store.keys, mac, now=now)
        return OFFLINE if device_id is None else standing_of_device(conn, city, device_id, now=now)


def standing_of_device(conn: Connection, city: City, device_id: int, *, now: datetime) -> Standing:
    view = sessions.latest_of_device(conn, device_id)
    if view is not None and view.ended_at is None:
        return _online(conn, city, view, now)
    grant = residents.latest_grant(conn, device_id)
    accepted_at = residents.accepted_at(conn, device_id)
    starting = grant is not None and grant.ended_at is None and _is_starting(view, accepted_at, now)
    return Standing(State.STARTING if starting else State.OFFLINE, view)


def _online(conn: Connection, city: City, view: SessionView, now: datetime) -> Standing:
    facts = access.gather_running(conn, [view.id], now=now, zone=city.zone).get(view.id)
    if facts is None:  # its NAS let it on without us
        return Standing(State.ONLINE, view)
    decision = decide_running(facts, now=now, zone=city.zone)
    stretch = _stretch(conn, city, view, facts, now)
    by_grace = facts.grant is not None and facts.grant.way is Way.GRACE
    fetching = fetching_for(conn, view.device_id, now=now) if by_grace else None
    if isinstance(decision, Accept):
        return Standing(State.ONLINE, view, decision.session_seconds, decision.octets_left, stretch, fetching)
    return Standing(State.ONLINE, view, seconds_left=0, stretch=stretch, fetching=fetching)


def _stretch(conn: Connection, city: City, view: SessionView, facts: Facts, now: datetime) -> Stretch | None:
    if facts.plan is None or not facts.plan.extensions_max:
        return None
    nas = nases.by_id(conn, city.store.keys, view.nas_id)
    return Stretch(
        used=facts.extensions,
        most=facts.plan.extensions_max,
        seconds=seconds_gained(facts, now=now, zone=city.zone),
        takes=nas is not None and PRODUCTS[nas.product].dynamic is Dynamic.COA,
        told=outbox.extension_told(conn, view.id),
    )


def _is_starting(view: SessionView | None, accepted_at: datetime | None, now: datetime) -> bool:
    if accepted_at is None or now - accepted_at > timedelta(seconds=PENDING_SECONDS):
        return False
    return view is None or view.started_at < accepted_at - timedelta(seconds=1)


def _left(facts: Facts, city: City, now: datetime) -> int:
    decision = decide_running(facts, now=now, zone=city.zone)
    return decision.session_seconds if isinstance(decision, Accept) else 0


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
