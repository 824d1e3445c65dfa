"""Profile files, `profiles/*.toml`, read and checked: the format is described in docs/profiles.md.

A broken file stops the start; its ConfigError names file and key and says what is valid. Knows no network.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from hotspot.errors import ConfigError
from hotspot.fleet import Band, PointKind
from monitor import index, transforms, words
from monitor.oids import Oid, Value, parse
from monitor.profile import OWN, Column, Instance, Match, Profile, Table
from monitor.transforms import Maps, Step
from monitor.words import Accept, Cell, Told

KEYS = (*("name", "title", "source", "kind", "match", "bands", "maps", "scalars", "tables", "interfaces_ignored"),)
KINDS = {PointKind.ACCESS_POINT.value: False, PointKind.CONTROLLER.value: True}
MATCH_KEYS = ("object_id", "description", "probe", "probe_value")
SYS_OBJECT_ID = "sysObjectID"
COLUMN_KEYS = ("oid", "transform", "up", "instance")
UP_DEFAULT: tuple[int | str, ...] = (1,)
"""TruthValue's true (RFC 2579) and ifOperStatus's up."""

ROWS_MAX = 128
"""Rows of an access point's table: it has far fewer interfaces and networks."""

ASSOCIATIONS_MAX = 4_096
CONTROLLER_ROWS_MAX = 32_768
"""Rows of a controller's table: ten thousand access points of three radios."""


def read(file: Path, common: Profile | None) -> Profile:
    """One file, on top of the common part. ConfigError."""
    try:
        return _profile(file.stem, tomllib.loads(file.read_text(encoding="utf-8")), common)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValueError) as error:
        raise ConfigError(f"{file}: {error}") from None


# The parts of a file. Each raises ValueError that begins with the key ------------------------------------


def _profile(stem: str, raw: dict[str, Any], common: Profile | None) -> Profile:
    _known("key", raw, KEYS)
    if raw.get("name") != stem:
        raise ValueError(f"name: is {raw.get('name')!r}, but the file is called {stem}.toml")
    kind = raw.get("kind", PointKind.ACCESS_POINT.value)
    if kind not in KINDS:
        raise ValueError(f"kind: {kind!r} is none; valid are {', '.join(KINDS)}")
    matches = tuple(_match(rule) for rule in _list("match", raw.get("match", [])))
    if (common is None) == bool(matches):
        raise ValueError("match: every profile but common needs at least one rule")
    reader = _Columns(_bands(raw.get("bands", {})), _maps(raw.get("maps", {})))
    scalar_words = words.CONTROLLER_SCALARS if KINDS[kind] else words.SCALARS
    own = reader.columns("scalars", _table_of("scalars", raw.get("scalars", {})), scalar_words)
    tables = tuple(
        _table(name, _table_of(f"tables.{name}", body), reader, controller=KINDS[kind])
        for name, body in _table_of("tables", raw.get("tables", {})).items()
    )
    scalars = _merged(common.scalars if common else (), own)
    for word in ("object_id", "description", "agent_uptime"):
        if word not in {column.word for column in scalars}:
            raise ValueError(f"scalars: {word} is missing, and common.toml does not have it either")
    return Profile(
        name=stem,
        title=_text("title", raw.get("title", stem)),
        controller=KINDS[kind],
        scalars=scalars,
        tables=_inherited(common, tables) + tables,
        bands=reader.bands,
        interfaces_ignored=(common.interfaces_ignored if common else ()) + _ignored(raw),
        matches=matches,
        source=tuple(_text("source", text) for text in _list("source", raw.get("source", []))),
    )


def _merged(base: Sequence[Column], own: Sequence[Column]) -> tuple[Column, ...]:
    return tuple({column.word: column for column in (*base, *own)}.values())


def _inherited(common: Profile | None, own: Sequence[Table]) -> tuple[Table, ...]:
    """The common tables that the profile does not tell itself; one without columns says "do not read it"."""
    kinds = {table.kind for table in own}
    return tuple(table for table in common.tables if table.kind not in kinds) if common else ()


def _ignored(raw: Mapping[str, Any]) -> tuple[re.Pattern[str], ...]:
    given = raw.get("interfaces_ignored")
    return () if given is None else (_pattern("interfaces_ignored", given),)


def _bands(raw: Any) -> dict[str, Band]:
    named = _table_of("bands", raw)
    for key, value in named.items():
        if value not in list(Band):
            raise ValueError(f"bands.{key}: {value!r} is not a valid Band; valid are {', '.join(Band)}")
    return {key: Band(value) for key, value in named.items()}


def _maps(raw: Any) -> Maps:
    maps = _table_of("maps", raw)
    for name, table in maps.items():
        for key, value in _table_of(f"maps.{name}", table).items():
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                raise ValueError(f"maps.{name}.{key}: {value!r} is neither number nor text")
    return maps


def _match(rule: Any) -> Match:
    given = _table_of("match", rule)
    _known("match: key", given, MATCH_KEYS)
    if not given:
        raise ValueError("match: an empty rule would fit every device")
    if "probe_value" in given and "probe" not in given:
        raise ValueError("match: probe_value: there is no probe whose value it could be")
    return Match(
        object_id=_oid("match: object_id", given["object_id"]) if "object_id" in given else None,
        description=_pattern("match: description", given["description"]) if "description" in given else None,
        probe=_oid("match: probe", given["probe"]) if "probe" in given else None,
        probe_value=_pattern("match: probe_value", given["probe_value"]) if "probe_value" in given else None,
    )


