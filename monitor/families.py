"""The families of the monitor's page as a table: name, unit, level, and where the value comes from.

A level is what a family has one series of: the access point, its radios, its network names, its interfaces, the
controller. Families of one level stand together, so that their rows are gathered once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from hotspot.fleet import ApReading, InterfaceReading, RadioReading, SsidReading
from monitor.labels import IDENTITY, INTERFACE, RADIO, SSID, Key, Series, series
from monitor.sight import Sight

AP = ("city", "site", "ap")
CONTROLLER = ("city", "site", "controller")

Found = tuple[Series, Sequence[Any]]
"""Label strings, and for each of them what a family's value is taken from; without the second there is nothing."""


@dataclass(frozen=True, slots=True)
class Level:
    """What there is one series of. `place` tells whose it is, `labels` are those beyond."""

    place: Key
    labels: Key
    of: Callable[[Sight], Found]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. `value` None leaves the sample out; a counter's samples are called `_total` besides."""

    name: str
    help: str
    level: Level
    value: Callable[[Any], float | None]
    counter: bool = False

    @property
    def labels(self) -> Key:
        """Labels beyond those of the place."""
        return self.level.labels


# Levels ---------------------------------------------------------------------------------------------


def _known(sight: Sight) -> Found:
    return sight.entry.labels.own, (sight,)


def _identity(sight: Sight) -> Found:
    known = sight.entry.polled or sight.entry.identity.key != ("", "", "")
    return sight.entry.labels.identity, (sight,) if known else ()


def _current(sight: Sight) -> Found:
    return sight.entry.labels.own, (sight.reading,) if sight.reading is not None else ()


def _radios(sight: Sight) -> Found:
    return sight.entry.labels.radios, sight.reading.radios if sight.reading is not None else ()


def _ssids(sight: Sight) -> Found:
    return sight.entry.labels.ssids, sight.reading.ssids if sight.reading is not None else ()


def _interfaces(sight: Sight) -> Found:
    return sight.entry.labels.interfaces, sight.reading.interfaces if sight.reading is not None else ()


def _states(sight: Sight) -> Found:
    labels = sight.entry.labels
    counts = (sight.joined, sight.missing) if sight.up else ()
    return series((*labels.names, "state"), labels.place, [("joined",), ("missing",)]), counts


_AP = Level(AP, (), _known)
_AP_IDENTITY = Level(AP, IDENTITY, _identity)
_AP_CURRENT = Level(AP, (), _current)
_RADIO = Level(AP, RADIO, _radios)
_SSID = Level(AP, SSID, _ssids)
_INTERFACE = Level(AP, INTERFACE, _interfaces)
_CONTROLLER = Level(CONTROLLER, (), _known)
_CONTROLLER_IDENTITY = Level(CONTROLLER, IDENTITY, _identity)
_CONTROLLER_CURRENT = Level(CONTROLLER, (), _current)
_CONTROLLER_SSID = Level(CONTROLLER, SSID, _ssids)
_CONTROLLER_STATES = Level(CONTROLLER, ("state",), _states)


# Values ---------------------------------------------------------------------------------------------


def _up(sight: Sight) -> float | None:
    return None if sight.up is None else int(sight.up)


def _last_success(sight: Sight) -> float | None:
    health = sight.entry.health
    return health.last_success_at.timestamp() if health is not None and health.last_success_at is not None else None


def _poll_seconds(sight: Sight) -> float | None:
    return sight.entry.poll_seconds if sight.up else None


def _only_total(reading: ApReading) -> float | None:
    """Where the radios tell, their series do."""
    return None if any(radio.clients is not None for radio in reading.radios) else reading.clients_told


def _all_clients(reading: ApReading) -> float | None:
    """A controller's own total, else the sum over those behind it that tell."""
    told = [member.reading.clients for member in reading.members if member.up]
    known = [clients for clients in told if clients is not None]
    return reading.clients if reading.clients is not None or not known else sum(known)


def _width(radio: RadioReading) -> float | None:
    return None if radio.width_mhz is None else radio.width_mhz * 1_000_000


def _received(of: RadioReading | SsidReading) -> float | None:
    return None if of.octets is None else of.octets.up


def _transmitted(of: RadioReading | SsidReading) -> float | None:
    return None if of.octets is None else of.octets.down


def _interface_up(interface: InterfaceReading) -> float:
    return int(interface.up)


