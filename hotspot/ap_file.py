"""Many access points as a CSV file: read with every bad line named, and written so that it can be read again.

Pure: what the city has already is an argument, and which credential opens what is somebody else's.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from ipaddress import ip_address
from typing import NamedTuple

from hotspot.ap_entry import FIELDS, REQUIRED, SECRETS, PointEntry, PointError, fault, read_entry
from hotspot.csv_table import FAULTS_MAX, BadPlace, Columns, rows
from hotspot.discovery import Network
from hotspot.errors import InputError
from hotspot.faults import Fault
from hotspot.fleet import PointKind

ROWS_MAX = 10_000
"""Access points of one file; a city with more splits it."""

COLUMNS = Columns(FIELDS, REQUIRED)
TEMPLATE = ",".join(FIELDS)
"""The header of a file, which `kogge ap import --help` shows."""


class Placed(NamedTuple):
    """An access point that a city has, as far as a file may leave it out."""

    address: str
    port: int
    kind: PointKind = PointKind.ACCESS_POINT


@dataclass(frozen=True, slots=True)
class Here:
    """What a city has: sites' keys, access points by name, names of those behind controllers.

    `controllers`: names of those that something stands behind.
    `networks`: those that a credential is kept for, which new access points without one are tried with.
    """

    sites: Collection[str]
    points: Mapping[str, Placed] = field(default_factory=dict)
    members: Collection[str] = ()
    controllers: Collection[str] = ()
    networks: Sequence[Network] = ()


@dataclass(frozen=True, slots=True)
class PointFile:
    """What was read. A file with bad places is not used at all."""

    entries: tuple[PointEntry, ...]
    bad: tuple[BadPlace, ...]


def read_file(text: str, *, here: Here, tick: Callable[[], None] = lambda: None) -> PointFile:
    """The access points of a CSV file with a header; commas or semicolons. A name that the city has changes that one.

    `tick` is called for each row. InputError where the file is no such table at all.
    """
    reading = _Reading(here)
    for count, (line, texts) in enumerate(rows(text, COLUMNS)):
        if count == ROWS_MAX:
            raise InputError(f"line {line}: a file has at most {ROWS_MAX} access points; split it")
        tick()
        reading.take(line, texts)
    reading.compare_places()
    bad = sorted(reading.bad, key=lambda place: place.line)
    return PointFile(tuple(reading.entries.values()), tuple(bad[:FAULTS_MAX]))


class _Reading:
    """The lines of one file, as far as they are read."""

    def __init__(self, here: Here) -> None:
        self._here = here
        self._lines: dict[str, int] = {}
        self.entries: dict[str, PointEntry] = {}
        self.bad: list[BadPlace] = []

    def take(self, line: int, texts: Mapping[str, str] | str) -> None:
        if isinstance(texts, str):
            self.bad.append(BadPlace(line, "", texts))
            return
        try:
            entry = read_entry(self._as_it_is(texts), sites=self._here.sites)
        except PointError as error:
            self.bad += [_bad(line, each) for each in error.faults]
            return
        self.bad += [_bad(line, each) for each in self._unfit(entry)]
        self.entries.setdefault(entry.name, entry)
        self._lines.setdefault(entry.name, line)

    def _as_it_is(self, texts: Mapping[str, str]) -> Mapping[str, str]:
        """Port and kind of one that is there stay where the file does not say them."""
        there = self._here.points.get(texts["name"].strip())
        if there is None:
            return texts
        kept = {"port": str(there.port), "kind": there.kind.value}
        return {**texts} | {name: value for name, value in kept.items() if not texts.get(name, "").strip()}

    def _unfit(self, entry: PointEntry) -> list[Fault]:
        faults = []
        if entry.name in self.entries:
            faults.append(fault("name", "taken", text=f"{entry.name} (line {self._lines[entry.name]})"))
        if entry.name in self._here.members:
            faults.append(fault("name", "behind", text=entry.name))
        if entry.name in self._here.controllers and entry.kind is not PointKind.CONTROLLER:
            faults.append(fault("kind", "controller", text=entry.name))
        if not entry.credential and entry.name not in self._here.points and not self._candidates(entry):
            faults.append(fault("community", "no_candidate", text=entry.address))
        return faults

    def _candidates(self, entry: PointEntry) -> bool:
        address = ip_address(entry.address)
        return any(address in network for network in self._here.networks)

    def compare_places(self) -> None:
        """After the last line: an address may pass from one access point to another in the same file."""
        holders = {
            (place.address, place.port): name for name, place in self._here.points.items() if name not in self.entries
        }
        for name, entry in self.entries.items():
            other = holders.setdefault((entry.address, entry.port), name)
            if other != name:
                said = fault("address", "place_taken", text=f"{entry.address} port {entry.port}", other=other)
                self.bad.append(_bad(self._lines[name], said))


def _bad(line: int, each: Fault) -> BadPlace:
    return BadPlace(line, each.field, each.sentence % each.values)


def write_file(entries: Iterable[PointEntry], *, secrets: bool) -> str:
    """The CSV of these access points; without `secrets` those columns are missing, and an import leaves them as is."""
    columns = [name for name in FIELDS if secrets or name not in SECRETS]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for entry in entries:
        words = asdict(entry.credential)
        own = {"name": entry.name, "site": entry.site, "address": entry.address, "port": entry.port}
        writer.writerow(own | {"kind": PointKind(entry.kind).value} | words)
    return out.getvalue()
