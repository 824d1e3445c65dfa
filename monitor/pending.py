"""What the polls found and the store does not have yet, in memory. The loop notes, a thread of `monitor.records` takes.

Everything has a limit, because the database may be away for long: of a health only the newest is kept, polls are
packed, and what is beyond `EVENTS_MAX` and `HOURS_MAX` is not kept but counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from threading import Lock
from typing import Any, TypeVar

from hotspot.ap_events import ApEvent
from hotspot.ap_history import point_of
from hotspot.fleet import ApHealth
from hotspot.values import MacAddress
from monitor.hours import Hours, Packed

BATCH_ROWS = 300
"""Rows of each table in one transaction: a few milliseconds."""

EVENTS_MAX = 50_000
HOURS_MAX = 100_000
"""Hours of access points: ten of ten thousand."""

SHOWN_EVERY = timedelta(minutes=5)
"""So often a health is written though nothing of it changed that a person sees in a list."""

Hour = tuple[int, datetime]
Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction writes."""

    healths: dict[int, ApHealth]
    profiles: dict[int, str]
    events: list[ApEvent]
    hours: dict[Hour, bytes]
    bssids: dict[int, Sequence[MacAddress]]

    @property
    def empty(self) -> bool:
        return not (self.healths or self.events or self.hours or self.bssids)


class Pending:
    """One city's. `lost` is told how many events and hours were not kept."""

    def __init__(self, lost: Callable[[int], object] = lambda _count: None) -> None:
        self._lost = lost
        self._lock = Lock()
        self._healths: dict[int, ApHealth] = {}
        self._profiles: dict[int, str] = {}
        self._events: list[ApEvent] = []
        self._hours: dict[Hour, bytes] = {}
        self._bssids: dict[int, Sequence[MacAddress]] = {}
        self._open = Hours()
        self._shown: dict[int, tuple[Any, datetime]] = {}
        self._sending: dict[int, Sequence[MacAddress]] = {}

    @property
    def healths(self) -> int:
        """How many access points' health is to be written."""
        return len(self._healths)

    # The loop's side --------------------------------------------------------------------------------------

    def note(self, point_id: int, health: ApHealth, profile: str = "") -> None:
        """A poll's outcome, and the profile that read it."""
        packed = self._open.add(point_id, point_of(health))
        seen = _seen(health, profile)
        shown, at = self._shown.get(point_id, (None, health.checked_at))
        with self._lock:
            if packed is not None:
                self._keep_hour(packed)
            if seen != shown or health.checked_at - at >= SHOWN_EVERY:
                self._shown[point_id] = seen, health.checked_at
                self._healths[point_id], self._profiles[point_id] = health, profile
            bssids = health.reading.bssids if health.reading is not None else ()
            if bssids and bssids != self._sending.get(point_id):
                self._sending[point_id] = self._bssids[point_id] = bssids

    def happened(self, events: Sequence[ApEvent]) -> None:
        """To be appended to the log."""
        with self._lock:
            room = EVENTS_MAX - len(self._events)
            self._events += events[: max(0, room)]
        self._lost(max(0, len(events) - max(0, room)))

    def forget(self, point_id: int) -> None:
        """It is polled no more; what was found stays to be written."""
        self._shown.pop(point_id, None)
        self._sending.pop(point_id, None)

    def close_hours(self) -> None:
        """Pack all that is kept in memory: the end is near."""
        with self._lock:
            for packed in self._open.all():
                self._keep_hour(packed)

    def _keep_hour(self, packed: Packed) -> None:
        point_id, hour, octets = packed
        key = (point_id, hour)
        if key in self._hours or len(self._hours) < HOURS_MAX:
            self._hours[key] = self._hours.get(key, b"") + octets
        else:
            self._lost(1)

    # The other thread's side ------------------------------------------------------------------------------

    def take(self) -> Batch | None:
        """What is to be written next, no more of each than `BATCH_ROWS`; None where nothing is."""
        with self._lock:
            healths = _some(self._healths)
            profiles = {each: self._profiles.pop(each, "") for each in healths}
            events, self._events = self._events[:BATCH_ROWS], self._events[BATCH_ROWS:]
            batch = Batch(healths, profiles, events, _some(self._hours), _some(self._bssids))
        return None if batch.empty else batch

    def give_back(self, batch: Batch) -> None:
        """It could not be written: what is newer goes before it."""
        with self._lock:
            self._healths = batch.healths | self._healths
            self._profiles = batch.profiles | self._profiles
            self._bssids = batch.bssids | self._bssids
            self._events = batch.events + self._events
            for key, octets in batch.hours.items():
                self._hours[key] = octets + self._hours.get(key, b"")


def _some(waiting: dict[Key, Value]) -> dict[Key, Value]:
    """Take the oldest few out."""
    found = dict(islice(waiting.items(), BATCH_ROWS))
    for key in found:
        del waiting[key]
    return found


def _seen(health: ApHealth, profile: str) -> Any:
    """What a person sees of an access point in a list: where it changes, it is written at once."""
    reading = health.reading
    if reading is None:
        return health.up, health.failure
    channels = tuple(radio.channel for radio in reading.radios)
    return health.up, reading.model, reading.firmware, reading.serial, profile, reading.clients, channels
