"""NASes that ask no RADIUS: the portal decides by the same policy, logs it alike, and accounts for the session.

Gather, decide, act, as in `radius.authorize`. What a NAS tells of the session later goes to `ended`; what it does not
tell, `monitor.housekeeping` says in its place (docs/adr/0019).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hotspot.access import PENDING_SECONDS, Accept, Decision, Facts, Proof, Refusal, decide
from hotspot.facts import facts_of
from hotspot.unaccounted import begin
from hotspot.values import MacAddress, Octets, local_day
from portal.captive.handoff.protocol import Awaited
from service.cities import City
from store import access, awaited, residents, unaccounted
from store.access import Noted, Window
from store.accounting import Holder, Session, ask_holders
from store.nases import Nas
from store.store import Connection

USER_REQUEST = "User-Request"
"""Acct-Terminate-Cause of a session that its resident ended (RFC 2866 section 5.10)."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A session that a NAS was told to let on. `session_id`: by which the NAS names it, or one that we made.

    `proven`: that it is this device was shown, not just said by a redirect without a signature; only then the session
    ends the device's older ones and makes it a remembered one.
    """

    nas: Nas
    accept: Accept
    session_id: str
    proven: bool
    framed_ip: str = ""


def by_ticket(city: City, nas: Nas, mac: MacAddress, ticket_name: str, *, now: datetime) -> Decision:
    """What RADIUS would say to this ticket of this device, logged as a decision of its own."""
    facts = _facts(city, nas, mac, Proof.TICKET, ticket_name, now)
    decision = decide(facts, now=now, zone=city.zone)
    _note(city, nas, facts, decision, now)
    return decision


def by_memory(city: City, nas: Nas, mac: MacAddress, *, now: datetime) -> Accept | None:
    """What RADIUS would let on without the page; None where the page is to be shown, which nobody logs.

    A device that was let on a moment ago and comes back all the same meets the page, or it would go round in circles.
    """
    facts = _facts(city, nas, mac, Proof.MAC, "", now)
    decision = decide(facts, now=now, zone=city.zone)
    if not isinstance(decision, Accept) or _just_accepted(city, decision.device_id, now):
        return None
    _note(city, nas, facts, decision, now)
    return decision


def _just_accepted(city: City, device_id: int, now: datetime) -> bool:
    with city.store.read() as conn:
        at = residents.accepted_at(conn, device_id)
    return at is not None and now - at < timedelta(seconds=PENDING_SECONDS)


def _facts(city: City, nas: Nas, mac: MacAddress, proof: Proof, ticket_name: str, now: datetime) -> Facts:
    """The ways in have counted wrong guesses before, so none are asked for."""
    with city.store.read() as conn:
        known = access.gather(
            conn,
            city.store.keys,
            names={ticket_name} if ticket_name else set(),
            macs={mac},
            remembered={mac} if proof is Proof.MAC else set(),
            today=local_day(now, city.zone),
            pending_since=now - timedelta(seconds=PENDING_SECONDS),
            guesses=Window(now, 1),
            now=now,
        )
    return facts_of(
        known,
        proof=proof,
        device_id=known.devices.get(mac),
        ticket=known.tickets.get(ticket_name),
        opening_hours=nas.opening_hours,
        now=now,
        zone=city.zone,
    )


def _note(city: City, nas: Nas, facts: Facts, decision: Decision, now: datetime) -> None:
    grant_id = facts.grant.id if facts.grant is not None else None
    reason = decision.reason.value if isinstance(decision, Refusal) else None
    noted = Noted(nas.id, facts.device_id, grant_id, facts.proof.value, reason)
    with city.store.write() as conn:
        access.note_decisions(conn, [noted], now=now)


# The session --------------------------------------------------------------------------------------------


def started(city: City, stay: Stay, *, now: datetime) -> None:
    """The NAS let the device on: its session begins, until the time is over that the NAS was told."""
    with city.store.write() as conn:
        _begin(conn, city, stay, now)


def await_word(city: City, nas: Nas, due: Awaited, *, proven: bool, now: datetime) -> int:
    """The NAS will tell by itself that it let the device on; returns how many others were given up for that."""
    with city.store.write() as conn:
        return awaited.add(
            conn,
            nas.id,
            due.session_id,
            due.accept,
            framed_ip=due.framed_ip,
            gateway=due.gateway,
            proven=proven,
            now=now,
        )


def told_started(city: City, nas: Nas, session_id: str, *, mac: MacAddress | None = None, now: datetime) -> bool:
    """The NAS tells that it let this device on; `mac` is its own word for who that is, where it says so.

    False where nobody awaits that, or for another device: then an unsigned redirect claimed a MAC address.
    """
    with city.store.write() as conn:
        waiting = awaited.take(conn, nas.id, session_id)
        if waiting is None:
            return False
        if mac is not None and residents.find_device(conn, city.store.keys, mac, now=now) != waiting.accept.device_id:
            return False
        proven = waiting.proven or mac is not None
        _begin(conn, city, Stay(nas, waiting.accept, session_id, proven, waiting.framed_ip), now)
    return True


def _begin(conn: Connection, city: City, stay: Stay, now: datetime) -> None:
    holder: Holder | None = ask_holders(conn, [stay.accept.grant_id])().get(stay.accept.grant_id)
    session = Session(
        id=None,
        device_id=stay.accept.device_id,
        grant_id=stay.accept.grant_id,
        nas_id=stay.nas.id,
        acct_session_id=stay.session_id,
        user_name=stay.session_id,
        ssid="",
        bssid="",
        framed_ip=stay.framed_ip,
        local_day=local_day(now, city.zone),
        totals=begin(now),
        nas_address=stay.nas.address,
        voucher_id=holder.voucher_id if holder is not None else None,
        planned_end_at=now + timedelta(seconds=stay.accept.session_seconds),
    )
    unaccounted.begin(conn, session, proven=stay.proven, now=now, zone=city.zone)


def ended(city: City, nas: Nas, session_id: str, *, cause: str, octets: Octets | None = None, now: datetime) -> bool:
    """The NAS said that this session is over. False where it has no such session, or had told that before."""
    with city.store.write() as conn:
        return unaccounted.end(conn, (nas.id, session_id), cause=cause, octets=octets, now=now, zone=city.zone)


def left(city: City, nas: Nas, mac: MacAddress, *, now: datetime) -> None:
    """The NAS was told to let this device go, because its resident wishes so."""
    with city.store.write() as conn:
        device_id = residents.find_device(conn, city.store.keys, mac, now=now)
        if device_id is not None:
            unaccounted.end_of_device(conn, device_id, nas.id, cause=USER_REQUEST, now=now, zone=city.zone)
