"""How many entries an access point may make in the event log: a channel that flaps must not fill a disk."""

from __future__ import annotations

from datetime import datetime

from hotspot.ap_events import ApEvent, Kind

AN_HOUR_MAX = 12
"""Entries of one access point in an hour that tell of something other than `ALWAYS`."""

ALWAYS = frozenset({Kind.UP, Kind.DOWN, Kind.JOINED, Kind.RETIRED})
"""What availability is made of; there is at most one a poll."""

HOUR_S = 3600


class Storm:
    """Counts by access point and hour."""

    def __init__(self) -> None:
        self._hour = 0
        self._count: dict[int, int] = {}

    def admits(self, event: ApEvent, now: datetime) -> bool:
        """Whether the entry is kept."""
        if event.kind in ALWAYS:
            return True
        hour = int(now.timestamp()) // HOUR_S
        if hour != self._hour:
            self._hour, self._count = hour, {}
        count = self._count[event.access_point_id] = self._count.get(event.access_point_id, 0) + 1
        return count <= AN_HOUR_MAX
