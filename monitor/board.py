"""The latest of every access point of one city, in memory: polls write it, scrapes read it, on different threads."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

from hotspot.fleet import ApHealth, PointKind
from monitor.labels import Key, Labels
from store.fleet import AccessPoint
from store.members import MemberPoint

AP = ("site", "ap")
CONTROLLER = ("site", "controller")
"""Labels that say where a series belongs, besides the city."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What outlives an outage: which device it is."""

    model: str = ""
    firmware: str = ""
    serial: str = ""

    @property
    def key(self) -> Key:
        """As label values."""
        return (self.model, self.firmware, self.serial)


Point = AccessPoint | MemberPoint


class Entry(NamedTuple):
    """One access point or controller. `poll_seconds` is None of members, and until this process has polled it."""

    id: int
    name: str
    site: str
    kind: PointKind
    controller_id: int | None
    labels: Labels
    health: ApHealth | None = None
    identity: Identity = Identity()
    poll_seconds: float | None = None
    polled: bool = False
    """Whether this process has asked; what an earlier one found is not shown as current."""


class Board:
    """Entries by access point id."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: dict[int, Entry] = {}

    def add(self, point: Point, health: ApHealth | None, identity: Identity) -> None:
        """A known access point with what an earlier process found out; its health is not shown as current."""
        entry = _new(point)
        labels = entry.labels.follow(identity.key, None)
        with self._lock:
            self._entries[point.id] = entry._replace(health=health, identity=identity, labels=labels)

    def put(self, point: Point, health: ApHealth, poll_seconds: float | None) -> None:
        """The outcome of a poll; of a member, of its controller's. Model, firmware and serial outlive an outage."""
        reading = health.reading
        with self._lock:
            entry = self._entries.get(point.id)
            if entry is None or entry.name != point.name or entry.site != point.site:
                entry = _new(point)._replace(identity=entry.identity if entry else Identity())
            identity = entry.identity
            if reading is not None and (reading.model, reading.firmware, reading.serial) != identity.key:
                identity = Identity(reading.model, reading.firmware, reading.serial)
            labels = entry.labels.follow(identity.key, reading)
            self._entries[point.id] = entry._replace(
                labels=labels, health=health, identity=identity, poll_seconds=poll_seconds, polled=True
            )

    def health(self, point_id: int) -> ApHealth | None:
        with self._lock:
            entry = self._entries.get(point_id)
            return entry.health if entry is not None else None

    def remove(self, point_id: int) -> None:
        with self._lock:
            self._entries.pop(point_id, None)

    def clear(self) -> None:
        """Nothing is known any more: another monitor polls."""
        with self._lock:
            self._entries.clear()

    def entries(self) -> list[Entry]:
        """A snapshot."""
        with self._lock:
            return list(self._entries.values())


def _new(point: Point) -> Entry:
    kind, controller_id = (
        (PointKind.MEMBER, point.controller_id) if isinstance(point, MemberPoint) else (point.kind, None)
    )
    names = CONTROLLER if kind is PointKind.CONTROLLER else AP
    labels = Labels.of(names, (point.site, point.name), Identity().key)
    return Entry(point.id, point.name, point.site, kind, controller_id, labels)
