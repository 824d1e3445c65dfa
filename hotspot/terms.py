"""Terms of use: versioned text, one per language; an acceptance names the very text that was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Terms:
    """One text: a version in a language."""

    id: int
    version: int
    language: str
    title: str
    body: str
    published_at: datetime


def choose(texts: Sequence[Terms], language: str, default: str) -> Terms:
    """The newest version's text in `language`, else in that without its variant (`de` for `de-simple`), else in the
    city's default, else in any. `texts` is not empty."""
    newest = max(text.version for text in texts)
    by_language = {text.language: text for text in texts if text.version == newest}
    wanted = (language, language.partition("-")[0], default, *by_language)
    return next(by_language[each] for each in wanted if each in by_language)
