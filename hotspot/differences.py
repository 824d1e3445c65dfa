"""What changed between two texts, word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

PAIRS_MAX = 4_000_000
"""Pairs of words that are compared, a second's work; a longer stretch that is all new is shown as a whole."""

_WORDS = re.compile(r"\n+|[^\S\n]+|\w+|[^\w\s]")


class Change(StrEnum):
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that is in both, only in the new one, or only in the old one."""

    change: Change
    text: str


def differences(old: str, new: str) -> list[Piece]:
    """The new text with what was removed and added, in reading order; a pair replaced is removed, then added.

    Paragraphs are matched first and words within those that differ: quick for 20,000 characters, and readable.
    """
    before, after = _paragraphs(old), _paragraphs(new)
    pieces: list[Piece] = []
    for kind, i, j, k, n in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece(Change.SAME, "".join(before[i:j])))
        else:
            pieces += _by_words("".join(before[i:j]), "".join(after[k:n]))
    return pieces


def _paragraphs(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n+|[^\n]+", text)


def _by_words(old: str, new: str) -> list[Piece]:
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if len(before) * len(after) > PAIRS_MAX:
        return [Piece(Change.REMOVED, old), Piece(Change.ADDED, new)]
    pieces = []
    for kind, i, j, k, n in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece(Change.SAME, "".join(before[i:j])))
            continue
        pieces += [Piece(Change.REMOVED, "".join(before[i:j]))] if i < j else []
        pieces += [Piece(Change.ADDED, "".join(after[k:n]))] if k < n else []
    return pieces
