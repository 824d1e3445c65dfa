"""What people type and browsers send, cleaned at the edge: no control characters, no number that a database refuses."""

from __future__ import annotations

from werkzeug.routing import IntegerConverter, Map

ROW_MAX = 2**63 - 1
"""The largest id and offset that a database takes; beyond it there is nothing."""


def line(text: str, most: int) -> str:
    """One line of at most `most` characters. PostgreSQL takes no NUL, and nobody means a control character."""
    return "".join(character for character in text if character.isprintable())[:most].strip()


def row_number(text: str) -> int:
    """A row's number from an address, 0 where it is none."""
    return min(int(text), ROW_MAX) if text.isascii() and text.isdigit() and len(text) <= 20 else 0


class RowIdConverter(IntegerConverter):
    """`<int:…>` in an address: a number that can be a row's id; others are addresses of nothing."""

    regex = r"\d{1,19}"

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=ROW_MAX)
