"""Many NASes as a CSV file: read with every bad line named, and written so that it can be read again."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from hotspot.errors import InputError
from hotspot.nas import FIELDS, REQUIRED, SECRETS, Fault, NasEntry, NasError, as_texts, read_entry, twins

ROWS_MAX = 5_000
"""NASes of one file; a city with more splits it."""

FAULTS_MAX = 200
"""Bad places that are named; a file with more has one fault many times."""

FIELD_CHARACTERS_MAX = 1_000

TEMPLATE = ",".join(FIELDS)
"""The header of a file, which `kogge nas import --help` shows."""


@dataclass(frozen=True, slots=True)
class BadPlace:
    """A fault in a file. `column` is empty where the whole line is meant."""

    line: int
    column: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.text}" if self.column else f"line {self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class NasFile:
    """What was read. A file with bad places is not used at all."""

    entries: tuple[NasEntry, ...]
    bad: tuple[BadPlace, ...]


def read_file(
    text: str,
    *,
    sites: Collection[str],
    names: Collection[str],
    identifiers: Collection[str],
    tick: Callable[[], None] = lambda: None,
) -> NasFile:
    """The NASes of a CSV file with a header; commas or semicolons. `names` and `identifiers` are taken already.

    `tick` is called for each row. InputError where the file is no such table at all.
    """
    names, identifiers = set(names), set(identifiers)
    entries: list[NasEntry] = []
    bad: list[BadPlace] = []
    for count, (line, fields) in enumerate(_rows(text)):
        if count == ROWS_MAX:
            raise InputError(f"line {line}: a file has at most {ROWS_MAX} NASes; split it")
        tick()
        found = _read_row(line, fields, sites, names, identifiers)
        if isinstance(found, NasEntry):
            entries.append(found)
            names.add(found.name)
            identifiers.add(found.nas_identifier)
        else:
            bad += found
    return NasFile(tuple(entries), tuple(bad[:FAULTS_MAX]))


def _read_row(
    line: int, fields: Mapping[str, str] | str, sites: Collection[str], names: set[str], identifiers: set[str]
) -> NasEntry | list[BadPlace]:
    if isinstance(fields, str):
        return [BadPlace(line, "", fields)]
    try:
        entry = read_entry(fields, sites=sites)
    except NasError as error:
        return [_bad(line, fault) for fault in error.faults]
    return [_bad(line, fault) for fault in twins(entry, names, identifiers)] or entry


def _bad(line: int, fault: Fault) -> BadPlace:
    return BadPlace(line, fault.field, fault.sentence % fault.values)


def _rows(text: str) -> Iterator[tuple[int, Mapping[str, str] | str]]:
    """Each row's line and its fields by column, or what is wrong with the line as a whole."""
    first = text.removeprefix("\ufeff").partition("\n")[0]
    separator = ";" if first.count(";") > first.count(",") else ","  # a German Excel writes semicolons
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, _fields(header, cells)
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: not a line of a CSV file ({error})") from None


def _check_header(header: list[str]) -> None:
    missing = [name for name in REQUIRED if name not in header]
    unknown = [name for name in header if name not in FIELDS]
    twice = [name for name in FIELDS if header.count(name) > 1]
    for word, names in (("has no", missing), ("does not know", unknown), ("has twice", twice)):
        if names:
            listed = ", ".join(name[:40] or "an empty name" for name in names)
            raise InputError(f"line 1: the header {word} {listed}; the columns are {TEMPLATE}")


def _fields(header: list[str], cells: list[str]) -> Mapping[str, str] | str:
    if len(cells) != len(header):
        return f"{len(cells)} fields instead of the header's {len(header)}; quote a field that has the separator in it"
    if any(len(cell) > FIELD_CHARACTERS_MAX for cell in cells):
        return f"a field has more than {FIELD_CHARACTERS_MAX} characters"
    return dict(zip(header, cells, strict=True))


def write_file(entries: Iterable[NasEntry], *, secrets: bool) -> str:
    """The CSV of these NASes; without `secrets` those columns are empty, so that new ones are made on import."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
    writer.writeheader()
    for entry in entries:
        texts = as_texts(entry)
        writer.writerow(texts if secrets else texts | dict.fromkeys(SECRETS, ""))
    return out.getvalue()
