"""What the polls found, written for the staff pages: many access points in one statement."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, select

from hotspot.fleet import ApHealth, ApReading, InterfaceReading, PollFailure, RadioReading, SsidReading
from hotspot.values import Octets
from store import bulk
from store.schema import access_point_health
from store.types import microseconds

_SAVE = bulk.put(
    access_point_health,
    ("access_point_id",),
    ("up", "checked_at", "since", "last_success_at", "failure", "model", "firmware", "serial", "profile", "reading"),
    kept=("model", "firmware", "serial", "profile"),
)


def save_healths(
    conn: Connection, healths: Mapping[int, ApHealth], profiles: Mapping[int, str] = MappingProxyType({})
) -> None:
    """Health by access point id, and the profile by which it is read. Needs `write()`.

    Model, firmware, serial number and profile outlive an outage.
    """
    _SAVE.run(conn, [_row(each, health, profiles.get(each, "")) for each, health in healths.items()])


def _row(point_id: int, health: ApHealth, profile: str) -> bulk.Row:
    last, reading = health.last_success_at, health.reading
    return (
        point_id,
        health.up,
        microseconds(health.checked_at),
        microseconds(health.since),
        None if last is None else microseconds(last),
        health.failure.value if health.failure is not None else None,
        reading.model if reading is not None else "",
        reading.firmware if reading is not None else "",
        reading.serial if reading is not None else "",
        profile,
        None if reading is None else _told(reading),
    )


@dataclass(frozen=True, slots=True)
class Known:
    """What was last known of an access point, without its reading: that is not current any more."""

    id: int
    health: ApHealth
    model: str
    firmware: str
    serial: str


def known(conn: Connection) -> list[Known]:
    """Of all access points that were ever polled, those behind controllers included."""
    columns = access_point_health.c
    query = select(*(column for column in columns if column.name not in ("reading", "profile")))
    return [
        Known(
            row.access_point_id,
            ApHealth(
                up=row.up,
                checked_at=row.checked_at,
                since=row.since,
                last_success_at=row.last_success_at,
                failure=PollFailure(row.failure) if row.failure else None,
            ),
            row.model,
            row.firmware,
            row.serial,
        )
        for row in conn.execute(query)
    ]


# As JSON: `dataclasses.asdict` would take ten times as long, and ten thousand a minute are written ------------------

_PLAIN = (
    "system_name",
    "model",
    "firmware",
    "serial",
    "uptime_seconds",
    "cpu_ratio",
    "memory_ratio",
    "temperature_celsius",
    "clients",
)
_LISTS: dict[str, tuple[str, ...]] = {
    name: tuple(field.name for field in fields(kind))
    for name, kind in {"radios": RadioReading, "ssids": SsidReading, "interfaces": InterfaceReading}.items()
}


def _told(reading: ApReading) -> str:
    """What staff pages show; BSSIDs and members have tables of their own."""
    values: dict[str, Any] = {name: getattr(reading, name) for name in _PLAIN}
    for name, words in _LISTS.items():
        values[name] = [{word: _plain(getattr(each, word)) for word in words} for each in getattr(reading, name)]
    return json.dumps(values | {"at": str(reading.at)})


def _plain(value: Any) -> Any:
    return {"down": value.down, "up": value.up} if isinstance(value, Octets) else value
