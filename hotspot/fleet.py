"""Access points: what one poll read, and what it means for an access point's health.

A reading is one vendor-neutral model, whatever the device; a value the device did not tell is None, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from hotspot.values import MacAddress, Octets


class Band(StrEnum):
    """Radio bands, as the metric label writes them."""

    GHZ_2_4 = "2.4"
    GHZ_5 = "5"
    GHZ_6 = "6"


@dataclass(frozen=True, slots=True)
class RadioReading:
    """One radio. Ratios are 0 to 1, power in dBm, octets as the access point counts them (down = transmitted)."""

    name: str
    band: Band | None = None
    channel: int | None = None
    clients: int | None = None
    utilisation_ratio: float | None = None
    tx_power_dbm: int | None = None
    octets: Octets | None = None
    width_mhz: int | None = None
    noise_dbm: int | None = None
    errors_in: int | None = None
    errors_out: int | None = None
    retries: int | None = None


@dataclass(frozen=True, slots=True)
class SsidReading:
    """One network name over all radios of the access point."""

    name: str
    clients: int | None
    octets: Octets | None = None


@dataclass(frozen=True, slots=True)
class InterfaceReading:
    """One wired or wireless interface (IF-MIB), 64-bit counters."""

    name: str
    up: bool
    octets_in: int | None = None
    octets_out: int | None = None
    errors_in: int | None = None


@dataclass(frozen=True, slots=True)
class ApReading:
    """What one successful poll told of an access point."""

    at: datetime
    system_name: str = ""
    model: str = ""
    firmware: str = ""
    uptime_seconds: float | None = None
    cpu_ratio: float | None = None
    memory_ratio: float | None = None
    radios: tuple[RadioReading, ...] = ()
    ssids: tuple[SsidReading, ...] = ()
    interfaces: tuple[InterfaceReading, ...] = ()
    serial: str = ""
    temperature_celsius: float | None = None
    clients_told: int | None = None
    """The device's own total, for one that tells none by radio."""

    bssids: tuple[MacAddress, ...] = ()
    """Of its networks: how a session finds its access point. Never a metric's label."""

    members: tuple[Member, ...] = ()
    """Of a controller: every access point in its table."""

    dropped: tuple[str, ...] = ()
    """The words of values that were told and not believed, such as a temperature of 5000 degrees."""

    @property
    def clients(self) -> int | None:
        """Associated clients over all radios, else the device's own total; None where it tells neither."""
        counts = [radio.clients for radio in self.radios if radio.clients is not None]
        return sum(counts) if counts else self.clients_told


@dataclass(frozen=True, slots=True)
class Member:
    """An access point behind a controller. `key` is what the controller's table calls it, and stays the same."""

    key: str
    up: bool
    reading: ApReading


class PointKind(StrEnum):
    """What a row of `access_point` is."""

    ACCESS_POINT = "access_point"
    CONTROLLER = "controller"
    MEMBER = "member"
    """An access point behind a controller: never polled itself."""


class PollFailure(StrEnum):
    """Why a poll gave no reading: the word in the metric and on the staff page."""

    TIMEOUT = "timeout"
    AUTHENTICATION = "authentication"
    UNREACHABLE = "unreachable"
    MALFORMED = "malformed"
    LOST = "lost"
    """Its controller no longer lists it as connected."""


@dataclass(frozen=True, slots=True)
class ApHealth:
    """An access point as the staff sees it. `since` is when it last went up or down."""

    up: bool
    checked_at: datetime
    since: datetime
    last_success_at: datetime | None
    failure: PollFailure | None
    reading: ApReading | None = field(default=None)
    """The current reading; None while down: old measurements are never shown as current."""


def assess(previous: ApHealth | None, result: ApReading | PollFailure, *, now: datetime) -> ApHealth:
    """The health after a poll. One unanswered poll, retries included, is down: we say what we see."""
    up = isinstance(result, ApReading)
    since = previous.since if previous is not None and previous.up == up else now
    last_success = previous.last_success_at if previous is not None else None
    return ApHealth(
        up=up,
        checked_at=now,
        since=since,
        last_success_at=now if up else last_success,
        failure=None if isinstance(result, ApReading) else result,
        reading=result if isinstance(result, ApReading) else None,
    )
