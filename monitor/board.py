"""The latest of every access point of one city, in memory: polls write it, scrapes read it, on different threads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock

from hotspot.fleet import ApHealth
from store.fleet import AccessPoint
from store.members import MemberPoint


@dataclass(frozen=True, slots=True)
class Identity:
    """What outlives an outage: which device it is."""

    model: str = ""
    firmware: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One access point. `poll_seconds` is None until this process has polled it."""

    name: str
    site: str
    health: ApHealth | None = None
    identity: Identity = Identity()
    poll_seconds: float | None = None


class Board:
    """Entries by access point id."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: dict[int, Entry] = {}

    def add(self, point: AccessPoint | MemberPoint, health: ApHealth | None, identity: Identity) -> None:
        """A known access point with what an earlier process found out; its health is not shown as current."""
        with self._lock:
            self._entries[point.id] = Entry(point.name, point.site, health, identity)

    def put(self, point: AccessPoint | MemberPoint, health: ApHealth, poll_seconds: float | None) -> None:
        """The outcome of a poll. Model, firmware and name stay while the device is down."""
        reading = health.reading
        with self._lock:
            entry = self._entries.get(point.id) or Entry(point.name, point.site)
            identity = entry.identity
            if reading is not None:
                identity = Identity(reading.model, reading.firmware)
            self._entries[point.id] = replace(entry, health=health, identity=identity, poll_seconds=poll_seconds)

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
        """A snapshot, by name."""
        with self._lock:
            return sorted(self._entries.values(), key=lambda entry: entry.name)
