"""Sessions with Disconnect, the audit log: what is shown, done and noted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from hotspot.roles import Role
from hotspot.values import MacAddress, Octets
from store import audit, outbox, schema
from store.outbox import State
from tests.portal.hands import NOW, PHONE, Door, Phone, Seat, add_session, words


@pytest.fixture
def admin(door: Door) -> Seat:
    return door.member(Role.ADMIN)


def orders(door: Door) -> list[dict[str, object]]:
    with door.city.store.read() as conn:
        return [dict(row) for row in conn.execute(schema.outbox.select()).mappings()]


# Sessions ---------------------------------------------------------------------------------------------


def test_who_is_online_and_what_ended(door: Door, admin: Seat) -> None:
    live = add_session(door.city, octets=Octets(1_500_000_000, 2_000_000))
    ended = add_session(
        door.city,
        MacAddress.parse("02-00-5E-10-00-0B"),
        name="session-2",
        ended_at=NOW + timedelta(minutes=5),
        seconds=300,
        cause="User-Request",
    )
    door.clock.forward(minutes=10)
    page = admin.get("/staff/sessions")
    online, over = page.text.split('<table id="ended"')
    assert f'<tr id="session-{live}">' in online
    assert f'<tr id="session-{ended}">' in over
    told = words(page)
    for fact in ("1 online now.", "Neuer Markt, Rostock-WLAN", "rostock-gateway", "1.5 GB", "13:00", "User-Request"):
        assert fact in told
    assert str(PHONE) not in page.text


def test_what_ended_long_ago_is_not_shown(door: Door, admin: Seat) -> None:
    add_session(door.city, ended_at=NOW + timedelta(minutes=10))
    door.clock.forward(minutes=69)
    assert 'id="session-1"' in admin.get("/staff/sessions").text
    door.clock.forward(minutes=2)
    assert 'id="session-1"' not in admin.get("/staff/sessions").text


def test_disconnect_wants_it_of_radius_ends_the_grants_and_is_noted(door: Door, admin: Seat, phone: Phone) -> None:
    phone.accept()
    session_id = add_session(door.city)
    answer = admin.send(f"/staff/sessions/{session_id}/disconnect")
    assert (answer.status_code, answer.location) == (303, "/staff/sessions")
    (row,) = orders(door)
    assert (row["kind"], row["session_id"], row["state"], row["attempts"]) == ("disconnect", session_id, "wanted", 0)
    with door.city.store.read() as conn:
        (entry,) = audit.entries(conn, limit=10)
        (grant,) = conn.execute(schema.grant.select()).mappings()
        (member,) = conn.execute(schema.staff.select()).mappings()
    assert (entry.action, entry.subject, entry.login) == ("session.disconnect", f"session:{session_id}", "admin")
    assert row["requested_by"] == member["id"]
    assert grant["ended_at"] == NOW
    page = admin.get("/staff/sessions")
    assert "Disconnect: wanted" in page.text
    assert f"/staff/sessions/{session_id}/disconnect" not in page.text, "nothing more to press"


def test_asking_twice_is_one_wish(door: Door, admin: Seat) -> None:
    session_id = add_session(door.city)
    for _ in range(2):
        admin.send(f"/staff/sessions/{session_id}/disconnect")
    assert len(orders(door)) == 1


def test_an_ended_session_is_not_disconnected(door: Door, admin: Seat) -> None:
    session_id = add_session(door.city, ended_at=NOW)
    assert admin.send(f"/staff/sessions/{session_id}/disconnect").status_code == 303
    assert orders(door) == []
    assert door.count(schema.audit) == 0


@pytest.mark.parametrize("number", ["1", "0", "999", "9223372036854775808", "9" * 5_000, "-1", "x"])
def test_a_session_of_nothing_is_no_page(door: Door, admin: Seat, number: str) -> None:
    assert admin.send(f"/staff/sessions/{number}/disconnect").status_code == 404
    assert door.count(schema.outbox) == 0


@pytest.mark.parametrize(
    ("state", "cause", "told", "again"),
    [
        (State.WANTED, None, "Disconnect: wanted", False),
        (State.SENT, None, "Disconnect: sent", False),
        (State.ACKED, None, "Disconnect: acknowledged, waiting for the Stop", True),
        (State.REFUSED, 503, "Disconnect: refused by the NAS (503)", True),
        (State.UNANSWERED, None, "Disconnect: no answer from the NAS", True),
    ],
)
def test_each_state_of_a_disconnect_is_told(
    door: Door, admin: Seat, state: State, cause: int | None, told: str, again: bool
) -> None:
    session_id = add_session(door.city)
    admin.send(f"/staff/sessions/{session_id}/disconnect")
    with door.city.store.write() as conn:
        conn.execute(update(schema.outbox).values(state=state.value, error_cause=cause))
    page = admin.get("/staff/sessions")
    assert told in words(page)
    assert (f"/staff/sessions/{session_id}/disconnect" in page.text) is again
    if again:
        admin.send(f"/staff/sessions/{session_id}/disconnect")
        fresh = [] if state is State.ACKED else ["wanted"]  # an ACK's Stop has two minutes to come
        assert [row["state"] for row in orders(door)] == [state.value, *fresh]


def test_a_nas_that_agreed_and_did_nothing_is_asked_again(door: Door, admin: Seat) -> None:
    session_id = add_session(door.city)
    admin.send(f"/staff/sessions/{session_id}/disconnect")
    with door.city.store.write() as conn:
        conn.execute(update(schema.outbox).values(state=State.ACKED.value))
    door.clock.forward(minutes=3)
    admin.send(f"/staff/sessions/{session_id}/disconnect")
    assert [row["state"] for row in orders(door)] == ["acked", "wanted"]


def test_a_disconnect_that_a_limit_made_says_which(door: Door, admin: Seat) -> None:
    session_id = add_session(door.city)
    with door.city.store.write() as conn:
        outbox.want_disconnects(conn, {session_id: "daily_time_used"}, now=NOW)
    assert "Disconnect: wanted Reason: daily_time_used" in words(admin.get("/staff/sessions"))
    with door.city.store.write() as conn:
        outbox.want(conn, outbox.Kind.COA, session_id, reason="operator", now=NOW)
    assert "Disconnect: wanted Reason: daily_time_used" in words(admin.get("/staff/sessions")), "a CoA is none"


def test_a_confirmed_disconnect_stands_with_what_ended(door: Door, admin: Seat) -> None:
    session_id = add_session(door.city)
    admin.send(f"/staff/sessions/{session_id}/disconnect")
    with door.city.store.write() as conn:
        conn.execute(update(schema.session).values(ended_at=NOW, terminate_cause="Admin-Reset"))
        outbox.confirm(conn, [session_id], now=NOW)
    over = admin.get("/staff/sessions").text.split('<table id="ended"')[1]
    assert "Admin-Reset" in over
    assert "Disconnect: confirmed" in over


def test_many_sessions_come_in_pages(door: Door, admin: Seat) -> None:
    rows = door.city.config.limits.page_rows
    for number in range(rows + 3):
        started = NOW - timedelta(minutes=number)
        add_session(door.city, MacAddress(bytes((2, 0, 0, 0, 2, number))), name=f"s-{number}", started_at=started)
    first, second = admin.get("/staff/sessions"), admin.get(f"/staff/sessions?from={rows}")
    assert "103 online now." in words(first)
    assert (first.text.count("<tr id="), second.text.count("<tr id=")) == (rows, 3)
    assert (f'href="?from={rows}"' in first.text, 'href="?from=0"' in second.text) == (True, True)
    assert "Older" not in second.text


# The audit log ------------------------------------------------------------------------------------------


def test_the_log_comes_in_pages_newest_first(door: Door, admin: Seat) -> None:
    rows = door.city.config.limits.page_rows
    with door.city.store.write() as conn:
        for number in range(rows + 5):
            at = NOW + timedelta(seconds=number)
            audit.add(conn, now=at, action="test.action", subject=f"subject-{number:03d}", count=number)
    first, second = admin.get("/staff/audit"), admin.get(f"/staff/audit?from={rows}")
    assert first.text.count("test.action") == rows
    assert second.text.count("test.action") == 5
    assert "subject-104" in first.text
    assert "subject-004" in second.text
    assert "count: 104" in words(first)
    assert ("Older" in first.text, "Newer" in first.text) == (True, False)
    assert ("Older" in second.text, "Newer" in second.text) == (False, True)


def test_what_is_noted_is_escaped(door: Door, admin: Seat) -> None:
    door.seat().log_in("<script>alert(1)</script>", "wrong", csrf=None)
    page = admin.get("/staff/audit").text
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("role", Role)
def test_the_language_switch_of_a_staff_page(door: Door, role: Role) -> None:
    seat = door.member(role)
    page = seat.get(seat.get("/staff").location)
    while page.status_code == 303:
        page = seat.get(page.location)
    german = seat.get(f"{page.request.path}?lang=de")
    assert '<html lang="de" dir="ltr">' in german.text
    assert "Abmelden" in german.text
