"""NASes that ask no RADIUS: the portal judges as RADIUS does, and its sessions count as RADIUS's do."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select, update

from hotspot.access import PENDING_SECONDS, Accept, Reason, Refusal
from hotspot.error_causes import UNSUPPORTED_EXTENSION
from hotspot.roles import Role
from hotspot.unaccounted import SAYING_SO
from hotspot.values import Octets, local_day
from monitor.housekeeping import JOBS, run
from monitor.instruments import Instruments
from ops.explain_sentences import Frame
from ops.explain_sentences import session as session_sentence
from portal.captive import admission, authorising
from portal.captive.admission import Admission, Wish, by_tap
from portal.captive.authorising import Stay
from radius.orders import Case, End, judge
from service.cities import City
from store import accounting, decisions, outbox, residents, schema, sessions
from store.nases import Nas
from store.outbox import State
from store.sessions import SessionView
from tests.portal.hands import NOW, PHONE, Door, add_session, words
from tests.support.handoffs import nas_of

NAS = nas_of("unifi")


def admitted(city: City, *, now: datetime = NOW) -> Admission:
    with city.store.read() as conn:
        terms = residents.current_terms(conn)[0]
    found = admission.admit(city, Wish(PHONE, terms.id, "en"), by_tap, now=now, random_octets=os.urandom)
    assert isinstance(found, Admission)
    return found


def let_on(city: City, nas: Nas = NAS, *, now: datetime = NOW, proven: bool = True) -> str:
    """A session from the tap on; returns its name."""
    name = admitted(city, now=now).credential.name
    accept = authorising.by_ticket(city, nas, PHONE, name, proven=proven, now=now)
    assert isinstance(accept, Accept)
    authorising.started(city, Stay(nas, accept, name, proven), now=now)
    return name


def newest(city: City) -> SessionView:
    with city.store.read() as conn:
        device_id = residents.find_device(conn, city.store.keys, PHONE, now=NOW)
        assert device_id is not None
        view = sessions.latest_of_device(conn, device_id)
    assert view is not None
    return view


def used(city: City, at: datetime = NOW) -> tuple[int, int, int]:
    with city.store.read() as conn:
        device_id = residents.find_device(conn, city.store.keys, PHONE, now=NOW)
        assert device_id is not None
        return residents.used_on(conn, device_id, local_day(at, city.zone))


def job(city: City, name: str, now: datetime) -> int | None:
    found = next(each for each in JOBS if each.name == name)
    return run(found, city, Instruments(CollectorRegistry()), holder="test", now=now)


def set_plan(city: City, **values: Any) -> None:
    with city.store.write() as conn:
        conn.execute(update(schema.plan).values(**values))


def test_the_portal_says_what_radius_would_and_logs_it(city: City) -> None:
    answer = admitted(city)
    accept = authorising.by_ticket(city, NAS, PHONE, answer.credential.name, proven=True, now=NOW)
    assert isinstance(accept, Accept) and (accept.grant_id, accept.device_id) == (answer.grant_id, answer.device_id)
    with city.store.read() as conn:
        (logged,) = decisions.latest_of_device(conn, answer.device_id, limit=9)
        assert residents.accepted_at(conn, answer.device_id) == NOW
    assert (logged.proof, logged.reason, logged.nas_id) == ("ticket", None, NAS.id)


def test_a_refusal_is_logged_with_its_reason(city: City) -> None:
    answer = admitted(city)
    closed = replace(NAS, opening_hours="Mo-Su 01:00-02:00")
    assert authorising.by_ticket(city, closed, PHONE, answer.credential.name, proven=True, now=NOW) == Refusal(
        Reason.CLOSED
    )
    with city.store.read() as conn:
        (logged,) = decisions.latest_of_device(conn, answer.device_id, limit=9)
    assert logged.reason == "closed"


def test_its_session_counts_on_the_day_while_it_runs_and_ends_with_its_time(city: City) -> None:
    set_plan(city, session_minutes=10, daily_minutes=0)
    let_on(city)
    later = NOW + timedelta(minutes=4)
    assert job(city, "account-for-sessions", later) == 0
    assert used(city) == (240, 0, 0) and newest(city).ended_at is None
    late = NOW + timedelta(minutes=10) + SAYING_SO
    assert job(city, "account-for-sessions", late) == 1
    view = newest(city)
    assert (view.seconds, view.ended_at, view.terminate_cause, view.estimated) == (
        600,
        NOW + timedelta(minutes=10),
        "Session-Timeout",
        True,
    )
    assert used(city) == (600, 0, 0)


def test_the_nas_tells_the_true_end_and_octets_even_late(city: City) -> None:
    set_plan(city, session_minutes=10)
    name = let_on(city)
    late = NOW + timedelta(minutes=12)
    job(city, "account-for-sessions", late)
    assert authorising.ended(city, NAS, name, cause="Session-Timeout", octets=Octets(900, 100), now=late)
    assert not authorising.ended(city, NAS, name, cause="User-Request", octets=Octets(900, 100), now=late)
    view = newest(city)
    assert (view.estimated, view.octets, view.terminate_cause) == (False, Octets(900, 100), "Session-Timeout")
    assert used(city)[1:] == (900, 100)


def test_nobody_ends_a_session_of_another_nas_or_of_radius(city: City) -> None:
    name = let_on(city)
    stranger = replace(NAS, id=NAS.id + 1)
    assert not authorising.ended(city, stranger, name, cause="x", now=NOW)
    add_session(city, name="of-radius")
    assert not authorising.ended(city, NAS, "of-radius", cause="x", now=NOW)
    assert not authorising.ended(city, NAS, "unknown", cause="x", now=NOW)


def test_interims_that_nobody_sends_are_not_missed(city: City) -> None:
    set_plan(city, session_minutes=10_000)
    let_on(city)
    job(city, "close-stale-sessions", NOW + timedelta(hours=48))
    assert newest(city).ended_at is None


def test_a_proven_start_ends_the_devices_older_sessions_and_remembers_it(city: City) -> None:
    set_plan(city, session_minutes=60, remember_hours=24)
    let_on(city)
    let_on(city, now=NOW + timedelta(minutes=3))
    with city.store.read() as conn:
        rows = conn.execute(select(schema.session).order_by(schema.session.c.id)).mappings().all()
        first_grant, second_grant = conn.execute(select(schema.grant.c.remembered)).scalars()
    assert (rows[0]["seconds"], rows[0]["terminate_cause"]) == (180, "Lost-Carrier")
    assert rows[1]["ended_at"] is None and second_grant and first_grant
    back = authorising.by_memory(city, NAS, PHONE, now=NOW + timedelta(minutes=30))
    assert isinstance(back, Accept)


def test_a_mere_claim_ends_nothing_and_is_not_remembered(city: City) -> None:
    set_plan(city, session_minutes=60, remember_hours=24)
    let_on(city)
    let_on(city, now=NOW + timedelta(minutes=3), proven=False)
    with city.store.read() as conn:
        assert len(sessions.live(conn, limit=9)) == 2
        assert list(conn.execute(select(schema.grant.c.remembered).order_by(schema.grant.c.id)).scalars()) == [
            True,
            False,
        ]


def test_a_device_that_was_just_let_on_sees_the_page(city: City) -> None:
    set_plan(city, remember_hours=24)
    let_on(city)
    soon = NOW + timedelta(seconds=PENDING_SECONDS - 1)
    assert authorising.by_memory(city, NAS, PHONE, now=soon) is None
    assert authorising.by_memory(city, NAS, PHONE, now=NOW + timedelta(seconds=PENDING_SECONDS)) is not None


def test_a_stranger_is_not_let_back_on_and_not_logged(city: City) -> None:
    assert authorising.by_memory(city, NAS, PHONE, now=NOW) is None
    with city.store.read() as conn:
        assert conn.execute(select(schema.decision)).first() is None


def test_leaving_ends_the_session_at_once(city: City) -> None:
    let_on(city)
    authorising.left(city, NAS, PHONE, now=NOW + timedelta(minutes=1))
    view = newest(city)
    assert (view.terminate_cause, view.seconds, view.estimated) == ("User-Request", 60, False)


@pytest.mark.parametrize("kind", outbox.Kind)
def test_radius_does_not_ask_a_nas_that_knows_none(city: City, kind: outbox.Kind) -> None:
    name = let_on(city)
    with city.store.write() as conn:
        session = accounting.load_many(conn, [(NAS.id, name)])[NAS.id, name]
        assert session.id is not None and session.planned_end_at is not None
        order_id = outbox.want(conn, kind, session.id, reason="staff", now=NOW)
        order = outbox.by_id(conn, order_id)
        assert order is not None
    case = Case(order, session, NAS, PHONE, None)
    assert judge(case, now=NOW) == End(State.REFUSED, UNSUPPORTED_EXTENSION)


def test_its_planned_end_is_nobodys_order_but_a_block_is(city: City) -> None:
    set_plan(city, session_minutes=10, remember_hours=0)
    let_on(city)
    assert job(city, "end-spent-sessions", NOW + timedelta(minutes=10)) == 0
    view = newest(city)
    with city.store.write() as conn:
        residents.end_grants(conn, view.device_id, now=NOW)
    assert job(city, "end-spent-sessions", NOW + timedelta(minutes=5)) == 1


def test_staff_sees_when_it_ends_and_that_no_order_ends_it_earlier(door: Door) -> None:
    set_plan(door.city, session_minutes=10)
    let_on(door.city)
    page = words(door.member(Role.ADMIN).get("/staff/sessions"))
    assert "Ends at 13:10; this hotspot takes no earlier end." in page, page


def test_the_helpdesk_is_told_who_let_it_on(city: City) -> None:
    set_plan(city, session_minutes=10)
    let_on(city)
    said = session_sentence(newest(city), None, Frame("rostock", city.zone, NOW))
    assert "The portal let it on, its NAS ends it at" in said and "takes no Disconnect" in said
