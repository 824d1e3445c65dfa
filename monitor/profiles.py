"""Profiles: which object identifiers to read from which device, as data in `profiles/*.toml`.

Loads and validates them and chooses one; knows no network and no values. A broken profile stops the start.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hotspot.errors import ConfigError
from hotspot.fleet import Band
from monitor.oids import Oid, parse, under

FOLDER = Path(__file__).parent / "profiles"
COMMON = "common"

SCALARS = frozenset(
    {"description", "object_id", "agent_uptime", "host_uptime", "system_name"}
    | {"model", "firmware", "memory_total", "memory_free"}
)
"""Words that a profile may give a scalar; `monitor.reading` says what each means."""

TABLES: Mapping[str, frozenset[str]] = {
    "interfaces": frozenset({"name", "oper_status", "octets_in", "octets_out", "errors_in"}),
    "processors": frozenset({"load_percent"}),
    "storage": frozenset({"kind", "size", "used"}),
    "radios": frozenset({"radio", "utilisation_percent"}),
    "networks": frozenset(
        {"radio", "ssid", "channel", "clients", "octets_in", "octets_out", "tx_power_dbm", "up"},
    ),
}
"""Tables and their columns that a profile may name."""


@dataclass(frozen=True, slots=True)
class Match:
    """A device fits where its sysObjectID stands under `object_id` and its sysDescr fits `description`."""

    object_id: Oid | None
    description: re.Pattern[str] | None

    def fits(self, object_id: Oid, description: str) -> bool:
        by_id = self.object_id is None or under(object_id, self.object_id)
        return by_id and (self.description is None or self.description.search(description) is not None)


@dataclass(frozen=True, slots=True)
class Table:
    """Columns to walk together."""

    name: str
    columns: Mapping[str, Oid]


@dataclass(frozen=True, slots=True)
class Profile:
    """What to read from one kind of device, the common part included."""

    name: str
    scalars: Mapping[str, Oid]
    tables: tuple[Table, ...]
    bands: Mapping[str, Band]
    interfaces_ignored: tuple[re.Pattern[str], ...]
    matches: tuple[Match, ...] = ()

    def table(self, name: str) -> Table | None:
        return next((table for table in self.tables if table.name == name), None)


@dataclass(frozen=True, slots=True)
class Profiles:
    """All profiles. `common` serves whatever none of the others fits."""

    common: Profile
    vendors: tuple[Profile, ...]

    def choose(self, object_id: Oid, description: str) -> Profile:
        """The first vendor whose rules fit."""
        for profile in self.vendors:
            if any(match.fits(object_id, description) for match in profile.matches):
                return profile
        return self.common


def load(folder: Path = FOLDER) -> Profiles:
    """All `*.toml` of the folder. ConfigError names file and key of what is wrong."""
    common = _profile(folder / f"{COMMON}.toml", None)
    files = sorted(file for file in folder.glob("*.toml") if file.stem != COMMON)
    return Profiles(common, tuple(_profile(file, common) for file in files))


def _profile(file: Path, base: Profile | None) -> Profile:
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
        return _build(file, raw, base)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValueError, re.error) as error:
        raise ConfigError(f"{file}: {error}") from None


def _build(file: Path, raw: dict[str, Any], base: Profile | None) -> Profile:
    _known("key", raw, {"name", "match", "bands", "scalars", "tables", "interfaces_ignored"})
    if raw.get("name") != file.stem:
        raise ValueError(f"name: is {raw.get('name')!r}, but the file is called {file.name}")
    ignored = (re.compile(raw["interfaces_ignored"]),) if "interfaces_ignored" in raw else ()
    own = tuple(_table(name, columns) for name, columns in raw.get("tables", {}).items())
    own_names = {table.name for table in own}
    inherited = tuple(table for table in base.tables if table.name not in own_names) if base else ()
    matches = tuple(_match(rule) for rule in raw.get("match", ()))
    if (base is None) == bool(matches):
        raise ValueError("match: every profile but common needs at least one rule")
    return Profile(
        name=file.stem,
        scalars={**(base.scalars if base else {}), **_oids("scalars", raw.get("scalars", {}), SCALARS)},
        tables=inherited + own,
        bands={key: Band(value) for key, value in raw.get("bands", {}).items()},
        interfaces_ignored=(base.interfaces_ignored if base else ()) + ignored,
        matches=matches,
    )


def _table(name: str, columns: dict[str, str]) -> Table:
    _known("table", [name], TABLES)
    return Table(name, _oids(f"tables.{name}", columns, TABLES[name]))


def _oids(where: str, raw: dict[str, str], words: frozenset[str]) -> dict[str, Oid]:
    _known(f"{where}: key", raw, words)
    try:
        return {word: parse(text) for word, text in raw.items()}
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{where}: {error}") from None


def _match(rule: dict[str, str]) -> Match:
    _known("match: key", rule, {"object_id", "description"})
    if not rule:
        raise ValueError("match: an empty rule would fit every device")
    object_id = parse(rule["object_id"]) if "object_id" in rule else None
    return Match(object_id, re.compile(rule["description"]) if "description" in rule else None)


def _known(what: str, names: Any, valid: Any) -> None:
    unknown = sorted(set(names) - set(valid))
    if unknown:
        raise ValueError(f"unknown {what} {unknown[0]!r}; valid are {', '.join(sorted(valid))}")
