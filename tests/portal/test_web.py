"""What every answer carries, whatever it is: headers, hosts, pages for what went wrong, a database that is away."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from werkzeug.test import Client, TestResponse

from hotspot.roles import Role
from portal import pulse
from portal.__main__ import build
from portal.app import FORM_BYTES_MAX
from portal.pulse import Pulse
from service.cities import City
from store.store import Store
from tests.portal.hands import Door, Phone, form, words


@pytest.fixture
def city(quick_city: City) -> City:
    return quick_city


# Headers ----------------------------------------------------------------------------------------------


def _every_kind(door: Door, phone: Phone) -> list[TestResponse]:
    admin = door.member(Role.ADMIN)
    return [
        phone.arrive(),
        phone.accept(),
        phone.get("/nowhere"),
        phone.get("/accept"),
        phone.status("forged"),
        admin.get("/staff/sessions"),
        admin.get("/report/2026-11.csv"),
        admin.get("/staff/nowhere"),
        admin.send("/staff/vouchers", csrf="wrong"),
        door.seat().get("/staff/sessions"),
        door.seat().get("/staff/login"),
    ]


def test_every_answer_guards_itself(door: Door, phone: Phone) -> None:
    for answer in _every_kind(door, phone):
        said = answer.headers
        assert said["Cache-Control"] == "no-store"
        assert said["X-Content-Type-Options"] == "nosniff"
        assert said["Referrer-Policy"] in ("no-referrer", "same-origin")
        policy = said["Content-Security-Policy"]
        for part in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert part in policy
        assert "unsafe" not in policy
        assert "script-src" not in policy


def test_forms_may_go_to_us_and_to_the_registered_nases(door: Door, phone: Phone) -> None:
    """Chromium applies form-action to the redirect that follows a form, too."""
    place = urlsplit(door.nas.login_url)
    wanted = f"form-action 'self' {place.scheme}://{place.netloc}"
    assert wanted in phone.arrive().headers["Content-Security-Policy"].split("; ")


def test_what_tls_alone_may_say(door: Door, phone: Phone) -> None:
    """RFC 6797: over plain HTTP nothing is said of TLS. Each of the two hosts speaks for itself."""
    said = ("Strict-Transport-Security", "Cross-Origin-Opener-Policy")
    assert not any(name in answer.headers for name in said for answer in _every_kind(door, phone))
    settings = door.city.config.portal.model_copy(update={"url": "https://rostock.localhost:8443"})
    secure = Door(City(door.city.config.model_copy(update={"portal": settings}), door.city.store), door.clock, "")
    pages = [secure.phone().arrive(), secure.phone().get("/nowhere"), secure.phone().status("forged")]
    for page in pages:
        assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert not any(name in secure.seat().get("/staff/login").headers for name in said)


def test_residents_addresses_go_nowhere(phone: Phone) -> None:
    assert phone.arrive().headers["Referrer-Policy"] == "no-referrer"


def test_forms_of_the_staff_may_prove_their_origin(door: Door) -> None:
    """Under `no-referrer` browsers send a form with `Origin: null`, and the log-in would be refused."""
    assert door.seat().get("/staff/login").headers["Referrer-Policy"] == "same-origin"


def test_only_a_log_in_sets_a_cookie(door: Door, phone: Phone) -> None:
    for answer in _every_kind(door, phone):
        assert "Set-Cookie" not in answer.headers
        assert "<script" not in answer.text


def test_the_style_is_the_one_that_the_policy_names(phone: Phone) -> None:
    page = phone.arrive()
    styles = re.findall("<style>(.*?)</style>", page.text, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() for style in styles]
    assert len(styles) == 2, "the house's own and the face's colours"
    assert all(f"'sha256-{each}'" in page.headers["Content-Security-Policy"] for each in hashes)
    assert " style=" not in page.text, "the policy forbids inline attributes"


def another(city: City) -> City:
    """The same city for a second application: with a registry of its own."""
    return City(city.config, city.store)


# Hosts ------------------------------------------------------------------------------------------------


@pytest.fixture
def everywhere(door: Door) -> Client:
    """The process's whole application, as gunicorn calls it."""
    return Client(build([another(door.city)], "localhost"))


