"""A city's access points as Prometheus families, made from the board at scrape time.

What stopped answering keeps `wifi_ap_up 0`, its last success and its identity; its measurements leave the page at
once. Labels are few and of low cardinality; never a client's or an access point's MAC address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hotspot.fleet import ApReading
from monitor.board import Board, Entry

AP = ("city", "site", "ap")
Rows = Iterator[tuple[tuple[str, ...], float | None]]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: `rows` gives label values beyond `AP` and a value; None leaves the sample out."""

    name: str
    help: str
    labels: tuple[str, ...]
    rows: Callable[[Entry], Rows]
    counter: bool = False


def _always(value: Callable[[Entry], float | None]) -> Callable[[Entry], Rows]:
    return lambda entry: iter([((), value(entry))])


def _identity(entry: Entry) -> Rows:
    identity = entry.identity
    if entry.poll_seconds is not None or identity.model:
        yield (identity.model, identity.firmware), 1.0


def _up(entry: Entry) -> float | None:
    return float(entry.health.up) if entry.health is not None and entry.poll_seconds is not None else None


def _last_success(entry: Entry) -> float | None:
    at = entry.health.last_success_at if entry.health is not None else None
    return at.timestamp() if at is not None else None


def _current(rows: Callable[[ApReading], Rows]) -> Callable[[Entry], Rows]:
    """Only while the access point is up."""

    def of_entry(entry: Entry) -> Rows:
        if entry.health is not None and entry.health.reading is not None:
            yield from rows(entry.health.reading)

    return of_entry


def _value(value: Callable[[ApReading], float | None]) -> Callable[[Entry], Rows]:
    return _current(lambda reading: iter([((), value(reading))]))


def _radios(value: Callable[..., float | None]) -> Callable[[Entry], Rows]:
    return _current(lambda reading: (((radio.name, radio.band or ""), value(radio)) for radio in reading.radios))


def _interfaces(value: Callable[..., float | None]) -> Callable[[Entry], Rows]:
    return _current(lambda reading: (((each.name,), value(each)) for each in reading.interfaces))


_RADIO = ("radio", "band")

FAMILIES: tuple[Family, ...] = (
    Family("wifi_ap_up", "Whether the last poll of the access point was answered.", (), _always(_up)),
    Family(
        "wifi_ap_info",
        "What the access point is; always 1.",
        ("model", "firmware"),
        _identity,
    ),
    Family(
        "wifi_ap_last_success_timestamp_seconds",
        "Unix time of the last poll that was answered.",
        (),
        _always(_last_success),
    ),
    Family(
        "wifi_ap_poll_duration_seconds",
        "Duration of the last poll.",
        (),
        lambda entry: iter([((), entry.poll_seconds)]) if _up(entry) else iter(()),
    ),
    Family("wifi_ap_uptime_seconds", "Seconds since the access point started.", (), _value(lambda r: r.uptime_seconds)),
    Family("wifi_ap_cpu_ratio", "Share of the processors in use, 0 to 1.", (), _value(lambda r: r.cpu_ratio)),
    Family("wifi_ap_memory_ratio", "Share of the memory in use, 0 to 1.", (), _value(lambda r: r.memory_ratio)),
    Family("wifi_ap_clients", "Clients associated with the radio.", _RADIO, _radios(lambda radio: radio.clients)),
    Family("wifi_ap_channel", "Channel of the radio.", _RADIO, _radios(lambda radio: radio.channel)),
    Family(
        "wifi_ap_utilisation_ratio",
        "Share of the time in which the radio's channel is busy, 0 to 1.",
        _RADIO,
        _radios(lambda radio: radio.utilisation_ratio),
    ),
    Family(
        "wifi_ap_tx_power_dbm",
        "Transmit power of the radio in dBm.",
        _RADIO,
        _radios(lambda radio: radio.tx_power_dbm),
    ),
    Family(
        "wifi_ap_radio_receive_bytes",
        "Bytes that the radio received from clients.",
        _RADIO,
        _radios(lambda radio: radio.octets.up if radio.octets else None),
        counter=True,
    ),
    Family(
        "wifi_ap_radio_transmit_bytes",
        "Bytes that the radio sent to clients.",
        _RADIO,
        _radios(lambda radio: radio.octets.down if radio.octets else None),
        counter=True,
    ),
    Family(
        "wifi_ap_ssid_clients",
        "Clients associated with the network name, over all radios.",
        ("ssid",),
        _current(lambda reading: (((ssid.name,), ssid.clients) for ssid in reading.ssids)),
    ),
    Family(
        "wifi_ap_interface_up",
        "Whether the interface is operational.",
        ("interface",),
        _interfaces(lambda each: float(each.up)),
    ),
    Family(
        "wifi_ap_interface_receive_bytes",
        "Bytes received on the interface.",
        ("interface",),
        _interfaces(lambda each: each.octets_in),
        counter=True,
    ),
    Family(
        "wifi_ap_interface_transmit_bytes",
        "Bytes sent on the interface.",
        ("interface",),
        _interfaces(lambda each: each.octets_out),
        counter=True,
    ),
    Family(
        "wifi_ap_interface_receive_errors",
        "Packets received in error on the interface.",
        ("interface",),
        _interfaces(lambda each: each.errors_in),
        counter=True,
    ),
)


class FleetCollector(Collector):
    """Registered on the city's own registry."""

    def __init__(self, city: str, board: Board) -> None:
        self._city = city
        self._board = board

    def collect(self) -> Iterable[Metric]:
        entries = self._board.entries()
        for family in FAMILIES:
            yield self._family(family, entries)

    def describe(self) -> Iterable[Metric]:
        """The names alone, for the registry's check against twins."""
        return [self._family(family, ()) for family in FAMILIES]

    def _family(self, family: Family, entries: Iterable[Entry]) -> Metric:
        kind = CounterMetricFamily if family.counter else GaugeMetricFamily
        metric = kind(family.name, family.help, labels=AP + family.labels)
        for entry in entries:
            place = (self._city, entry.site, entry.name)
            for labels, value in family.rows(entry):
                if value is not None:
                    metric.add_metric(place + labels, value)
        return metric


def register(registry: CollectorRegistry, city: str, board: Board) -> None:
    """Put the board onto the city's page."""
    registry.register(FleetCollector(city, board))
