"""Texts in the reader's language, for pages and for RADIUS replies: gettext catalogues, read once at the start.

English is the source; every other language has a catalogue under `translations/`. A missing text fails the tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_skeleton
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.units import format_unit

SOURCE = "en"
FOLDER = Path(__file__).parent / "translations"

FORMATS = {"en": "en_GB", "de-simple": "de", "nds": "de"}
"""Whose dates, numbers and units a language writes, where not its own: Babel's `en` is American, its Low German has
the numbers of no language in particular, and plain German is German."""


def marked(text: str) -> str:
    """A text for the catalogue (as `_` where it is written); `Speech.text` translates it where it is said."""
    return text


@dataclass(frozen=True)
class Speech:
    """One language's texts and ways of writing dates and numbers, in one city's zone."""

    language: str
    texts: Mapping[str, str]
    zone: ZoneInfo

    def text(self, message: str, **values: Any) -> str:
        """The text, with `%(name)s` places filled."""
        found = self.texts.get(message, message)
        return found % values if values else found

    @property
    def _locale(self) -> str:
        return FORMATS.get(self.language, self.language)

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`, for the page's `dir`."""
        return _direction(self._locale)

    def date(self, day: date) -> str:
        return format_skeleton("yMMMd", day, locale=self._locale)

    def moment(self, at: datetime) -> str:
        """Date and time in the city's zone."""
        return f"{self.date(at.astimezone(self.zone))}, {self.clock(at)}"

    def weekday(self, at: datetime) -> str:
        """A short name of the day in the city's zone, as `Mon 23`."""
        return format_skeleton("Ed", at, self.zone, locale=self._locale)

    def clock(self, at: datetime) -> str:
        """Time of day in the city's zone."""
        return format_skeleton("Hm", at, self.zone, locale=self._locale)

    def number(self, value: float, digits: int = 0) -> str:
        return format_decimal(round(value, digits), locale=self._locale)

    def duration(self, seconds: int) -> str:
        """Whole minutes in words, as `2 hours 5 minutes`; in the plural form that the language has for each number."""
        hours, minutes = divmod(max(0, seconds) // 60, 60)
        parts = [(hours, "duration-hour"), (minutes, "duration-minute")]
        said = [part for part in parts if part[0]] or parts[1:]
        return " ".join(self._counted(number, unit) for number, unit in said)

    def days(self, number: int) -> str:
        """`90 days`."""
        return self._counted(number, "duration-day")

    def _counted(self, number: int, unit: str) -> str:
        return _counted(number, unit, self._locale)

    def volume(self, octets: int) -> str:
        """Megabytes or gigabytes (10^6, 10^9)."""
        if octets >= 1_000_000_000:
            return f"{self.number(octets / 1e9, 2)} GB"
        return f"{self.number(octets / 1e6, 1)} MB"


COUNTED_MAX = 4_096
"""Spans that are kept in words: pages say the same ones to everybody, and putting one together takes a fifth of one."""


@lru_cache(maxsize=COUNTED_MAX)
def _counted(number: int, unit: str, locale: str) -> str:
    return format_unit(number, unit, length="long", locale=locale)


@lru_cache
def _direction(locale: str) -> str:
    return str(Locale.parse(locale).text_direction)


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """The texts of a language, read once a process for all its cities; empty for the source language."""
    if language == SOURCE:
        return MappingProxyType({})
    with (FOLDER / language / "messages.po").open("rb") as file:
        texts = {str(message.id): str(message.string) for message in read_po(file) if message.id}
    return MappingProxyType(texts)


def speeches(languages: Sequence[str], zone: ZoneInfo) -> dict[str, Speech]:
    """A city's languages, in the order of its file."""
    return {language: Speech(language, catalogue(language), zone) for language in languages}
