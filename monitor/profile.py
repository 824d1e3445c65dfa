"""A profile: which object identifiers to read from one kind of device, compiled. Values only; files: `profile_file`.

Each column carries the function from a told value to what a reading holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from hotspot.fleet import Band
from monitor.index import NOBODY, Names, Naming
from monitor.oids import Oid, Value, spelled, under
from monitor.words import COUNTERS, Cell, Told

NAMES_KEPT = 4_096
"""Interface names whose being ignored is remembered."""

INDEXES_KEPT = 32_768
"""Indexes of a table whose names are remembered: those of a large controller."""

OWN = -1
"""First of an object identifier that hangs on the device's sysObjectID."""

MODELS_KEPT = 256
"""Kinds of devices, told apart by sysObjectID, whose own object identifiers are remembered."""

TELL_ON = frozenset({"channel", "frequency_mhz", "up", "clients"})
"""Words of which one says that a radio is on."""


@dataclass(frozen=True, slots=True)
class Instance:
    """Of a column whose rows are told apart by a length-prefixed text: `clients-*`; the star is what names the row."""

    before: bytes
    after: bytes

    def row(self, index: Oid) -> Oid | None:
        """The star's octets after their number; None where the instance is another one."""
        octets = bytes(index[1:]) if index and max(index[1:], default=0) < 256 else b""
        fits = (
            len(octets) == index[0] > len(self.before) + len(self.after)
            and octets.startswith(self.before)
            and octets.endswith(self.after)
        )
        star = octets[len(self.before) : len(octets) - len(self.after)]
        return (len(star), *star) if fits else None

    def index(self, row: Oid) -> Oid:
        """The index of that row: `row` the other way round."""
        octets = (*self.before, *row[1:], *self.after)
        return (len(octets), *octets)


@dataclass(frozen=True, slots=True)
class Column:
    """One word of a device or of a table. `told` is the value after its transforms, `convert` after all checks."""

    word: str
    oid: Oid
    told: Callable[[Value], Told]
    convert: Callable[[Value], Cell]
    instance: Instance | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Columns to walk together. `kind` is the part of the name before a hyphen: `radios-wifi` are radios."""

    name: str
    columns: tuple[Column, ...]
    naming: Naming = NOBODY
    needs: frozenset[str] = frozenset()
    """Words without which a row is none."""

    moving: bool = False
    """Whether its rows come and go, so that it is walked at every poll."""

    rows_max: int = 128
    """Rows that are read; what lies beyond is left out."""

    kind: str = field(init=False)
    names_of: Callable[[Oid], Names | None] = field(init=False, repr=False)
    words: tuple[str, ...] = field(init=False)
    converts: tuple[Callable[[Value], Cell], ...] = field(init=False, repr=False)
    counters: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        words = tuple(column.word for column in self.columns)
        object.__setattr__(self, "kind", self.name.partition("-")[0])
        object.__setattr__(self, "words", words)
        object.__setattr__(self, "names_of", lru_cache(INDEXES_KEPT)(self.naming.names))
        object.__setattr__(self, "converts", tuple(column.convert for column in self.columns))
        object.__setattr__(self, "counters", tuple(word for word in words if word in COUNTERS))

    def names(self, word: str) -> bool:
        """Whether a row says whose it is in that respect: by its index or in a column."""
        return word in self.naming.named or word in self.words


@dataclass(frozen=True, slots=True)
class Match:
    """Every part that is given must fit. `probe` is a subtree in which the device must have something."""

    object_id: Oid | None = None
    description: re.Pattern[str] | None = None
    probe: Oid | None = None
    probe_value: re.Pattern[str] | None = None

    def __str__(self) -> str:
        """As a person reads it: `1.3.6.1.4.1.41112, sysDescr ^UAP`."""
        parts = [spelled(self.object_id)] if self.object_id else []
        if self.description:
            parts.append(f"sysDescr {self.description.pattern}")
        if self.probe:
            like = f" like {self.probe_value.pattern}" if self.probe_value else ""
            parts.append(f"something at {spelled(self.probe)}{like}")
        return ", ".join(parts)

    @property
    def rank(self) -> tuple[int, bool, bool]:
        """The longest sysObjectID wins, then a sysDescr, then a probe."""
        return len(self.object_id or ()), self.description is not None, self.probe is not None

    def may_fit(self, object_id: Oid, description: str) -> bool:
        """Whether all but the probe fits."""
        by_id = self.object_id is None or under(object_id, self.object_id)
        return by_id and (self.description is None or self.description.search(description) is not None)

    def probed(self, answers: Mapping[Oid, str]) -> bool:
        """Whether the probe fits: `answers` are what the probed subtrees told first, as text."""
        if self.probe is None:
            return True
        answer = answers.get(self.probe)
        return answer is not None and (self.probe_value is None or self.probe_value.search(answer) is not None)


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """What to read from one kind of device, the common part included."""

    name: str
    title: str
    controller: bool
    scalars: tuple[Column, ...]
    tables: tuple[Table, ...]
    bands: Mapping[str, Band]
    interfaces_ignored: tuple[re.Pattern[str], ...]
    matches: tuple[Match, ...] = ()
    source: tuple[str, ...] = ()
    ignores: Callable[[str], bool] = field(init=False, repr=False)
    """Whether an interface of that name is of no interest."""

    radios_tell_on: bool = field(init=False)
    """Whether the tables of radios say themselves which radios are on."""

    identity_at: tuple[int, int] = field(init=False)
    """Where sysObjectID and sysDescr stand among the scalars."""

    lists_members: bool = field(init=False)
    """Whether a controller's profile has a table of its access points."""

    def __post_init__(self) -> None:
        patterns = self.interfaces_ignored
        ignores = lru_cache(NAMES_KEPT)(lambda name: any(pattern.search(name) for pattern in patterns))
        object.__setattr__(self, "ignores", ignores)
        words = [column.word for column in self.scalars]
        object.__setattr__(self, "identity_at", (words.index("object_id"), words.index("description")))
        told = {word for table in self.tables if table.kind == "radios" for word in table.words}
        object.__setattr__(self, "radios_tell_on", not told.isdisjoint(TELL_ON))
        object.__setattr__(self, "lists_members", any(table.kind == "aps" for table in self.tables))

    def associations_name(self, word: str) -> bool:
        """Whether a table of clients says which radio or network each is on."""
        return any(table.names(word) for table in self.tables if table.kind == "associations")

    def table(self, name: str) -> Table | None:
        return next((table for table in self.tables if table.name == name), None)

    def scalar(self, word: str) -> Oid:
        """The instance of a scalar word. KeyError where the profile has none."""
        for column in self.scalars:
            if column.word == word:
                return column.oid
        raise KeyError(word)


@lru_cache(MODELS_KEPT)
def rooted(profile: Profile, object_id: Oid) -> Profile:
    """The profile for a device of that sysObjectID, on which some object identifiers may hang."""
    columns = (*profile.scalars, *(column for table in profile.tables for column in table.columns))
    if all(column.oid[0] != OWN for column in columns):
        return profile
    tables = tuple(replace(table, columns=_rooted(table.columns, object_id)) for table in profile.tables)
    return replace(profile, scalars=_rooted(profile.scalars, object_id), tables=tables)


def _rooted(columns: tuple[Column, ...], object_id: Oid) -> tuple[Column, ...]:
    return tuple(
        replace(column, oid=object_id + column.oid[1:]) if column.oid[0] == OWN else column for column in columns
    )
