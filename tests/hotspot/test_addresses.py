"""E-mail addresses and telephone numbers as people write them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotspot.addresses import is_served, parse_email, parse_number
from hotspot.errors import InputError


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (" Erika.Muster@Example.ORG ", "Erika.Muster@example.org"),
        ("a+wlan@mail.example.co.uk", "a+wlan@mail.example.co.uk"),
        ("post@lübeck.example", "post@xn--lbeck-kva.example"),
        ("o'neill@example.org", "o'neill@example.org"),
    ],
)
def test_addresses_that_are_some(text: str, read: str) -> None:
    assert parse_email(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "",
        "erika",
        "@example.org",
        "erika@",
        "erika@example",
        "erika@.org",
        "erika@-x.org",
        "erika@exa mple.org",
        "a@b.de,c@d.de",
        "a b@example.org",
        "a..b@example.org",
        '"a b"@example.org',
        "erika@example.org\nBcc: x@example.org",
        "erika@example.org\0",
        "<erika@example.org>",
        "müller@example.org",
        "erika@192.0.2.1",
        f"{'a' * 65}@example.org",
        f"a@{'a' * 64}.org",
        f"a@{'a.' * 130}org",
    ],
)
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(InputError):
        parse_email(text)


@settings(deadline=None)
@given(st.text(max_size=400))
def test_no_text_breaks_the_reading(text: str) -> None:
    for read in (parse_email, lambda each: parse_number(each, country_code="+49")):
        with contextlib.suppress(InputError):
            assert read(text).isprintable()


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("0151 2345 6789", "+49", "+4915123456789"),
        ("0151/23456789", "+49", "+4915123456789"),
        ("(0151) 234-56789", "+49", "+4915123456789"),
        ("+49 (0) 151 23456789", "+49", "+4915123456789"),
        ("004915123456789", "+49", "+4915123456789"),
        ("151 23456789", "+49", "+4915123456789"),
        ("20 12 34 56", "+45", "+4520123456"),
        ("+45 20 12 34 56", "+49", "+4520123456"),
        ("+48 601 234 567", "+49", "+48601234567"),
    ],
)
def test_numbers_by_e_164(text: str, country: str, number: str) -> None:
    assert parse_number(text, country_code=country) == number


@pytest.mark.parametrize(
    "text", ["", "12", "abc", "+49 151 abc", "+0151234567", "++4915123456", "0" * 41, "+" + "1" * 16]
)
def test_numbers_that_are_none(text: str) -> None:
    with pytest.raises(InputError):
        parse_number(text, country_code="+49")


def test_only_allowed_beginnings_are_served() -> None:
    assert is_served("+4915123456789", ("+4915", "+45"))
    assert not is_served("+49900123456", ("+4915", "+45"))
