"""Opening hours of a site: a small part of OpenStreetMap's `opening_hours`, read once, asked with the time.

Such as `Mo-Fr 08:00-18:00; Sa,Su 10:00-24:00`, or `Fr 20:00-02:00` over midnight. Empty text: always open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from hotspot.errors import InputError

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
TEXT_MAX = 200

_DAY_MINUTES = 24 * 60
_WEEK_MINUTES = 7 * _DAY_MINUTES
_DAY = f"(?:{'|'.join(DAYS)})"
_TIME = r"\d\d:\d\d-\d\d:\d\d"
_RULE = re.compile(rf"(?:({_DAY}(?:[-,]{_DAY})*) )?({_TIME}(?:,{_TIME})*)")
_LIKE = "write it like `Mo-Fr 08:00-18:00; Sa,Su 10:00-24:00`, or leave it empty where it is always open"

Span = tuple[int, int]
"""Minutes of the week from Monday 00:00; the end is not in it and may lie beyond Sunday midnight."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When a site is open, in its city's zone. `spans` is sorted and without gaps of no length; None: always."""

    spans: tuple[Span, ...] | None

    @classmethod
    def parse(cls, text: str) -> Hours:
        """Read the rules; InputError says how they are written."""
        if not text:
            return ALWAYS
        if len(text) > TEXT_MAX:
            raise InputError(f"opening hours of over {TEXT_MAX} characters")
        spans = [span for rule in text.split(";") for span in _spans_of(rule.strip())]
        return cls(_joined(spans))

    def seconds_open(self, now: datetime, zone: ZoneInfo) -> int | None:
        """Seconds until it closes, 0 while it is closed, None where it never closes. Exact when clocks change."""
        if self.spans is None:
            return None
        wall = now.astimezone(zone).replace(tzinfo=None)
        minute = wall.weekday() * _DAY_MINUTES + wall.hour * 60 + wall.minute
        end = next((e for s, e in self.spans if s <= minute < e or s <= minute + _WEEK_MINUTES < e), None)
        if end is None:
            return 0
        left = (end - minute) % _WEEK_MINUTES or _WEEK_MINUTES
        closes = wall.replace(second=0, microsecond=0) + timedelta(minutes=left)
        return max(1, int(closes.replace(tzinfo=zone).timestamp() - now.timestamp()))


ALWAYS = Hours(None)


@lru_cache(maxsize=1_024)
def hours_of(text: str) -> Hours:
    """`Hours.parse`, remembered: RADIUS asks for the same few texts all day. Stored text that is not sound is open."""
    try:
        return Hours.parse(text)
    except InputError:
        return ALWAYS


def _spans_of(rule: str) -> list[Span]:
    match = _RULE.fullmatch(rule)
    if match is None:
        raise InputError(f"{rule[:40]!r} are no opening hours; {_LIKE}")
    days = _days_of(match[1]) if match[1] else range(7)
    times = [_minutes_of(text, rule) for text in match[2].split(",")]
    return [(day * _DAY_MINUTES + start, day * _DAY_MINUTES + end) for day in days for start, end in times]


def _days_of(text: str) -> list[int]:
    days: list[int] = []
    for part in text.split(","):
        ends = [DAYS.index(day) for day in part.split("-")]
        if len(ends) > 2:
            raise InputError(f"{part!r} are no days; {_LIKE}")
        days += [(ends[0] + n) % 7 for n in range((ends[-1] - ends[0]) % 7 + 1)]
    return days


def _minutes_of(text: str, rule: str) -> Span:
    start, end = (int(time[:2]) * 60 + int(time[3:]) for time in text.split("-"))
    sound = all(int(time[3:]) < 60 for time in text.split("-")) and start < _DAY_MINUTES and end <= _DAY_MINUTES
    if not sound or start == end:
        raise InputError(f"{text!r} in {rule[:40]!r} is no time of opening; {_LIKE}")
    return start, end if end > start else end + _DAY_MINUTES


def _joined(spans: list[Span]) -> tuple[Span, ...] | None:
    """Spans that touch become one; None where nothing of the week is left out."""
    twice = sorted([*spans, *((s + _WEEK_MINUTES, e + _WEEK_MINUTES) for s, e in spans)])
    joined: list[Span] = []
    for start, end in twice:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    if any(end - start >= _WEEK_MINUTES for start, end in joined):
        return None
    return tuple(joined)
