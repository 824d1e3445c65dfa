"""Opening hours: what is read, when it is open, and for how long, also on days when the clocks change."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hotspot.errors import InputError
from hotspot.hours import ALWAYS, Hours, hours_of

BERLIN = ZoneInfo("Europe/Berlin")


def local(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    """November 2026: the 23rd is a Monday."""
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "at", "seconds"),
    [
        ("", local(23, 3), None),
        ("Mo-Fr 08:00-18:00", local(23, 17, 30), 1_800),
        ("Mo-Fr 08:00-18:00", local(23, 18), 0),
        ("Mo-Fr 08:00-18:00", local(28, 12), 0),  # a Saturday
        ("Mo-Fr 08:00-12:00,14:00-18:00", local(24, 13), 0),
        ("Mo-Fr 08:00-12:00,14:00-18:00", local(24, 14), 4 * 3_600),
        ("08:00-18:00", local(29, 8), 36_000),
        ("Sa,Su 10:00-24:00", local(29, 23, 59), 60),
        ("Fr 20:00-02:00", local(28, 1), 3_600),
        ("Su 20:00-02:00", local(23, 1), 3_600),  # over the end of the week
        ("Fr-Mo 10:00-12:00", local(29, 11), 3_600),  # days over the end of the week
        ("Mo-Fr 08:00-18:00; Sa 10:00-14:00", local(28, 13), 3_600),
        ("Mo-Su 00:00-24:00", local(25, 12), None),
        ("Mo 08:00-24:00; Tu 00:00-02:00", local(23, 23), 3 * 3_600),
        ("Su 00:00-06:00", local(25, 1, month=10), 6 * 3_600),  # 02:00 comes twice in that night
        ("Su 00:00-06:00", local(29, 1, month=3), 4 * 3_600),  # and never in this one
    ],
)
def test_how_long_it_is_open(text: str, at: datetime, seconds: int | None) -> None:
    assert Hours.parse(text).seconds_open(at, BERLIN) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "open",
        "Mo-Fr",
        "Mo 8-18",
        "Mo 08:00-25:00",
        "Mo 08:61-09:00",
        "Mo 08:00-08:00",
        "Mo-We-Fr 08:00-09:00",
        "x" * 201,
    ],
)
def test_other_texts_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match=r"Mo-Fr 08:00-18:00|over 200"):
        Hours.parse(text)


def test_a_stored_text_that_is_not_sound_closes_nobody_out() -> None:
    assert hours_of("nonsense") is ALWAYS
