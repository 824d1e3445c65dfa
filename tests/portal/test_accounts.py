"""An account's life at the portal: registered, confirmed by mail, used, its password changed and reset, deleted."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from config.sending import Mail
from hotspot.plan import Way
from portal import passwords
from portal.captive.accounts import Purpose
from service.cities import City
from store import accounts, messages, schema
from store.messages import Message
from tests.portal.hands import Clock, Door, Phone, add_session, form, words
from tests.support.rows import add_plan

ADDRESS = "hanna.lind@example.org"
PASSWORD = "vier Wörter sind gut"
OTHER = "noch vier gute Wörter"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real argon2, at a cost that lets these tests be many; tests/portal/test_passwords.py holds the real one."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
def door(city: City, clock: Clock, password_hash: str) -> Door:
    """A city that sends mail and has a plan for accounts."""
    add_plan(city.store, Way.ACCOUNT, devices_max=2, remember_hours=24)
    mail = Mail(host="127.0.0.1", sender="wlan@rostock.example")
    return Door(replace(city, config=city.config.model_copy(update={"mail": mail})), clock, password_hash)


@dataclass
class Link:
    """A link in a mail."""

    phone: Phone
    url: str

    @property
    def token(self) -> str:
        return parse_qs(urlsplit(self.url).query)["token"][0]

    def open(self) -> TestResponse:
        return self.phone.get(self.url.removeprefix(self.phone.door.url))

    def use(self, form_id: str, path: str, **fields: str) -> TestResponse:
        return self.phone.send(path, form(self.open(), form_id) | fields)


def mails(door: Door) -> list[Message]:
    """Those that wait; looking takes them."""
    with door.city.store.write() as conn:
        return messages.claim(conn, door.city.store.keys, messages.Kind.EMAIL, limit=50, now=door.clock())


def link_of(phone: Phone, mail: Message) -> Link:
    found = re.search(r"http\S+", mail.text)
    assert found is not None, mail.text
    return Link(phone, found[0])


def page_of(phone: Phone, path: str) -> TestResponse:
    return phone.get(f"{path}?visit={form(phone.arrive(), 'accept')['visit']}")


def register(phone: Phone, address: str = ADDRESS, password: str = PASSWORD, **options: str) -> TestResponse:
    fields = form(page_of(phone, "/account/new"), "register")
    return followed(phone, phone.send("/account/new", fields | {"email": address, "password": password} | options))


def followed(phone: Phone, answer: TestResponse) -> TestResponse:
    """Where it leads among our own pages."""
    return phone.get(answer.location) if (answer.location or "").startswith("/") else answer


def confirmed(phone: Phone, address: str = ADDRESS) -> None:
    register(phone, address)
    (mail,) = mails(phone.door)
    assert link_of(phone, mail).use("confirm", "/account/confirm").status_code == 200


def log_in(phone: Phone, address: str = ADDRESS, password: str = PASSWORD, **changes: str) -> TestResponse:
    fields = form(phone.arrive(), "account") | {"email": address, "password": password}
    return phone.send("/account/login", fields | changes)


def at_hub(phone: Phone, form_id: str, **fields: str) -> TestResponse:
    return followed(phone, phone.send(f"/account/{form_id}", form(page_of(phone, "/account"), form_id) | fields))


def refused(door: Door, reason: str) -> float:
    return door.sample("kogge_portal_logins_total", way="account", result="refused", reason=reason)


# Registering --------------------------------------------------------------------------------------------


def test_an_account_is_registered_confirmed_and_used(door: Door, phone: Phone) -> None:
    page = register(phone)
    assert page.status_code == 200 and "If everything was right, there is a link in your e-mail" in words(page)
    assert "over your mobile network or on another device" in words(page)  # no plan for grace
    early = log_in(phone)
    assert early.status_code == 422 and "not confirmed yet" in words(early) and refused(door, "not_confirmed") == 1
    (mail,) = mails(door)
    assert mail.recipient == ADDRESS and mail.subject.startswith("Confirm your Wi-Fi account – ")
    assert mail.expires_at == door.clock() + timedelta(days=1)
    link = link_of(phone, mail)
    assert link.url.startswith(f"{door.url}/account/confirm?token=")
    assert link.open().status_code == 200 and log_in(phone).status_code == 422  # opening alone changes nothing
    assert "Your account is ready" in words(link.use("confirm", "/account/confirm"))
    handed = log_in(phone)
    assert handed.status_code == 303 and handed.location.startswith(f"{door.nas.login_url}/logon?")
    with door.city.store.read() as conn:
        (grant,) = conn.execute(select(schema.grant)).mappings()
        (account,) = conn.execute(select(schema.account)).mappings()
    assert grant["account_id"] == account["id"] and grant["way"] == "account" and grant["voucher_id"] is None
    assert grant["remember_until"] == door.clock() + timedelta(hours=24)
    assert account["password_hash"].startswith("$argon2id$") and account["language"] == "en"


def test_a_confirmation_is_good_once_and_for_a_day(door: Door, phone: Phone) -> None:
    register(phone)
    (mail,) = mails(door)
    link = link_of(phone, mail)
    fields = form(link.open(), "confirm")
    assert phone.send("/account/confirm", fields).status_code == 200
    again = phone.send("/account/confirm", fields)
    assert again.status_code == 410 and "not good any more" in words(again)
    register(phone, "late@example.org")
    (mail,) = mails(door)
    door.clock.forward(days=1)
    assert link_of(phone, mail).open().status_code == 410


def test_a_mail_speaks_the_language_of_the_page(door: Door, phone: Phone) -> None:
    fields = form(phone.get(f"/account/new?visit={form(phone.arrive(), 'accept')['visit']}&lang=de"), "register")
    phone.send("/account/new", fields | {"email": ADDRESS, "password": PASSWORD})
    (mail,) = mails(door)
    assert mail.subject.startswith("Bestätigen Sie Ihr WLAN-Konto – ") and "lang=de" in mail.text


@pytest.mark.parametrize(
    ("address", "password", "said"),
    [
        ("hanna", PASSWORD, "not an e-mail address"),
        ("", PASSWORD, "not an e-mail address"),
        (ADDRESS, "kurz", "at least 10 characters"),
        (ADDRESS, "x" * 201, "200 characters at most"),
        (ADDRESS, "passwort123", "too easy to guess"),
    ],
)
def test_a_registration_with_a_flaw_is_told_it(
    address: str, password: str, said: str, door: Door, phone: Phone
) -> None:
    page = register(phone, address, password)
    assert page.status_code == 422 and said in words(page)
    assert form(page, "register")["email"] == address and password not in page.text
    assert not mails(door) and door.count(schema.account) == 0


def test_registering_again_before_the_confirmation_makes_the_newest_password_count(door: Door, phone: Phone) -> None:
    register(phone, password=OTHER)
    (first,) = mails(door)
    register(phone)
    (second,) = mails(door)
    assert link_of(phone, first).open().status_code == 410
    assert link_of(phone, second).use("confirm", "/account/confirm").status_code == 200
    assert log_in(phone, password=OTHER).status_code == 422 and log_in(phone).status_code == 303


# Who has an account is nobody's business ----------------------------------------------------------------


def test_registering_a_known_address_tells_its_mailbox_alone(door: Door, phone: Phone) -> None:
    confirmed(phone)
    known, unknown = register(phone, password=OTHER), register(phone, "new@example.org")
    assert words(known) == words(unknown)
    told = {mail.recipient: mail.subject for mail in mails(door)}
    assert told[ADDRESS].startswith("You already have a Wi-Fi account")
    assert log_in(phone, password=OTHER).status_code == 422 and log_in(phone).status_code == 303


def test_asking_for_a_new_password_tells_the_mailbox_alone(door: Door, phone: Phone) -> None:
    confirmed(phone)
    known, unknown = (at_hub(phone, "forgotten", email=each) for each in (ADDRESS, "new@example.org"))
    assert known.status_code == unknown.status_code == 200
    assert words(known) == words(unknown)
    assert [mail.recipient for mail in mails(door)] == [ADDRESS]


def test_a_wrong_password_and_an_unknown_address_are_told_alike_and_cost_alike(
    door: Door, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmed(phone)
    counted: list[str | None] = []
    matches = passwords.matches
    monkeypatch.setattr(passwords, "matches", lambda *both: counted.append(both[1]) or matches(*both))  # type: ignore[func-returns-value]
    wrong, unknown, none = log_in(phone, password=OTHER), log_in(phone, "new@example.org"), log_in(phone, "hanna")
    assert wrong.status_code == unknown.status_code == none.status_code == 422
    assert "We know no account with this e-mail address and password" in words(wrong)
    assert words(wrong) == words(unknown) == words(none)
    assert len(counted) == 3 and refused(door, "wrong_login") == 3


# Guessing and mail bombs --------------------------------------------------------------------------------


def test_a_device_may_guess_so_often_and_then_no_more(door: Door, phone: Phone) -> None:
    confirmed(phone)
    bound = door.city.config.limits.voucher_guesses
    answers = [log_in(phone, password=f"falsch geraten {number}").status_code for number in range(bound + 1)]
    assert answers[0] == 422 and answers[-1] == 429
    assert (
        log_in(phone).status_code == 429
        and at_hub(phone, "delete", email=ADDRESS, password=PASSWORD).status_code == 429
    )
    door.clock.forward(minutes=door.city.config.limits.voucher_window_minutes, seconds=1)
    assert log_in(phone).status_code == 303


def test_guesses_at_the_pages_that_change_an_account_count_too(door: Door, phone: Phone) -> None:
    confirmed(phone)
    for _ in range(door.city.config.limits.voucher_guesses):
        at_hub(phone, "delete", email=ADDRESS, password="falsch geraten")
    assert log_in(phone).status_code == 429


def test_an_address_gets_so_many_mails_a_day(door: Door, phone: Phone) -> None:
    most = door.city.config.limits.account_mails
    confirmed(phone)
    for number in range(most + 2):
        device = door.phone(type(phone.mac)(bytes([2, 0, 0x5E, 0x10, 2, number])))
        assert at_hub(device, "forgotten", email=ADDRESS).status_code == 200
    assert len(mails(door)) == most - 1  # the confirmation was the first
    door.clock.forward(days=1, seconds=1)
    at_hub(phone, "forgotten", email=ADDRESS)
    assert len(mails(door)) == 1


def test_a_device_asks_for_so_many_mails_a_day(door: Door, phone: Phone) -> None:
    most = door.city.config.limits.account_mails
    for number in range(most + 2):
        assert register(phone, f"person-{number}@example.org").status_code == 200
    assert len(mails(door)) == most and door.count(schema.account) == most


# A new password -----------------------------------------------------------------------------------------


def test_a_forgotten_password_is_replaced_by_mail(door: Door, phone: Phone) -> None:
    confirmed(phone)
    log_in(phone)
    at_hub(phone, "forgotten", email=ADDRESS)
    (mail,) = mails(door)
    link = link_of(phone, mail)
    short = link.use("new-password", "/account/password", password="kurz")
    assert short.status_code == 422 and "at least 10 characters" in words(short)
    done = link.use("new-password", "/account/password", password=OTHER)
    assert done.status_code == 200 and "Your new password is set" in words(done)
    assert link.open().status_code == 410
    assert log_in(phone).status_code == 422 and log_in(phone, password=OTHER).status_code == 303


def test_a_link_to_a_new_password_is_good_for_an_hour(door: Door, phone: Phone) -> None:
    confirmed(phone)
    at_hub(phone, "forgotten", email=ADDRESS)
    (mail,) = mails(door)
    door.clock.forward(hours=1)
    assert link_of(phone, mail).open().status_code == 410


def test_a_new_password_by_mail_confirms_an_account_too(door: Door, phone: Phone) -> None:
    register(phone)
    at_hub(phone, "forgotten", email=ADDRESS)
    _, mail = mails(door)
    link_of(phone, mail).use("new-password", "/account/password", password=OTHER)
    assert log_in(phone, password=OTHER).status_code == 303


def test_a_password_is_changed_with_the_one_until_now(door: Door, phone: Phone) -> None:
    confirmed(phone)
    wrong = at_hub(phone, "change", email=ADDRESS, password=OTHER, new="ganz andere Wörter")
    assert wrong.status_code == 422 and "We know no account" in words(wrong)
    short = at_hub(phone, "change", email=ADDRESS, password=PASSWORD, new="kurz")
    assert short.status_code == 422 and "at least 10 characters" in words(short)
    assert at_hub(phone, "change", email=ADDRESS, password=PASSWORD, new=OTHER).status_code == 200
    assert log_in(phone).status_code == 422 and log_in(phone, password=OTHER).status_code == 303


# Deleting -----------------------------------------------------------------------------------------------


def test_an_account_is_deleted_after_one_more_question(door: Door, phone: Phone) -> None:
    confirmed(phone)
    log_in(phone)
    question = at_hub(phone, "delete", email=ADDRESS, password=PASSWORD)
    assert question.status_code == 200 and "Delete the account?" in words(question)
    assert door.count(schema.account) == 1
    fields = form(question, "sure")
    assert "Your account is deleted" in words(phone.send("/account/deleted", fields))
    assert door.count(schema.account) == 0 and log_in(phone).status_code == 422
    assert phone.send("/account/deleted", fields).status_code == 410
    with door.city.store.read() as conn:
        (grant,) = conn.execute(select(schema.grant)).mappings()
    assert grant["account_id"] is None and grant["ended_at"] == door.clock() and grant["remember_until"] is None


def test_an_account_is_deleted_by_mail_without_its_password(door: Door, phone: Phone) -> None:
    confirmed(phone)
    at_hub(phone, "forgotten", email=ADDRESS)
    (mail,) = mails(door)
    assert link_of(phone, mail).use("sure", "/account/deleted").status_code == 200
    assert door.count(schema.account) == 0


# Tokens and places --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/account/confirm", "/account/password", "/account/deleted"])
@pytest.mark.parametrize("token", ["", "x", "A" * 200, "A" * 5_000, "\0" * 60])
def test_a_link_that_is_not_ours_gets_a_clear_page(path: str, token: str, phone: Phone) -> None:
    page = phone.send(path, {"token": token, "password": PASSWORD})
    assert page.status_code == 410 and "not good any more" in words(page)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_token_is_good_for_its_purpose_alone(purpose: Purpose, door: Door, phone: Phone) -> None:
    register(phone)
    (mail,) = mails(door)
    token = link_of(phone, mail).token  # of Purpose.CONFIRM
    paths = {Purpose.CONFIRM: "confirm", Purpose.RESET: "password", Purpose.DELETE: "deleted"}
    page = phone.send(f"/account/{paths[purpose]}", {"token": token, "password": OTHER})
    assert page.status_code == (200 if purpose is Purpose.CONFIRM else 410)


@pytest.mark.parametrize("path", ["/account", "/account/new"])
def test_without_a_visit_there_is_no_account_page(path: str, phone: Phone) -> None:
    assert phone.get(path).status_code == 400


@pytest.mark.parametrize("path", ["login", "new", "forgotten", "change", "delete"])
def test_without_a_visit_nothing_is_taken(path: str, door: Door, phone: Phone) -> None:
    fields = {"email": ADDRESS, "password": PASSWORD, "new": OTHER, "terms": "1"}
    assert phone.send(f"/account/{path}", fields).status_code == 400
    assert not mails(door)


def test_a_place_that_offers_no_accounts_registers_nobody(door: Door, phone: Phone) -> None:
    log_in_fields, register_fields = form(phone.arrive(), "account"), form(page_of(phone, "/account/new"), "register")
    confirmed(phone)
    with door.city.store.write() as conn:
        conn.execute(update(schema.site).values(ways="tap"))
    assert 'id="account"' not in phone.arrive().text
    typed = {"email": ADDRESS, "password": PASSWORD}
    assert phone.send("/account/new", register_fields | typed).status_code == 400
    assert phone.send("/account/login", log_in_fields | typed).status_code == 422
    assert refused(door, "not_offered") == 1


def test_an_account_that_goes_while_it_logs_in_gets_nobody_on(
    door: Door, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmed(phone)
    matches = passwords.matches

    def deleted_meanwhile(stored: str | None, password: str) -> bool:
        right = matches(stored, password)
        with door.city.store.write() as conn:
            found = accounts.find(conn, door.city.store.keys, ADDRESS)
            assert found is not None and accounts.delete(conn, found.id, now=door.clock())
        return right

    monkeypatch.setattr(passwords, "matches", deleted_meanwhile)
    assert log_in(phone).status_code == 422 and door.count(schema.grant) == 0


# Grace --------------------------------------------------------------------------------------------------


@pytest.fixture
def grace(door: Door) -> None:
    """A place that lets on for five minutes to read a mail."""
    add_plan(door.city.store, Way.GRACE, session_minutes=5)


def goes_online(door: Door, phone: Phone) -> TestResponse:
    """What RADIUS does with the newest grant; then the NAS sends the browser back."""
    with door.city.store.write() as conn:
        grant_id = int(conn.execute(select(func.max(schema.grant.c.id))).scalar_one())
        conn.execute(update(schema.grant).where(schema.grant.c.id == grant_id).values(accepted_at=door.clock()))
    add_session(door.city, phone.mac, grant_id=grant_id, started_at=door.clock(), name=f"session-{grant_id}")
    return followed(phone, phone.arrive(res="success"))


@pytest.mark.usefixtures("grace")
def test_whoever_registers_is_let_on_to_read_the_mail_and_goes_on_with_the_account(door: Door, phone: Phone) -> None:
    handed = register(phone)
    assert handed.status_code == 303 and handed.location.startswith(f"{door.nas.login_url}/logon?")
    page = goes_online(door, phone)
    assert "You are online for another 5 minutes so that you can read your mail" in words(page)
    (mail,) = mails(door)
    link_of(phone, mail).use("confirm", "/account/confirm")
    online = phone.send("/account/login", form(page, "account") | {"email": ADDRESS, "password": PASSWORD})
    assert online.status_code == 303 and online.location.startswith("/status?")
    with door.city.store.read() as conn:
        session = conn.execute(select(schema.session)).one()
        old, new = conn.execute(select(schema.grant).order_by(schema.grant.c.id)).all()
        (account,) = conn.execute(select(schema.account)).all()
    assert old.way == "grace" and old.ended_at is not None and old.account_id is None
    assert new.way == "account" and new.account_id == account.id and session.grant_id == new.id


@pytest.mark.usefixtures("grace")
def test_grace_is_the_same_for_an_address_without_an_account(door: Door, phone: Phone) -> None:
    handed = at_hub(phone, "forgotten", email="new@example.org")
    assert handed.status_code == 303 and handed.location.startswith(f"{door.nas.login_url}/logon?")
    assert "You are online for another 5 minutes" in words(goes_online(door, phone))
    assert "You are online for a few minutes to read your mail" in words(phone.status())
    assert not mails(door)


@pytest.mark.usefixtures("grace")
def test_grace_needs_the_current_terms(door: Door, phone: Phone) -> None:
    page = register(phone, terms="999")
    assert page.status_code == 422 and "terms of use have changed" in words(page)
    assert at_hub(phone, "forgotten", email=ADDRESS, terms="999").status_code == 422
    assert door.count(schema.account) == 0 and door.count(schema.grant) == 0


@pytest.mark.usefixtures("grace")
def test_a_nas_that_takes_no_new_limits_ends_the_short_connection_first(door: Door, phone: Phone) -> None:
    confirmed_on_grace(door, phone)
    with door.city.store.write() as conn:
        conn.execute(update(schema.nas).values(product="standard"))
    page = log_in(phone)
    assert page.status_code == 200 and "log in once more in a few seconds" in words(page)
    with door.city.store.read() as conn:
        (order,) = conn.execute(select(schema.outbox)).all()
    assert order.kind == "disconnect"
    with door.city.store.write() as conn:
        conn.execute(update(schema.session).values(ended_at=door.clock()))
    assert log_in(phone).location.startswith(f"{door.nas.login_url}/logon?")


def confirmed_on_grace(door: Door, phone: Phone) -> None:
    register(phone)
    goes_online(door, phone)
    (mail,) = mails(door)
    link_of(phone, mail).use("confirm", "/account/confirm")
