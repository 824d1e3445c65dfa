"""Polls on their way into the history: a few minutes of each access point in memory, then packed. No I/O."""

from __future__ import annotations

from datetime import datetime

from hotspot.ap_history import Point
from store.ap_history import hour
from store.packing import pack

KEPT_S = 300
"""So much is lost at most when the process dies: polls are packed and written at least so often."""

SPREAD_S = 7
"""By so much more each access point packs later than its neighbour, so that not all do so in the same minute."""

POINTS_MAX = 60
"""Polls that are packed before their time: one every five seconds for `KEPT_S`."""

Packed = tuple[int, datetime, bytes]


class Hours:
    """Polls by access point id."""

    def __init__(self) -> None:
        self._points: dict[int, list[Point]] = {}

    def add(self, point_id: int, point: Point) -> Packed | None:
        """Keep a poll; the earlier ones, packed, where their time is over."""
        kept = self._points.setdefault(point_id, [])
        over = bool(kept) and (_turn(point_id, kept[0]) != _turn(point_id, point) or len(kept) >= POINTS_MAX)
        packed = self._pack(point_id) if over else None
        self._points.setdefault(point_id, []).append(point)
        return packed

    def all(self) -> list[Packed]:
        """Everything, packed."""
        return [self._pack(point_id) for point_id in list(self._points)]

    def _pack(self, point_id: int) -> Packed:
        points = self._points.pop(point_id)
        at_hour = hour(points[0].at)
        return point_id, at_hour, pack(at_hour, points)


def _turn(point_id: int, point: Point) -> tuple[datetime, int]:
    """Equal for polls that are packed together: those of one hour and one stretch of `KEPT_S`."""
    return hour(point.at), int(point.at.timestamp() + point_id * SPREAD_S) // KEPT_S
