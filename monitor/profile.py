"""A profile: which object identifiers to read from one kind of device, compiled. Values only; files: `profile_file`.

Each column carries the function from a told value to what a reading holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hotspot.fleet import Band
from monitor.index import Naming
from monitor.oids import Oid, Value, under
from monitor.words import Cell, Told


@dataclass(frozen=True, slots=True)
class Instance:
    """Of a column whose rows are told apart by a length-prefixed text: `clients-*`; the star is what names the row."""

    before: bytes
    after: bytes

    def row(self, index: Oid) -> Oid | None:
        """The star's octets; None where the instance is another one."""
        octets = bytes(index[1:]) if index and max(index[1:], default=0) < 256 else b""
        fits = (
            len(octets) == index[0] > len(self.before) + len(self.after)
            and octets.startswith(self.before)
            and octets.endswith(self.after)
        )
        return tuple(octets[len(self.before) : len(octets) - len(self.after)]) if fits else None


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
    naming: Naming
    needs: frozenset[str] = frozenset()
    """Words without which a row is none."""

    moving: bool = False
    """Whether its rows come and go, so that it is walked at every poll."""

    rows_max: int = 128
    """Rows that are read; what lies beyond is left out."""

    @property
    def kind(self) -> str:
        return self.name.partition("-")[0]

    @property
    def words(self) -> frozenset[str]:
        return frozenset(column.word for column in self.columns)


@dataclass(frozen=True, slots=True)
class Match:
    """Every part that is given must fit. `probe` is a subtree in which the device must have something."""

    object_id: Oid | None = None
    description: re.Pattern[str] | None = None
    probe: Oid | None = None
    probe_value: re.Pattern[str] | None = None

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

    def table(self, name: str) -> Table | None:
        return next((table for table in self.tables if table.name == name), None)

    def scalar(self, word: str) -> Oid:
        """The instance of a scalar word. KeyError where the profile has none."""
        for column in self.scalars:
            if column.word == word:
                return column.oid
        raise KeyError(word)
