"""Which language a page speaks: the switch's, else the browser's. Chosen anew each time, without a cookie."""

from __future__ import annotations

from collections.abc import Sequence

from babel.core import negotiate_locale

NAMES = {
    "de": "Deutsch",
    "en": "English",
    "de-simple": "Leichte Sprache",
    "nds": "Plattdüütsch",
    "da": "Dansk",
    "sv": "Svenska",
    "pl": "Polski",
    "uk": "Українська",
}
"""Each language in its own words, for the switch."""

STAFF_LANGUAGES = ("de", "en")
"""What the staff's pages exist in; the residents' exist in all."""


def of_staff(offered: Sequence[str]) -> tuple[str, ...]:
    """A city's languages that its staff's pages can speak; all of the staff's where it has none of those."""
    return tuple(language for language in offered if language in STAFF_LANGUAGES) or STAFF_LANGUAGES


def choose(asked: str | None, accepted: Sequence[str], offered: Sequence[str]) -> str:
    """The language for a page: the switch's, else the browser's first that we have, else the city's first."""
    if asked in offered:
        return str(asked)
    spelled = [language.lower() for language in accepted]  # negotiate_locale answers in the browser's spelling
    return negotiate_locale(spelled, offered, sep="-") or offered[0]
