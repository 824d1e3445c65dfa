"""Notices: what residents of a city or of one place are told above everything else, such as an outage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from hotspot.errors import InputError

TEXT_MAX = 500
SHOWN_MAX = 3
"""Notices on one page; more would push the button off the screen."""

OPEN_MAX = 20
"""Notices of a city that are not over."""


@dataclass(frozen=True, slots=True)
class Notice:
    """`site_id` None is the whole city. `texts` are by language; `until_at` None: until somebody ends it."""

    id: int
    site_id: int | None
    texts: Mapping[str, str]
    from_at: datetime
    until_at: datetime | None

    def is_shown(self, now: datetime) -> bool:
        return self.from_at <= now and (self.until_at is None or now < self.until_at)

    def is_over(self, now: datetime) -> bool:
        return self.until_at is not None and self.until_at <= now

    def said(self, language: str, default: str) -> tuple[str, str]:
        """The text and its language: the reader's, else the city's first, else any."""
        for wanted in (language, default, *self.texts):
            if wanted in self.texts:
                return self.texts[wanted], wanted
        return "", default


def shown(notices: Iterable[Notice], site_id: int | None, *, now: datetime) -> list[Notice]:
    """Those for somebody at that place (None: at none), the newest first; a city's notices are for every place."""
    current = [each for each in notices if each.is_shown(now) and each.site_id in (None, site_id)]
    return sorted(current, key=lambda each: (each.from_at, each.id), reverse=True)[:SHOWN_MAX]


def read_notice(
    texts: Mapping[str, str], *, from_at: datetime, until_at: datetime | None, languages: Iterable[str]
) -> dict[str, str]:
    """The texts that say something. InputError where none does, one is too long, or the end is before the start."""
    known = tuple(languages)
    said = {language: " ".join(text.split()) for language, text in texts.items() if text.strip()}
    strange = [language for language in said if language not in known]
    if strange:
        raise InputError(f"no language {strange[0]!r} here; the city has {', '.join(known)}")
    if known[0] not in said:
        raise InputError(f"the text in {known[0]} is missing; it is shown where there is none in a reader's language")
    long = [language for language, text in said.items() if len(text) > TEXT_MAX]
    if long:
        raise InputError(f"the text in {long[0]} has more than {TEXT_MAX} characters")
    if until_at is not None and until_at <= from_at:
        raise InputError("the end is not after the start")
    return said
