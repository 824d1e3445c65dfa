"""The words of a vendor profile: what each table may tell, and which values of it are plausible.

An acceptor takes a told value and gives what the reading holds, or None where the value is of the wrong type or
outside its range: what is not believed is never shown and never zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from hotspot.errors import InputError
from hotspot.fleet import Band
from hotspot.values import MacAddress
from monitor.oids import Oid

Told = int | float | bytes | Oid | None
"""A value after its transforms."""

Cell = int | float | str | bool | Oid | Band | MacAddress | None
"""A value as the reading holds it."""

Accept = Callable[[Told], Cell]

TEXT_MAX = 64
"""Characters of a device's texts that we keep: a model, a version, a name."""

PROSE_OCTETS_MAX = 512
SSID_OCTETS_MAX = 32
CLIENTS_MAX = 4_096
"""IEEE 802.11 has at most 2007 associations a BSS; a larger number is a fault of the device."""

CONTROLLER_CLIENTS_MAX = 1_000_000
CHANNELS = range(1, 234)
"""2.4 GHz has 1 to 14, 5 GHz to 177, 6 GHz to 233."""

FREQUENCIES_MHZ = range(2_400, 7_126)
WIDTHS_MHZ = range(5, 321)
TX_POWER_DBM = range(-10, 41)
NOISE_DBM = range(-120, -19)
TEMPERATURE_CELSIUS = (-40, 120)
COUNTER_MAX = 2**64 - 1
TICKS_MAX = 2**32 - 1
SECONDS_MAX = 2**32 - 1
TEXTS_KEPT = 16_384
"""Different texts that are held ready: ten thousand access points share a few models and network names."""


@lru_cache(TEXTS_KEPT)
def _printable(octets: bytes, length: int) -> str:
    decoded = octets.decode("utf-8", "replace")
    return "".join(char for char in decoded if char.isprintable() and char != "\ufffd").strip()[:length]


def text(value: Told, octets_max: int = TEXT_MAX * 4) -> str:
    """Printable text, else empty. Control and other unprintable characters are left out."""
    return _printable(value[:octets_max], TEXT_MAX) if isinstance(value, bytes) else ""


def prose(value: Told) -> str:
    """A longer text such as sysDescr, in which something is looked for."""
    return _printable(value[:PROSE_OCTETS_MAX], PROSE_OCTETS_MAX) if isinstance(value, bytes) else ""


def number(value: Told, low: float, high: float) -> int | float | None:
    """A number from `low` to `high`, else None; a counter stays one."""
    return value if isinstance(value, int | float) and low <= value <= high else None


def _text(value: Told) -> Cell:
    return text(value) or None


def _ssid(value: Told) -> Cell:
    return text(value, SSID_OCTETS_MAX) or None


def _name(value: Told) -> Cell:
    """A name that may be a number, such as an ifIndex."""
    return str(value) if isinstance(value, int | float) else text(value) or None


def _oid(value: Told) -> Cell:
    return value if isinstance(value, tuple) else None


def _mac(value: Told) -> Cell:
    """Six octets, or a text that spells them."""
    if not isinstance(value, bytes):
        return None
    try:
        return MacAddress(value) if len(value) == 6 else MacAddress.parse(text(value))
    except InputError:
        return None


def _anything(_value: Told) -> Cell:
    return True


def _whole(low: int, high: int) -> Accept:
    """A whole number from `low` to `high`; a fraction is rounded."""

    def accept(value: Told) -> Cell:
        if isinstance(value, int):
            return value if low <= value <= high else None
        return round(value) if isinstance(value, float) and low <= value <= high else None

    return accept


def _real(low: float, high: float) -> Accept:
    """A number from `low` to `high`."""

    def accept(value: Told) -> Cell:
        return value if isinstance(value, int | float) and low <= value <= high else None

    return accept


def _zero_or(values: range) -> Accept:
    """A number of the range; 0 says that the radio is off."""
    accept = _whole(values[0], values[-1])
    return lambda value: 0 if isinstance(value, int | float) and value == 0 else accept(value)


