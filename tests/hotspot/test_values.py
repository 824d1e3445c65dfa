"""MAC addresses in every spelling, local days, months."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot.errors import InputError
from hotspot.values import (
    MacAddress,
    MacSpelling,
    Month,
    Octets,
    day_start,
    local_day,
    mac_spelling,
    seconds_to_day_end,
)

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    "text",
    [
        "02-00-5E-10-00-0a",
        "02:00:5e:10:00:0A",
        "0200.5e10.000a",
        "0200.5E10.000A",
        "0200-5e10-000a",
        "02005e-10000a",
        "02 00 5E 10 00 0A",
        "02005E10000A",
    ],
)
def test_every_common_spelling_is_the_same_address(text: str) -> None:
    assert str(MacAddress.parse(text)) == "02-00-5E-10-00-0A"


@pytest.mark.parametrize("text", ["", "02-00", "02-00-5E-10-00-0G", "0" * 33, "02005E10000A0", "rostock"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a MAC address"):
        MacAddress.parse(text)


def test_an_address_has_six_octets() -> None:
    with pytest.raises(InputError):
        MacAddress(b"12345")


def test_the_repr_hides_half_of_the_address() -> None:
    assert "10-00-0A" not in repr(MacAddress.parse("02-00-5E-10-00-0A"))


@given(st.binary(min_size=6, max_size=6), st.sampled_from(MacSpelling))
def test_a_spelling_round_trips(octets: bytes, spelling: MacSpelling) -> None:
    mac = MacAddress(octets)
    found = mac_spelling(mac.spelled(spelling))
    assert found is not None and mac.spelled(found) == mac.spelled(spelling)
    assert MacAddress.parse(mac.spelled(spelling)) == mac


@pytest.mark.parametrize(
    ("spelling", "text"),
    [
        (MacSpelling.HYPHEN_UPPER, "02-00-5E-10-00-0A"),
        (MacSpelling.HYPHEN_LOWER, "02-00-5e-10-00-0a"),
        (MacSpelling.COLON_UPPER, "02:00:5E:10:00:0A"),
        (MacSpelling.COLON_LOWER, "02:00:5e:10:00:0a"),
        (MacSpelling.PLAIN_UPPER, "02005E10000A"),
        (MacSpelling.PLAIN_LOWER, "02005e10000a"),
        (MacSpelling.DOTTED_UPPER, "0200.5E10.000A"),
        (MacSpelling.DOTTED_LOWER, "0200.5e10.000a"),
        (MacSpelling.QUADS_UPPER, "0200-5E10-000A"),
        (MacSpelling.QUADS_LOWER, "0200-5e10-000a"),
        (MacSpelling.HALVES_UPPER, "02005E-10000A"),
        (MacSpelling.HALVES_LOWER, "02005e-10000a"),
        (MacSpelling.SPACED_UPPER, "02 00 5E 10 00 0A"),
        (MacSpelling.SPACED_LOWER, "02 00 5e 10 00 0a"),
    ],
)
def test_each_spelling_as_it_looks(spelling: MacSpelling, text: str) -> None:
    assert MacAddress.parse(text).spelled(spelling) == text
    assert mac_spelling(text) is spelling


@pytest.mark.parametrize(
    "text",
    ["resident", "", "02:00-5E:10-00:0a", "02-00-5E-10-00-0a", "xx-xx-xx-xx-xx-xx", "02-00-5E-10-00-0x", "0" * 40],
)
def test_what_no_nas_writes_has_no_spelling(text: str) -> None:
    assert mac_spelling(text) is None


def test_octets_add_and_subtract() -> None:
    assert Octets(5, 3) + Octets(1, 1) - Octets(2, 2) == Octets(4, 2)
    assert Octets(5, 3).total == 8


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 23), 24)]
)
def test_days_have_23_to_25_hours(day: date, hours: int) -> None:
    assert seconds_to_day_end(day_start(day, BERLIN), BERLIN) == hours * 3600


def test_a_local_day_is_the_citys() -> None:
    assert local_day(datetime(2026, 11, 23, 23, 30, tzinfo=UTC), BERLIN) == date(2026, 11, 24)


def test_months() -> None:
    december = Month.parse("2026-12")
    assert (str(december.next()), str(december.previous())) == ("2027-01", "2026-11")
    assert Month.parse("2028-02").last_day == date(2028, 2, 29)
    assert Month.of(date(2026, 12, 24)) == december and december.first_day == date(2026, 12, 1)


@pytest.mark.parametrize("text", ["2026-13", "26-01", "2026-1", "1999-01", "now"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="2026-11"):
        Month.parse(text)
