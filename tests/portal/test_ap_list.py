"""The list and the map of access points: what is shown of their state, searched, filtered, sorted, and asked again."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, update

from hotspot.fleet import ApHealth, ApReading, Band, PointKind, PollFailure, RadioReading, SsidReading
from hotspot.roles import Role
from store import fleet, schema
from store.health import save_healths
from tests.portal.hands import NOW, Door, Seat, words


@pytest.fixture
def admin(door: Door) -> Seat:
    return door.member(Role.ADMIN)


def save(door: Door, name: str, health: ApHealth) -> int:
    with door.city.store.write() as conn:
        point = next(each for each in fleet.access_points(conn, door.city.store.keys) if each.name == name)
        save_healths(conn, {point.id: health})
    return point.id


READING = ApReading(
    at=NOW,
    system_name="neuer-markt-1",
    model="UAP-nanoHD",
    firmware="6.6.77",
    cpu_ratio=0.237,
    radios=(
        RadioReading("ra0", band=Band.GHZ_2_4, channel=11, clients=4, utilisation_ratio=0.41),
        RadioReading("rai0", band=Band.GHZ_5, channel=44, clients=9),
        RadioReading("unknown"),
    ),
    ssids=(SsidReading("Rostock-WLAN", 13),),
)


def up(since: datetime = NOW, reading: ApReading = READING) -> ApHealth:
    return ApHealth(True, NOW, since, NOW, None, reading)


def down(since: datetime, failure: PollFailure = PollFailure.TIMEOUT) -> ApHealth:
    return ApHealth(False, NOW, since, None, failure, None)


def row_of(page_text: str, name: str) -> str:
    return next(row for row in page_text.split("<tr>") if name in row)


def names(page_text: str) -> list[str]:
    return re.findall(r'href="/staff/access-points/\d+"><span>([^<]*)</span>', page_text)


# The list -----------------------------------------------------------------------------------------------


def test_access_points_as_the_last_poll_found_them(door: Door, admin: Seat) -> None:
    save(door, "neuer-markt-1", up())
    save(door, "stadthafen-1", down(NOW - timedelta(hours=1)))
    page = admin.get("/staff/access-points")
    assert "1 down, 4 unknown, 1 up." in words(page)
    good, bad = row_of(page.text, "neuer-markt-1"), row_of(page.text, "stadthafen-1")
    for fact in (
        "UAP-nanoHD",
        "6.6.77",
        "24 %",
        "2.4 GHz, channel 11: 4 Clients, 41 %",
        "5 GHz, channel 44: 9 Clients",
    ):
        assert fact in good
    assert '<td class="n">13</td>' in good
    assert "unknown, channel –: – Clients" in good
    for fact in ("down", "no answer", "for 1 hour"):
        assert fact in re.sub("<[^>]*>", "", bad)
    assert "not polled yet" in row_of(page.text, "warnemuende-2")


def test_what_needs_attention_comes_first_the_longest_outage_above_all(door: Door, admin: Seat) -> None:
    save(door, "neuer-markt-1", up())
    save(door, "stadthafen-1", down(NOW - timedelta(minutes=5)))
    save(door, "warnemuende-1", down(NOW - timedelta(days=3)))
    listed = names(admin.get("/staff/access-points").text)
    assert listed[:2] == ["warnemuende-1", "stadthafen-1"]
    assert listed[-1] == "neuer-markt-1"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=HAFEN", ["stadthafen-1", "stadthafen-2"]),
        ("q=nanohd", ["neuer-markt-1"]),
        ("q=leuchtturm", ["warnemuende-1", "warnemuende-2"]),
        ("q=127.2.1.3", ["stadthafen-1"]),
        ("q=serial-7", ["neuer-markt-1"]),
        ("q=%25", []),
        ("q=_", []),
        ("q=%00", ["neuer-markt-1", "stadthafen-1", *(f"{name}-2" for name in ("neuer-markt", "stadthafen"))]),
        ("state=up", ["neuer-markt-1"]),
        ("state=down", ["stadthafen-1"]),
        ("state=retired", []),
        ("site=warnemuende", ["warnemuende-1", "warnemuende-2"]),
        ("site=nowhere", []),
        ("site=stadthafen&state=unknown&q=2", ["stadthafen-2"]),
        ("controller=99", []),
        ("sort=name&state=unknown", ["neuer-markt-2", "stadthafen-2", "warnemuende-1", "warnemuende-2"]),
    ],
)
def test_the_list_is_searched_and_filtered(door: Door, admin: Seat, query: str, found: list[str]) -> None:
    point_id = save(door, "neuer-markt-1", up())
    save(door, "stadthafen-1", down(NOW))
    with door.city.store.write() as conn:
        table = schema.access_point_health
        conn.execute(update(table).where(table.c.access_point_id == point_id).values(serial="SERIAL-7"))
    listed = set(names(admin.get(f"/staff/access-points?{query}").text))
    assert listed >= set(found) if query == "q=%00" else listed == set(found)


@pytest.mark.parametrize(
    ("sort", "first"),
    [("name", "neuer-markt-1"), ("site", "warnemuende-1"), ("clients", "warnemuende-2"), ("since", "warnemuende-2")],
)
def test_the_list_is_sorted(door: Door, admin: Seat, sort: str, first: str) -> None:
    save(door, "neuer-markt-1", up(NOW - timedelta(days=2)))
    many = ApReading(at=NOW, radios=(RadioReading("0", clients=99),))
    save(door, "warnemuende-2", up(NOW, many))
    page = admin.get(f"/staff/access-points?sort={sort}")
    assert names(page.text)[0] == first
    assert page.text.count("aria-sort=") == (0 if sort == "since" else 1)


@pytest.mark.parametrize("query", ["sort=rubbish", "state=rubbish", "from=x", "controller=-1", "q=" + "x" * 3_000])
def test_an_address_that_makes_no_sense_is_a_list_all_the_same(admin: Seat, query: str) -> None:
    assert admin.get(f"/staff/access-points?{query}").status_code == 200


def test_many_come_in_pages_that_keep_the_filter(door: Door, admin: Seat) -> None:
    rows = door.city.config.limits.page_rows
    add_points(door, rows + 3)
    first = admin.get("/staff/access-points?q=many-&sort=name")
    assert names(first.text) == [f"many-{number:05d}" for number in range(rows)]
    assert f'href="/staff/access-points?q=many-&amp;sort=name&amp;from={rows}"' in first.text
    second = admin.get(f"/staff/access-points?q=many-&sort=name&from={rows}")
    assert names(second.text) == [f"many-{number:05d}" for number in range(rows, rows + 3)]


def add_points(door: Door, count: int, **columns: object) -> None:
    given = {"site_id": 1, "port": 161, "snmp_version": "v2c", "snmp_sealed": b"", "created_at": NOW} | columns
    behind = "controller_id" in columns
    rows = [
        given
        | {"member_key": f"m{n}" if behind else "", "name": f"many-{n:05d}", "address": f"10.9.{n >> 8}.{n & 255}"}
        for n in range(count)
    ]
    with door.city.store.write() as conn:
        conn.execute(insert(schema.access_point), rows)


def test_ten_thousand_are_listed_quickly(door: Door, admin: Seat) -> None:
    """A tenth of a second here; the bound is for a machine that does other things besides."""
    add_points(door, 10_000)
    spans = []
    for query in ("", "q=many-099", "sort=clients"):
        began = time.perf_counter()
        assert admin.get(f"/staff/access-points?{query}").status_code == 200
        spans.append(time.perf_counter() - began)
    assert min(spans) < 3


def test_those_behind_a_silent_controller_are_unknown_not_down(door: Door, admin: Seat) -> None:
    with door.city.store.write() as conn:
        points = schema.access_point
        point = fleet.access_points(conn, door.city.store.keys)[0]
        conn.execute(update(points).where(points.c.id == point.id).values(kind=PointKind.CONTROLLER.value))
    add_points(
        door, 2, kind=PointKind.MEMBER.value, controller_id=point.id, member_key="x", retired_at=None, address=""
    )
    with door.city.store.write() as conn:
        first, second = conn.execute(points.select().where(points.c.name.like("many-%"))).mappings()
        save_healths(conn, {first["id"]: up()})
        save_healths(conn, {second["id"]: down(NOW, PollFailure.LOST)})
        save_healths(conn, {point.id: up()})
    listed = admin.get(f"/staff/access-points?controller={point.id}").text
    assert "its controller no longer lists it" in row_of(listed, "many-00001")
    save(door, point.name, down(NOW))
    listed = admin.get(f"/staff/access-points?controller={point.id}").text
    assert listed.count("its controller does not answer") == 2
    assert "UAP-nanoHD" in listed and "24 %" not in listed, "what it told before is not shown as if it were now"


def test_staff_is_told_when_the_monitor_is_blind(door: Door, admin: Seat) -> None:
    assert "has not looked" not in admin.get("/staff/access-points").text, "it never looked: that is said by each row"
    with door.city.store.write() as conn:
        conn.execute(insert(schema.monitor_watch).values(began_at=NOW - timedelta(hours=1), last_at=NOW))
    assert "has not looked" not in admin.get("/staff/access-points").text
    door.clock.forward(minutes=6)
    assert "The monitor has not looked since 23 Nov 2026, 13:00." in words(admin.get("/staff/access-points"))
    assert "has not looked" in admin.get("/staff/access-points/map").text


def test_no_credential_stands_on_the_page(door: Door, admin: Seat) -> None:
    page = admin.get("/staff/access-points").text
    with door.city.store.read() as conn:
        points = fleet.access_points(conn, door.city.store.keys)
    secrets = {each.credential.community or each.credential.auth_password for each in points}
    assert len(secrets) == len(points)
    assert not any(secret in page for secret in secrets)


# The map ------------------------------------------------------------------------------------------------


def test_the_map_shows_each_place_by_shape_and_word(door: Door, admin: Seat) -> None:
    save(door, "neuer-markt-1", up())
    save(door, "neuer-markt-2", up())
    save(door, "stadthafen-1", up())
    save(door, "stadthafen-2", down(NOW))
    save(door, "warnemuende-1", down(NOW))
    page = admin.get("/staff/access-points/map")
    said = dict(re.findall(r'<a href="/staff/access-points\?site=([\w-]*)" aria-label="[^",]*, ([^"]*)"', page.text))
    assert said == {
        "neuer-markt": "none down: 2 of 2 up",
        "stadthafen": "some down: 1 of 2 up",
        "warnemuende": "all down: 0 of 2 up",
    }
    assert '<g class="mark down"' in page.text and '<g class="mark partly"' in page.text
    assert page.text.count('<svg class="map') == 2
    assert "km</text>" in page.text


def test_a_place_without_coordinates_stands_below_the_map(door: Door, admin: Seat) -> None:
    table = schema.site
    with door.city.store.write() as conn:
        conn.execute(update(table).where(table.c.key == "stadthafen").values(latitude=None))
    page = admin.get("/staff/access-points/map")
    assert 'aria-label="Stadthafen' not in page.text
    assert "no: it has no coordinates" in row_of(page.text, "Stadthafen")
    with door.city.store.write() as conn:
        conn.execute(update(table).values(longitude=None))
    assert "No place has coordinates" in admin.get("/staff/access-points/map").text


# Scripts ------------------------------------------------------------------------------------------------


def test_the_pages_allow_one_script_of_our_own_and_nothing_else(door: Door, admin: Seat) -> None:
    for path in ("/staff/access-points", "/staff/access-points/map"):
        page = admin.get(path)
        policy = page.headers["Content-Security-Policy"]
        assert f"script-src {door.staff_url}/staff/live.js;" in f"{policy};"
        assert "connect-src 'self'" in policy
        assert "unsafe" not in policy
        (source,) = re.findall(r"<script src=\"([^\"]*)\" defer></script>", page.text)
        script = admin.get(source)
        assert (script.status_code, script.mimetype) == (200, "text/javascript")
        assert "immutable" in script.headers["Cache-Control"]


def test_pages_without_need_have_no_script(door: Door, admin: Seat) -> None:
    for answer in (admin.get("/staff/sessions"), door.phone().get("/help"), door.phone().arrive()):
        assert "script" not in answer.headers["Content-Security-Policy"]
        assert "<script" not in answer.text
    assert door.phone().get("/staff/live.js").status_code in (303, 404), "nothing for those who are not logged in"


@pytest.mark.parametrize("role", [Role.DESK, Role.OFFICIAL])
def test_other_roles_see_no_access_points(door: Door, role: Role) -> None:
    for path in ("/staff/access-points", "/staff/access-points/map"):
        assert door.member(role).get(path).status_code == 403
