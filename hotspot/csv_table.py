"""A CSV file with a header as rows of fields by column, whatever a spreadsheet made of it; and places of faults.

What the columns are, and what may stand in them, is the caller's (`hotspot.nas_file`, `hotspot.ap_file`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hotspot.errors import InputError

FAULTS_MAX = 200
"""Bad places that are named; a file with more has one fault many times."""

FIELD_CHARACTERS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class BadPlace:
    """A fault in a file. `column` is empty where the whole line is meant."""

    line: int
    column: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.text}" if self.column else f"line {self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Columns:
    """What a file may have, and must have."""

    names: Sequence[str]
    required: Collection[str]


def rows(text: str, columns: Columns) -> Iterator[tuple[int, Mapping[str, str] | str]]:
    """Each row's line and its fields by column, or what is wrong with the line as a whole; empty lines are left out.

    Commas or semicolons. InputError where the file is no such table at all.
    """
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    separator = ";" if first.count(";") > first.count(",") else ","  # a German Excel writes semicolons
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, columns)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, _fields(header, cells)
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: not a line of a CSV file ({error})") from None


def _check_header(header: list[str], columns: Columns) -> None:
    missing = [name for name in columns.names if name in columns.required and name not in header]
    unknown = [name for name in header if name not in columns.names]
    twice = [name for name in columns.names if header.count(name) > 1]
    for word, names in (("has no", missing), ("does not know", unknown), ("has twice", twice)):
        if names:
            listed = ", ".join(name[:40] or "an empty name" for name in names)
            raise InputError(f"line 1: the header {word} {listed}; the columns are {','.join(columns.names)}")


def _fields(header: list[str], cells: list[str]) -> Mapping[str, str] | str:
    if len(cells) != len(header):
        return f"{len(cells)} fields instead of the header's {len(header)}; quote a field that has the separator in it"
    if any(len(cell) > FIELD_CHARACTERS_MAX for cell in cells):
        return f"a field has more than {FIELD_CHARACTERS_MAX} characters"
    return dict(zip(header, cells, strict=True))
