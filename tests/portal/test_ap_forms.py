"""Access points added, changed, moved, retired, imported, found: what is done, noted, refused, and never shown."""

from __future__ import annotations

import io
from ipaddress import ip_network

import pytest
from sqlalchemy import select, update

from hotspot.discovery import Failure, Found
from hotspot.fleet import PointKind
from hotspot.roles import Role
from hotspot.values import MacAddress
from store import ap_list, audit, discoveries, fleet, schema, snmp_credentials
from store.ap_list import State
from store.audit import Entry
from store.fleet import AccessPoint, SnmpCredential
from store.nases import COMMAND_LINE
from tests.portal.hands import NOW, Door, Seat, form, words

NEW = {"name": "markt-9", "site": "stadthafen", "address": "10.2.1.9", "port": "161", "kind": "access_point"}


@pytest.fixture
def admin(door: Door) -> Seat:
    return door.member(Role.ADMIN)


def polled(door: Door) -> dict[str, AccessPoint]:
    with door.city.store.read() as conn:
        return {each.name: each for each in fleet.access_points(conn, door.city.store.keys)}


def noted(door: Door) -> Entry:
    with door.city.store.read() as conn:
        return audit.entries(conn, limit=1)[0]


def keep(door: Door, network: str = "10.2.1.0/24", community: str = "lesen-und-schweigen") -> None:
    with door.city.store.write() as conn:
        credential = SnmpCredential("v2c", community=community)
        where, keys = ip_network(network), door.city.store.keys
        snmp_credentials.add(conn, keys, "harbour", where, credential, author=COMMAND_LINE, now=NOW)


CHOSEN = {"site": "stadthafen", "kind": "access_point", "version": "v2c"}
"""What stands chosen in the form of stadthafen-1."""


# Adding -------------------------------------------------------------------------------------------------


def test_one_is_added_with_its_credential(door: Door, admin: Seat) -> None:
    answer = admin.send("/staff/access-points/new", NEW | {"version": "v2c", "community": "streng-geheim"})
    assert answer.status_code == 303
    point = polled(door)["markt-9"]
    assert answer.location == f"/staff/access-points/{point.id}"
    assert (point.site, point.address, point.credential.community) == ("stadthafen", "10.2.1.9", "streng-geheim")
    entry = noted(door)
    assert (entry.action, entry.login, entry.detail["address"]) == ("ap.add", "admin", "10.2.1.9")
    assert "streng-geheim" not in str(entry.detail)
    for path in (answer.location, f"{answer.location}/change", "/staff/access-points"):
        assert "streng-geheim" not in admin.get(path).text


def test_one_without_a_credential_gets_the_one_of_its_network(door: Door, admin: Seat) -> None:
    refused = admin.send("/staff/access-points/new", NEW)
    assert refused.status_code == 422
    assert "none is kept for 10.2.1.9" in words(refused)
    keep(door)
    assert admin.send("/staff/access-points/new", NEW).status_code == 303
    assert polled(door)["markt-9"].credential.community == "lesen-und-schweigen"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "neuer-markt-1"}, "name"),
        ({"site": "nowhere"}, "site"),
        ({"address": "10.2.1.0/24"}, "address"),
        ({"address": "224.0.0.1"}, "address"),
        ({"address": "127.2.1.1", "port": "1161"}, "address"),
        ({"port": "99999"}, "port"),
        ({"kind": "member"}, "kind"),
        ({"version": "v3", "user": "kogge", "auth_password": "kurz", "priv_password": "lang-genug"}, "auth_password"),
        ({"version": "v1", "community": "x"}, "version"),
    ],
)
def test_what_will_not_do_is_said_at_its_field(door: Door, admin: Seat, changes: dict[str, str], field: str) -> None:
    keep(door, "0.0.0.0/0")
    answer = admin.send("/staff/access-points/new", NEW | changes)
    assert answer.status_code == 422
    assert f'id="{field}-fault"' in answer.text
    assert "kurz" not in answer.text, "what is secret is not sent back"
    assert "markt-9" not in polled(door)


# Changing -----------------------------------------------------------------------------------------------


