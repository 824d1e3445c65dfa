"""Who may open which of the staff's pages: every route against every role, forged forms, other cities' cookies."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from hotspot.roles import Permission, Role, may
from portal.staff.guard import ANY_ROLE, GUARDS, PUBLIC, Guard
from portal.staff.views import MENU
from service.cities import City
from store import audit, keys, migrate, notices, schema, snmp_credentials
from store.fleet import SnmpCredential
from store.nases import COMMAND_LINE
from store.store import Store
from tests.portal.hands import NOW, Clock, Door, add_session
from tests.support.cities import make_city


@pytest.fixture
def city(quick_city: City) -> City:
    return quick_city


PLACES = {
    "<int:session_id>": "1",
    "<int:batch_id>": "1",
    "<int:nas_id>": "1",
    "<token>": "t" * 43,
    "<int:site_id>": "1",
    "<int:point_id>": "1",
    "<int:discovery_id>": "1",
    "<int:credential_id>": "1",
    "<int:version>": "1",
    "<int:notice_id>": "1",
    "<language>": "de",
    "<month:month>": "2026-11",
}
ROLES = [None, *Role]


@pytest.fixture
def furnished(door: Door) -> Door:
    """A door behind which session 1, voucher batch 1, notice 1 and SNMP credential 1 exist."""
    assert add_session(door.city) == 1
    with door.city.store.write() as conn:
        keys, kept = door.city.store.keys, SnmpCredential("v2c", community="lesen")
        network = ip_network("10.0.0.0/24")
        assert snmp_credentials.add(conn, keys, "x", network, kept, author=COMMAND_LINE, now=NOW) == 1
        assert notices.add(conn, {"de": "x"}, site_id=1, from_at=NOW, until_at=None, author=COMMAND_LINE, now=NOW) == 1
    order = {"label": "x", "plan": "2", "count": "1", "valid_hours": "1", "redeem_days": "1"}
    assert door.member(Role.ADMIN).send("/staff/vouchers", order).location == "/staff/vouchers/1"
    return door


def open_route(door: Door, endpoint: str, role: Role | None) -> tuple[int, str]:
    """Status and target of the route's answer to somebody of that role; forms go with their CSRF token."""
    rule = next(rule for rule in door.app.url_map.iter_rules() if rule.endpoint == endpoint)
    path = rule.rule
    for place, value in PLACES.items():
        path = path.replace(place, value)
    assert "<" not in path
    seat = door.member(role) if role else door.seat()
    answer = seat.send(path) if "POST" in (rule.methods or ()) else seat.get(path)
    return answer.status_code, answer.location or ""


# The table --------------------------------------------------------------------------------------------


def test_the_table_names_every_route_of_the_staff(door: Door) -> None:
    routes = {rule.endpoint for rule in door.app.url_map.iter_rules()}
    assert {name for name in routes if not name.startswith("captive.")} == set(GUARDS)


def test_an_application_with_a_route_beside_the_table_does_not_start(door: Door) -> None:
    door.app.add_url_rule("/staff/forgotten", "staff.forgotten", lambda: "")
    with pytest.raises(AssertionError, match=r"staff\.forgotten"):
        Guard(door.city, door.clock).require_complete(door.app)


def test_what_needs_no_log_in_is_logging_in() -> None:
    public = {name for name, permission in GUARDS.items() if permission is PUBLIC}
    assert public == {"staff.login", "staff.log_in", "staff.invitation", "staff.accept_invitation"}


REACH = {
    Role.DESK: {"staff.vouchers", "staff.make_vouchers", "staff.voucher_sheet"},
    Role.OFFICIAL: {"report.home", "report.month", "report.month_csv"},
}
"""What the issue gives each role, besides its own log-in; an admin reaches everything."""


def test_the_table_gives_each_role_what_it_needs_and_no_more() -> None:
    guarded = {name: asked for name, asked in GUARDS.items() if isinstance(asked, Permission)}
    for role, wanted in REACH.items():
        assert {name for name, asked in guarded.items() if may(role, asked)} == wanted
    assert all(may(Role.ADMIN, asked) for asked in guarded.values())
    assert {name for name in GUARDS if GUARDS[name] == ANY_ROLE} == {"staff.home", "staff.log_out"}


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("endpoint", GUARDS)
def test_every_role_at_every_route(furnished: Door, endpoint: str, role: Role | None) -> None:
    permission = GUARDS[endpoint]
    status, target = open_route(furnished, endpoint, role)
    if permission is PUBLIC:
        assert status in (200, 401, 404), "invitation t… is none"
    elif role is None:
        assert (status, target) == (303, "/staff/login")
    elif isinstance(permission, Permission) and not may(role, permission):
        assert status == 403
        assert refusals(furnished) == [(role.value, endpoint)]
    else:
        assert permission == ANY_ROLE or isinstance(permission, Permission)
        assert status in (200, 303, 422)
        assert target != "/staff/login" or endpoint == "staff.log_out"


def refusals(door: Door) -> list[tuple[str | None, str]]:
    with door.city.store.read() as conn:
        entries = audit.entries(conn, limit=100)
    return [(entry.login, entry.subject) for entry in entries if entry.action == "refused"]


