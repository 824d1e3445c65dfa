"""What an account's address and password must be."""

from __future__ import annotations

import pytest

from hotspot.accounts import COMMON, PASSWORD_MAX, PASSWORD_MIN, Flaw, flaw_of, normal, parse_address

ADDRESS = "hanna.lind@example.org"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Hanna.Lind@Example.ORG ", ADDRESS),
        ("wlan@lübeck.example", "wlan@xn--lbeck-kva.example"),
        ("a+b@example.org", "a+b@example.org"),
        ("", None),
        ("hanna", None),
        ("hanna@", None),
        ("@example.org", None),
        ("hanna@example", None),
        ("hanna lind@example.org", None),
        ("hanna@example.org\nBcc: all@example.org", None),
        ("hanna@example.org, x@example.org", None),
        ("hanna@" + "a" * 300 + ".example", None),
        ("h" * 65 + "@example.org", None),
    ],
)
def test_an_address_is_kept_in_one_spelling(typed: str, kept: str | None) -> None:
    assert parse_address(typed) == kept


@pytest.mark.parametrize(
    ("password", "flaw"),
    [
        ("kurz", Flaw.TOO_SHORT),
        ("a" * 9, Flaw.TOO_SHORT),
        ("vier Wörter sind gut", None),
        ("0123456789", Flaw.TOO_COMMON),
        ("Passwort123", Flaw.TOO_COMMON),
        ("aaaaaaaaaaaa", Flaw.TOO_COMMON),
        ("hanna.lind", Flaw.TOO_COMMON),
        ("ab" * 100 + "cde", Flaw.TOO_LONG),
        ("abcd" * 50, None),
    ],
)
def test_a_password_needs_length_and_no_tricks(password: str, flaw: Flaw | None) -> None:
    assert flaw_of(password, ADDRESS) is flaw


def test_a_password_is_the_same_on_every_keyboard() -> None:
    assert normal("Lu\N{COMBINING DIAERESIS}beck") == normal("Lübeck")


def test_the_list_holds_only_what_is_long_enough_to_be_taken_otherwise() -> None:
    assert len(COMMON) > 70
    assert not [each for each in COMMON if not PASSWORD_MIN <= len(each) <= PASSWORD_MAX or each != each.lower()]
