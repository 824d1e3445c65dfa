"""Fixtures of devices: what a made-up device tells, written from its MIB, and the reading that it is to give.

A file `fixtures/NAME.toml` has `[values]` (an instance each), `[[rows]]` (a table each) and `[reading]`.
A value is a type and what it holds; in rows the type stands first, then a value for each index; `~` is a hole. Indexes
are numbers with dots, MAC addresses, and texts in apostrophes, which get their length in front.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from hotspot.fleet import ApReading, Member
from hotspot.values import MacAddress, MacSpelling

FOLDER = Path(__file__).parent / "fixtures"
HOLE = "~"
DIGITS = 9

TAGS = {
    "integer": "2",
    "octets": "4",
    "hex": "4x",
    "oid": "6",
    "ip": "64",
    "counter32": "65",
    "gauge": "66",
    "ticks": "67",
    "counter64": "70",
}
"""Types of SMIv2 as snmprec writes them (tags of ASN.1 and RFC 2578)."""

Oid = tuple[int, ...]


@dataclass(frozen=True)
class Fixture:
    """A device as its file describes it."""

    name: str
    snmprec: str
    reading: dict[str, Any]


def load(name: str) -> Fixture:
    raw = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    lines = {**dict(_instances(raw.get("values", {}))), **dict(_cells(raw.get("rows", [])))}
    text = "".join(f"{'.'.join(map(str, oid))}|{line}\n" for oid, line in sorted(lines.items()))
    return Fixture(name, text, raw["reading"])


def _instances(values: dict[str, list[Any]]) -> Iterator[tuple[Oid, str]]:
    for oid, (kind, value) in values.items():
        yield _numbers(oid), f"{TAGS[kind]}|{value}"


def _cells(tables: list[dict[str, Any]]) -> Iterator[tuple[Oid, str]]:
    for table in tables:
        entry, indexes = _numbers(table["entry"]), [_index(text) for text in table["index"]]
        for column, (kind, *values) in table.items():
            if column not in ("entry", "index"):
                for index, value in zip(indexes, values, strict=True):
                    if value != HOLE:
                        yield (*entry, *_numbers(column), *index), f"{TAGS[kind]}|{value}"


def _numbers(text: str) -> Oid:
    return tuple(map(int, text.split(".")))


def _index(text: str) -> Oid:
    return tuple(number for part in text.split() for number in _part(part))


def _part(part: str) -> Oid:
    if part.startswith("'"):
        octets = part.strip("'").encode()
        return (len(octets), *octets)
    return tuple(bytes.fromhex(part.replace(":", ""))) if ":" in part else _numbers(part)


# What a reading holds, as a fixture writes it ------------------------------------------------------------


def told(value: Any) -> Any:
    """The value without all that is not told, and without when it was read."""
    if isinstance(value, Member):
        return {"key": value.key, "up": value.up, **told(value.reading)}
    if isinstance(value, MacAddress):
        return value.spelled(MacSpelling.COLON_LOWER)
    if is_dataclass(value):
        cells = {field.name: told(getattr(value, field.name)) for field in fields(value) if field.name != "at"}
        return {name: cell for name, cell in cells.items() if cell not in (None, "", [])}
    if isinstance(value, tuple):
        return [told(each) for each in value]
    return round(value, DIGITS) if isinstance(value, float) else value


def names() -> list[str]:
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def reading_of(reading: ApReading) -> dict[str, Any]:
    """A reading as `[reading]` of a fixture writes it."""
    found: dict[str, Any] = told(reading)
    return found
