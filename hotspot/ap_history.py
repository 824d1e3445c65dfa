"""What is kept of an access point's polls for the charts of its last day and week. Knows no packing and no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RadioPoint:
    """One radio at one poll: ratio 0 to 1, noise in dBm."""

    radio: str
    clients: int | None = None
    channel: int | None = None
    utilisation_ratio: float | None = None
    noise_dbm: int | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One poll of an access point. Octets are counters since its start; nothing but `up` is told while it is down."""

    at: datetime
    up: bool
    clients: int | None = None
    cpu_ratio: float | None = None
    memory_ratio: float | None = None
    octets_down: int | None = None
    octets_up: int | None = None
    radios: tuple[RadioPoint, ...] = ()
