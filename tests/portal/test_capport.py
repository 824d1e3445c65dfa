"""The captive portal API: the keys of RFC 8908 and their types, true to RADIUS's state, and nobody else's session."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from sqlalchemy import update
from werkzeug.test import TestResponse

from hotspot.values import MacAddress
from service.cities import City
from store import schema
from tests.portal.hands import NOW, Door, Phone, add_session
from tests.portal.online import change, end, go_online, set_plan

OWN = "10.1.0.2"
"""The phone's address, as its session says."""

TYPES = {
    "captive": bool,
    "user-portal-url": str,
    "venue-info-url": str,
    "can-extend-session": bool,
    "seconds-remaining": int,
    "bytes-remaining": int,
}
"""RFC 8908 section 5."""


@pytest.fixture
def city(city: City) -> City:
    """Behind TLS, in whose network 10.1.0.0/24 and 2001:db8:1::/64 an address is its device's own."""
    networks = (ip_network("10.1.0.0/24"), ip_network("2001:db8:1::/64"))
    portal = city.config.portal.model_copy(
        update={"unnatted_networks": networks, "url": city.config.portal.url.replace("http:", "https:")}
    )
    return City(city.config.model_copy(update={"portal": portal}), city.store)


def ask(door: Door, phone: Phone, path: str = "/capport", *, address: str = OWN) -> TestResponse:
    return phone.client.get(path, base_url=door.url, environ_base={"REMOTE_ADDR": address})


def said(answer: TestResponse) -> dict[str, Any]:
    """The document, valid by the RFC."""
    assert answer.status_code == 200 and answer.content_type == "application/captive+json"
    assert answer.headers["Cache-Control"] == "no-store"
    document: dict[str, Any] = json.loads(answer.get_data())
    assert {key: type(value) for key, value in document.items()} == {key: TYPES[key] for key in document}
    assert "captive" in document
    assert all(document[key].startswith("https://") for key in document if key.endswith("-url"))
    return document


def own_path(phone: Phone) -> str:
    """The device's own address of the API, from its status page."""
    found = re.search(r'href="(/capport/[^"]+)"', phone.status().text)
    assert found
    return found[1]


def test_a_device_without_a_session_is_captive_and_told_the_way(door: Door, phone: Phone) -> None:
    document = said(ask(door, phone))
    assert document == {
        "captive": True,
        "user-portal-url": f"{door.url}/",
        "venue-info-url": f"{door.url}/help",
    }
    change(door, schema.nas, door.nas.id, login_url="http://10.1.0.1:3990")
    way = said(ask(door, phone))["user-portal-url"]
    assert way == f"{door.url}/to/{door.nas.nas_identifier}"
    onward = phone.get(way.removeprefix(door.url))
    assert (onward.status_code, onward.location) == (303, "http://10.1.0.1:3990/")


def test_a_device_online_is_told_what_radius_would_say(door: Door, phone: Phone) -> None:
    set_plan(door, "tap", session_minutes=60, extensions_max=1, daily_megabytes=10)
    go_online(door, phone)
    door.clock.forward(minutes=10)
    for path in ("/capport", own_path(phone)):
        assert said(ask(door, phone, path)) == {
            "captive": False,
            "user-portal-url": f"{door.url}/to/{door.nas.nas_identifier}",
            "venue-info-url": f"{door.url}/help",
            "can-extend-session": True,
            "seconds-remaining": 3_000,
            "bytes-remaining": 4_600_000,
        }
    assert door.sample("kogge_portal_capport_total", known_by="address", captive="false") == 1
    assert door.sample("kogge_portal_capport_total", known_by="token", captive="false") == 1


def test_without_a_limit_on_volume_nothing_is_said_of_it(door: Door, phone: Phone) -> None:
    set_plan(door, "tap", daily_megabytes=0)
    go_online(door, phone)
    document = said(ask(door, phone))
    assert "bytes-remaining" not in document and document["can-extend-session"] is False


def test_an_ended_session_is_captive(door: Door, phone: Phone) -> None:
    session_id = go_online(door, phone)
    path = own_path(phone)
    end(door, session_id, NOW)
    door.clock.forward(minutes=2)
    for each in ("/capport", path):
        assert said(ask(door, phone, each))["captive"] is True