def test_a_change_is_noted_with_what_was_before(door: Door, admin: Seat) -> None:
    point = polled(door)["stadthafen-1"]
    path = f"/staff/access-points/{point.id}/change"
    fields = form(admin.get(path), "point")
    assert fields["community"] == "" and fields["address"] == "127.2.1.3"
    changed = fields | {"name": "hafen-1", "site": "warnemuende", "address": "10.9.9.9", "port": "161"}
    assert admin.send(path, changed).status_code == 303
    now = polled(door)["hafen-1"]
    assert (now.id, now.site, now.address, now.port) == (point.id, "warnemuende", "10.9.9.9", 161)
    assert now.credential == point.credential, "it was left empty"
    entry = noted(door)
    assert entry.action == "ap.change"
    assert entry.detail["site"] == {"before": "stadthafen", "after": "warnemuende"}
    assert entry.detail["port"] == {"before": 1161, "after": 161}
    assert "credential" not in entry.detail and "kind" not in entry.detail


def test_another_credential_is_noted_and_not_told(door: Door, admin: Seat) -> None:
    point = polled(door)["stadthafen-1"]
    path = f"/staff/access-points/{point.id}/change"
    secret = {"version": "v3", "user": "kogge", "auth_password": "auth-geheim", "priv_password": "priv-geheim"}
    assert admin.send(path, form(admin.get(path), "point") | CHOSEN | secret).status_code == 303
    assert polled(door)["stadthafen-1"].credential == SnmpCredential("v3", "", "kogge", "auth-geheim", "priv-geheim")
    assert noted(door).detail == {"credential": "changed"}
    assert "geheim" not in admin.get("/staff/audit").text


def test_nothing_changed_is_nothing_noted(door: Door, admin: Seat) -> None:
    path = f"/staff/access-points/{polled(door)['stadthafen-1'].id}/change"
    assert admin.send(path, form(admin.get(path), "point") | CHOSEN).status_code == 303
    assert door.count(schema.audit) == 0


def test_a_name_or_an_address_of_another_is_refused(door: Door, admin: Seat) -> None:
    path = f"/staff/access-points/{polled(door)['stadthafen-1'].id}/change"
    answer = admin.send(
        path, form(admin.get(path), "point") | CHOSEN | {"name": "neuer-markt-1", "address": "127.2.1.1"}
    )
    assert answer.status_code == 422
    assert "is called neuer-markt-1 already" in words(answer)
    assert "is polled already, as neuer-markt-1" in words(answer)


def test_one_behind_a_controller_is_renamed_and_moved_and_nothing_else(door: Door, admin: Seat) -> None:
    points = schema.access_point
    controller, point = polled(door)["neuer-markt-1"], polled(door)["stadthafen-1"]
    with door.city.store.write() as conn:
        member = {"kind": PointKind.MEMBER.value, "controller_id": controller.id, "member_key": "k", "address": ""}
        conn.execute(update(points).where(points.c.id == point.id).values(**member))
    path = f"/staff/access-points/{point.id}/change"
    page = admin.get(path)
    assert 'name="address"' not in page.text and "It stands behind neuer-markt-1" in words(page)
    sent = {"name": "mole", "site": "warnemuende", "address": "10.0.0.1", "community": "x"}
    assert admin.send(path, sent).status_code == 303
    with door.city.store.read() as conn:
        found = ap_list.point(conn, point.id)
    assert found is not None
    assert (found.name, found.site_key, found.address, found.kind) == ("mole", "warnemuende", "", PointKind.MEMBER)
    assert admin.send(path, {"name": "mole", "site": "nowhere"}).status_code == 422


# Retiring -----------------------------------------------------------------------------------------------


def test_a_retired_one_is_asked_about_first_and_leaves_the_list(door: Door, admin: Seat) -> None:
    point = polled(door)["stadthafen-1"]
    page = admin.get(f"/staff/access-points/{point.id}/retire")
    assert "Retire stadthafen-1" in words(page)
    assert admin.send(f"/staff/access-points/{point.id}/retire", form(page, "retire")).status_code == 303
    assert "stadthafen-1" not in polled(door)
    assert noted(door).action == "ap.retire"
    assert "stadthafen-1" not in admin.get("/staff/access-points").text
    assert "stadthafen-1" in admin.get(f"/staff/access-points?state={State.RETIRED.value}").text
    page = admin.get(f"/staff/access-points/{point.id}")
    assert "retired" in words(page) and "/change" not in page.text
    for path in ("change", "retire"):
        assert admin.get(f"/staff/access-points/{point.id}/{path}").status_code == 404
        assert admin.send(f"/staff/access-points/{point.id}/{path}").status_code == 404


# Files --------------------------------------------------------------------------------------------------


