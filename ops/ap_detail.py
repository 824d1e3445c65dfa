"""`kogge ap show`: one access point with all that is known of it, as a person reads it. Made of values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hotspot.ap_events import ApEvent
from hotspot.availability import Availability
from ops.ap_advice import CONTROLLER_SILENT, advice
from ops.ap_screen import STYLES, Fleet, address_of, event_document, event_line, point_document, state_of
from ops.words import NOTHING, moment, printable, span, volume
from store.ap_list import Point, State
from store.fleet import SnmpCredential
from store.sessions import SessionView

LABEL_COLUMNS = 26


@dataclass(frozen=True, slots=True)
class Detail:
    """All that is shown. `credential` is None behind a controller; its secrets are shown only where asked for."""

    fleet: Fleet
    """When and of which city; the point itself."""

    point: Point
    availability: Availability
    events: Sequence[ApEvent]
    sessions: Sequence[SessionView]
    sessions_left_out: bool
    credential: SnmpCredential | None
    secrets: bool


def detail_screen(detail: Detail) -> Group:
    """Label and value lines, then a table each for radios, networks and ports, then what happened."""
    parts: list[RenderableType] = [lines(_said(detail)), *tables(detail.point.reading)]
    if detail.events:
        fleet = detail.fleet
        parts += [Text(), Text("Lately", style="bold")]
        parts += [event_line("", event, zone=fleet.zone, now=fleet.at) for event in detail.events]
    return Group(*parts)


def lines(said: Iterable[tuple[str, Text | str]]) -> Table:
    """A label and what stands beside it, folded."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(min_width=LABEL_COLUMNS, no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in said:
        grid.add_row(f"{label}:", value if isinstance(value, Text) else Text(printable(value)))
    return grid


def _said(detail: Detail) -> Iterator[tuple[str, Text | str]]:
    point, fleet = detail.point, detail.fleet
    yield "Access point" if point.kind.value != "controller" else "Controller", point.name
    yield "Site", f"{point.site_name} ({point.site_key})"
    yield "Address", address_of(point)
    since = f" since {moment(point.since, fleet.zone, now=fleet.at)}" if point.since else ""
    yield "State", Text(f"{state_of(point)}{since if point.state is not State.UNKNOWN else ''}", STYLES[point.state])
    if point.state is State.DOWN and (step := advice(point.failure)):
        yield "What to do", step
    if point.controller_silent:
        yield "What to do", CONTROLLER_SILENT
    if point.state is not State.UP and point.last_success_at is not None:
        yield "Answered last", moment(point.last_success_at, fleet.zone, now=fleet.at)
    yield from (
        (label, value)
        for label, value in (
            ("Model", point.model),
            ("Firmware", point.firmware),
            ("Serial number", point.serial),
            ("Read by profile", point.profile),
        )
        if value
    )
    yield from health(point.reading)
    yield "Last 7 days", available(detail.availability)
    yield "Sessions there now", _sessions(detail)
    yield from _credential(detail)


