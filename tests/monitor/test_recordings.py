"""Recordings of real devices through snmpsim: what another monitoring system derives of each stands on our page, too,
or docs/recordings.md says why not. An explanation that nothing needs any more is an error as well.

The recordings are third-party data beside the repository: without KOGGE_SNMP_RECORDINGS there is no test here.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from hotspot.fleet import Band
from monitor.profiles import Profiles
from tests.monitor import simulation
from tests.monitor.conftest import REPOSITORY
from tests.monitor.simulation import Page

EXPLAINED = REPOSITORY / "docs" / "recordings.md"
MHZ = {Band.GHZ_2_4: 2_407, Band.GHZ_5: 5_000, Band.GHZ_6: 5_950}
"""Where the channels of a band begin (IEEE 802.11 annex E)."""

RADIO = {
    "clients": "wifi_ap_clients",
    "frequency": "wifi_ap_channel",
    "noise-floor": "wifi_ap_noise_dbm",
    "power": "wifi_ap_tx_power_dbm",
    "utilization": "wifi_ap_utilisation_ratio",
    "capacity": "wifi_ap_utilisation_ratio",
    "errors": "wifi_ap_radio_receive_errors_total",
}
"""The other system's classes of sensors that are a radio's, and our metric."""

OTHERS = {
    "total": "wifi_ap_associated_clients",
    "ssid": "wifi_ap_ssid_clients",
    "controller-total": "wifi_controller_clients",
    "controller-ssid": "wifi_controller_ssid_clients",
    "controller-aps": "wifi_controller_access_points",
}

Rule = tuple[str, str, dict[str, str]]
"""A pattern of class, index and description, one after the other; what it is; labels, with the pattern's groups."""

RULES: Mapping[str, list[Rule]] = {
    "aruba-instant": [
        (r"ap-count total-aps", "controller-aps", {}),
        (r"clients total-clients", "controller-total", {}),
        (r"clients \d+ SSID (.+) Clients$", "controller-ssid", {"ssid": r"\1"}),
        (r"\S+ (..)(..)(..)(..)(..)(..)\.(\d) ", "radio", {"ap": r"\1:\2:\3:\4:\5:\6", "radio": r"\7"}),
    ],
    "arubaos": [(r"ap-count", "controller-aps", {}), (r"clients", "total", {})],
    "ciscowlc_cbw240ac": [
        (r"ap-count", "controller-aps", {}),
        (r"clients 0 Clients: Total", "controller-total", {}),
        (r"clients \d+ SSID: (.+)", "controller-ssid", {"ssid": r"\1"}),
    ],
    "fortiap_fap231g": [
        (r"clients \S+ SSID: (.+)", "ssid", {"ssid": r"\1"}),
        (r"\S+ Radio (\d) ", "radio", {"radio": r"\1"}),
    ],
    "hiveos-wireless_650ax": [
        (r"clients", "total", {}),
        (r"\S+ \d+ .*(wifi\d)$", "radio", {"radio": r"\1"}),
    ],
    "lcos_oap1700b": [(r"\S+ (WLAN-\d) ", "radio", {"radio": r"\1"})],
    "openwrt": [
        (r"\S+ 1 wl-5G$", "radio", {"radio": "wlan0"}),
        (r"\S+ 2 wl-2.4G$", "radio", {"radio": "wlan1"}),
    ],
    "routeros": [
        (r"(?:clients|frequency|noise-floor) 1 2G", "radio", {"radio": "wlan1"}),
        (r"(?:clients|frequency|noise-floor) 2 5G", "radio", {"radio": "wlan2"}),
        (r"(?:clients|frequency|noise-floor) 8 ", "radio", {"radio": "wlan3"}),
        (r"(?:clients|frequency|noise-floor) 9 ", "radio", {"radio": "wlan4"}),
    ],
    "routeros_wifi": [],
    "ruckuswireless-hotzone": [(r"\S+ (\d) ", "radio", {"radio": r"\1"})],
    "ruckuswireless-unleashed": [(r"ap-count", "controller-aps", {}), (r"clients", "total", {})],
    "unifi_nanohd": [
        (r"clients \S+ SSID: (.+)", "ssid", {"ssid": r"\1"}),
        (r"utilization \d Total Util \((\w+)\)", "radio", {"radio": r"\1"}),
        (r"(?!utilization)\S+ (n[ga]) ", "radio", {"radio": r"\1"}),
    ],
    "vrp_ac6605-26": [
        (r"ap-count", "controller-aps", {}),
        (r"clients total-all-ssids", "controller-total", {}),
        (r"clients total-(\S+) SSID", "controller-ssid", {"ssid": r"\1"}),
    ],
}


