"""Signing in by OpenID Connect: what is sent, what comes back, and each thing that may be wrong with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy import select
from werkzeug.test import TestResponse

from config.model import Oidc
from hotspot.plan import Way
from portal.captive import provider as providers
from portal.captive.oidc import entitled
from service.cities import City
from store import schema
from tests.portal.hands import Clock, Door, Phone, form, words
from tests.support.crooked_provider import CLIENT_ID, CLIENT_SECRET, SUBJECT, CrookedProvider, serving
from tests.support.rows import add_plan


@pytest.fixture
def provider(clock: Clock) -> Iterator[CrookedProvider]:
    with serving(CrookedProvider(clock)) as running:
        yield running


@pytest.fixture
def city(quick_city: City) -> City:
    return quick_city


@pytest.fixture
def door(city: City, clock: Clock, provider: CrookedProvider, tmp_path: Path, password_hash: str) -> Door:
    secret = tmp_path / "client-secret"
    secret.write_text(CLIENT_SECRET + "\n")
    secret.chmod(0o600)
    settings = Oidc(
        issuer=provider.issuer,
        client_id=CLIENT_ID,
        client_secret_file=secret,
        name="library card",
        names={"de": "dem Bibliotheksausweis"},
        garden_hosts=("static.library.example",),
        claims={"library_card": True},
    )
    add_plan(city.store, Way.OIDC, devices_max=2)
    provider.claims["library_card"] = True
    return Door(replace(city, config=city.config.model_copy(update={"oidc": settings})), clock, password_hash)


def start(phone: Phone, **changes: str) -> TestResponse:
    return phone.send("/oidc/start", form(phone.arrive(), "oidc") | changes)


def back(phone: Phone, answer: dict[str, str]) -> TestResponse:
    return phone.get(f"/oidc/callback?{urlencode(answer)}")


def sign_in(phone: Phone, provider: CrookedProvider, **changes: str) -> TestResponse:
    return back(phone, provider.sign_in(start(phone).location, **changes))


def refused(door: Door, reason: str) -> float:
    return door.sample("kogge_portal_logins_total", way="oidc", result="refused", reason=reason)


# Off and back -------------------------------------------------------------------------------------------


def test_the_page_names_the_provider_and_lets_its_form_lead_there(phone: Phone, provider: CrookedProvider) -> None:
    page = phone.arrive()
    assert "Sign in with library card" in words(page)
    assert "Mit dem Bibliotheksausweis anmelden" in words(phone.arrive(language="de"))
    policy = page.headers["Content-Security-Policy"]
    assert f"{provider.issuer} http://static.library.example" in policy.split("form-action ")[1]


def test_the_browser_is_sent_off_with_a_challenge_and_no_cookie(
    door: Door, phone: Phone, provider: CrookedProvider
) -> None:
    sent = start(phone)
    assert sent.status_code == 303 and "Set-Cookie" not in sent.headers
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent.location).query).items()}
    assert sent.location.startswith(f"{provider.issuer}/authorize?")
    assert asked["response_type"] == "code" and asked["scope"] == "openid" and asked["client_id"] == CLIENT_ID
    assert asked["redirect_uri"] == f"{door.url}/oidc/callback"
    assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43
    assert len(asked["nonce"]) == 64 and asked["nonce"] not in asked["state"]


def test_who_signs_in_gets_on_and_leaves_a_keyed_hash(door: Door, phone: Phone, provider: CrookedProvider) -> None:
    handed = sign_in(phone, provider)
    assert handed.status_code == 303 and handed.location.startswith(f"{door.nas.login_url}/logon?")
    with door.city.store.read() as conn:
        (account,) = conn.execute(select(schema.account)).mappings()
        (grant,) = conn.execute(select(schema.grant)).mappings()
    assert grant["account_id"] == account["id"] and grant["way"] == "oidc" and grant["language"] == "en"
    assert account["address_hash"] is None and account["password_hash"] is None and account["address_sealed"] is None
    assert len(account["subject_hash"]) == 32 and SUBJECT.encode() not in account["subject_hash"]
    assert door.sample("kogge_portal_logins_total", way="oidc", result="ticket", reason="") == 1


def test_the_same_person_on_another_device_has_the_same_account(door: Door, provider: CrookedProvider) -> None:
    for octet in range(2):
        device = door.phone(replace(door.phone().mac, octets=bytes([2, 0, 0x5E, 0x10, 1, octet])))
        assert sign_in(device, provider, code=f"code-{octet}").status_code == 303
    assert door.count(schema.account) == 1 and door.count(schema.grant) == 2


def test_the_page_after_it_speaks_the_language_before_it(phone: Phone, provider: CrookedProvider) -> None:
    provider.claims["library_card"] = False
    sent = phone.send("/oidc/start", form(phone.arrive(language="de"), "oidc"), language="de")
    page = phone.get(f"/oidc/callback?{urlencode(provider.sign_in(sent.location))}", language="en")
    assert page.status_code == 403 and '<html lang="de"' in page.text


def test_what_the_provider_publishes_is_asked_for_once_an_hour(
    door: Door, phone: Phone, provider: CrookedProvider
) -> None:
    for number in range(3):
        sign_in(phone, provider, code=f"code-{number}")
    assert provider.asked.count("/.well-known/openid-configuration") == 1 and provider.asked.count("/keys") == 1
    door.clock.forward(hours=1)
    sign_in(phone, provider)
    assert provider.asked.count("/.well-known/openid-configuration") == 2 and provider.asked.count("/keys") == 2


def test_keys_that_the_provider_changed_are_asked_for_again(
    door: Door, phone: Phone, provider: CrookedProvider
) -> None:
    assert sign_in(phone, provider).status_code == 303
    door.clock.forward(minutes=5)
    provider.published = RSAKey.generate_key(2048, {"kid": "second"})
    provider.header["kid"] = "second"
    assert sign_in(phone, provider).status_code == 303


# What may be wrong with an answer -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "0" * 64},
        {"nonce": None},
        {"aud": "another"},
        {"aud": None},
        {"aud": [CLIENT_ID, "another"]},
        {"azp": "another"},
        {"iss": "http://127.0.0.1:1"},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
)
def test_a_claim_that_is_wrong_is_refused(
    wrong: dict[str, Any], door: Door, phone: Phone, provider: CrookedProvider
) -> None:
    provider.claims |= wrong
    page = sign_in(phone, provider)
    assert page.status_code == 422 and "The sign-in did not work" in words(page)
    assert refused(door, "provider_refused") == 1
    assert door.count(schema.account) == 0 and door.count(schema.grant) == 0


def test_a_wrong_signature_is_refused(door: Door, phone: Phone, provider: CrookedProvider) -> None:
    provider.signing = RSAKey.generate_key(2048, {"kid": "first"})
    assert sign_in(phone, provider).status_code == 422
    assert refused(door, "provider_refused") == 1 and door.count(schema.grant) == 0


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_no_signature_and_one_with_a_shared_secret_are_refused(
    algorithm: str, door: Door, phone: Phone, provider: CrookedProvider
) -> None:
    provider.header["alg"] = algorithm
    provider.signing = OctKey.import_key(CLIENT_SECRET)
    assert sign_in(phone, provider).status_code == 422
    assert refused(door, "provider_refused") == 1 and door.count(schema.grant) == 0


def test_a_replayed_answer_is_refused(door: Door, phone: Phone, provider: CrookedProvider) -> None:
    answer = provider.sign_in(start(phone).location)
    assert back(phone, answer).status_code == 303
    again = back(phone, answer)
    assert again.status_code == 422 and "The sign-in did not work" in words(again)
    assert door.count(schema.grant) == 1


def test_a_code_of_another_sign_in_is_refused(door: Door, phone: Phone, provider: CrookedProvider) -> None:
    """PKCE: a stolen code is worth nothing with another `state`."""
    stolen = provider.sign_in(start(phone).location)["code"]
    own = dict(parse_qsl(urlsplit(start(phone).location).query))["state"]
    assert back(phone, {"code": stolen, "state": own}).status_code == 422
    assert door.count(schema.grant) == 0


def test_a_broken_off_sign_in_leads_back_to_the_page(door: Door, phone: Phone) -> None:
    state = dict(parse_qsl(urlsplit(start(phone).location).query))["state"]
    page = back(phone, {"error": "access_denied", "state": state})
    assert page.status_code == 422 and form(page, "oidc") and refused(door, "provider_refused") == 1


def test_an_answer_of_another_issuer_is_refused(door: Door, phone: Phone, provider: CrookedProvider) -> None:
    answer = provider.sign_in(start(phone).location) | {"iss": "https://another.example"}
    assert back(phone, answer).status_code == 422
    assert provider.asked.count("/token") == 0


@pytest.mark.parametrize("state", ["", "x", "A" * 200, "é" * 50, "A" * 5_000])
def test_a_state_that_is_not_ours_gets_a_clear_page(state: str, phone: Phone) -> None:
    page = back(phone, {"code": "code-1", "state": state})
    assert page.status_code == 400 and "This sign-in cannot go on" in words(page)


def test_a_visit_is_no_state_and_an_old_state_is_none(door: Door, phone: Phone, provider: CrookedProvider) -> None:
    assert back(phone, {"code": "code-1", "state": form(phone.arrive(), "oidc")["visit"]}).status_code == 400
    answer = provider.sign_in(start(phone).location)
    door.clock.forward(minutes=10)
    page = back(phone, answer)
    assert page.status_code == 400 and "longer than ten minutes" in words(page)


def test_terms_that_changed_meanwhile_are_shown_again(door: Door, phone: Phone, provider: CrookedProvider) -> None:
    answer = provider.sign_in(start(phone, terms="999").location)
    assert back(phone, answer).status_code == 422 and refused(door, "terms_changed") == 1


# Who is entitled ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", [None, False, 1, "true", [], ["false"]])
def test_without_the_wanted_claim_nobody_gets_on(
    claim: Any, door: Door, phone: Phone, provider: CrookedProvider
) -> None:
    provider.claims["library_card"] = claim
    page = sign_in(phone, provider)
    assert page.status_code == 403 and "does not include this Wi-Fi" in words(page)
    assert refused(door, "not_entitled") == 1 and door.count(schema.account) == 0


def test_a_claim_may_stand_in_the_user_info(phone: Phone, provider: CrookedProvider) -> None:
    provider.claims["library_card"] = None
    provider.user_info["library_card"] = True
    assert sign_in(phone, provider).status_code == 303


def test_somebody_elses_user_info_is_refused(door: Door, phone: Phone, provider: CrookedProvider) -> None:
    provider.claims["library_card"] = None
    provider.user_info |= {"sub": "another", "library_card": True}
    assert sign_in(phone, provider).status_code == 422 and refused(door, "provider_refused") == 1


def test_a_claim_holds_by_its_very_value() -> None:
    assert entitled({"groups": ["staff", "readers"]}, {"groups": "readers"})
    assert entitled({}, {}) and entitled({"age": 18}, {"age": 18})
    assert not entitled({"age": 18}, {"age": True}) and not entitled({"age": 1}, {"age": True})


# A provider that does not do its work -------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [(500, b"{}"), (404, b"{}"), (302, b""), (200, b"<html>"), (200, b"[]"), (200, b"\xff"), (200, b" " * 300_000)],
    ids=lambda answer: f"{answer[0]}-{len(answer[1])}",
)
def test_a_provider_that_says_nonsense_is_away(
    answer: tuple[int, bytes], door: Door, phone: Phone, provider: CrookedProvider
) -> None:
    provider.answers["/.well-known/openid-configuration"] = answer
    page = start(phone)
    assert page.status_code == 502 and "The sign-in service does not answer" in words(page)
    assert refused(door, "provider_away") == 1


def test_one_that_does_not_answer_is_left_alone_for_a_moment(
    door: Door, phone: Phone, provider: CrookedProvider
) -> None:
    provider.answers["/.well-known/openid-configuration"] = (500, b"{}")
    assert [start(phone).status_code for _ in range(3)] == [502, 502, 502]
    assert len(provider.asked) == 1
    provider.answers.clear()
    door.clock.forward(seconds=11)
    assert start(phone).status_code == 303


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://another.example"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": "http://"},
    ],
)
def test_a_configuration_that_makes_no_sense_is_not_followed(
    metadata: dict[str, str], phone: Phone, provider: CrookedProvider
) -> None:
    provider.metadata |= metadata
    assert start(phone).status_code == 502


def test_the_token_endpoint_may_be_away_alone(door: Door, phone: Phone, provider: CrookedProvider) -> None:
    provider.answers["/token"] = (503, b"")
    assert sign_in(phone, provider).status_code == 502 and refused(door, "provider_away") == 1


def test_a_redirect_with_the_secret_is_not_followed(door: Door, phone: Phone, provider: CrookedProvider) -> None:
    provider.answers["/token"] = (307, b"")
    before = provider.asked.count("/keys")
    assert sign_in(phone, provider).status_code == 502
    assert provider.asked.count("/keys") == before


def test_a_provider_that_hangs_takes_few_threads(
    door: Door, phone: Phone, provider: CrookedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes while as many as may are asking it is told so at once."""
    entered, leave = threading.Barrier(providers.AT_ONCE + 1), threading.Event()
    answer = provider.answer

    def slow(*asked: str) -> tuple[int, bytes]:
        entered.wait(20)
        assert leave.wait(20)
        return answer(*asked)

    monkeypatch.setattr(provider, "answer", slow)
    fields = form(phone.arrive(), "oidc")
    waiting = [
        threading.Thread(target=lambda: door.phone().send("/oidc/start", fields)) for _ in range(providers.AT_ONCE)
    ]
    for each in waiting:
        each.start()
    entered.wait(20)
    page = phone.send("/oidc/start", fields)
    leave.set()
    for each in waiting:
        each.join(20)
    assert page.status_code == 503 and "Many people are logging in just now" in words(page)
    assert door.sample("kogge_portal_turned_away_total", reason="busy") == 1


# Where it is not offered --------------------------------------------------------------------------------


def test_a_city_without_a_provider_has_no_such_way(quick_city: City, clock: Clock, password_hash: str) -> None:
    add_plan(quick_city.store, Way.OIDC)
    phone = Door(quick_city, clock, password_hash).phone()
    page = phone.arrive()
    assert page.status_code == 200 and "oidc" not in page.text
    assert phone.send("/oidc/start", form(page, "accept")).status_code == 404
    assert phone.get("/oidc/callback?code=1&state=1").status_code == 404
