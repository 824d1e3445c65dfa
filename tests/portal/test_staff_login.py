"""Logging in, invitations and passwords of the staff: what is let in, what is limited, what is noted."""

from __future__ import annotations

from datetime import timedelta

import pytest

import portal.staff.login as logins
from hotspot.roles import Role
from portal import passwords
from service.cities import City
from store import audit, schema, staff
from tests.portal.hands import NOW, PASSWORD, Clock, Door, Seat, form, words

TOKEN = "t" * 43
PROXY = "192.0.2.1"


@pytest.fixture
def door(city: City, clock: Clock, password_hash: str) -> Door:
    """Three wrong passwords are too many here: each costs a hash."""
    limits = city.config.limits.model_copy(update={"login_attempts": 3})
    return Door(City(city.config.model_copy(update={"limits": limits}), city.store), clock, password_hash)


@pytest.fixture
def seat(door: Door) -> Seat:
    """A browser of nobody yet; `admin` exists, with `PASSWORD`."""
    door.add_member("admin")
    return door.seat()


def notes(door: Door) -> list[tuple[str, str, str | None]]:
    """The audit log, oldest first: action, subject, who."""
    with door.city.store.read() as conn:
        return [(each.action, each.subject, each.login) for each in reversed(audit.entries(conn, limit=100))]


# Right and wrong ----------------------------------------------------------------------------------------


def test_the_right_password_opens_the_staff_s_pages(door: Door, seat: Seat) -> None:
    answer = seat.log_in("admin")
    assert (answer.status_code, answer.location) == (303, "/staff")
    assert seat.get("/staff").location == "/staff/sessions"
    assert seat.get("/staff/sessions").status_code == 200
    assert notes(door) == [("staff.login", "admin", "admin")]
    assert door.sample("kogge_portal_staff_logins_total", result="success") == 1


def test_the_cookie_is_kept_from_scripts_and_other_sites(door: Door, seat: Seat) -> None:
    (cookie,) = seat.log_in("admin").headers.getlist("Set-Cookie")
    parts = [part.strip() for part in cookie.split(";")]
    for wanted in ("HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={8 * 3600}"):
        assert wanted in parts
    assert "Domain" not in cookie, "this host alone"
    assert "Secure" not in parts, "the demo speaks http"


def test_behind_https_the_cookie_is_secure(door: Door) -> None:
    portal = door.city.config.portal.model_copy(update={"staff_url": "https://staff.rostock.example"})
    city = type(door.city)(door.city.config.model_copy(update={"portal": portal}), door.city.store)
    secure = Door(city, door.clock, door.password_hash)
    secure.add_member("admin")
    assert "Secure" in secure.seat().log_in("admin").headers["Set-Cookie"]


def test_the_token_is_stored_as_a_hash(door: Door, seat: Seat) -> None:
    seat.log_in("admin")
    assert seat.cookie
    with door.city.store.read() as conn:
        (row,) = conn.execute(schema.staff_session.select()).all()
    assert row.token_hash == staff.token_hash(seat.cookie)
    assert seat.cookie.encode() not in row.token_hash
    assert row.expires_at == NOW + timedelta(hours=8)


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("admin", PASSWORD + "x"),
        ("admin", ""),
        ("admin", PASSWORD.upper()),
        ("nobody", PASSWORD),
        ("", ""),
        ("invited", ""),
        ("invited", PASSWORD),
        ("gone", PASSWORD),
        ("nobody\0", PASSWORD),
        ("x" * 10_000, "y" * 10_000),
        ("' or 1=1 --", PASSWORD),
    ],
)
def test_everything_else_is_answered_alike(door: Door, seat: Seat, login: str, password: str) -> None:
    door.add_member("invited", with_password=False)
    gone = door.add_member("gone")
    with door.city.store.write() as conn:
        conn.execute(schema.staff.update().where(schema.staff.c.id == gone).values(disabled_at=NOW))
    answer = seat.log_in(login, password)
    assert answer.status_code == 401
    assert "User name or password is wrong." in words(answer)
    assert "Set-Cookie" not in answer.headers
    assert answer.text == seat.log_in("admin", "another wrong one").text
    assert notes(door)[0] == ("staff.login_failed", login[:80].strip().replace("\0", ""), None)
    assert door.sample("kogge_portal_staff_logins_total", result="wrong") == 2


