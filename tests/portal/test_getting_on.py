"""Accepting the terms, by a tap or with a voucher: what is written, where the phone is sent, and every refusal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update

from hotspot.access import TICKET_SECONDS
from hotspot.admission import Denial
from hotspot.credentials import ticket_password
from hotspot.plan import Way
from hotspot.values import MacAddress
from hotspot.vouchers import make_code
from portal.captive.sentences import DENIALS
from store import residents, schema, setup, vouchers
from tests.portal.hands import CHALLENGE, NOW, PHONE, WANTED, Door, Phone, chap, form, words

CODE = make_code(bytes(range(10)))
OTHER_CODE = make_code(bytes(range(20, 30)))
DESK_HOURS = 24


def give_vouchers(door: Door, *codes: str, redeem_days: int = 90) -> int:
    """A batch of these codes; returns its id."""
    staff_id = door.add_member("desk-of-the-test", with_password=False)
    with door.city.store.write() as conn:
        (plan,) = residents.plans(conn, Way.VOUCHER)
        return vouchers.add_batch(
            conn,
            door.city.store.keys,
            codes,
            plan_id=plan.id,
            label="Batch",
            valid_minutes=DESK_HOURS * 60,
            redeem_until=door.clock() + timedelta(days=redeem_days),
            created_by=staff_id,
            now=door.clock(),
        )


def rows(door: Door, table: schema.Table) -> list[dict[str, object]]:
    with door.city.store.read() as conn:
        return [dict(row) for row in conn.execute(select(table)).mappings()]


def change(door: Door, table: schema.Table, **values: object) -> None:
    with door.city.store.write() as conn:
        conn.execute(update(table).values(**values))


# A tap ------------------------------------------------------------------------------------------------


def test_a_tap_leads_to_the_nas_with_the_ticket_s_response(door: Door, phone: Phone) -> None:
    answer = phone.accept()
    assert answer.status_code == 303
    location = urlsplit(answer.location)
    assert f"{location.scheme}://{location.netloc}{location.path}" == f"{door.nas.login_url}/logon"
    sent = {name: value for name, (value,) in parse_qs(location.query).items()}
    (ticket,) = rows(door, schema.ticket)
    key = door.city.store.keys.derive("ticket")
    password = ticket_password(key, name=sent["username"], device=PHONE, expires_at=ticket["expires_at"])
    assert sent == {
        "username": ticket["name"],
        "response": chap(password, CHALLENGE, door.nas.uam_secret),
        "userurl": WANTED,
    }
    assert password not in answer.location
    assert door.sample("kogge_portal_logins_total", way="tap", result="ticket", reason="") == 1


def test_what_a_tap_leaves_behind(door: Door, phone: Phone) -> None:
    phone.accept()
    (device,), (acceptance,) = rows(door, schema.device), rows(door, schema.acceptance)
    (grant,), (ticket,) = rows(door, schema.grant), rows(door, schema.ticket)
    with door.city.store.read() as conn:
        assert residents.mac_of(conn, door.city.store.keys, device["id"]) == PHONE
        english = next(text for text in residents.current_terms(conn) if text.language == "en")
        (plan,) = residents.plans(conn, Way.TAP)
    assert acceptance == {
        "id": acceptance["id"],
        "device_id": device["id"],
        "terms_id": english.id,
        "accepted_at": NOW,
        "digest": hashlib.sha256(f"# {english.title}\n\n{english.body.strip()}\n".encode()).digest(),
    }
    assert (grant["device_id"], grant["plan_id"], grant["terms_id"], grant["way"], grant["voucher_id"]) == (
        device["id"],
        plan.id,
        english.id,
        "tap",
        None,
    )
    assert (grant["granted_at"], grant["until_at"]) == (NOW, NOW + timedelta(hours=plan.remember_hours))
    assert (grant["remember_until"], grant["ended_at"]) == (NOW + timedelta(hours=plan.remember_hours), None)
    assert not grant["remembered"], "only a Start makes a device remembered"
    assert (ticket["grant_id"], ticket["device_id"]) == (grant["id"], device["id"])
    assert ticket["expires_at"] == NOW + timedelta(seconds=TICKET_SECONDS)


def test_no_mac_address_stands_in_the_clear(door: Door, phone: Phone) -> None:
    phone.accept()
    for table in (schema.device, schema.grant, schema.ticket, schema.acceptance, schema.audit):
        for row in rows(door, table):
            for value in row.values():
                assert str(PHONE) not in str(value)
                assert not (isinstance(value, bytes) and PHONE.octets in value)


def test_each_tap_has_a_ticket_of_its_own(door: Door, phone: Phone) -> None:
    locations = {phone.accept().location for _ in range(3)}
    assert len(locations) == 3
    assert (door.count(schema.device), door.count(schema.ticket)) == (1, 3)


def test_another_phone_has_another_device(door: Door, phone: Phone) -> None:
    phone.accept()
    door.phone(MacAddress.parse("02-00-5E-10-00-0B")).accept()
    assert door.count(schema.device) == 2


def test_without_a_wish_none_is_passed_on(door: Door, phone: Phone) -> None:
    answer = phone.send("/accept", form(phone.arrive(userurl=""), "accept"))
    assert set(parse_qs(urlsplit(answer.location).query)) == {"username", "response"}


# The terms ----------------------------------------------------------------------------------------------


def publish(door: Door, version: int) -> None:
    with door.city.store.write() as conn:
        for language in ("de", "en"):
            text = {"title": f"Version {version}", "body": f"New text {version} in {language}."}
            setup.add_terms(conn, version=version, language=language, **text, now=door.clock())


@pytest.mark.parametrize("way", ["/accept", "/voucher"])
def test_terms_that_changed_meanwhile_are_read_again(door: Door, phone: Phone, way: str) -> None:
    give_vouchers(door, CODE)
    fields = form(phone.arrive(), way.strip("/"))
    publish(door, 2)
    page = phone.send(way, fields | {"code": CODE})
    assert page.status_code == 422
    assert DENIALS[Denial.TERMS_CHANGED] in words(page)
    assert "New text 2 in en." in page.text
    assert door.count(schema.grant) == door.count(schema.acceptance) == 0
    again = phone.send(way, form(page, way.strip("/")) | {"code": CODE})
    assert again.status_code == 303
    (acceptance,) = rows(door, schema.acceptance)
    (text,) = [row for row in rows(door, schema.terms) if row["id"] == acceptance["terms_id"]]
    assert (text["version"], text["language"]) == (2, "en")


@pytest.mark.parametrize("claimed", ["0", "999", "-1", "x", "", "9" * 40])
def test_terms_that_nobody_published_are_not_accepted(door: Door, phone: Phone, claimed: str) -> None:
    page = phone.accept(terms=claimed)
    assert page.status_code == 422
    assert DENIALS[Denial.TERMS_CHANGED] in words(page)
    assert door.count(schema.device) == 0


def test_the_text_in_the_page_s_language_is_the_accepted_one(door: Door, phone: Phone) -> None:
    phone.send("/accept", form(phone.arrive(language="de"), "accept"), language="de")
    (acceptance,) = rows(door, schema.acceptance)
    (text,) = [row for row in rows(door, schema.terms) if row["id"] == acceptance["terms_id"]]
    assert text["language"] == "de"


# Vouchers -------------------------------------------------------------------------------------------------


def test_a_voucher_starts_its_clock_at_the_first_use(door: Door, phone: Phone) -> None:
    give_vouchers(door, CODE, OTHER_CODE)
    door.clock.forward(days=3)
    used_at = door.clock()
    assert phone.try_code(CODE).location.startswith(f"{door.nas.login_url}/logon?")
    used, unused = sorted(rows(door, schema.voucher), key=lambda row: row["until_at"] is None)
    assert (used["first_used_at"], used["until_at"]) == (used_at, used_at + timedelta(hours=DESK_HOURS))
    assert unused["first_used_at"] is None
    (grant,) = rows(door, schema.grant)
    assert (grant["way"], grant["voucher_id"], grant["until_at"]) == ("voucher", used["id"], used["until_at"])
    assert door.count(schema.acceptance) == 1
    assert door.sample("kogge_portal_logins_total", way="voucher", result="ticket", reason="") == 1
    door.clock.forward(hours=2)
    assert phone.try_code(CODE).status_code == 303
    assert rows(door, schema.grant)[-1]["until_at"] == used["until_at"], "a second use does not wind the clock up"


@pytest.mark.parametrize(
    "spell",
    [
        lambda code: code.lower(),
        lambda code: f"{code[:5]}-{code[5:]}",
        lambda code: " ".join(code),
        lambda code: f"  {code[:3]} – {code[3:]}\t",
        lambda code: code.swapcase(),
    ],
)
def test_spaces_dashes_and_case_do_not_matter(door: Door, phone: Phone, spell: Callable[[str], str]) -> None:
    give_vouchers(door, CODE)
    assert phone.try_code(spell(CODE)).status_code == 303


def _used_up(door: Door) -> None:
    change(door, schema.voucher, first_used_at=NOW - timedelta(days=2), until_at=NOW)


def _full(door: Door) -> None:
    """The plan's devices hold grants of the voucher."""
    with door.city.store.read() as conn:
        (plan,) = residents.plans(conn, Way.VOUCHER)
    for number in range(plan.devices_max):
        assert door.phone(MacAddress(bytes((2, 0, 0, 0, 1, number)))).try_code(CODE).status_code == 303


