"""A NAS sends a phone: what is verified, what the page says and in which language, and what it never does."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, urlsplit

import pytest
from werkzeug.test import TestResponse

from hotspot.access import Reason
from portal.captive.sentences import HOTSPOT_REFUSED, HOTSPOT_TIMEOUT
from radius.reply_message import ReplyMessages
from service.cities import City
from service.reasons import REASONS
from store import schema
from store.nases import Nas
from tests.portal.hands import CHALLENGE, PHONE, Door, Phone, form, query_of, redirect_fields, sign, words


@pytest.fixture
def city(quick_city: City) -> City:
    return quick_city


PAGE_MAX = 14 * 1024
"""One TCP round trip (HANDOFF): the first page is there at once even on a bad link."""

GENERAL_LINES = 400
"""Octets for what a server and a proxy add to the headers: Server, Date, Connection, Via."""


def signed(nas: Nas, raw: str, url: str, secret: bytes | None = None) -> str:
    return f"{raw}&md={sign(url + raw, secret or nas.uam_secret)}"


# Verified or not --------------------------------------------------------------------------------------


def test_a_signed_redirect_gets_the_terms(door: Door, phone: Phone) -> None:
    page = phone.arrive()
    assert page.status_code == 200
    assert "Accept and go online" in page.text
    assert "The radio link is not encrypted." in page.text
    assert door.sample("kogge_portal_arrivals_total", result="notyet") == 1


Lie = Callable[[str, Nas, str], str]


def _changed(raw: str, nas: Nas, url: str) -> str:
    return signed(nas, raw, url).replace("02-00-5E-10-00-0A", "02-00-5E-10-00-0B")


def _reordered(raw: str, nas: Nas, url: str) -> str:
    first, second, rest = raw.removeprefix("/?").split("&", 2)
    return f"/?{second}&{first}&{rest}&md={sign(url + raw, nas.uam_secret)}"


LIES: dict[str, Lie] = {
    "a changed parameter": _changed,
    "another secret": lambda raw, nas, url: signed(nas, raw, url, b"not the secret"),
    "an empty secret": lambda raw, nas, url: f"{raw}&md={sign(url + raw, b'')}",
    "an unknown nasid": lambda raw, nas, url: signed(nas, raw.replace("nasid=", "nasid=x"), url),
    "no nasid": lambda raw, nas, url: signed(nas, raw.replace("nasid=", "nas="), url),
    "no md": lambda raw, nas, url: raw,
    "an empty md": lambda raw, nas, url: f"{raw}&md=",
    "another order": _reordered,
    "another path": lambda raw, nas, url: signed(nas, raw, f"{url}/elsewhere"),
    "another host": lambda raw, nas, url: signed(nas, raw, "http://wismar.localhost:8080"),
    "something after md": lambda raw, nas, url: f"{signed(nas, raw, url)}&uamip=192.0.2.1",
    "another spelling": lambda raw, nas, url: signed(nas, raw, url).replace("Rostock-WLAN", "Rostock%2DWLAN"),
    "only a result": lambda raw, nas, url: "/?res=success",
}


@pytest.mark.parametrize("lie", LIES)
def test_what_the_nas_did_not_sign_reveals_nothing(door: Door, phone: Phone, lie: str) -> None:
    raw = f"/?{query_of(redirect_fields(door.nas, PHONE))}"
    page = phone.get(LIES[lie](raw, door.nas, door.url))
    assert page.status_code == 400
    assert page.text == phone.get("/").text, "a forged link is answered like no link at all"
    assert sum(door.sample("kogge_portal_arrivals_total", result=why) for why in ("forged", "unknown")) == 1
    assert door.count(schema.device) == 0


@pytest.mark.parametrize(
    "changes",
    [{"res": "owned"}, {"mac": "nonsense"}, {"mac": None}, {"challenge": "00"}, {"challenge": None}],
    ids=str,
)
def test_a_signed_redirect_that_lacks_something(door: Door, phone: Phone, changes: dict[str, str | None]) -> None:
    page = phone.arrive(**changes)
    assert page.status_code == 400
    assert page.text == phone.get("/").text
    assert door.sample("kogge_portal_arrivals_total", result="malformed") == 1


def test_octets_beyond_ascii_are_verified_as_they_came(door: Door, phone: Phone) -> None:
    """`md` is over octets; a NAS that leaves a network's name unquoted signs its UTF-8."""
    raw = f"/?{query_of(redirect_fields(door.nas, PHONE, ssid=None))}&ssid=" + "Lübeck".encode().decode("latin-1")
    typed = signed(door.nas, raw, door.url).encode("latin-1").decode()  # the test client sends UTF-8
    assert phone.get(typed).status_code == 200


def test_somebody_who_typed_the_address(phone: Phone) -> None:
    page = phone.get("/")
    assert page.status_code == 200
    assert "Connect to the Wi-Fi and open any page" in page.text
    assert "<form" not in page.text


@pytest.mark.parametrize("result", ["success", "already", "logoff"])
def test_back_from_the_nas_to_the_status_page(phone: Phone, result: str) -> None:
    answer = phone.arrive(res=result, challenge=None)
    assert answer.status_code == 303
    assert answer.location.startswith("/status?visit=")
    assert phone.get(answer.location).status_code == 200


# What went wrong at the NAS -----------------------------------------------------------------------------


