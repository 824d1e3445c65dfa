"""Texts in the reader's language, for pages and for RADIUS replies: gettext catalogues, read once at the start.

English is the source; every other language has a catalogue under `translations/`. A missing text fails the tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

SOURCE = "en"
FOLDER = Path(__file__).parent / "translations"


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

    def moment(self, at: datetime) -> str:
        """Date and time in the city's zone."""
        return format_datetime(
            at, "d. MMM y, HH:mm" if self.language == "de" else "d MMM y, HH:mm", self.zone, self.language
        )

    def clock(self, at: datetime) -> str:
        """Time of day in the city's zone."""
        return format_datetime(at, "HH:mm", self.zone, self.language)

    def number(self, value: float, digits: int = 0) -> str:
        return format_decimal(round(value, digits), locale=self.language)

    def duration(self, seconds: int) -> str:
        """`2 h 05 min`, or `4 min`."""
        hours, minutes = divmod(max(0, seconds) // 60, 60)
        return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"

    def volume(self, octets: int) -> str:
        """Megabytes or gigabytes (10^6, 10^9)."""
        if octets >= 1_000_000_000:
            return f"{self.number(octets / 1e9, 2)} GB"
        return f"{self.number(octets / 1e6, 1)} MB"


def catalogue(language: str) -> dict[str, str]:
    """The texts of a language; empty for the source language."""
    if language == SOURCE:
        return {}
    with (FOLDER / language / "messages.po").open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file, locale=language) if message.id}


def speeches(languages: Sequence[str], zone: ZoneInfo) -> dict[str, Speech]:
    """A city's languages, in the order of its file."""
    return {language: Speech(language, catalogue(language), zone) for language in languages}
