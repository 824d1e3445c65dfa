"""What `kogge explain` finds out about the air: the access point where a device is or was, else those of its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store import ap_list, bssids, standing
from store.ap_list import Point, State, Wanted
from store.store import Connection

BUSY_RATIO = 0.8
"""From here on a channel is so busy that everybody on it waits."""

DOWN_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Busy:
    """A radio whose channel is."""

    radio: str
    band: str
    channel: int | None
    ratio: float


@dataclass(frozen=True, slots=True)
class Air:
    """`point`: where the session is, known by its BSSID. Without one, how many of the place's `total` are `down`."""

    point: Point | None
    busy: Sequence[Busy]
    down: Sequence[Point]
    total: int


def gather(conn: Connection, *, session_id: int | None, nas_id: int | None) -> Air | None:
    """None where nobody knows at which place it is, or no access point stands there."""
    owner = None if session_id is None else bssids.owners_of(conn, [session_id]).get(session_id)
    point = None if owner is None else ap_list.point(conn, owner.access_point_id)
    if point is not None:
        return Air(point, _busy(point.reading), (), 0)
    site_key = None if nas_id is None else standing.site_key_of(conn, nas_id)
    if site_key is None:
        return None
    counts = ap_list.counts(conn, Wanted(site=site_key))
    total = sum(number for state, number in counts.items() if state is not State.RETIRED)
    down = ap_list.some(conn, Wanted(site=site_key, state=State.DOWN.value), limit=DOWN_SHOWN, offset=0)
    return Air(None, (), down, total) if total else None


def _busy(reading: Mapping[str, Any]) -> list[Busy]:
    radios = (radio for radio in reading.get("radios") or () if (radio.get("utilisation_ratio") or 0) >= BUSY_RATIO)
    return [Busy(each["name"], each["band"] or "", each["channel"], each["utilisation_ratio"]) for each in radios]