def test_let_on_by_its_nas_alone_a_device_is_not_captive(door: Door, phone: Phone) -> None:
    add_session(door.city, phone.mac)
    document = said(ask(door, phone))
    assert document["captive"] is False and "seconds-remaining" not in document


# Never a stranger's -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["10.2.0.2", "192.0.2.1", "2001:db8:2::2", "127.0.0.1"])
def test_an_address_of_no_declared_network_is_unknown(door: Door, phone: Phone, address: str) -> None:
    """Told "captive", a device that is online behind a NAT would ask its owner to log in for ever."""
    add_session(door.city, phone.mac)
    with door.city.store.write() as conn:
        conn.execute(update(schema.session).values(framed_ip=address, framed_ipv6=address))
    answer = ask(door, phone, address=address)
    assert (answer.status_code, answer.get_data()) == (404, b"")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_claimed_forwarded_address_is_not_believed(door: Door, phone: Phone) -> None:
    go_online(door, phone)
    answer = phone.client.get(
        "/capport",
        base_url=door.url,
        environ_base={"REMOTE_ADDR": "10.1.0.77"},
        headers={"X-Forwarded-For": OWN, "Forwarded": f"for={OWN}"},
    )
    assert said(answer)["captive"] is True


def test_an_address_of_two_open_sessions_is_nobody_s(door: Door, phone: Phone) -> None:
    go_online(door, phone)
    add_session(door.city, MacAddress.parse("02-00-5E-10-00-0B"), name="session-2")
    assert ask(door, phone).status_code == 404


@pytest.mark.parametrize(
    ("told", "address", "known"),
    [
        ("2001:db8:1::5", "2001:db8:1::5", True),
        ("2001:db8:9::/64 2001:db8:1::5/128", "2001:db8:1::5", True),
        ("2001:db8:1::/64", "2001:db8:1::5", False),  # others may live in it
        ("2001:db8:1::55", "2001:db8:1::5", False),
        ("", "2001:db8:1::5", False),
        ("", f"::ffff:{OWN}", True),
    ],
)
def test_ipv6_needs_the_very_address(door: Door, phone: Phone, told: str, address: str, known: bool) -> None:
    session_id = go_online(door, phone)
    change(door, schema.session, session_id, framed_ipv6=told)
    answer = ask(door, phone, address=address)
    assert answer.status_code == (200 if known else 404)
    if known:
        assert said(answer)["captive"] is False


def test_tokens_are_of_one_purpose_and_one_day(door: Door, phone: Phone) -> None:
    go_online(door, phone)
    path = own_path(phone)
    assert phone.status(path.rpartition("/")[2]).status_code == 400, "the API's token is no visit"
    assert ask(door, phone, f"/capport/{phone.token()}").status_code == 404, "and a visit no token of the API"
    assert ask(door, phone, path[:-2]).status_code == 404
    door.clock.now += timedelta(hours=24)
    assert ask(door, phone, path).status_code == 404


# The way --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nobody", "%00", "..%2f..", "//evil.example", "http://evil.example/"])
def test_the_way_leads_to_registered_hotspots_alone(phone: Phone, name: str) -> None:
    answer = phone.get(f"/to/{name}")
    assert answer.status_code == 404 or answer.location.startswith(f"{phone.door.url}/to/")  # two slashes are one


def test_who_types_our_address_finds_his_hotspot(door: Door, phone: Phone) -> None:
    change(door, schema.nas, door.nas.id, login_url="http://10.1.0.1:3990")
    assert 'href="http://10.1.0.1:3990/"' in ask(door, phone, "/").text
    assert "10.1.0.1" not in ask(door, phone, "/", address="10.9.0.2").text


def test_without_tls_no_address_is_said(door: Door) -> None:
    portal = door.city.config.portal.model_copy(update={"url": door.url.replace("https:", "http:")})
    city = City(door.city.config.model_copy(update={"portal": portal}), door.city.store)
    plain = Door(city, door.clock, door.password_hash)
    document = said(ask(plain, plain.phone()))
    assert document == {"captive": True}