@pytest.mark.parametrize(
    "host",
    [
        "192.0.2.1:8080",
        "wismar.localhost:8080",
        "rostock.localhost.evil.example",
        "evil.example",
        "xrostock.localhost",
        "[::1]:8080",
        "",
        ":8080",
        "rostock.localhost:80:80",
        "rostock.localhost:x",
    ],
)
def test_another_name_is_answered_with_421(everywhere: Client, host: str) -> None:
    answer = everywhere.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert "Rostock" not in answer.text


@pytest.mark.parametrize("host", ["rostock.localhost:8080", "rostock.localhost", "ROSTOCK.localhost:8080"])
def test_a_city_s_name_is_answered_whatever_its_spelling(everywhere: Client, host: str) -> None:
    answer = everywhere.get("/", headers={"Host": host})
    assert answer.status_code == 200
    assert "Hanse- und Universitätsstadt Rostock" in answer.text


@pytest.mark.parametrize("path", ["/staff", "/staff/login", "/staff/sessions", "/report", "/report/2026-11"])
def test_the_staff_is_not_at_the_residents_name(phone: Phone, path: str) -> None:
    assert phone.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/welcome", "/status", "/terms", "/help"])
def test_the_residents_are_not_at_the_staff_s_name(door: Door, path: str) -> None:
    assert door.seat().get(path).status_code == 404


def test_the_start_page_lists_the_cities(everywhere: Client, door: Door) -> None:
    page = everywhere.get("/", headers={"Host": "localhost:8080", "Accept-Language": "de"})
    assert "Hanse- und Universitätsstadt Rostock" in page.text
    assert f'href="{door.nas.login_url}/walk-up"' in page.text
    assert "Kostenloses WLAN verbündeter Städte" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert everywhere.get("/elsewhere", headers={"Host": "localhost:8080"}).status_code == 404


# What goes wrong ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/accept", 405),
        ("PUT", "/status", 405),
        ("POST", "/terms", 405),
        ("GET", "/static/style.css", 404),
        ("GET", "/%00", 404),
        ("GET", "/..%2f..%2fetc/passwd", 404),
    ],
)
def test_what_is_not_there_is_a_page(phone: Phone, method: str, path: str, status: int) -> None:
    headers = {"Accept-Language": "en"}
    page = phone.client.open(path, method=method, base_url=phone.door.url, headers=headers)
    assert page.status_code == status
    assert "There is no such page." in page.text


def test_from_an_error_page_the_staff_finds_back(door: Door, phone: Phone) -> None:
    way_back = '<a class="button" href="/staff">'
    assert way_back in door.member(Role.DESK).get("/staff/audit").text
    assert way_back in door.seat().get("/staff/nowhere").text
    assert way_back not in phone.get("/staff/nowhere").text


def test_a_form_that_is_too_large_is_a_page(phone: Phone) -> None:
    page = phone.send("/voucher", {"code": "A" * FORM_BYTES_MAX})
    assert page.status_code == 413
    assert "This form is too large." in page.text


def test_a_form_that_is_none(phone: Phone) -> None:
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain", "multipart/form-data"):
        headers = {"Content-Type": kind, "Accept-Language": "en"}
        answer = phone.client.post("/accept", base_url=phone.door.url, data=b"\xff{", headers=headers)
        assert answer.status_code == 400


def test_head_and_options_are_harmless(phone: Phone) -> None:
    for method in ("HEAD", "OPTIONS"):
        answer = phone.client.open("/", method=method, base_url=phone.door.url)
        assert answer.status_code == 200
        assert answer.data == b""


# The database is away -----------------------------------------------------------------------------------


def _away(city: City, url: str) -> City:
    return City(city.config, Store.open(url, city.store.keys))


