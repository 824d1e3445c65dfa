"""Smart clients: what they are told, and that they get on no more easily than a person does."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import pytest

from portal.captive import wispr
from portal.captive.sentences import DENIALS, HOTSPOT_REFUSED, TERMS_ON_THE_PAGE
from service.cities import City
from tests.portal.hands import CHALLENGE, Door, Phone, form
from tests.portal.test_getting_on import CODE, give_vouchers
from tests.support.wispr_client import Client, Fetched, told_by


@pytest.fixture
def city(quick_city: City) -> City:
    return quick_city


def client_of(phone: Phone) -> Client:
    """A client whose addresses are the portal's, and the NAS's own are answered as CoovaChilli does."""

    def fetch(url: str, fields: Mapping[str, str] | None) -> Fetched:
        parts = urlsplit(url)
        nas = urlsplit(phone.door.nas.login_url)
        if parts.netloc == nas.netloc:
            given = parse_qs(parts.query)
            result = "success" if parts.path == "/logon" and given["response"] else "logoff"
            return Fetched(url, "", phone.door.url + phone.redirect(res=result, challenge=None))
        path = f"{parts.path}?{parts.query}"
        answer = phone.get(path) if fields is None else phone.send(path, fields)
        return Fetched(url, answer.text, answer.location or "")

    return Client(fetch)


def start(phone: Phone) -> str:
    return phone.door.url + phone.redirect()


def test_the_page_tells_a_smart_client_where_to_log_in(door: Door, phone: Phone) -> None:
    told = told_by(phone.arrive().text)
    assert told is not None and (told.element, told.message, told.code) == ("Redirect", 100, 0)
    assert told.fields["LoginURL"].startswith(f"{door.url}/wispr?visit=")
    assert told.fields["AbortLoginURL"].startswith(door.nas.login_url)
    assert told.fields["LocationName"] == door.nas.site_name


@pytest.mark.parametrize("result", ["wispr", "splash"])
def test_it_is_told_on_chilli_s_own_words_for_it(phone: Phone, result: str) -> None:
    assert told_by(phone.arrive(res=result).text) is not None


def test_with_a_voucher_s_code_as_password_it_gets_on(door: Door, phone: Phone) -> None:
    give_vouchers(door, CODE)
    phone.accept()  # the terms, once, on the page
    result = client_of(phone).log_in(start(phone), "anybody", CODE)
    assert (result.element, result.message, result.code) == ("AuthenticationPollReply", 140, 50)
    assert result.fields["LogoffURL"] == f"{door.nas.login_url}/logoff"
    assert door.sample("kogge_portal_logins_total", way="voucher", result="ticket", reason="") == 1
    bye = client_of(phone).look(result.fields["LogoffURL"])
    assert (bye.element, bye.message, bye.code) == ("LogoffReply", 130, 150)


def test_who_has_not_accepted_the_terms_is_asked_to(door: Door, phone: Phone) -> None:
    """An acceptance proves which text was seen, and a smart client sees none."""
    give_vouchers(door, CODE)
    result = client_of(phone).log_in(start(phone), "anybody", CODE)
    assert (result.message, result.code, result.fields["ReplyMessage"]) == (120, 100, TERMS_ON_THE_PAGE)


@pytest.mark.parametrize("name", ["anybody", "", "a" * 3_000, "<b>--></b>"])
def test_a_wrong_code_is_refused_with_our_sentence(phone: Phone, name: str) -> None:
    phone.accept()
    result = client_of(phone).log_in(start(phone), name, "AAAAA-AAAAA")
    assert (result.message, result.code) == (120, 100)
    assert result.fields["ReplyMessage"] in DENIALS.values()


def test_it_guesses_no_more_often_than_a_person(door: Door, phone: Phone) -> None:
    phone.accept()
    said = [client_of(phone).log_in(start(phone), "a", "AAAAA-AAAAA").fields["ReplyMessage"] for _ in range(12)]
    assert "Too many wrong codes" in said[-1]


def test_what_the_gateway_refused_is_said_to_it(phone: Phone) -> None:
    told = told_by(phone.arrive(res="failed", reason="reject").text)
    assert told is not None and (told.message, told.code, told.fields["ReplyMessage"]) == (140, 100, HOTSPOT_REFUSED)
    late = told_by(phone.arrive(res="failed", reason="timeout").text)
    assert late is not None and (late.message, late.code) == (140, 102)


@pytest.mark.parametrize("visit", ["", "x" * 100])
def test_without_a_visit_it_is_refused(phone: Phone, visit: str) -> None:
    answer = phone.send(f"/wispr?visit={visit}", {"UserName": "a", "Password": "b"})
    told = told_by(answer.text)
    assert answer.status_code == 400 and told is not None and (told.message, told.code) == (120, 100)


def test_no_sign_in_a_field_ends_the_comment() -> None:
    made = wispr.refused('--> <script>alert(1)</script> & "--"')
    assert made.count("-->") == 1 and "<script>" not in made and "--" not in made[4:-3]
    told = told_by(made)
    assert told is not None and told.fields["ReplyMessage"] == '--> <script>alert(1)</script> & "--"'


def test_a_person_sees_nothing_of_it(phone: Phone) -> None:
    page = phone.arrive()
    assert "WISPAccessGatewayParam" in page.text and CHALLENGE not in page.text
    assert form(page, "accept")["visit"]
