"""What is kept of an access point's polls for the charts of its last day and week. Knows no packing and no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hotspot.fleet import ApHealth, ApReading
from hotspot.values import Octets


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


def point_of(health: ApHealth) -> Point:
    """What is kept of a poll."""
    reading = health.reading
    if reading is None:
        return Point(health.checked_at, health.up)
    octets = _octets(reading)
    radios = (
        RadioPoint(radio.name, radio.clients, radio.channel, radio.utilisation_ratio, radio.noise_dbm)
        for radio in reading.radios
    )
    return Point(
        health.checked_at,
        health.up,
        reading.clients,
        reading.cpu_ratio,
        reading.memory_ratio,
        octets.down if octets else None,
        octets.up if octets else None,
        tuple(radios),
    )


def _octets(reading: ApReading) -> Octets | None:
    """Over all radios; of the networks where the radios do not tell."""
    told = [radio.octets for radio in reading.radios if radio.octets is not None]
    told = told or [ssid.octets for ssid in reading.ssids if ssid.octets is not None]
    return sum(told[1:], told[0]) if told else None
