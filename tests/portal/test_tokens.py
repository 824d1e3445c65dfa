"""A visit's token is the portal's memory: whoever changes it, keeps it too long or brings another city's has none."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import pytest

from hotspot.errors import InputError
from portal import tokens
from portal.tokens import Visit
from service.cities import City
from store import keys, schema
from tests.portal.hands import CHALLENGE, NOW, PHONE, Door, Phone

VISIT = Visit(1, PHONE, {"challenge": CHALLENGE}, "http://example.org/", signed=True)


@pytest.fixture
def city(quick_city: City) -> City:
    return quick_city


def flipped(token: str, at: int) -> str:
    """The token with one bit of one octet changed."""
    octets = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    octets[at] ^= 1
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def test_a_visit_comes_back_as_it_was(city: City) -> None:
    token = tokens.issue(city.store.keys, VISIT, now=NOW)
    assert tokens.read(city.store.keys, token, now=NOW + timedelta(hours=23, minutes=59)) == VISIT


def test_two_tokens_of_one_visit_do_not_look_alike(city: City) -> None:
    first, second = (tokens.issue(city.store.keys, VISIT, now=NOW) for _ in range(2))
    assert first[:40] != second[:40]


def test_nobody_reads_a_mac_address_out_of_a_token(city: City) -> None:
    token = tokens.issue(city.store.keys, VISIT, now=NOW)
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for secret in (PHONE.octets, PHONE.octets.hex().encode(), CHALLENGE.encode(), b"example.org"):
        assert secret not in raw


def test_a_token_of_every_length_fits_its_page(city: City) -> None:
    """The longest wish that a redirect may carry still gives a token that is accepted back."""
    longest = "http://example.org/" + "x" * (tokens.TOKEN_MAX // 4 - 19)
    token = tokens.issue(city.store.keys, Visit(1, PHONE, {"challenge": CHALLENGE}, longest), now=NOW)
    assert tokens.read(city.store.keys, token, now=NOW).user_url == longest


BAD = {
    "none": lambda good: "",
    "nonsense": lambda good: "x" * 60,
    "not ASCII": lambda good: "ä" * 60,
    "other letters": lambda good: good[:50] + "!" + good[51:],
    "cut": lambda good: good[:-8],
    "too long": lambda good: good * 30,
    "another key's number": lambda good: flipped(good, 0),
    "another nonce": lambda good: flipped(good, 5),
    "another text": lambda good: flipped(good, 20),
    "another tag": lambda good: flipped(good, -1),
    "a NUL": lambda good: "\0" * 60,
}


@pytest.mark.parametrize("kind", BAD)
def test_a_changed_token_is_like_none(phone: Phone, kind: str) -> None:
    token = BAD[kind](phone.token())
    nothing = phone.get("/status")
    assert nothing.status_code == 400
    answers = [
        phone.client.get(
            path, base_url=phone.door.url, query_string={"visit": token}, headers={"Accept-Language": "en"}
        )
        for path in ("/status", "/welcome")
    ]
    answers += [phone.send(path, {"visit": token, "terms": "1"}) for path in ("/accept", "/voucher", "/logout")]
    for answer in answers:
        assert answer.status_code == 400
        assert "Location" not in answer.headers
        assert _body(answer.text) == _body(nothing.text)
    assert phone.door.count(schema.device) == 0


def _body(page: str) -> str:
    """Without the language switch, whose links name the page."""
    return page.partition("<main>")[2]


def test_a_token_is_good_for_a_day(door: Door, phone: Phone) -> None:
    token = phone.token()
    door.clock.forward(hours=24, seconds=-1)
    assert phone.status(token).status_code == 200
    door.clock.forward(seconds=1)
    assert phone.status(token).status_code == 400
    assert phone.send("/accept", {"visit": token, "terms": "1"}).status_code == 400


def test_another_city_s_token_is_like_none(door: Door, phone: Phone, tmp_path: Path) -> None:
    keys.make_missing(tmp_path / "other", now=NOW)
    foreign = tokens.issue(keys.load(tmp_path / "other", now=NOW), VISIT, now=NOW)
    assert phone.status(foreign).status_code == 400
    assert phone.status(foreign).text.partition("<main>")[2] == phone.get("/status").text.partition("<main>")[2]
    with pytest.raises(InputError):
        tokens.read(door.city.store.keys, foreign, now=NOW)


def test_a_visit_at_a_nas_that_is_gone(door: Door, phone: Phone) -> None:
    token = tokens.issue(door.city.store.keys, Visit(999, PHONE, {"challenge": CHALLENGE}), now=NOW)
    assert phone.status(token).status_code == 400
    assert phone.send("/accept", {"visit": token, "terms": "1"}).status_code == 400


def test_what_is_sealed_for_another_purpose_is_no_token(door: Door, phone: Phone) -> None:
    sealed = door.city.store.keys.seal("voucher-code", b'[1,"02005e10000a","00","",99999999999]' + b" " * 40)
    assert phone.status(base64.urlsafe_b64encode(sealed).decode().rstrip("=")).status_code == 400
