"""The catalogues under `service/translations/`, held against the texts that are said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.pofile import escape, read_po

from config.model import LANGUAGES
from portal.languages import NAMES, STAFF_LANGUAGES
from service.speech import FOLDER, SOURCE
from tests.i18n.extract import PLACE, texts_for

TRANSLATED = tuple(language for language in LANGUAGES if language != SOURCE)


def file_of(language: str, folder: Path = FOLDER) -> Path:
    return folder / language / "messages.po"


def wanted(language: str) -> list[str]:
    """All texts in the staff's languages, the residents' in the others."""
    return texts_for(language, STAFF_LANGUAGES)


def problems(file: Path, texts: Sequence[str]) -> Iterator[str]:
    """What keeps a catalogue from being shown, one line each. Empty when it has just these texts, all translated."""
    messages = {str(message.id): message for message in read(file)}
    for text in texts:
        if text not in messages or not messages[text].string:
            yield f"missing: {text}"
    for text, message in messages.items():
        if text not in texts:
            yield f"superfluous: {text}"
        elif message.fuzzy:
            yield f"fuzzy: {text}"
        elif message.string:
            yield from _of_translation(text, str(message.string))
    yield from _twice(file)


def _of_translation(text: str, translated: str) -> Iterator[str]:
    if sorted(PLACE.findall(translated)) != sorted(PLACE.findall(text)):
        yield f"other places: {text} -> {translated}"
    if PLACE.search(text) and "%" in PLACE.sub("", text + translated):
        yield f"a bare % beside a place: {text} -> {translated}"


def read(file: Path) -> list[Message]:
    """A catalogue's translated messages in its own order; none where there is no file yet.

    One that waits for its translation is as good as none: git's union may bring it beside the same one translated.
    """
    if not file.exists():
        return []
    translated = _WAITING.sub("", file.read_text()).encode()
    return [message for message in read_po(BytesIO(translated), abort_invalid=True) if message.id]


_WAITING = re.compile(r'^msgid ".+"\nmsgstr ""\n(?!")', re.MULTILINE)


def _twice(file: Path) -> Iterator[str]:
    """Texts that stand there twice: git's union of two branches may bring the same one from both."""
    lines = Counter(line for line in _lines(file) if line.startswith('msgid "'))
    return (f"twice: {line}" for line, count in lines.items() if count > 1)


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def complete(file: Path, language: str, texts: Sequence[str]) -> None:
    """Write the catalogue anew: what it has in its own order, then what is missing, empty; nothing superfluous."""
    known = {str(message.id): message for message in read(file)}
    order = [*(text for text in known if text in texts), *(text for text in texts if text not in known)]
    entries = (_entry(known.get(text) or Message(text)) for text in order)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([_HEADER % (NAMES[language], language), *entries]))


_HEADER = r"""# Kogge, %s
msgid ""
msgstr ""
"Language: %s\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"
"""


def _entry(message: Message) -> str:
    """A text on one line and its translation on the next, so that two branches' additions merge."""
    comments = [f"# {comment}" for comment in message.user_comments]
    if message.fuzzy:
        comments.append("#, fuzzy")
    if PLACE.search(str(message.id)):
        comments.append("#, python-format")
    return "\n".join([*comments, f"msgid {escape(str(message.id))}", f"msgstr {escape(str(message.string))}", ""])