@pytest.mark.parametrize(
    ("role", "forbidden"),
    [
        (Role.DESK, ["/staff/sessions", "/staff/access-points", "/report", "/report/2026-11.csv", "/staff/audit"]),
        (Role.OFFICIAL, ["/staff/sessions", "/staff/access-points", "/staff/vouchers", "/staff/audit"]),
    ],
)
def test_what_a_role_may_not_see_is_said_to_be_so(door: Door, role: Role, forbidden: list[str]) -> None:
    seat = door.member(role)
    for path in forbidden:
        page = seat.get(path)
        assert (page.status_code, "Your role does not allow this." in page.text) == (403, True)


@pytest.mark.parametrize("role", Role)
def test_the_menu_is_what_the_role_may_open(door: Door, role: Role) -> None:
    seat = door.member(role)
    first = seat.get("/staff").location
    page = seat.get(first)
    while page.status_code == 303:
        page = seat.get(page.location)
    assert page.status_code == 200
    for href, _, permission in MENU:
        assert (f'<a href="{href}"' in page.text) is may(role, permission)


# Forged forms -----------------------------------------------------------------------------------------

FORMS = [
    "/staff/logout",
    "/staff/vouchers",
    "/staff/sessions/1/disconnect",
    "/staff/nases/new",
    "/staff/nases/1/secrets",
    "/staff/nases/1/adopt",
    "/staff/nases/1/change",
    "/staff/nases/1/remove",
]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("csrf", [None, "wrong", "ä", "0" * 64])
def test_a_form_without_the_session_s_token_is_refused(furnished: Door, path: str, csrf: str | None) -> None:
    admin = furnished.member(Role.ADMIN)
    before = furnished.count(schema.audit)
    assert admin.send(path, csrf=csrf).status_code == 400
    assert furnished.count(schema.audit) == before
    assert admin.get("/staff/sessions").status_code == 200, "still logged in"


def test_the_token_of_another_session_is_another(door: Door) -> None:
    mine, again = door.member(Role.ADMIN), door.member(Role.ADMIN)
    assert mine.csrf() and mine.csrf() != again.csrf()
    assert mine.send("/staff/logout", csrf=again.csrf()).status_code == 400


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://rostock.localhost:8080", "https://staff.rostock.localhost:8080", ""],
)
def test_a_form_from_another_origin_is_refused(door: Door, origin: str) -> None:
    admin = door.member(Role.ADMIN)
    assert admin.send("/staff/logout", Origin=origin).status_code == 400
    assert door.seat().log_in("admin", csrf=None, Origin=origin).status_code == 400
    assert admin.get("/staff/sessions").status_code == 200


def test_a_form_from_our_own_origin_is_taken(door: Door) -> None:
    assert door.member(Role.ADMIN).send("/staff/logout", Origin=door.staff_url).status_code == 303


# Sessions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "status"), [(479, 200), (480, 303), (100_000, 303)])
def test_a_session_ends_by_itself(door: Door, clock: Clock, minutes: int, status: int) -> None:
    admin = door.member(Role.ADMIN)
    clock.forward(minutes=minutes)
    assert admin.get("/staff/sessions").status_code == status


def test_logging_out_ends_this_session_alone(door: Door) -> None:
    mine, other = door.member(Role.ADMIN), door.member(Role.ADMIN)
    token = mine.cookie
    answer = mine.send("/staff/logout")
    assert (answer.status_code, answer.location) == (303, "/staff/login")
    assert mine.cookie is None
    assert door.seat(token).get("/staff/sessions").status_code == 303, "the cookie is worth nothing any more"
    assert other.get("/staff/sessions").status_code == 200


def test_a_disabled_member_is_out_at_once(door: Door) -> None:
    desk = door.member(Role.DESK)
    assert desk.get("/staff/vouchers").status_code == 200
    with door.city.store.write() as conn:
        conn.execute(schema.staff.update().where(schema.staff.c.login == "desk").values(disabled_at=NOW))
    assert desk.get("/staff/vouchers").status_code == 303


@pytest.mark.parametrize("token", ["", "x", "0" * 64, "0" * 3_900, "ä" * 20, "\x00", "'; drop table staff"])
def test_a_made_up_cookie_is_none(door: Door, token: str) -> None:
    door.member(Role.ADMIN)
    answer = door.seat(token).get("/staff/sessions")
    assert (answer.status_code, answer.location) == (303, "/staff/login")


def test_another_city_s_cookie_is_none(door: Door, clock: Clock, tmp_path: Path) -> None:
    keys.make_missing(tmp_path / "wismar", now=NOW)
    store = Store.open(f"sqlite:///{tmp_path / 'wismar.db'}", keys.load(tmp_path / "wismar", now=NOW))
    migrate.upgrade(store.engine)
    wismar = Door(make_city("wismar", store, now=NOW), clock, door.password_hash)
    foreign = wismar.member(Role.ADMIN)
    assert foreign.get("/staff/sessions").status_code == 200
    assert door.seat(foreign.cookie).get("/staff/sessions").location == "/staff/login"
    assert wismar.seat(door.member(Role.ADMIN).cookie).get("/staff/sessions").location == "/staff/login"
    store.close()
