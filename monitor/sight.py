"""What one look at the board shows of each access point and controller: what may be said of it at that moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from hotspot.fleet import ApReading, PointKind
from monitor.board import Entry


class Sight(NamedTuple):
    """`up` is None where nobody knows: not asked yet, or the controller before it is silent."""

    entry: Entry
    up: bool | None
    reading: ApReading | None
    """The current one; None unless it is up."""

    joined: int = 0
    missing: int = 0
    """Of a controller: access points behind it that it lists as connected, and those that it does not."""


class Look(NamedTuple):
    """Everything on the board at one moment."""

    access_points: list[Sight]
    controllers: list[Sight]


def look(entries: Iterable[Entry]) -> Look:
    """What stands behind a controller that is not up is unknown itself."""
    known = list(entries)
    ups = {entry.id: _up(entry) for entry in known}
    behind: Counter[tuple[int | None, bool | None]] = Counter()
    points = []
    for entry in known:
        if entry.kind is PointKind.CONTROLLER:
            continue
        up = ups[entry.id]
        if entry.controller_id is not None:
            up = up if ups.get(entry.controller_id) else None
            behind[entry.controller_id, up] += 1
        points.append(Sight(entry, up, _reading(entry, up)))
    controllers = [
        Sight(entry, ups[entry.id], _reading(entry, ups[entry.id]), behind[entry.id, True], behind[entry.id, False])
        for entry in known
        if entry.kind is PointKind.CONTROLLER
    ]
    return Look(points, controllers)


def _up(entry: Entry) -> bool | None:
    return entry.health.up if entry.polled and entry.health is not None else None


def _reading(entry: Entry, up: bool | None) -> ApReading | None:
    return entry.health.reading if up and entry.health is not None else None
