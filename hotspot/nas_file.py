"""Many NASes as a CSV file: read with every bad line named, and written so that it can be read again."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from hotspot.csv_table import FAULTS_MAX, BadPlace, Columns, rows
from hotspot.errors import InputError
from hotspot.faults import Fault
from hotspot.nas import FIELDS, REQUIRED, SECRETS, NasEntry, NasError, as_texts, read_entry, twins

ROWS_MAX = 5_000
"""NASes of one file; a city with more splits it."""

TEMPLATE = ",".join(FIELDS)
"""The header of a file, which `kogge nas import --help` shows."""


COLUMNS = Columns(FIELDS, REQUIRED)


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
    for count, (line, fields) in enumerate(rows(text, COLUMNS)):
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


def write_file(entries: Iterable[NasEntry], *, secrets: bool) -> str:
    """The CSV of these NASes; without `secrets` those columns are empty, so that new ones are made on import."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
    writer.writeheader()
    for entry in entries:
        texts = as_texts(entry)
        writer.writerow(texts if secrets else texts | dict.fromkeys(SECRETS, ""))
    return out.getvalue()
