"""Rows of radios, networks and associations to the radios and network names of one access point. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hotspot.fleet import Band, RadioReading, SsidReading
from hotspot.values import MacAddress, Octets
from monitor.profile import Profile
from monitor.rows import Row
from monitor.transforms import band_of_channel, band_of_frequency, channel_of_frequency

RADIOS_MAX = 8
SSIDS_MAX = 32
BSSIDS_MAX = 64


@dataclass(slots=True)
class OnAir:
    """The rows of one access point. `gone` are networks that vanished: they only add to totals."""

    radios: list[Row] = field(default_factory=list)
    networks: list[Row] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)
    associations: list[Row] = field(default_factory=list)


def radios(profile: Profile, on_air: OnAir) -> tuple[RadioReading, ...]:
    """One reading a radio. Unless the table of radios says itself which are on, those are that have a network on."""
    found = by_radio(profile, on_air)
    if not found:
        return ()
    gone = _by(on_air.gone, "radio")
    clients = _counted(profile, on_air.associations, "radio")
    return tuple(_radio(name, own, nets, gone.get(name, ()), clients, profile.bands) for name, own, nets in found)


def by_radio(profile: Profile, on_air: OnAir) -> list[tuple[str, Row, Sequence[Row]]]:
    """Each radio that is on: its name, its own row, and the rows of its networks."""
    nets = _by(on_air.networks, "radio")
    own = _by(on_air.radios, "radio")
    names = [*own, *(name for name in nets if name not in own)] if profile.radios_tell_on else list(nets)
    return [(name, _joined(own.get(name, ())), nets.get(name, ())) for name in names[:RADIOS_MAX]]


def _by(rows: Iterable[Row], word: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        name = row.get(word)
        if name is not None:
            found.setdefault(name, []).append(row)
    return found


def _counted(profile: Profile, associations: Sequence[Row], word: str) -> dict[str, int] | None:
    """Clients by radio or network; None where no table says which."""
    if not profile.associations_name(word):
        return None
    counts: dict[str, int] = {}
    for row in associations:
        name = row.get(word)
        if name is not None:
            counts[name] = counts.get(name, 0) + 1
    return counts


def _joined(rows: Sequence[Row]) -> Row:
    """One row a radio; of several tables, the first value told counts."""
    if len(rows) < 2:
        return rows[0] if rows else {}
    joined: Row = {}
    for row in rows:
        joined |= {word: value for word, value in row.items() if joined.get(word) is None}
    return joined


def _radio(
    name: str,
    own: Row,
    nets: Sequence[Row],
    gone: Sequence[Row],
    clients: Mapping[str, int] | None,
    bands: Mapping[str, Band],
) -> RadioReading:
    told = own.get
    frequency = first(own, nets, "frequency_mhz")
    channel = first(own, nets, "channel") or (channel_of_frequency(frequency) if frequency else None)
    percent = told("utilisation_percent")
    power = told("tx_power_dbm")
    count = told("clients")
    if count is None:
        count = _sum(nets, "clients")
    if count is None and clients is not None:
        count = clients.get(name, 0)
    down, up = _total(own, nets, gone, "octets_out"), _total(own, nets, gone, "octets_in")
    return RadioReading(
        name,
        first(own, nets, "band") or bands.get(name) or band_of(frequency, channel),
        channel,
        count,
        None if percent is None else percent / 100,
        power if power is not None else max(_known(nets, "tx_power_dbm"), default=None),
        None if down is None or up is None else Octets(down, up),
        told("width_mhz"),
        told("noise_dbm"),
        _total(own, nets, gone, "errors_in"),
        _total(own, nets, gone, "errors_out"),
        _total(own, nets, gone, "retries"),
    )


def first(own: Row, nets: Sequence[Row], word: str) -> Any:
    value = own.get(word)
    if value is not None:
        return value
    for row in nets:
        value = row.get(word)
        if value is not None:
            return value
    return None


def _known(rows: Sequence[Row], word: str) -> list[int]:
    return [value for row in rows if (value := row.get(word)) is not None]


def _sum(rows: Sequence[Row], word: str) -> int | None:
    known = _known(rows, word)
    return sum(known) if known else None


def _total(own: Row, nets: Sequence[Row], gone: Sequence[Row], word: str) -> int | None:
    """The radio's own counter, else the sum over its networks, those that vanished included."""
    value: int | None = own.get(word)
    if value is not None:
        return value
    total = _sum(nets, word)
    return total if total is None or not gone else total + sum(_known(gone, word))


def band_of(frequency: int | None, channel: int | None) -> Band | None:
    """What follows from frequency or channel alone."""
    return band_of_frequency(frequency) if frequency else None if channel is None else band_of_channel(channel)


def ssids(profile: Profile, on_air: OnAir) -> tuple[SsidReading, ...]:
    """One reading a network name, over all radios. Without a count of clients or octets there is nothing to tell."""
    clients = _counted(profile, on_air.associations, "ssid")
    named = by_ssid(on_air)
    if clients:
        known = {name for name, _ in named}
        named += [(name, []) for name in clients if name not in known]
    gone = _by(on_air.gone, "ssid")
    found = (_ssid(name, nets, gone.get(name, ()), clients) for name, nets in named[:SSIDS_MAX])
    return tuple(each for each in found if each.clients is not None or each.octets is not None)


def by_ssid(on_air: OnAir) -> list[tuple[str, list[Row]]]:
    """Each network name, and its rows on all radios."""
    return [(name, rows) for name, rows in _by(on_air.networks, "ssid").items()][:SSIDS_MAX]


def _ssid(name: str, nets: Sequence[Row], gone: Sequence[Row], clients: Mapping[str, int] | None) -> SsidReading:
    count = _sum(nets, "clients")
    if count is None and clients is not None:
        count = clients.get(name, 0)
    down, up = _total({}, nets, gone, "octets_out"), _total({}, nets, gone, "octets_in")
    return SsidReading(name, count, None if down is None or up is None else Octets(down, up))


def bssids(on_air: OnAir) -> tuple[MacAddress, ...]:
    return tuple(dict.fromkeys(_known_bssids(on_air.networks)))[:BSSIDS_MAX]


def _known_bssids(rows: Sequence[Row]) -> list[MacAddress]:
    return [value for row in rows if (value := row.get("bssid")) is not None]