def _block(door: Door) -> None:
    with door.city.store.write() as conn:
        device_id = residents.note_device(conn, door.city.store.keys, PHONE, now=NOW)
        columns = {"device_id": device_id, "reason": "spam", "from_at": NOW, "created_by": 1}
        conn.execute(schema.block.insert().values(**columns))


def _no_tap(door: Door) -> None:
    with door.city.store.write() as conn:
        conn.execute(schema.plan.delete().where(schema.plan.c.way == "tap"))


REFUSED: dict[Denial, tuple[Callable[[Door], None], str, int]] = {
    Denial.BAD_CODE: (lambda door: None, "O0I1", 422),
    Denial.UNKNOWN_CODE: (lambda door: None, OTHER_CODE, 422),
    Denial.CODE_REVOKED: (lambda door: change(door, schema.voucher, revoked_at=NOW), CODE, 422),
    Denial.CODE_EXPIRED: (lambda door: change(door, schema.voucher_batch, redeem_until=NOW), CODE, 422),
    Denial.CODE_USED_UP: (_used_up, CODE, 422),
    Denial.TOO_MANY_DEVICES: (_full, CODE, 422),
    Denial.BLOCKED: (_block, CODE, 403),
}


@pytest.mark.parametrize("denial", REFUSED)
def test_a_code_that_does_not_admit_says_why(door: Door, phone: Phone, denial: Denial) -> None:
    give_vouchers(door, CODE)
    prepare, code, status = REFUSED[denial]
    prepare(door)
    before = (door.count(schema.grant), door.count(schema.ticket), door.count(schema.acceptance))
    page = phone.try_code(code)
    assert page.status_code == status
    assert DENIALS[denial] in words(page)
    assert f'value="{code}"' in page.text, "what was typed is there to be corrected"
    assert "<details open>" in page.text
    assert (door.count(schema.grant), door.count(schema.ticket), door.count(schema.acceptance)) == before
    assert door.sample("kogge_portal_logins_total", way="voucher", result="refused", reason=denial.value) == 1


