"""The ways in by e-mail and SMS: what is stored and sent, the grace session, the code, and every refusal."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from hotspot.admission import Denial
from hotspot.codes import DAY
from hotspot.values import MacAddress
from portal import tokens
from portal.captive.sentences import DENIALS
from service.cities import City
from store import access, messages, residents, schema, setup
from store.messages import Kind, Message
from tests.portal.hands import NOW, PHONE, Door, Phone, add_session, form, words

ADDRESS = "Erika.Muster@example.org"
NUMBER = "0151 23456789"
PLAN = {"name": "x", "idle_minutes": 0, "daily_minutes": 0, "daily_megabytes": 0, "devices_max": 1}
PLAN |= {"rate_down_kbps": 0, "rate_up_kbps": 0}
PLANS: dict[str, dict[str, Any]] = {
    "email": {"session_minutes": 240, "remember_hours": 24},
    "sms": {"session_minutes": 120, "remember_hours": 0},
    "grace": {"session_minutes": 5, "remember_hours": 0},
}


@pytest.fixture(autouse=True)
def sending(city: City) -> None:
    """The city sends e-mail and text messages, and has plans for them."""
    config = city.config
    mail = config.mail.model_copy(update={"host": "127.0.0.1", "sender": "wlan@rostock.example"})
    sms = config.sms.model_copy(update={"enabled": True, "url": "http://127.0.0.1/", "body": "{number}{text}"})
    object.__setattr__(city, "config", config.model_copy(update={"mail": mail, "sms": sms}))
    with city.store.write() as conn:
        for way, plan in PLANS.items():
            setup.add_plan(conn, key=way, way=way, **PLAN, **plan)


def rows(door: Door, table: schema.Table) -> list[dict[str, Any]]:
    with door.city.store.read() as conn:
        return [dict(row) for row in conn.execute(select(table).order_by(*table.primary_key)).mappings()]


def sent(door: Door, kind: Kind = Kind.EMAIL) -> Message:
    """The newest message, as its sender would read it; it is sent then."""
    store = door.city.store
    with store.write() as conn:
        *_, newest = messages.claim(conn, store.keys, kind, limit=100, now=door.clock())
        messages.note_sent(conn, [newest.id], now=door.clock())
    return newest


def code_of(message: Message) -> str:
    found = re.search(r"\b\d{6}\b", message.text)
    assert found, message.text
    return found[0]


def ask(phone: Phone, address: str = ADDRESS, way: str = "email", **changes: str) -> TestResponse:
    return phone.send(f"/{way}", form(phone.arrive(), f"{way}-code") | {"address": address} | changes)


def code_page(phone: Phone, way: str = "email", **changes: str | None) -> TestResponse:
    token = form(phone.arrive(**changes), "accept")["visit"]
    return phone.get(f"/code?visit={token}&way={way}")


def type_code(phone: Phone, code: str, way: str = "email", page: TestResponse | None = None) -> TestResponse:
    return phone.send("/code", form(page or code_page(phone, way), "code") | {"code": code})


def online(door: Door, *, started_at: Any = None) -> int:
    """RADIUS accepted the newest ticket, and its session started."""
    grant_id = rows(door, schema.grant)[-1]["id"]
    with door.city.store.write() as conn:
        conn.execute(update(schema.grant).where(schema.grant.c.id == grant_id).values(accepted_at=door.clock()))
        access.remember(conn, [grant_id])
    return add_session(door.city, started_at=started_at or door.clock(), seconds=10, grant_id=grant_id)


def set_product(door: Door, product: str) -> None:
    with door.city.store.write() as conn:
        conn.execute(update(schema.nas).values(product=product))


# Asking for a code ------------------------------------------------------------------------------------------


def test_an_address_gets_a_code_and_its_owner_a_few_minutes(door: Door, phone: Phone) -> None:
    answer = ask(phone)
    assert answer.status_code == 303
    assert answer.location.startswith(f"{door.nas.login_url}/logon?")
    (grant,) = rows(door, schema.grant)
    assert (grant["way"], grant["until_at"], grant["remember_until"]) == ("grace", NOW + timedelta(minutes=5), None)
    message = sent(door)
    assert (message.recipient, message.expires_at) == ("Erika.Muster@example.org", NOW + timedelta(minutes=15))
    assert code_of(message) in message.subject
    (link,) = re.findall(r"^http\S+", message.text, re.MULTILINE)
    page = phone.get(link.removeprefix(door.url))
    assert form(page, "code")["code"] == code_of(message)
    assert rows(door, schema.one_time_code)[0]["used_at"] is None, "opening the link uses nothing"
    assert door.sample("kogge_portal_codes_total", way="email", result="wanted") == 1


def test_no_address_and_no_code_stay_in_the_clear(door: Door, phone: Phone) -> None:
    ask(phone)
    before = rows(door, schema.message)
    code = code_of(sent(door))
    for table in schema.metadata.sorted_tables:
        for row in (*rows(door, table), *before):
            for value in row.values():
                shown = value if isinstance(value, bytes) else str(value).encode()
                assert b"muster" not in shown.lower() and code.encode() not in shown, table.name
    (message,) = rows(door, schema.message)
    assert (message["recipient_sealed"], message["content_sealed"], message["state"]) == (None, None, "sent")


def test_a_text_message_names_the_page_and_grants_no_grace(door: Door, phone: Phone) -> None:
    answer = ask(phone, NUMBER, "sms")
    assert urlsplit(answer.location).path == "/code"
    message = sent(door, Kind.SMS)
    assert message.recipient == "+4915123456789"
    assert message.text.endswith(f"@{door.city.config.portal.host} #{code_of(message)}")
    assert len(message.text) <= 160
    assert door.count(schema.grant) == 0
    page = phone.get(answer.location)
    assert "has been sent" not in words(page) and "mail" not in words(page)


BAD = [
    ("email", "erika", Denial.BAD_EMAIL),
    ("email", "a@b@c.de, d@e.de", Denial.BAD_EMAIL),
    ("email", "a@example.org\r\nBcc: b@example.org", Denial.BAD_EMAIL),
    ("sms", "12", Denial.BAD_NUMBER),
    ("sms", "+49900 1234567", Denial.NUMBER_NOT_SERVED),
    ("sms", "0381 123456", Denial.NUMBER_NOT_SERVED),
]


@pytest.mark.parametrize(("way", "typed", "denial"), BAD)
def test_what_is_no_address_is_said_and_left_to_be_mended(
    door: Door, phone: Phone, way: str, typed: str, denial: Denial
) -> None:
    page = ask(phone, typed, way)
    assert page.status_code == 422
    assert DENIALS[denial] in words(page)
    assert "<details open>" in page.text
    assert (door.count(schema.message), door.count(schema.grant)) == (0, 0)
    assert door.sample("kogge_portal_codes_total", way=way, result=denial.value) == 1


def test_a_second_code_waits_a_little(door: Door, phone: Phone) -> None:
    ask(phone)
    page = ask(phone, "other@example.org")
    assert (page.status_code, DENIALS[Denial.CODE_TOO_SOON] in words(page)) == (429, True)
    other = door.phone(MacAddress.parse("02-00-5E-10-00-0B"))
    assert ask(other).status_code == 429, "nor may another device write to the same address at once"
    door.clock.forward(seconds=door.city.config.limits.code_pause_seconds)
    assert ask(phone).status_code == 303


def test_a_device_gets_so_many_codes_a_day_and_no_more(door: Door, phone: Phone) -> None:
    most = door.city.config.limits.codes_device_day
    for number in range(most):
        door.clock.forward(minutes=2)
        assert ask(phone, f"a{number}@example.org").status_code == 303
    door.clock.forward(minutes=2)
    page = ask(phone, "another@example.org")
    assert (page.status_code, DENIALS[Denial.TOO_MANY_CODES] in words(page)) == (429, True)
    door.clock.now = NOW + DAY + timedelta(minutes=3)
    assert ask(phone).status_code == 303


def test_the_city_sends_so_many_text_messages_a_day(door: Door, phone: Phone) -> None:
    city = door.city
    sms = city.config.sms.model_copy(update={"city_day": 1})
    object.__setattr__(city, "config", city.config.model_copy(update={"sms": sms}))
    assert ask(phone, NUMBER, "sms").status_code == 303
    page = ask(door.phone(MacAddress.parse("02-00-5E-10-00-0B")), "0160 1234567", "sms")
    assert (page.status_code, DENIALS[Denial.SENDING_FULL] in words(page)) == (503, True)


def test_grace_is_given_a_few_times_a_day(door: Door, phone: Phone) -> None:
    most = door.city.config.limits.grace_device_day
    for _ in range(most):
        assert ask(phone).location.startswith(door.nas.login_url)
        door.clock.forward(minutes=10)
    answer = ask(phone)
    assert urlsplit(answer.location).path == "/code"
    assert "mobile network" in words(phone.get(answer.location))
    assert door.count(schema.grant) == most
    assert door.count(schema.message) == most + 1, "the code comes all the same"


def test_who_is_online_gets_a_code_without_a_new_log_in(door: Door, phone: Phone) -> None:
    ask(phone)
    online(door)
    door.clock.forward(minutes=2)
    answer = ask(phone)
    assert urlsplit(answer.location).path == "/code"
    assert door.count(schema.grant) == 1


def test_a_city_that_sends_nothing_offers_nothing(door: Door, phone: Phone) -> None:
    fields = form(phone.arrive(), "email-code")
    config = door.city.config
    object.__setattr__(door.city, "config", config.model_copy(update={"mail": config.mail.__class__()}))
    page = phone.send("/email", fields | {"address": ADDRESS})
    assert DENIALS[Denial.NOT_OFFERED] in words(page)
    assert 'id="email-code"' not in page.text and 'id="sms-code"' in page.text


def test_without_the_current_terms_no_code_is_sent(door: Door, phone: Phone) -> None:
    page = ask(phone, terms="999")
    assert DENIALS[Denial.TERMS_CHANGED] in words(page)
    assert door.count(schema.message) == 0


# The page for the code --------------------------------------------------------------------------------------


def test_the_way_back_from_the_nas_leads_to_the_page_for_the_code(door: Door, phone: Phone) -> None:
    ask(phone)
    online(door)
    answer = phone.arrive(res="success")
    assert urlsplit(answer.location).path == "/code"
    page = phone.get(answer.location)
    assert 'id="on-its-way"' in page.text and 'id="grace"' in page.text
    sent(door)
    assert 'id="sent"' in phone.get(answer.location).text
    assert 'id="enter"' in phone.status().text, "and the status page leads there, too"


@pytest.mark.parametrize(("again_minutes", "shown"), [(1, "delayed"), (None, "undelivered")])
def test_a_message_that_does_not_get_through_is_said(
    door: Door, phone: Phone, again_minutes: int | None, shown: str
) -> None:
    ask(phone)
    store = door.city.store
    for _ in range(2):
        with store.write() as conn:
            (message,) = messages.claim(conn, store.keys, Kind.EMAIL, limit=1, now=door.clock())
            messages.note_failed(conn, message.id, failure="no_connection", again_at=door.clock(), now=door.clock())
    with store.write() as conn:
        at = None if again_minutes is None else door.clock() + timedelta(minutes=again_minutes)
        messages.note_failed(conn, message.id, failure="no_connection", again_at=at, now=door.clock())
    assert f'id="{shown}"' in code_page(phone).text


def test_a_mere_claim_to_be_a_device_is_told_nothing(door: Door, phone: Phone) -> None:
    ask(phone)
    online(door)
    guest = door.phone()
    token = phone.token()
    assert 'id="grace"' in guest.get(f"/code?visit={token}").text
    visit = replace(tokens.read(door.city.store.keys, token, now=NOW), signed=False)
    page = guest.get(f"/code?visit={tokens.issue(door.city.store.keys, visit, now=NOW)}")
    assert page.status_code == 200
    assert 'id="grace"' not in page.text and 'id="on-its-way"' not in page.text


@pytest.mark.parametrize("query", ["", "?visit=x", "?visit=x&code=123456"])
def test_without_a_visit_there_is_no_page(phone: Phone, query: str) -> None:
    assert phone.get(f"/code{query}").status_code == 400


# Typing it --------------------------------------------------------------------------------------------------


def test_the_right_code_lets_a_phone_on(door: Door, phone: Phone) -> None:
    ask(phone, NUMBER, "sms")
    answer = type_code(phone, f" {code_of(sent(door, Kind.SMS))} ", "sms")
    assert answer.location.startswith(f"{door.nas.login_url}/logon?")
    (grant,) = rows(door, schema.grant)
    assert (grant["way"], grant["until_at"]) == ("sms", NOW + timedelta(minutes=120))
    assert door.sample("kogge_portal_logins_total", way="sms", result="ticket", reason="") == 1


def test_a_grace_session_goes_on_under_the_new_grant(door: Door, phone: Phone) -> None:
    ask(phone)
    session_id = online(door)
    code = code_of(sent(door))
    door.clock.forward(minutes=2)
    answer = type_code(phone, code)
    assert urlsplit(answer.location).path == "/status", "no second log-in"
    grace, grant = rows(door, schema.grant)
    assert (grace["ended_at"], grant["way"], grant["accepted_at"]) == (door.clock(), "email", door.clock())
    assert grant["remembered"] and not grace["remembered"]
    (session,) = rows(door, schema.session)
    assert session["grant_id"] == grant["id"]
    (order,) = rows(door, schema.outbox)
    assert (order["kind"], order["session_id"], order["reason"], order["state"]) == (
        "coa",
        session_id,
        "new_grant",
        "wanted",
    )
    page = words(phone.get(answer.location))
    assert "You are online" in page and re.search(r"Time left 3 \w+ 58 ", page), page


def test_where_a_nas_takes_no_new_limits_the_session_ends_and_a_log_in_follows(door: Door, phone: Phone) -> None:
    set_product(door, "standard")
    ask(phone)
    session_id = online(door)
    code = code_of(sent(door))
    page = type_code(phone, code)
    assert (page.status_code, 'id="again"' in page.text) == (200, True)
    (order,) = rows(door, schema.outbox)
    assert (order["kind"], order["session_id"]) == ("disconnect", session_id)
    with door.city.store.write() as conn:
        conn.execute(update(schema.session).values(ended_at=door.clock()))
    answer = phone.send("/code", form(page, "code"))
    assert answer.location.startswith(f"{door.nas.login_url}/logon?")
    assert [row["way"] for row in rows(door, schema.grant)] == ["grace", "email", "email"]


def test_an_unproven_browser_moves_no_session(door: Door, phone: Phone) -> None:
    ask(phone)
    online(door)
    code = code_of(sent(door))
    keys = door.city.store.keys
    fields = form(code_page(phone), "code") | {"code": code}
    visit = replace(tokens.read(keys, fields["visit"], now=NOW), signed=False)
    answer = phone.send("/code", fields | {"visit": tokens.issue(keys, visit, now=NOW)})
    assert answer.location.startswith(door.nas.login_url), "the ticket will show whether it is that device"
    assert door.count(schema.outbox) == 0


def test_the_same_device_may_type_its_code_again_and_gains_no_minute(door: Door, phone: Phone) -> None:
    ask(phone)
    code = code_of(sent(door))
    assert type_code(phone, code).status_code == 303
    until = rows(door, schema.grant)[-1]["until_at"]
    door.clock.forward(hours=20)
    assert type_code(phone, code).status_code == 303
    assert rows(door, schema.grant)[-1]["until_at"] == until
    door.clock.forward(hours=4)
    page = type_code(phone, code)
    assert DENIALS[Denial.CODE_OVER] in words(page)


def test_a_code_is_one_device_s(door: Door, phone: Phone) -> None:
    ask(phone)
    other = door.phone(MacAddress.parse("02-00-5E-10-00-0B"))
    page = type_code(other, code_of(sent(door)))
    assert DENIALS[Denial.CODE_OVER] in words(page)


def test_either_of_two_codes_is_good_whichever_comes_first(door: Door, phone: Phone) -> None:
    ask(phone)
    first = code_of(sent(door))
    door.clock.forward(minutes=2)
    ask(phone)
    assert type_code(phone, first).status_code == 303


def test_a_code_falls_after_five_wrong_guesses(door: Door, phone: Phone) -> None:
    ask(phone)
    code = code_of(sent(door))
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(4):
        page = type_code(phone, wrong)
        assert (page.status_code, DENIALS[Denial.WRONG_CODE] in words(page)) == (422, True)
        assert f'value="{wrong}"' in page.text
    assert type_code(phone, "12 34").status_code == 422, "what cannot be a code is no guess"
    type_code(phone, wrong)
    assert DENIALS[Denial.CODE_OVER] in words(type_code(phone, code))


def test_wrong_codes_count_with_all_other_guesses(door: Door, phone: Phone) -> None:
    for _ in range(2):
        ask(phone)
        wrong = f"{(int(code_of(sent(door))) + 1) % 10**6:06d}"
        for _ in range(5):
            type_code(phone, wrong)
        door.clock.forward(minutes=2)
    ask(phone)
    page = type_code(phone, code_of(sent(door)))
    assert (page.status_code, DENIALS[Denial.TOO_MANY_GUESSES] in words(page)) == (429, True)
    assert DENIALS[Denial.TOO_MANY_GUESSES] in words(phone.try_code("ABCDEFGHJK"))


def test_a_code_is_too_old_after_a_quarter_of_an_hour(door: Door, phone: Phone) -> None:
    ask(phone)
    code = code_of(sent(door))
    door.clock.forward(minutes=15)
    assert DENIALS[Denial.CODE_OVER] in words(type_code(phone, code))


def test_a_way_is_not_another(door: Door, phone: Phone) -> None:
    ask(phone)
    assert DENIALS[Denial.CODE_OVER] in words(type_code(phone, code_of(sent(door)), "sms"))


def test_terms_that_changed_meanwhile_are_read_first(door: Door, phone: Phone) -> None:
    ask(phone)
    code, page = code_of(sent(door)), code_page(phone)
    with door.city.store.write() as conn:
        setup.add_terms(conn, version=2, language="en", title="2", body="New.", now=door.clock())
    answer = type_code(phone, code, page=page)
    assert DENIALS[Denial.TERMS_CHANGED] in words(answer) and "New." in answer.text
    assert [row["way"] for row in rows(door, schema.grant)] == ["grace"]


def test_a_blocked_device_gets_neither_code_nor_grant(door: Door, phone: Phone) -> None:
    staff_id = door.add_member("x")
    with door.city.store.write() as conn:
        device_id = residents.note_device(conn, door.city.store.keys, PHONE, now=NOW)
        columns = {"device_id": device_id, "reason": "spam", "from_at": NOW}
        conn.execute(schema.block.insert().values(**columns, created_by=staff_id))
    page = ask(phone)
    assert (page.status_code, DENIALS[Denial.BLOCKED] in words(page)) == (403, True)
    assert door.count(schema.message) == 0