@pytest.mark.parametrize("reason", Reason)
def test_every_refusal_is_said_in_both_languages(phone: Phone, reason: Reason) -> None:
    reply = ReplyMessages(["de", "en"]).of(reason, "de").decode()  # the device may have changed its language since
    pages = [phone.arrive(res="failed", reason="reject", reply=reply, language=each) for each in ("en", "de")]
    assert [page.status_code for page in pages] == [200, 200]
    assert REASONS[reason] in words(pages[0])
    assert REASONS[reason] not in words(pages[1])
    assert form(pages[0], "accept")["visit"], "one tap away from trying again"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reason": "timeout"}, HOTSPOT_TIMEOUT),
        ({"reason": "other"}, HOTSPOT_REFUSED),
        ({"reason": "reject"}, HOTSPOT_REFUSED),
        ({"reason": "reject", "reply": "<script>alert(1)</script>"}, HOTSPOT_REFUSED),
        ({"reason": "x" * 500, "reply": "y" * 500}, HOTSPOT_REFUSED),
    ],
)
def test_other_failures_have_a_sentence(phone: Phone, changes: dict[str, str], sentence: str) -> None:
    page = phone.arrive(res="failed", **changes)
    assert sentence in words(page)
    assert changes.get("reply", "nothing") not in page.text


# The page itself ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("en-GB,en;q=0.9", "en"),
        ("pl,en;q=0.5,de;q=0.4", "pl"),
        ("tr,en;q=0.5,de;q=0.4", "en"),
        ("fr", "de"),
        ("", "de"),
        ("*", "de"),
        ("x" * 2_000, "de"),
    ],
)
def test_the_language_is_the_browser_s(phone: Phone, accepted: str, language: str) -> None:
    page = phone.arrive(language=accepted)
    assert f'<html lang="{language}" dir="ltr">' in page.text
    assert ("Zustimmen und ins Internet" in page.text) is (language == "de")
    assert ("Die Luftschnittstelle ist unverschlüsselt." in page.text) is (language == "de")


def test_the_switch_keeps_the_visit(phone: Phone) -> None:
    page = phone.arrive(language="en")
    switch = f"/welcome?visit={quote(form(page, 'accept')['visit'], safe='')}&amp;lang=de"
    assert f'href="{switch}"' in page.text
    german = phone.get(switch.replace("&amp;", "&"), language="en")
    assert "Zustimmen und ins Internet" in german.text
    assert form(german, "accept")["lang"] == "de"
    answer = phone.send("/accept", form(german, "accept"), language="en")
    assert answer.status_code == 303


def test_a_refusal_after_the_switch_stays_in_its_language(phone: Phone) -> None:
    fields = form(phone.arrive(language="en"), "voucher") | {"lang": "de", "code": "FALSCH"}
    page = phone.send("/voucher", fields, language="en")
    assert '<html lang="de" dir="ltr">' in page.text
    assert "Das ist kein Gutscheincode." in page.text


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_first_page_is_one_small_request(door: Door, phone: Phone, language: str) -> None:
    page = phone.arrive(language=language)
    assert _wire_size(page) + GENERAL_LINES < PAGE_MAX
    assert set(re.findall(r' src="([a-z]+:)', page.text)) == {"data:"}, "the logo is part of the page"
    for outside in (' src="http', ' src="/', "@import", "url(", '<link rel="stylesheet"'):
        assert outside not in page.text


@pytest.mark.parametrize("path", ["/", "/terms", "/help", "/status", "/welcome", "ARRIVE"])
def test_no_cookie_and_no_script(phone: Phone, path: str) -> None:
    page = phone.arrive() if path == "ARRIVE" else phone.get(path)
    assert "Set-Cookie" not in page.headers
    assert "<script" not in page.text.lower()
    assert " on" not in {text[:3] for text in page.text.split("<")[1:]}, "no event handlers"
    assert page.headers["Cache-Control"] == "no-store"


def _wire_size(page: TestResponse) -> int:
    head = "".join(f"{name}: {value}\r\n" for name, value in page.headers)
    return len("HTTP/1.1 200 OK\r\n") + len(head.encode()) + 2 + len(page.data)


# A hostile redirect ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hostile",
    [
        {"uamip": "192.0.2.66", "uamport": "80"},
        {"uamip": "evil.example", "uamport": "3990"},
        {"userurl": "http://evil.example/"},
        {"userurl": "javascript:alert(1)"},
        {"userurl": "http://evil.example/\r\nLocation: http://evil.example/"},
    ],
    ids=str,
)
def test_the_log_in_goes_to_the_registered_nas_alone(door: Door, phone: Phone, hostile: dict[str, str]) -> None:
    """Even signed parameters name no host: a NAS can be set up wrongly, and its secret can leak."""
    fields = form(phone.arrive(**hostile), "accept")
    for answer in (phone.send("/accept", fields), phone.send("/logout", fields)):
        assert answer.status_code == 303
        assert urlsplit(answer.location).netloc == urlsplit(door.nas.login_url).netloc
        assert answer.headers.getlist("Location") == [answer.location]


def test_fields_beside_the_visit_name_no_host(door: Door, phone: Phone) -> None:
    answer = phone.accept(
        uamip="192.0.2.66", uamport="80", login_url="http://evil.example", userurl="http://evil.example"
    )
    assert answer.location.startswith(f"{door.nas.login_url}/logon?")
    assert "evil" not in answer.location


def test_the_wish_is_a_link_only_where_it_is_a_web_page(phone: Phone) -> None:
    page = phone.get(phone.arrive(res="logoff", challenge=None, userurl="javascript:alert(1)").location)
    assert "javascript" not in page.text


def test_what_the_redirect_says_is_escaped(phone: Phone) -> None:
    page = phone.get(phone.arrive(res="logoff", challenge=None, userurl='http://example.org/"><b>').location)
    assert "><b>" not in page.text


def test_the_challenge_is_the_visit_s_own(phone: Phone) -> None:
    assert CHALLENGE not in phone.arrive().text, "the token is sealed"
    assert str(PHONE) not in phone.arrive().text