def test_the_refusals_above_are_all_there_are() -> None:
    elsewhere = {Denial.NOT_OFFERED, Denial.TERMS_CHANGED, Denial.TOO_MANY_GUESSES}
    of_messages = {
        Denial.BAD_EMAIL,
        Denial.BAD_NUMBER,
        Denial.NUMBER_NOT_SERVED,
        Denial.CODE_TOO_SOON,
        Denial.TOO_MANY_CODES,
        Denial.SENDING_FULL,
        Denial.NOT_SIX_DIGITS,
        Denial.WRONG_CODE,
        Denial.CODE_OVER,
    }
    of_accounts = {
        Denial.WRONG_LOGIN,
        Denial.NOT_CONFIRMED,
        Denial.PROVIDER_AWAY,
        Denial.PROVIDER_REFUSED,
        Denial.NOT_ENTITLED,
    }
    assert set(REFUSED) | elsewhere | of_messages | of_accounts == set(Denial)


def test_a_city_without_a_tap_asks_for_a_code(door: Door, phone: Phone) -> None:
    give_vouchers(door, CODE)
    fields = form(phone.arrive(), "accept")
    _no_tap(door)
    page = phone.send("/accept", fields)
    assert page.status_code == 422
    assert DENIALS[Denial.NOT_OFFERED] in words(page)
    assert "Accept and go online" not in page.text
    assert "<details open>" in page.text
    assert phone.try_code(CODE).status_code == 303


