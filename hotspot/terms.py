"""Terms of use: versioned texts in Markdown, one per language; an acceptance names the very text that was seen."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hotspot.errors import InputError

TITLE_MAX = 200
BODY_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that nobody accepted yet: what staff writes and a file holds."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Terms:
    """One text: a version in a language. It never changes: a new wording is a new version."""

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


# The file ---------------------------------------------------------------------------------------------


def as_file(text: Terms | Draft) -> str:
    """The text as a Markdown file: its title as the first heading, then the body."""
    return f"# {text.title}\n\n{text.body.strip()}\n"


def digest(text: Terms | Draft) -> bytes:
    """SHA-256 of that file in UTF-8: `kogge terms show … | sha256sum` gives the same."""
    return hashlib.sha256(as_file(text).encode()).digest()


def read_file(content: str) -> Draft:
    """What a Markdown file says. InputError where it does not begin with a title."""
    first, _, body = content.removeprefix("\ufeff").lstrip().partition("\n")
    title = re.fullmatch(r"#\s+(.+?)\s*#*\s*", first)
    if title is None:
        raise InputError("the first line must be the title, such as `# Terms of use`")
    return read_draft(title[1], body)


def read_draft(title: str, body: str) -> Draft:
    """Title and body, lines ended alike. InputError says which is missing or too long."""
    title, body = " ".join(title.split()), body.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not 1 <= len(title) <= TITLE_MAX:
        raise InputError(f"the title must have 1 to {TITLE_MAX} characters")
    if not 1 <= len(body) <= BODY_MAX:
        raise InputError(f"the text must have 1 to {BODY_MAX:,} characters; it has {len(body):,}")
    if "\0" in title + body:
        raise InputError("the text has a NUL character")
    return Draft(title, body)


def missing(drafts: Mapping[str, Draft], languages: Sequence[str]) -> list[str]:
    """Languages of the city in which a new version would have no text. InputError where that is the first one."""
    if languages[0] not in drafts:
        raise InputError(
            f"the text in {languages[0]} is missing; it is shown where there is none in a reader's language"
        )
    return [language for language in languages if language not in drafts]