@pytest.fixture(params=["sqlite", "postgresql"])
def lost(request: pytest.FixtureRequest, city: City, tmp_path: Path) -> City:
    """Rostock whose database does not answer: a folder that is gone, a port at which nobody listens."""
    if request.param == "sqlite":
        return _away(city, f"sqlite:///{tmp_path / 'gone' / 'kogge.db'}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return _away(city, f"postgresql://nobody@127.0.0.1:{probe.getsockname()[1]}/kogge")


def test_without_a_database_every_page_says_so(door: Door, phone: Phone, lost: City) -> None:
    token, admin = phone.token(), door.member(Role.ADMIN)
    fields, arriving = form(phone.arrive(), "accept"), phone.redirect()
    away = Door(lost, door.clock, door.password_hash)
    caller, seat = away.phone(), away.seat(admin.cookie)
    answers = [
        caller.get(arriving),
        caller.status(token),
        caller.get("/terms"),
        caller.send("/accept", fields),
        caller.send("/voucher", fields),
        caller.send("/logout", fields),
        seat.get("/staff/sessions"),
        away.seat().get("/staff/invite/x"),
        away.seat().send("/staff/login", {"login": "admin", "password": "x"}, csrf=None),
    ]
    for number, answer in enumerate(answers):
        assert answer.status_code == 503
        by_staff = number > 5
        assert ("The city's database does not answer." in words(answer)) == by_staff
        assert ("The Wi-Fi portal has a fault" in words(answer)) != by_staff
        assert "no-store" in answer.headers["Cache-Control"]
        assert "sqlite" not in answer.text.lower()
    assert caller.get("/help").status_code == 200, "what needs no database goes on"


def test_a_fault_page_says_whom_to_call_and_offers_to_try_again(door: Door, phone: Phone, lost: City) -> None:
    away = Door(lost, door.clock, door.password_hash).phone()
    read, sent = away.get(phone.redirect(), language="de"), away.send("/accept", {"visit": phone.token()})
    for answer in (read, sent):
        assert answer.headers["Retry-After"] == "15"
        assert lost.config.contact.email in words(answer)
        assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert '<a class="button" href="">' in read.text, "the same address again"
    assert "Das WLAN-Portal ist gestört" in words(read)
    assert 'href=""' not in sent.text, "a form is not sent twice"
    assert "http-equiv" not in read.text + sent.text, "nothing loads itself anew (WCAG 2.2.1)"


def test_readiness_follows_the_database_and_health_does_not(
    door: Door, lost: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "AWAY_SECONDS", 0.3)
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.05)
    wismar = City(lost.config.model_copy(update={"key": "wismar"}), lost.store)
    cities = [another(door.city), wismar]
    pulses = [Pulse(city) for city in cities]
    served = Client(build(cities, "", pulses=pulses))
    assert (served.get("/readyz").status_code, served.get("/readyz").text) == (200, "ready\n")
    pulse.watch(pulses)
    until = time.monotonic() + 10
    while served.get("/readyz").status_code == 200 and time.monotonic() < until:
        time.sleep(0.05)
    answer = served.get("/readyz")
    assert answer.status_code == 503
    assert re.fullmatch(r"wismar: its database has been away for \d+ s\n", answer.text)
    assert served.get("/healthz").status_code == 200


def test_one_city_without_a_database_leaves_the_others_alone(door: Door, lost: City) -> None:
    wismar = lost.config.model_copy(
        update={"portal": lost.config.portal.model_copy(update={"url": "http://wismar.localhost:8080"})}
    )
    both = Client(build([another(door.city), City(wismar, lost.store)], ""))
    assert both.get("/terms", headers={"Host": "rostock.localhost:8080"}).status_code == 200
    assert both.get("/terms", headers={"Host": "wismar.localhost:8080"}).status_code == 503


def test_a_request_is_counted_by_its_page_and_status(door: Door, phone: Phone) -> None:
    phone.get("/help")
    phone.get("/nowhere")
    phone.get("/status")
    assert door.sample("kogge_portal_requests_total", endpoint="captive.help", status="200") == 1
    assert door.sample("kogge_portal_requests_total", endpoint="none", status="404") == 1
    assert door.sample("kogge_portal_requests_total", endpoint="captive.status", status="400") == 1
    assert door.sample("kogge_portal_request_seconds_count", endpoint="captive.help") == 1