FAMILIES: tuple[Family, ...] = (
    Family("wifi_ap_up", "Whether the last poll of the access point was answered.", _AP, _up),
    Family(
        "wifi_ap_last_success_timestamp_seconds", "Unix time of the last poll that was answered.", _AP, _last_success
    ),
    Family("wifi_ap_poll_duration_seconds", "Duration of the last poll.", _AP, _poll_seconds),
    Family("wifi_ap_info", "What the access point is; always 1.", _AP_IDENTITY, lambda _: 1),
    Family(
        "wifi_ap_uptime_seconds",
        "Seconds since the access point started.",
        _AP_CURRENT,
        attrgetter("uptime_seconds"),
    ),
    Family("wifi_ap_cpu_ratio", "Share of the processors in use, 0 to 1.", _AP_CURRENT, attrgetter("cpu_ratio")),
    Family("wifi_ap_memory_ratio", "Share of the memory in use, 0 to 1.", _AP_CURRENT, attrgetter("memory_ratio")),
    Family(
        "wifi_ap_temperature_celsius",
        "Temperature in the access point in degrees Celsius.",
        _AP_CURRENT,
        attrgetter("temperature_celsius"),
    ),
    Family(
        "wifi_ap_associated_clients",
        "Clients of an access point that does not tell them by radio.",
        _AP_CURRENT,
        _only_total,
    ),
    Family("wifi_ap_clients", "Clients associated with the radio.", _RADIO, attrgetter("clients")),
    Family("wifi_ap_channel", "Channel of the radio.", _RADIO, attrgetter("channel")),
    Family("wifi_ap_channel_width_hertz", "Width of the radio's channel in hertz.", _RADIO, _width),
    Family(
        "wifi_ap_utilisation_ratio",
        "Share of the time in which the radio's channel is busy, 0 to 1.",
        _RADIO,
        attrgetter("utilisation_ratio"),
    ),
    Family("wifi_ap_noise_dbm", "Noise floor of the radio's channel in dBm.", _RADIO, attrgetter("noise_dbm")),
    Family("wifi_ap_tx_power_dbm", "Transmit power of the radio in dBm.", _RADIO, attrgetter("tx_power_dbm")),
    Family(
        "wifi_ap_radio_receive_bytes", "Bytes that the radio received from clients.", _RADIO, _received, counter=True
    ),
    Family("wifi_ap_radio_transmit_bytes", "Bytes that the radio sent to clients.", _RADIO, _transmitted, counter=True),
    Family(
        "wifi_ap_radio_receive_errors",
        "Frames that the radio received in error.",
        _RADIO,
        attrgetter("errors_in"),
        counter=True,
    ),
    Family(
        "wifi_ap_radio_transmit_errors",
        "Frames that the radio failed to send.",
        _RADIO,
        attrgetter("errors_out"),
        counter=True,
    ),
    Family(
        "wifi_ap_radio_transmit_retries",
        "Frames that the radio sent again.",
        _RADIO,
        attrgetter("retries"),
        counter=True,
    ),
    Family(
        "wifi_ap_ssid_clients",
        "Clients associated with the network name, over all radios.",
        _SSID,
        attrgetter("clients"),
    ),
    Family(
        "wifi_ap_ssid_receive_bytes",
        "Bytes received from clients of the network name, over all radios.",
        _SSID,
        _received,
        counter=True,
    ),
    Family(
        "wifi_ap_ssid_transmit_bytes",
        "Bytes sent to clients of the network name, over all radios.",
        _SSID,
        _transmitted,
        counter=True,
    ),
    Family("wifi_ap_interface_up", "Whether the interface is operational.", _INTERFACE, _interface_up),
    Family(
        "wifi_ap_interface_receive_bytes",
        "Bytes received on the interface.",
        _INTERFACE,
        attrgetter("octets_in"),
        counter=True,
    ),
    Family(
        "wifi_ap_interface_transmit_bytes",
        "Bytes sent on the interface.",
        _INTERFACE,
        attrgetter("octets_out"),
        counter=True,
    ),
    Family(
        "wifi_ap_interface_receive_errors",
        "Packets received in error on the interface.",
        _INTERFACE,
        attrgetter("errors_in"),
        counter=True,
    ),
    Family("wifi_controller_up", "Whether the last poll of the controller was answered.", _CONTROLLER, _up),
    Family(
        "wifi_controller_last_success_timestamp_seconds",
        "Unix time of the controller's last poll that was answered.",
        _CONTROLLER,
        _last_success,
    ),
    Family("wifi_controller_info", "What the controller is; always 1.", _CONTROLLER_IDENTITY, lambda _: 1),
    Family(
        "wifi_controller_uptime_seconds",
        "Seconds since the controller started.",
        _CONTROLLER_CURRENT,
        attrgetter("uptime_seconds"),
    ),
    Family(
        "wifi_controller_cpu_ratio",
        "Share of the controller's processors in use, 0 to 1.",
        _CONTROLLER_CURRENT,
        attrgetter("cpu_ratio"),
    ),
    Family(
        "wifi_controller_memory_ratio",
        "Share of the controller's memory in use, 0 to 1.",
        _CONTROLLER_CURRENT,
        attrgetter("memory_ratio"),
    ),
    Family(
        "wifi_controller_clients",
        "Clients of all access points behind the controller.",
        _CONTROLLER_CURRENT,
        _all_clients,
    ),
    Family(
        "wifi_controller_ssid_clients",
        "Clients of the network name over all access points behind the controller.",
        _CONTROLLER_SSID,
        attrgetter("clients"),
    ),
    Family(
        "wifi_controller_access_points",
        "Access points behind the controller by state: joined, or missing from its table.",
        _CONTROLLER_STATES,
        lambda count: count,
    ),
)
