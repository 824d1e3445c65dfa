"""Guessing of codes: a device is stopped by its own wrong ones; a square full of people behind one address never is."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from hotspot.guessing import FEWER, FEWEST, TIGHT
from hotspot.values import MacAddress
from hotspot.vouchers import make_code
from portal.captive.guessing import Guess, Guesser
from service.cities import City
from store import guesses, schema
from tests.portal.hands import NOW, PHONE, Door
from tests.portal.test_getting_on import CODE, give_vouchers

HERE, NEXT_DOOR, ELSEWHERE = (ip_address(each) for each in ("198.51.100.7", "198.51.100.8", "203.0.113.7"))
RANGE, CITY = 10, 40


@pytest.fixture
def city(city: City) -> City:
    """Small bounds: an attack takes few guesses."""
    limits = city.config.limits.model_copy(update={"range_guesses": RANGE, "city_guesses": CITY})
    return City(city.config.model_copy(update={"limits": limits}), city.store)


def mac(number: int) -> MacAddress:
    return MacAddress(bytes((2, 0, 0, 9, *number.to_bytes(2, "big"))))


def attack(city: City, times: int, *, first: int = 0, **where: Any) -> None:
    """Wrong guesses, each of another made-up MAC address."""
    guesser, place = Guesser(city), {"address": HERE} | where
    with city.store.write() as conn:
        for number in range(first, first + times):
            guesser.wrong(conn, Guess(mac(number), **place), now=NOW)


def left(city: City, device: MacAddress = PHONE, **where: Any) -> int:
    """How many wrong guesses the device may make, by making them; nothing of it stays."""
    guesser, guess, made = Guesser(city), Guess(device, **({"address": HERE} | where)), 0
    with city.store.write() as conn, conn.begin_nested() as trial:
        while guesser.allowed(conn, guess, now=NOW) and made < 100:
            guesser.wrong(conn, guess, now=NOW)
            made += 1
        trial.rollback()
    return made


def test_calm(city: City) -> None:
    assert left(city) == city.config.limits.voucher_guesses


def test_a_range_under_attack_may_guess_less_and_its_neighbours_as_before(city: City) -> None:
    attack(city, RANGE)
    assert [left(city), left(city, address=NEXT_DOOR)] == [FEWER, FEWER]
    assert [left(city, address=ELSEWHERE), left(city, address=None)] == [10, 10]
    attack(city, (TIGHT - 1) * RANGE, first=RANGE)
    assert left(city) == FEWEST


def test_a_city_under_attack_from_everywhere_may_guess_less(city: City) -> None:
    for number in range(CITY):
        attack(city, 1, first=number, address=ip_address(f"10.0.{number}.1"))
    assert left(city, address=ELSEWHERE) == FEWER


def test_an_account_under_attack_is_not_locked(city: City) -> None:
    for number in range(TIGHT * 10):
        attack(city, 1, first=number, address=ip_address(f"10.0.{number}.1"), account="ann@example.org")
    assert left(city, address=ELSEWHERE, account="ann@example.org") == FEWEST
    assert left(city, address=ELSEWHERE, account="ben@example.org") == FEWER, "the city has seen its bound as well"


def test_a_flood_of_guesses_fills_no_disk(city: City) -> None:
    attack(city, 200)
    with city.store.read() as conn:
        stored = conn.execute(schema.guess.select()).all()
    assert len(stored) == 200 + TIGHT * RANGE + TIGHT * CITY


def test_radius_s_wrong_passwords_count_in_the_city(city: City) -> None:
    with city.store.write() as conn:
        for _ in range(CITY):
            guesses.note(conn, guesses.bucket(city.store.keys, guesses.BY_CITY, ""), now=NOW)
    assert left(city) == FEWER


def test_who_holds_a_good_code_gets_on_in_the_middle_of_an_attack(door: Door, city: City) -> None:
    """All phones ask from the test client's one address, as a square behind one NAT does."""
    give_vouchers(door, CODE)
    attack(city, TIGHT * RANGE, address=ip_address("127.0.0.1"))
    honest = door.phone(mac(1_000))
    assert honest.try_code(make_code(bytes(range(50, 60)))).status_code == 422, "a slip"
    assert honest.try_code(CODE).status_code == 303
    guesser = door.phone(mac(1_001))
    answers = [guesser.try_code(make_code(bytes((number,)) * 10)).status_code for number in range(60, 64)]
    assert answers == [422, 422, 429, 429]


def test_a_good_code_does_not_reset_the_count(door: Door) -> None:
    give_vouchers(door, CODE)
    phone = door.phone()
    for number in range(door.city.config.limits.voucher_guesses):
        assert phone.try_code(make_code(bytes((number + 40,)) * 10)).status_code == 422
        if number == 5:
            assert phone.try_code(CODE).status_code == 303
    assert phone.try_code(CODE).status_code == 429
