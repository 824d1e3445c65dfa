"""Which ways in a place offers."""

from __future__ import annotations

import pytest

from hotspot.errors import InputError
from hotspot.plan import Plan, Way
from hotspot.ways import offered, read_ways


def plan(id_: int, way: Way) -> Plan:
    return Plan(id_, f"p{id_}", f"Plan {id_}", way, 60, 10, 0, 0, 0, 0, 1, 0)


PLANS = [plan(1, Way.VOUCHER), plan(2, Way.TAP), plan(3, Way.TAP), plan(4, Way.EMAIL), plan(5, Way.GRACE)]


def test_a_place_without_ways_of_its_own_offers_all_that_the_city_has() -> None:
    assert list(offered(PLANS, "")) == [Way.TAP, Way.VOUCHER, Way.EMAIL, Way.GRACE]


def test_the_first_plan_of_a_way_is_the_one() -> None:
    assert offered(PLANS, "")[Way.TAP].id == 2


def test_a_place_offers_what_it_names_and_the_city_has() -> None:
    assert list(offered(PLANS, "voucher sms")) == [Way.VOUCHER]
    assert list(offered(PLANS, "email")) == [Way.EMAIL, Way.GRACE]


def test_ways_are_read_in_the_pages_order_each_once() -> None:
    assert read_ways("Voucher, tap voucher") == "tap voucher"
    assert read_ways("") == ""


@pytest.mark.parametrize("word", ["grace", "taps"])
def test_an_unknown_way_is_named_with_the_known_ones(word: str) -> None:
    with pytest.raises(InputError, match=f"'{word}'; there are tap, voucher, email"):
        read_ways(f"tap {word}")