def upload(admin: Seat, content: bytes, **fields: str) -> object:
    data = {"csrf": admin.csrf(), "file": (io.BytesIO(content), "aps.csv"), **fields}
    headers = {"Accept-Language": "en"}
    return admin.client.post("/staff/access-points/files", base_url=admin.door.staff_url, data=data, headers=headers)


def test_a_file_is_tried_and_then_taken(door: Door, admin: Seat) -> None:
    content = b"name;site;address;community\nmole-1;warnemuende;10.3.0.1;abc\nneuer-markt-1;stadthafen;127.2.1.1;\n"
    tried = upload(admin, content, **{"try": "yes"})
    assert "Only tried: 1 would be added, 1 changed" in words(tried)  # type: ignore[arg-type]
    assert "mole-1" not in polled(door)
    done = upload(admin, content)
    assert "Done: 1 added, 1 changed" in words(done)  # type: ignore[arg-type]
    assert polled(door)["mole-1"].credential.community == "abc"
    assert polled(door)["neuer-markt-1"].site == "stadthafen"
    assert (noted(door).action, noted(door).login) == ("ap.import", "admin")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name,site,address\nx,nowhere,10.0.0.1\n", "There is no site nowhere"),
        (b"name,adress\n", "no site, address"),
        (b"", "Choose a file first."),
        (b"name,site,address\n\xff\xfe", "not UTF-8"),
        (b"name,site,address\n" + b"x" * 70_000, "1 fields instead of the header's 3"),
    ],
)
def test_a_file_that_will_not_do_changes_nothing(door: Door, admin: Seat, content: bytes, said: str) -> None:
    before = polled(door)
    answer = upload(admin, content)
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert said in words(answer)  # type: ignore[arg-type]
    assert polled(door) == before


def test_a_large_file_is_read_and_a_huge_one_is_not(door: Door, admin: Seat) -> None:
    lines = [f"ap-{n},warnemuende,10.{n >> 8}.{n & 255}.1,geheim" for n in range(3_000)]
    content = "\n".join(["name,site,address,community", *lines]).encode()
    assert len(content) > 64_000
    assert "Only tried: 3,000 would be added" in words(upload(admin, content, **{"try": "yes"}))  # type: ignore[arg-type]
    huge = {"data": b"x" * 2_100_000, "content_type": "multipart/form-data; boundary=x"}
    assert admin.client.post("/staff/access-points/files", base_url=door.staff_url, **huge).status_code == 413


def test_an_export_has_no_secrets_and_comes_back_unchanged(door: Door, admin: Seat) -> None:
    file = admin.get("/staff/access-points/export.csv")
    assert file.mimetype == "text/csv" and "access-points-rostock.csv" in file.headers["Content-Disposition"]
    secrets = [each.credential.community or each.credential.auth_password for each in polled(door).values()]
    assert not any(secret in file.text for secret in secrets)
    before = polled(door)
    assert "0 added, 0 changed, 6 as they were" in words(upload(admin, file.data))  # type: ignore[arg-type]
    assert polled(door) == before


# Finding ------------------------------------------------------------------------------------------------


def found(address: str, serial: str = "", name: str = "kirche") -> tuple[Found, SnmpCredential]:
    kind = PointKind.ACCESS_POINT
    traits = Found(address, 161, kind, "unifi", name, "U6", "6.6", serial, (MacAddress.parse("02-00-5E-00-00-01"),))
    return traits, SnmpCredential("v2c", community="streng-geheim")


def test_a_search_is_asked_for_shown_and_ended(door: Door, admin: Seat) -> None:
    path = "/staff/access-points/discovery"
    assert "127.2.1.0/24" in words(admin.get(path))
    assert admin.send(path, {"network": "127.2.1.0/28", "port": "1161"}).status_code == 303
    with door.city.store.read() as conn:
        search = discoveries.latest(conn)
    assert search is not None and (search.network, search.port) == ("127.2.1.0/28", 1161)
    page = admin.get(path)
    assert "It waits for the monitor" in words(page) and "<script" in page.text
    assert admin.send(path, {"network": "127.2.1.0/28"}).status_code == 409, "one at a time"
    with door.city.store.write() as conn:
        discoveries.begin(conn, search.id, total=14, now=NOW)
        discoveries.note_progress(conn, search.id, asked=7, answered=2)
    page = admin.get(path)
    assert "Asked 7 of 14, 2 answered." in words(page) and 'value="50"' in page.text
    assert admin.send(f"{path}/{search.id}/end").status_code == 303
    page = admin.get(path)
    assert "Somebody ended it." in words(page) and "<script" not in page.text