_PERCENT = _real(0, 100)
_COUNTER = _whole(0, COUNTER_MAX)
_CLIENTS = _whole(0, CLIENTS_MAX)
_TEMPERATURE = _real(*TEMPERATURE_CELSIUS)
_TICKS = _whole(0, TICKS_MAX)
_SECONDS = _whole(0, SECONDS_MAX)

FLAG = "up"
"""The word whose values are told apart by a list of those that mean up."""

BAND = "band"
"""The word whose values `[bands]` names."""

_DEVICE: Mapping[str, Accept] = {
    "model": _text,
    "firmware": _text,
    "serial": _text,
    "uptime_seconds": _SECONDS,
    "uptime_ticks": _TICKS,
    "cpu_percent": _PERCENT,
    "memory_percent": _PERCENT,
    "memory_total": _COUNTER,
    "memory_free": _COUNTER,
    "memory_used": _COUNTER,
    "temperature": _TEMPERATURE,
    "clients": _CLIENTS,
}

SCALARS: Mapping[str, Accept] = {
    **_DEVICE,
    "description": _text,
    "object_id": _oid,
    "agent_uptime": _TICKS,
    "host_uptime": _TICKS,
    "system_name": _text,
}
"""What a device tells once. `host_uptime`, `agent_uptime` and `uptime_ticks` are hundredths of a second."""

CONTROLLER_SCALARS: Mapping[str, Accept] = {**SCALARS, "clients": _whole(0, CONTROLLER_CLIENTS_MAX)}

_COUNTERS: Mapping[str, Accept] = dict.fromkeys(
    ("octets_in", "octets_out", "errors_in", "errors_out", "retries"), _COUNTER
)
_ON_AIR: Mapping[str, Accept] = {
    "ap": _name,
    "radio": _name,
    "channel": _zero_or(CHANNELS),
    "frequency_mhz": _zero_or(FREQUENCIES_MHZ),
    "clients": _CLIENTS,
    "tx_power_dbm": _whole(TX_POWER_DBM[0], TX_POWER_DBM[-1]),
    FLAG: _anything,
    **_COUNTERS,
}

TABLES: Mapping[str, Mapping[str, Accept]] = {
    "interfaces": {
        **dict.fromkeys(("name", "name_else"), _text),
        "oper_status": _whole(0, 7),
        **dict.fromkeys(("octets_in", "octets_out", "octets_in_32", "octets_out_32", "errors_in"), _COUNTER),
    },
    "device": _DEVICE,
    "processors": {"load_percent": _PERCENT},
    "storage": {"kind": _oid, "size": _COUNTER, "used": _COUNTER, "free": _COUNTER},
    "aps": {"ap": _name, "name": _text, "mac": _mac, FLAG: _anything, **_DEVICE},
    "radios": {
        **_ON_AIR,
        BAND: _anything,
        "width_mhz": _whole(WIDTHS_MHZ[0], WIDTHS_MHZ[-1]),
        "utilisation_percent": _PERCENT,
        "noise_dbm": _whole(NOISE_DBM[0], NOISE_DBM[-1]),
    },
    "networks": {**_ON_AIR, BAND: _anything, "ssid": _ssid, "bssid": _mac},
    "associations": {"ap": _name, "radio": _name, "ssid": _ssid, "present": _anything},
}
"""Tables and the words of their columns."""

COUNTERS = frozenset((*_COUNTERS, "octets_in_32", "octets_out_32"))
"""Words that count up: 32-bit ones are extended, and rows that vanish keep what they carried."""


def flag(up: frozenset[int | str]) -> Accept:
    """Whether the value is one of those that mean up."""

    def accept(value: Told) -> Cell:
        return None if value is None else (text(value) if isinstance(value, bytes) else value) in up

    return accept


def band(bands: Mapping[str, Band]) -> Accept:
    """The band that a profile's `[bands]` names for the value."""

    def accept(value: Told) -> Cell:
        return bands.get(text(value) if isinstance(value, bytes) else str(value))

    return accept