@dataclass(frozen=True)
class Sensor:
    """What the other system derives; `value` None where it derives nothing."""

    kind: str
    type: str
    index: str
    description: str
    value: float | None

    def __str__(self) -> str:
        return f"{self.kind} {self.index} {self.description}"


@dataclass(frozen=True)
class Explanation:
    """A row of the table in docs/recordings.md; patterns as a shell has them."""

    recording: str
    kind: str
    type: str
    index: str

    def explains(self, recording: str, sensor: Sensor) -> bool:
        told = (recording, sensor.kind, sensor.type, sensor.index)
        patterns = (self.recording, self.kind, self.type, self.index)
        return all(fnmatchcase(value, pattern) for value, pattern in zip(told, patterns, strict=True))


def explanations() -> list[Explanation]:
    rows = [line.split("|")[1:-1] for line in EXPLAINED.read_text().splitlines() if line.startswith("| `")]
    assert all(row[4].strip() for row in rows)
    return [Explanation(*(cell.strip().strip("`") for cell in row[:4])) for row in rows]


def sensors(file: Path) -> list[Sensor]:
    names = ("sensor_class", "sensor_type", "sensor_index", "sensor_descr", "sensor_current")
    return [Sensor(*(_plain(raw[name]) for name in names)) for raw in json.loads(file.read_text())]


def _plain(value: Any) -> Any:
    return "" if value is None else value


def on_page(recording: str, sensor: Sensor, page: Page) -> float | None:
    """The page's value in the sensor's unit; None where the page has none."""
    for pattern, what, labels in RULES[recording]:
        found = re.match(pattern, str(sensor))
        if found is not None:
            metric = RADIO.get(sensor.kind, "") if what == "radio" else OTHERS[what]
            wanted = {name: found.expand(value) for name, value in labels.items()}
            values = [_in_unit(sensor, dict(key[1]), value) for key, value in _series(page, metric, wanted)]
            return sum(values) if values else None
    return None


def _series(page: Page, metric: str, wanted: Mapping[str, str]) -> Iterator[tuple[Any, float]]:
    for key, value in page.items():
        if key[0] == metric and wanted.items() <= dict(key[1]).items():
            yield key, value


def _in_unit(sensor: Sensor, labels: Mapping[str, str], value: float) -> float:
    if sensor.kind in ("utilization", "capacity"):
        return value * 100
    if sensor.kind == "frequency":
        return MHZ[Band(labels["band"] or Band.GHZ_5)] + 5 * value
    return value


FOLDER = os.environ.get("KOGGE_SNMP_RECORDINGS")

if FOLDER:
    RECORDINGS = sorted(Path(FOLDER).glob("*.json"))

    @pytest.fixture(scope="module")
    def pages(tmp_path_factory: pytest.TempPathFactory, all_profiles: Profiles) -> dict[str, Page]:
        """The city's page of each recorded device."""
        recordings = {file.stem: file.with_suffix(".snmprec").read_bytes() for file in RECORDINGS}
        found = {}
        with simulation.snmpsim(recordings, tmp_path_factory.mktemp("snmpsim")) as agent:
            for name in recordings:
                _, reading = asyncio.run(simulation.polled(agent, name, all_profiles))
                found[name] = simulation.page(name, reading)
        return found

    @pytest.mark.parametrize("file", RECORDINGS, ids=[file.stem for file in RECORDINGS])
    def test_what_is_recorded_stands_on_the_page_or_is_explained(file: Path, pages: Mapping[str, Page]) -> None:
        rows = explanations()
        wrong = []
        for sensor in sensors(file):
            ours = on_page(file.stem, sensor, pages[file.stem])
            shown = ours is not None and sensor.value != "" and ours == pytest.approx(sensor.value)
            if shown == any(row.explains(file.stem, sensor) for row in rows):
                wrong.append((str(sensor), sensor.type, sensor.value, ours))
        assert wrong == []

    def test_every_explanation_explains_something() -> None:
        told = [(file.stem, sensor) for file in RECORDINGS for sensor in sensors(file)]
        assert [row for row in explanations() if not any(row.explains(*each) for each in told)] == []

    def test_most_of_what_is_recorded_stands_on_the_page() -> None:
        rows = explanations()
        told = [(file.stem, sensor) for file in RECORDINGS for sensor in sensors(file) if sensor.value != ""]
        explained = [each for each in told if any(row.explains(*each) for row in rows)]
        assert len(explained) < len(told) / 2