def _table(name: str, body: dict[str, Any], reader: _Columns, *, controller: bool) -> Table:
    kind = name.partition("-")[0]
    _known("table", [kind], words.TABLES)
    valid = words.TABLES[kind]
    where = f"tables.{name}"
    columns = reader.columns(
        where,
        {key: value for key, value in body.items() if key not in ("index", "needs")},
        valid,
        also=("index", "needs"),
    )
    needs = [_text(f"{where}.needs", word) for word in _list(f"{where}.needs", body.get("needs", []))]
    _known(f"{where}.needs: word", needs, [column.word for column in columns])
    moving = kind == "associations" or (controller and kind in ("aps", "radios", "networks"))
    naming = _naming(f"{where}.index", body.get("index"))
    if not controller and (kind == "aps" or "ap" in naming.named or "ap" in body):
        raise ValueError(f'{where}: only a controller has access points behind it; set kind = "controller"')
    return Table(
        name=name,
        columns=columns,
        naming=naming,
        needs=frozenset(needs),
        moving=moving,
        rows_max=CONTROLLER_ROWS_MAX if controller else ASSOCIATIONS_MAX if moving else ROWS_MAX,
    )


def _naming(where: str, form: Any) -> index.Naming:
    if form is None:
        return index.NOBODY
    try:
        return index.compiled(_text(where, form))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


class _Columns:
    """Reads columns of a file with that file's bands and maps."""

    def __init__(self, bands: Mapping[str, Band], maps: Maps) -> None:
        self.bands = bands
        self._maps = maps

    def columns(
        self, where: str, raw: Mapping[str, Any], valid: Mapping[str, Accept], *, also: Sequence[str] = ()
    ) -> tuple[Column, ...]:
        _known(f"{where}: key", raw, (*valid, *also))
        return tuple(self._column(f"{where}.{word}", word, given, valid[word]) for word, given in raw.items())

    def _column(self, where: str, word: str, given: Any, accept: Accept) -> Column:
        body = given if isinstance(given, dict) else {"oid": given}
        _known(f"{where}: key", body, COLUMN_KEYS)
        oid = _column_oid(where, body.get("oid"))
        told = self._told(where, body)
        return Column(
            word, oid, told or _itself, _chained(told, self._accept(where, word, body, accept)), _instance(where, body)
        )

    def _told(self, where: str, body: Mapping[str, Any]) -> Step | None:
        names = body.get("transform", [])
        try:
            return transforms.compiled([names] if isinstance(names, str) else _list(where, names), self._maps)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None

    def _accept(self, where: str, word: str, body: Mapping[str, Any], accept: Accept) -> Accept:
        if word == words.FLAG:
            up = _list(f"{where}.up", body.get("up", list(UP_DEFAULT)))
            if not up or not all(isinstance(value, int | str) for value in up):
                raise ValueError(f"{where}.up: a list of the numbers or texts that mean up, such as [1]")
            return words.flag(frozenset(up))
        if "up" in body:
            raise ValueError(f"{where}.up: only the word `up` has it")
        return words.band(self.bands) if word == words.BAND else accept


def _itself(value: Value) -> Told:
    return value


def _chained(told: Step | None, accept: Accept) -> Callable[[Value], Cell]:
    if told is None:
        return accept
    return lambda value: accept(told(value))


def _instance(where: str, body: Mapping[str, Any]) -> Instance | None:
    if "instance" not in body:
        return None
    before, star, after = _text(f"{where}.instance", body["instance"]).partition("*")
    if not star or "*" in after:
        raise ValueError(f"{where}.instance: a text with one star for what names the row, such as clients-*")
    return Instance(before.encode(), after.encode())


# Small readers ------------------------------------------------------------------------------------------


def _oid(where: str, given: Any) -> Oid:
    try:
        return parse(_text(where, given))
    except ValueError as error:
        raise ValueError(f"{where}: {str(error).removeprefix(f'{where}: ')}") from None


def _column_oid(where: str, given: Any) -> Oid:
    """An object identifier, or one that hangs on the device's sysObjectID: `sysObjectID.1.4`."""
    name, dot, rest = given.partition(".") if isinstance(given, str) else ("", "", "")
    if name != SYS_OBJECT_ID or not dot:
        return _oid(where, given)
    return (OWN, *_oid(where, f"1.{rest}")[1:])


def _pattern(where: str, given: Any) -> re.Pattern[str]:
    try:
        return re.compile(_text(where, given))
    except re.error as error:
        raise ValueError(f"{where}: {given!r} is no regular expression: {error}") from None


def _text(where: str, given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError(f"{where}: a text in quotation marks is wanted, not {given!r}")
    return given


def _list(where: str, given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise ValueError(f"{where}: a list in brackets is wanted, not {given!r}")
    return given


def _table_of(where: str, given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ValueError(f"{where}: a table is wanted, not {given!r}")
    return given


def _known(what: str, names: Collection[str], valid: Collection[str]) -> None:
    unknown = sorted(set(names) - set(valid))
    if not unknown:
        return
    near = difflib.get_close_matches(unknown[0], sorted(valid), 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ValueError(f"unknown {what} {unknown[0]!r}; {hint}valid are {', '.join(sorted(valid))}")
