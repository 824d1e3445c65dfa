"""Where a key stands in a TOML file, so that an error can name its line. tomllib keeps no positions."""

from __future__ import annotations

import re
from collections import Counter

KeyPath = tuple[str | int, ...]

_TABLE = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-\"']+(?:\s*\.\s*[A-Za-z0-9_\-\"']+)*)\s*=")


def line_numbers(text: str) -> dict[KeyPath, int]:
    """The line of each table and key, by path; entries of arrays of tables carry their index."""
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    entries: Counter[KeyPath] = Counter()
    closing: str | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if closing:  # inside a multi-line string nothing is a key
            closing = None if closing in line else closing
            continue
        if match := _TABLE.match(line):
            table = _enter(_names(match[2]), match[1] == "[[", entries)
            found.setdefault(table, number)
        elif match := _KEY.match(line):
            found.setdefault((*table, *_names(match[1])), number)
            closing = _opens_text(line)
    return found


def _enter(names: KeyPath, is_array: bool, entries: Counter[KeyPath]) -> KeyPath:
    if not is_array:
        return names
    index = entries[names]
    entries[names] += 1
    return (*names, index)


def _names(dotted: str) -> KeyPath:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _opens_text(line: str) -> str | None:
    return next((quote for quote in ('"""', "'''") if line.count(quote) % 2), None)


def nearest_line(found: dict[KeyPath, int], path: KeyPath) -> int | None:
    """The line of the path, or of the first key below it, or of the nearest table above it."""
    for length in range(len(path), 0, -1):
        lines = [line for key, line in found.items() if key[:length] == path[:length]]
        if lines:
            return min(lines)
    return None