@pytest.mark.parametrize("network", ["", "rubbish", "10.0.0.0/24", "127.2.0.0/16", "0.0.0.0/0"])
def test_only_the_city_s_networks_are_searched(door: Door, admin: Seat, network: str) -> None:
    assert admin.send("/staff/access-points/discovery", {"network": network}).status_code == 422
    assert door.count(schema.discovery) == 0


def test_ticked_finds_become_access_points_of_a_place(door: Door, admin: Seat) -> None:
    path = "/staff/access-points/discovery"
    keys = door.city.store.keys
    with door.city.store.write() as conn:
        search_id = discoveries.request(conn, ip_network("127.2.1.0/24"), port=161, author=COMMAND_LINE, now=NOW)
        seen = [found("127.2.1.50"), found("127.2.1.51", "S1", "neuer-markt-1"), found("127.2.1.52", "S2")]
        discoveries.add_finds(conn, keys, search_id, [(each, credential) for each, credential in seen])
        discoveries.end(conn, search_id, now=NOW)
        ids = list(conn.execute(select(schema.discovery_find.c.id).order_by(schema.discovery_find.c.id)).scalars())
    page = admin.get(path)
    assert "streng-geheim" not in page.text
    fields = form(page, "take")
    assert (fields[f"name-{ids[0]}"], fields[f"name-{ids[1]}"]) == ("kirche", "neuer-markt-1-2"), "no name twice"
    assert fields[f"name-{ids[2]}"] == "kirche-2"
    ticked = {f"name-{ids[0]}": "kirche", "find": str(ids[0]), "site": "stadthafen"}
    done = admin.send(f"{path}/{search_id}/take", ticked)
    assert done.status_code == 200 and "Added: 1." in words(done)
    point = polled(door)["kirche"]
    assert (point.site, point.address, point.credential.community) == ("stadthafen", "127.2.1.50", "streng-geheim")
    assert (noted(door).action, noted(door).login) == ("ap.add", "admin")
    again = admin.send(f"{path}/{search_id}/take", ticked)
    assert again.status_code == 422 and "is an access point already" in words(again)
    assert admin.send(f"{path}/{search_id}/take", ticked | {"find": "999"}).status_code == 404


def test_why_a_search_ended_early_is_said(door: Door, admin: Seat) -> None:
    for failure in Failure:
        with door.city.store.write() as conn:
            search_id = discoveries.request(conn, ip_network("127.2.1.0/24"), port=161, author=COMMAND_LINE, now=NOW)
            discoveries.end(conn, search_id, now=NOW, failure=failure)
        assert '<strong class="bad">' in admin.get("/staff/access-points/discovery").text


# Credentials --------------------------------------------------------------------------------------------


def test_a_credential_is_kept_listed_without_its_secret_and_forgotten(door: Door, admin: Seat) -> None:
    path = "/staff/access-points/credentials"
    sent = {"name": "hafen", "network": "10.2.1.0/24", "version": "v2c", "community": "streng-geheim"}
    assert admin.send(path, sent).status_code == 303
    page = admin.get(path)
    assert "hafen" in page.text and "10.2.1.0/24" in page.text and "streng-geheim" not in page.text
    with door.city.store.read() as conn:
        (kept,) = snmp_credentials.candidates(conn, door.city.store.keys)
    assert kept.credential.community == "streng-geheim"
    assert "streng-geheim" not in str(noted(door).detail)
    assert admin.send(f"{path}/{kept.id}/remove").status_code == 303
    assert "None is kept." in words(admin.get(path))
    assert admin.send(f"{path}/{kept.id}/remove").status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"network": "x"}, "network"),
        ({"network": "10.0.0.1/8"}, "network"),
        ({"community": ""}, "version"),
    ],
)
def test_a_credential_that_will_not_do(door: Door, admin: Seat, changes: dict[str, str], field: str) -> None:
    sent = {"name": "hafen", "network": "10.2.1.0/24", "community": "streng-geheim"} | changes
    answer = admin.send("/staff/access-points/credentials", sent)
    assert answer.status_code == 422
    assert f'id="{field}-fault"' in answer.text and "streng-geheim" not in answer.text
    assert door.count(schema.snmp_credential) == 0