def test_a_blocked_device_may_not_tap_until_the_block_is_over(door: Door, phone: Phone) -> None:
    door.add_member("admin", with_password=False)
    _block(door)
    page = phone.accept()
    assert page.status_code == 403
    assert DENIALS[Denial.BLOCKED] in words(page)
    assert door.phone(MacAddress.parse("02-00-5E-10-00-0B")).accept().status_code == 303
    change(door, schema.block, until_at=NOW + timedelta(hours=1))
    door.clock.forward(hours=1)
    assert phone.accept().status_code == 303


def test_the_same_device_does_not_count_twice(door: Door, phone: Phone) -> None:
    give_vouchers(door, CODE)
    for _ in range(5):
        assert phone.try_code(CODE).status_code == 303


def test_a_device_that_went_off_leaves_its_place(door: Door, phone: Phone) -> None:
    give_vouchers(door, CODE)
    _full(door)
    leaver = door.phone(MacAddress(bytes((2, 0, 0, 0, 1, 0))))
    leaver.send("/logout", {"visit": leaver.token()})
    assert phone.try_code(CODE).status_code == 303


@pytest.mark.parametrize(
    "typed", ["", " ", "Z" * 41, "Z" * 4_000, '"><script>alert(1)</script>', "\0" * 10, "ÄÖÜßéñ∞☃"]
)
def test_whatever_is_typed_is_no_code_and_no_markup(door: Door, phone: Phone, typed: str) -> None:
    page = phone.try_code(typed)
    assert page.status_code == 422
    assert DENIALS[Denial.BAD_CODE] in words(page)
    assert "<script" not in page.text


# Guessing ---------------------------------------------------------------------------------------------------


def test_guessing_is_limited_for_a_device(door: Door, phone: Phone) -> None:
    give_vouchers(door, CODE)
    limits = door.city.config.limits
    for number in range(limits.voucher_guesses):
        assert phone.try_code(make_code(bytes((number + 40,)) * 10)).status_code == 422
    page = phone.try_code(CODE)
    assert page.status_code == 429
    assert DENIALS[Denial.TOO_MANY_GUESSES] in words(page)
    assert door.count(schema.grant) == 0
    assert phone.accept().status_code == 303, "the limit is the codes'"
    assert door.phone(MacAddress.parse("02-00-5E-10-00-0B")).try_code(CODE).status_code == 303
    door.clock.forward(minutes=limits.voucher_window_minutes)
    assert phone.try_code(CODE).status_code == 303


def test_only_wrong_codes_count(door: Door, phone: Phone) -> None:
    give_vouchers(door, CODE)
    change(door, schema.voucher, revoked_at=NOW)
    for _ in range(door.city.config.limits.voucher_guesses + 1):
        assert DENIALS[Denial.CODE_REVOKED] in words(phone.try_code(CODE))
    assert door.count(schema.guess) == 0


def test_guesses_are_counted_without_the_address(door: Door, phone: Phone) -> None:
    phone.try_code(CODE)
    noted = rows(door, schema.guess)
    assert len(noted) == 3, "its own, its range's, the city's"
    for guess in noted:
        assert PHONE.octets not in guess["bucket"]
        assert len(guess["bucket"]) == 32
