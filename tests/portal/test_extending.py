"""Staying longer: offered where plan and hotspot allow it, done once, told to the NAS, taken back where it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from hotspot.access import Accept, decide_running
from store import access, outbox, schema
from store.outbox import Change, Kind, State
from tests.portal.hands import Door, Phone, form, words
from tests.portal.online import change, go_online, radius_accepts, set_plan


@pytest.fixture
def online(door: Door, phone: Phone) -> int:
    """Online for ten minutes of an hour, which may be had three times."""
    set_plan(door, "tap", session_minutes=60, extensions_max=2)
    session_id = go_online(door, phone)
    door.clock.forward(minutes=10)
    return session_id


def extensions(door: Door) -> int:
    with door.city.store.read() as conn:
        return int(conn.execute(select(schema.grant.c.extensions).order_by(schema.grant.c.id)).scalars().first())  # type: ignore[arg-type]


def orders(door: Door) -> list[Any]:
    with door.city.store.read() as conn:
        return list(conn.execute(schema.outbox.select().order_by(schema.outbox.c.id)))


def answered(door: Door, state: State) -> None:
    """What RADIUS writes when the NAS said something to the newest order, or nothing."""
    with door.city.store.write() as conn:
        outbox.record(conn, [Change(orders(door)[-1].id, Kind.COA, state, 1)], now=door.clock())


def seconds_left(door: Door, session_id: int) -> int:
    """What a CoA of this moment would say."""
    city = door.city
    with city.store.read() as conn:
        facts = access.gather_running(conn, [session_id], now=door.clock(), zone=city.zone)[session_id]
    decision = decide_running(facts, now=door.clock(), zone=city.zone)
    return decision.session_seconds if isinstance(decision, Accept) else 0


def extend(phone: Phone, token: str | None = None) -> None:
    page = phone.status(token)
    answer = phone.send("/extend", form(page, "extend"))
    assert answer.status_code == 303 and answer.location.startswith("/status?visit=")


def test_an_extension_adds_a_session_and_tells_the_nas(door: Door, phone: Phone, online: int) -> None:
    assert "Stay 1 hour longer" in words(phone.status())
    extend(phone)
    (order,) = orders(door)
    assert (order.kind, order.session_id, order.reason, order.state) == ("coa", online, "resident", "wanted")
    assert seconds_left(door, online) == 110 * 60
    page = words(phone.status())
    assert "1 hour 50 minutes" in page and "1 of 2 times" in page and "being told of your longer time" in page
    answered(door, State.CONFIRMED)
    assert "You have more time now." in words(phone.status())


def test_a_form_that_is_sent_twice_extends_once(door: Door, phone: Phone, online: int) -> None:
    fields = form(phone.status(), "extend")
    for _ in range(2):
        phone.send("/extend", fields)
    assert extensions(door) == 1 and len(orders(door)) == 1
    assert door.sample("kogge_portal_extensions_total", result="repeated") == 1


def test_the_plan_says_how_often(door: Door, phone: Phone, online: int) -> None:
    for _ in range(2):
        extend(phone)
        answered(door, State.CONFIRMED)
    page = phone.status()
    assert "2 of 2 times" in words(page) and 'id="extend"' not in page.text
    token = phone.token()
    phone.send("/extend", {"visit": token, "seen": "2"})
    assert extensions(door) == 2
    assert door.sample("kogge_portal_extensions_total", result="refused") == 1


def test_a_second_extension_is_told_though_the_first_is_on_its_way(door: Door, phone: Phone, online: int) -> None:
    extend(phone)
    change(door, schema.outbox, orders(door)[0].id, state="sent")
    extend(phone)
    assert [order.state for order in orders(door)] == ["sent", "wanted"]


@pytest.mark.parametrize("state", [State.REFUSED, State.UNANSWERED])
def test_what_the_nas_did_not_take_is_taken_back(door: Door, phone: Phone, online: int, state: State) -> None:
    extend(phone)
    answered(door, state)
    assert extensions(door) == 0 and seconds_left(door, online) == 50 * 60
    page = words(phone.status())
    assert "The hotspot did not take the longer time." in page and "50 minutes" in page
    answered(door, state)
    assert extensions(door) == 0, "it is taken back once"


def test_a_hotspot_that_takes_no_coa_says_what_happens(door: Door, phone: Phone, online: int) -> None:
    change(door, schema.nas, door.nas.id, product="ruckus")
    page = phone.status()
    assert 'id="extend"' not in page.text and "cannot lengthen a connection that runs" in words(page)
    phone.send("/extend", {"visit": phone.token(), "seen": "0"})
    assert extensions(door) == 0


def test_the_next_log_in_begins_anew(door: Door, phone: Phone, online: int) -> None:
    """The device is remembered: its next session has the plan's time and its own extensions."""
    extend(phone)
    with door.city.store.write() as conn:
        grant_id = int(conn.execute(select(schema.grant.c.id)).scalars().first())  # type: ignore[arg-type]
        noted = access.Noted(door.nas.id, 1, grant_id, "mac", None)
        access.note_decisions(conn, [noted], now=door.clock())
    assert extensions(door) == 0


@pytest.mark.parametrize("visit", ["", "x" * 200])
def test_nobody_extends_without_a_visit(door: Door, phone: Phone, online: int, visit: str) -> None:
    assert phone.send("/extend", {"visit": visit, "seen": "0"}).status_code == 400
    assert extensions(door) == 0


def test_a_tap_of_a_plan_that_forgets_lasts_for_its_extensions(door: Door, phone: Phone) -> None:
    set_plan(door, "tap", session_minutes=60, extensions_max=1, remember_hours=0)
    session_id = go_online(door, phone)
    assert seconds_left(door, session_id) == 3_600
    extend(phone)
    assert seconds_left(door, session_id) == 7_200
    assert radius_accepts(door)
