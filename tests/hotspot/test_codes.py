"""One-time codes: their look, how often one may be asked for, which one is right, and when a message is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot.admission import Denial
from hotspot.codes import (
    CODE_OCTETS,
    DIGITS,
    Asked,
    Bounds,
    OneTimeCode,
    judge_asking,
    judge_code,
    make_code,
    parse_code,
)
from hotspot.errors import InputError
from hotspot.retries import PAUSES, again_at

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BOUNDS = Bounds(timedelta(seconds=60), device_day=3, address_day=5, city_day=10)


def ago(*minutes: float) -> list[datetime]:
    return [NOW - timedelta(minutes=each) for each in minutes]


@given(st.binary(min_size=CODE_OCTETS, max_size=CODE_OCTETS))
def test_every_code_can_be_typed(octets: bytes) -> None:
    code = make_code(octets)
    assert len(code) == DIGITS
    assert parse_code(f" {code[:3]} {code[3:]}\n".strip("\n")) == code


@pytest.mark.parametrize(
    "text", ["", "12345", "1234567", "12345a", "１２３４５６", "12 34 56 78", "0" * 5000, "12\x0034"]
)
def test_what_is_no_code(text: str) -> None:
    with pytest.raises(InputError):
        parse_code(text)


@pytest.mark.parametrize(
    ("asked", "denial"),
    [
        (Asked(), None),
        (Asked(ago(0.9)), Denial.CODE_TOO_SOON),
        (Asked((), ago(0.9)), Denial.CODE_TOO_SOON),
        (Asked(ago(1)), None),
        (Asked(ago(300, 200), ago(300)), None),
        (Asked(ago(300, 200, 100)), Denial.TOO_MANY_CODES),
        (Asked((), ago(5, 4, 3, 2, 1.5)), Denial.TOO_MANY_CODES),
        (Asked(in_city=9), None),
        (Asked(in_city=10), Denial.SENDING_FULL),
    ],
)
def test_how_often_a_code_may_be_asked_for(asked: Asked, denial: Denial | None) -> None:
    assert judge_asking(asked, BOUNDS, now=NOW) is denial


def test_a_city_without_a_bound_has_none() -> None:
    assert judge_asking(Asked(in_city=10**6), Bounds(timedelta(0), 1, 1), now=NOW) is None


def code(id_: int = 1, *, attempts: int = 0, minutes: float = 15, used: bool = False) -> OneTimeCode:
    return OneTimeCode(id_, bytes([id_]), NOW, NOW + timedelta(minutes=minutes), attempts, NOW if used else None)


@pytest.mark.parametrize(
    ("codes", "typed", "found"),
    [
        ([code(1), code(2)], 1, 1),
        ([code(1), code(2)], 2, 2),
        ([code(1)], 3, Denial.WRONG_CODE),
        ([], 3, Denial.CODE_OVER),
        ([code(1, attempts=4)], 1, 1),
        ([code(1, attempts=5)], 1, Denial.CODE_OVER),
        ([code(1, attempts=5), code(2)], 1, Denial.WRONG_CODE),
        ([code(1, minutes=0)], 1, Denial.CODE_OVER),
        ([code(1, attempts=5, used=True)], 1, 1),
        ([code(1, used=True)], 3, Denial.CODE_OVER),
    ],
)
def test_which_code_was_typed(codes: list[OneTimeCode], typed: int, found: int | Denial) -> None:
    judged = judge_code(codes, (bytes([9]), bytes([typed])), attempts_max=5, now=NOW)
    assert (judged.id if isinstance(judged, OneTimeCode) else judged) == found


def test_pauses_grow_and_end_with_the_message() -> None:
    far = NOW + timedelta(days=1)
    waits = [again_at(attempts, expires_at=far, now=NOW) for attempts in range(1, 10)]
    assert waits == [NOW + pause for pause in (*PAUSES, PAUSES[-1], PAUSES[-1], PAUSES[-1])]
    assert again_at(1, expires_at=NOW + PAUSES[0], now=NOW) is None
