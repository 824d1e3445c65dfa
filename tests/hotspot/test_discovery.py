"""Where may be looked for access points, and when a find is a known one."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest

from hotspot.discovery import ADDRESSES_MAX, KEY, Found, Register, Trait, parse_network, questions, suggested_name
from hotspot.errors import InputError
from hotspot.fleet import PointKind
from hotspot.values import MacAddress

ALLOWED = (ip_network("10.0.0.0/8"), ip_network("fd00::/64"))
BSSID = MacAddress.parse("02-00-5E-10-00-0A")
FOUND = Found("10.1.0.9", 161, PointKind.ACCESS_POINT, "unifi", "roof", "U6", "6.5", "S-1", (BSSID,))
TRAIT = Trait(7, "roof", "10.1.0.9", 161, "S-1", frozenset({BSSID}), up=True)


@pytest.mark.parametrize("said", ["10.1.0.0/20", " 10.1.0.7/24 ", "10.9.9.9", "fd00::/116"])
def test_networks_within_the_citys_are_searched(said: str) -> None:
    assert parse_network(said, allowed=ALLOWED).num_addresses <= ADDRESSES_MAX


@pytest.mark.parametrize(
    ("said", "allowed", "why"),
    [
        ("tower", ALLOWED, "'tower' is no network; one is written such as 10.1.0.0/24"),
        ("192.0.2.0/24", ALLOWED, f"not within the networks of {KEY} in the city's file: 10.0.0.0/8, fd00::/64"),
        ("10.0.0.0/7", ALLOWED, "not within"),
        ("10.0.0.0/19", ALLOWED, "8192 addresses, one search asks at most 4096: search it in parts, each a /20"),
        ("fd00::/100", ALLOWED, "each a /116"),
        ("10.0.0.0/24", (), f'names no network to look in; {KEY} lists them, such as ["10.0.0.0/24"]'),
    ],
)
def test_what_is_not_searched_is_told_why(said: str, allowed: tuple[object, ...], why: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_network(said, allowed=allowed)  # type: ignore[arg-type]
    assert why in str(caught.value)


def test_each_candidate_is_put_to_the_addresses_of_its_network() -> None:
    put = questions(ip_network("10.1.0.0/29"), [ip_network("10.1.0.2/31"), ip_network("10.0.0.0/8")])
    assert [(place, str(address)[-1]) for place, address in put] == [(0, "2"), (0, "3"), *((1, n) for n in "123456")]


@pytest.mark.parametrize(
    ("found", "up", "known", "moved"),
    [
        (FOUND, True, True, False),
        (replace(FOUND, serial="", bssids=()), False, True, False),
        (replace(FOUND, address="10.1.0.77"), False, True, True),
        (replace(FOUND, address="10.1.0.77", serial=""), False, True, True),
        (replace(FOUND, address="10.1.0.77"), True, True, False),
        (replace(FOUND, address="10.1.0.77", serial="", bssids=()), False, False, False),
        (replace(FOUND, port=1161, serial="other", bssids=()), True, False, False),
    ],
)
def test_a_find_is_known_by_its_serial_number_its_bssids_or_its_place(
    found: Found, up: bool, known: bool, moved: bool
) -> None:
    seen = Register([replace(TRAIT, up=up)]).look_up(found)
    assert (seen is not None, seen is not None and seen.moved) == (known, moved)


def test_one_behind_a_controller_that_answers_by_itself_is_known_and_has_not_moved() -> None:
    seen = Register([replace(TRAIT, address="", port=0, up=False)]).look_up(FOUND)
    assert seen is not None and seen.name == "roof" and not seen.moved


def test_an_unknown_serial_number_is_no_mark() -> None:
    register = Register([replace(TRAIT, serial="", bssids=frozenset(), address="10.1.0.1")])
    assert register.look_up(replace(FOUND, serial="")) is None


def test_a_find_is_called_what_it_calls_itself() -> None:
    assert suggested_name(FOUND, {"tower"}) == "roof"
    assert suggested_name(FOUND, {"roof", "roof-2"}) == "roof-3"
    assert suggested_name(replace(FOUND, system_name=" \x1b "), set()) == "10.1.0.9"