def test_an_unknown_name_costs_as_much_as_a_wrong_password(
    door: Door, seat: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same work on every path: one verification of argon2, whoever asks."""
    verified: list[str] = []
    door.password_hash = logins.hash_password(PASSWORD)
    door.add_member("real")

    class Counting:
        def verify(self, stored: str, password: str) -> bool:
            verified.append(stored)
            return hasher.verify(stored, password)

    hasher = passwords._HASHER
    monkeypatch.setattr(passwords, "_HASHER", Counting())
    door.add_member("invited", with_password=False)
    for name in ("real", "nobody", "invited"):
        seat.log_in(name, "wrong")
    costs = [stored.split("$")[3] for stored in verified]
    assert costs == ["m=65536,t=3,p=4"] * 3


# Limits -------------------------------------------------------------------------------------------------


def test_too_many_wrong_passwords_pause_the_name(door: Door, seat: Seat) -> None:
    limits = door.city.config.limits
    for number in range(limits.login_attempts):
        assert _from(seat, f"198.51.100.{number}", "admin", "wrong").status_code == 401
    answer = _from(seat, "198.51.100.200", "admin", PASSWORD)
    assert answer.status_code == 429
    assert "Too many attempts." in words(answer)
    assert _from(seat, "198.51.100.201", "ADMIN", "wrong").status_code == 429, "whatever its case"
    assert door.sample("kogge_portal_staff_logins_total", result="limited") == 2
    door.clock.forward(minutes=limits.login_window_minutes)
    assert _from(seat, "198.51.100.200", "admin", PASSWORD).status_code == 303


def test_too_many_wrong_names_pause_the_address(door: Door, seat: Seat) -> None:
    for number in range(door.city.config.limits.login_attempts):
        assert _from(seat, "198.51.100.7", f"guess-{number}", "wrong").status_code == 401
    assert _from(seat, "198.51.100.7", "admin", PASSWORD).status_code == 429
    assert _from(seat, "198.51.100.8", "admin", PASSWORD).status_code == 303


def test_the_right_password_forgives_the_name(door: Door, seat: Seat) -> None:
    attempts = door.city.config.limits.login_attempts
    for number in range(attempts - 1):
        _from(seat, f"198.51.100.{number}", "admin", "wrong")
    assert _from(seat, "198.51.100.100", "admin", PASSWORD).status_code == 303
    seat.client.delete_cookie("kogge_staff", domain=door.city.config.portal.staff_host)
    assert _from(seat, "198.51.100.101", "admin", "wrong").status_code == 401
    assert _from(seat, "198.51.100.102", "admin", PASSWORD).status_code == 303


def test_only_the_named_proxies_may_say_who_asks(door: Door, seat: Seat) -> None:
    """Without them the header is anybody's, and would be a way around the limit."""
    for number in range(door.city.config.limits.login_attempts):
        fields = {"login": f"guess-{number}", "password": "wrong"}
        seat.send("/staff/login", fields, csrf=None, X_Forwarded_For=f"198.51.100.{number}")
    answer = seat.send("/staff/login", {"login": "admin", "password": PASSWORD}, csrf=None, X_Forwarded_For="10.0.0.1")
    assert answer.status_code == 429


def _from(seat: Seat, address: str, login: str, password: str):  # type: ignore[no-untyped-def]
    """A log-in as the server sees it that the address connects to."""
    return seat.client.post(
        "/staff/login",
        base_url=seat.door.staff_url,
        data={"login": login, "password": password},
        headers={"Accept-Language": "en"},
        environ_overrides={"REMOTE_ADDR": address},
    )


# Logging in again -----------------------------------------------------------------------------------------


def test_who_is_logged_in_may_log_in_as_somebody_else(door: Door, seat: Seat) -> None:
    """The form as the page gives it: the log-in page of a member carries the session's token, too."""
    door.add_member("desk", Role.DESK)
    seat.log_in("admin")
    fields = form(seat.get("/staff/login"), "login") | {"login": "desk", "password": PASSWORD}
    assert seat.send("/staff/login", fields, csrf=None).status_code == 303
    assert seat.get("/staff").location == "/staff/vouchers"


# Invitations --------------------------------------------------------------------------------------------


@pytest.fixture
def invited(door: Door) -> Seat:
    """`desk` was invited with `TOKEN`, for seven days."""
    staff_id = door.add_member("desk", Role.DESK, with_password=False)
    with door.city.store.write() as conn:
        staff.add_invite(conn, staff_id=staff_id, token=TOKEN, expires_at=NOW + timedelta(days=7))
    return door.seat()


def test_an_invitation_sets_a_password_once(door: Door, invited: Seat) -> None:
    page = invited.get(f"/staff/invite/{TOKEN}")
    assert "For the user name desk." in words(page)
    answer = invited.send(f"/staff/invite/{TOKEN}", {"password": PASSWORD}, csrf=None)
    assert (answer.status_code, answer.location) == (303, "/staff/login")
    assert notes(door) == [("staff.password", "desk", "desk")]
    assert invited.log_in("desk").status_code == 303
    again = door.seat()
    assert again.get(f"/staff/invite/{TOKEN}").status_code == 404
    assert again.send(f"/staff/invite/{TOKEN}", {"password": "another password"}, csrf=None).status_code == 404
    assert door.seat().log_in("desk").status_code == 303, "the first password stands"


def test_a_new_password_ends_the_member_s_sessions(door: Door, invited: Seat) -> None:
    before = door.member(Role.DESK, "desk")
    assert before.get("/staff/vouchers").status_code == 200
    invited.send(f"/staff/invite/{TOKEN}", {"password": PASSWORD}, csrf=None)
    assert before.get("/staff/vouchers").status_code == 303


def test_an_invitation_ends(door: Door, invited: Seat) -> None:
    door.clock.forward(days=7)
    assert invited.get(f"/staff/invite/{TOKEN}").status_code == 404
    assert invited.send(f"/staff/invite/{TOKEN}", {"password": PASSWORD}, csrf=None).status_code == 404


def test_a_disabled_member_s_invitation_is_none(door: Door, invited: Seat) -> None:
    with door.city.store.write() as conn:
        conn.execute(schema.staff.update().values(disabled_at=NOW))
    assert invited.get(f"/staff/invite/{TOKEN}").status_code == 404


@pytest.mark.parametrize("password", ["", "elf Zeichen", "x" * 201])
def test_a_password_of_another_length_is_refused_and_the_link_stays_good(
    door: Door, invited: Seat, password: str
) -> None:
    page = invited.send(f"/staff/invite/{TOKEN}", {"password": password}, csrf=None)
    assert page.status_code == 422
    assert "A password has 12 to 200 characters." in words(page)
    assert invited.send(f"/staff/invite/{TOKEN}", {"password": PASSWORD}, csrf=None).status_code == 303


@pytest.mark.parametrize("token", ["x", "t" * 42, "t" * 44, "%00", "%C3%A4", "..", "t" * 5_000])
def test_a_made_up_invitation_is_none(door: Door, invited: Seat, token: str) -> None:
    assert invited.get(f"/staff/invite/{token}").status_code in (404, 405)
    assert invited.send(f"/staff/invite/{token}", {"password": PASSWORD}, csrf=None).status_code in (404, 405)


def test_an_invitation_beside_a_log_in(door: Door, invited: Seat) -> None:
    """An admin tries a link in the browser in which they work: the form carries their session's token."""
    admin = door.member(Role.ADMIN)
    fields = form(admin.get(f"/staff/invite/{TOKEN}"), "invitation") | {"password": PASSWORD}
    assert admin.send(f"/staff/invite/{TOKEN}", fields, csrf=None).status_code == 303
    assert admin.get("/staff/sessions").status_code == 200