def health(reading: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a reading tells of the device as a whole."""
    words = (
        ("Up for", "uptime_seconds", lambda value: span(int(value))),
        ("CPU", "cpu_ratio", _percent),
        ("Memory in use", "memory_ratio", _percent),
        ("Temperature", "temperature_celsius", lambda value: f"{value:.0f} °C"),
        ("Clients", "clients", str),
    )
    for label, word, shown in words:
        if reading.get(word) is not None:
            yield label, shown(reading[word])


def _percent(ratio: float) -> str:
    return f"{100 * ratio:.0f} %"


def available(found: Availability) -> str:
    """`99.2 % of the time that was watched; down 1:20 h, not watched 2 days`"""
    if found.ratio is None:
        return "nobody watched"
    parts = [f"{100 * found.ratio:.1f} % of the time that was watched", f"down {span(int(found.down_s))}"]
    if found.blind_s >= 60:
        parts.append(f"not watched {span(int(found.blind_s))}")
    return ", ".join(parts)


def _sessions(detail: Detail) -> str:
    if not detail.sessions:
        return "none that RADIUS knows by this access point's BSSIDs"
    more = " or more" if detail.sessions_left_out else ""
    numbers = ", ".join(str(each.id) for each in detail.sessions[:10])
    return f"{len(detail.sessions)}{more}; the newest: {numbers}"


def _credential(detail: Detail) -> Iterator[tuple[str, str]]:
    credential = detail.credential
    if credential is None:
        return
    yield "SNMP version", credential.version
    secret = (lambda text: text) if detail.secrets else (lambda text: "(shown with --secrets)")
    if credential.version == "v2c":
        yield "Community", secret(credential.community)
        return
    yield "User", credential.user
    yield "Security level", "authPriv"
    yield "Authentication (SHA-256)", secret(credential.auth_password)
    yield "Privacy (AES-128)", secret(credential.priv_password)


# Tables -----------------------------------------------------------------------------------------------

_Rows = list[list[str]]


def tables(reading: Mapping[str, Any]) -> list[RenderableType]:
    """A reading's radios, networks and ports, each under its heading."""
    parts: list[RenderableType] = []
    for title, columns, rows in _tables(reading):
        parts += [Text(), Text(title, style="bold"), _table(columns, rows)]
    return parts


def _tables(reading: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str], _Rows]]:
    radios = [_radio(each) for each in reading.get("radios") or ()]
    if radios:
        headers = ("Radio", "Band", "Channel", "Width", "Clients", "Busy", "Noise", "Power", "Received", "Sent")
        yield "Radios", headers, radios
    ssids = [[each["name"], _number(each.get("clients")), *_octets(each)] for each in reading.get("ssids") or ()]
    if ssids:
        yield "Networks", ("SSID", "Clients", "Received", "Sent"), ssids
    ports = [_port(each) for each in reading.get("interfaces") or ()]
    if ports:
        yield "Ports", ("Port", "State", "In", "Out", "Errors"), ports


def _radio(radio: Mapping[str, Any]) -> list[str]:
    busy = radio.get("utilisation_ratio")
    return [
        radio["name"],
        f"{radio['band']} GHz" if radio.get("band") else NOTHING,
        _number(radio.get("channel")),
        _number(radio.get("width_mhz"), " MHz"),
        _number(radio.get("clients")),
        NOTHING if busy is None else _percent(busy),
        _number(radio.get("noise_dbm"), " dBm"),
        _number(radio.get("tx_power_dbm"), " dBm"),
        *_octets(radio),
    ]


def _octets(row: Mapping[str, Any]) -> list[str]:
    """As residents see them: received is what the access point sent."""
    octets = row.get("octets")
    return [NOTHING, NOTHING] if octets is None else [volume(octets["down"]), volume(octets["up"])]


def _port(port: Mapping[str, Any]) -> list[str]:
    counted = [NOTHING if port.get(word) is None else volume(port[word]) for word in ("octets_in", "octets_out")]
    return [port["name"], "up" if port["up"] else "down", *counted, _number(port.get("errors_in"))]


def _number(value: Any, unit: str = "") -> str:
    return NOTHING if value is None else f"{value}{unit}"


def _table(headers: Sequence[str], rows: _Rows) -> Table:
    table = Table(box=SIMPLE, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for place, header in enumerate(headers):
        table.add_column(header, justify="left" if not place else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


# For scripts ------------------------------------------------------------------------------------------


def detail_document(detail: Detail) -> dict[str, Any]:
    """What `--json` prints; no secrets, and no devices."""
    found = detail.availability
    return (
        {"city": detail.fleet.city}
        | point_document(detail.point)
        | {
            "snmp_version": detail.credential.version if detail.credential else None,
            "last_7_days": {
                "up_seconds": int(found.up_s),
                "down_seconds": int(found.down_s),
                "not_watched_seconds": int(found.blind_s),
            },
            "sessions": [each.id for each in detail.sessions],
            "events": [event_document(detail.point.name, each) for each in detail.events],
        }
    )
