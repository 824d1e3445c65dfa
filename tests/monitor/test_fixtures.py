"""Every profile against a made-up device that tells what its MIBs say, served by snmpsim: the reading, and the page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from hotspot.fleet import ApReading
from monitor import profiles
from tests.monitor import fixture, simulation
from tests.monitor.conftest import REPOSITORY, Agent
from tests.monitor.simulation import CITY, SITE, Labels, polled
from tests.monitor.test_recordings import RULES

NAMES = sorted(file.stem for file in profiles.FOLDER.glob("*.toml"))

DEVICE = {
    "uptime_seconds": "uptime_seconds",
    "cpu_ratio": "cpu_ratio",
    "memory_ratio": "memory_ratio",
}
AP = DEVICE | {"temperature_celsius": "temperature_celsius"}
RADIO = {
    "clients": ("wifi_ap_clients", 1),
    "channel": ("wifi_ap_channel", 1),
    "width_mhz": ("wifi_ap_channel_width_hertz", 1_000_000),
    "utilisation_ratio": ("wifi_ap_utilisation_ratio", 1),
    "noise_dbm": ("wifi_ap_noise_dbm", 1),
    "tx_power_dbm": ("wifi_ap_tx_power_dbm", 1),
    "errors_in": ("wifi_ap_radio_receive_errors_total", 1),
    "errors_out": ("wifi_ap_radio_transmit_errors_total", 1),
    "retries": ("wifi_ap_radio_transmit_retries_total", 1),
}
INTERFACE = {
    "up": "wifi_ap_interface_up",
    "octets_in": "wifi_ap_interface_receive_bytes_total",
    "octets_out": "wifi_ap_interface_transmit_bytes_total",
    "errors_in": "wifi_ap_interface_receive_errors_total",
}
"""What a fixture calls a value, and the metric that shows it."""

Sample = tuple[str, Labels, float]
Told = Mapping[str, Any]


@pytest.fixture(scope="module")
def devices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """All made-up devices on one port, each under its name as the community."""
    folder = tmp_path_factory.mktemp("snmpsim")
    recordings = {name: fixture.load(name).snmprec.encode() for name in fixture.names()}
    with simulation.snmpsim(recordings, folder) as agent:
        yield agent


def test_every_profile_has_a_fixture_and_no_other_thing_has() -> None:
    assert fixture.names() == NAMES


def test_the_document_of_vendors_has_a_row_for_every_profile() -> None:
    text = (REPOSITORY / "docs" / "vendors.md").read_text()
    assert sorted(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == NAMES
    recordings = re.findall(r"recordings? `([\w-]+)`(?:, `([\w-]+)`)?", text)
    assert {name for pair in recordings for name in pair if name} == set(RULES)


@pytest.mark.parametrize("name", NAMES)
def test_a_device_gets_its_profile_and_the_reading_that_its_fixture_says(
    name: str, devices: Agent, all_profiles: profiles.Profiles
) -> None:
    chosen, reading = asyncio.run(polled(devices, name, all_profiles))
    assert chosen == name
    assert fixture.reading_of(reading) == fixture.load(name).reading


@pytest.mark.parametrize("name", NAMES)
def test_a_later_poll_reads_the_same_by_known_instances(
    name: str, devices: Agent, all_profiles: profiles.Profiles
) -> None:
    _, reading = asyncio.run(polled(devices, name, all_profiles, times=3))
    assert fixture.reading_of(reading) == fixture.load(name).reading


@pytest.mark.parametrize("name", NAMES)
def test_what_a_device_told_stands_on_the_city_s_page(
    name: str, devices: Agent, all_profiles: profiles.Profiles
) -> None:
    _, reading = asyncio.run(polled(devices, name, all_profiles))
    page = simulation.page(name, reading)
    expected = list(samples(name, fixture.load(name).reading, reading))
    assert len(expected) > 2
    assert [each for each in expected if page.get(each[:2]) != pytest.approx(float(each[2]))] == []


# What a fixture's reading means on the page ------------------------------------------------------------


def samples(name: str, told: Told, reading: ApReading) -> Iterator[Sample]:
    if not reading.members:
        yield from of_access_point(name, told)
        return
    yield from of_controller(name, told)
    for member in told["members"]:
        if member["up"]:
            yield from of_access_point(member["key"], member)
        else:
            yield "wifi_ap_up", at("ap", member["key"]), 0


def of_controller(name: str, told: Told) -> Iterator[Sample]:
    place = at("controller", name)
    yield "wifi_controller_up", place, 1
    yield from ((f"wifi_controller_{metric}", place, told[word]) for word, metric in DEVICE.items() if word in told)
    if "clients_told" in told:
        yield "wifi_controller_clients", place, told["clients_told"]
    ups = [member["up"] for member in told["members"]]
    for state, count in (("joined", ups.count(True)), ("missing", ups.count(False))):
        yield "wifi_controller_access_points", place | {("state", state)}, count
    for ssid in told.get("ssids", ()):
        yield "wifi_controller_ssid_clients", place | {("ssid", ssid["name"])}, ssid["clients"]


def of_access_point(name: str, told: Told) -> Iterator[Sample]:
    place = at("ap", name)
    yield "wifi_ap_up", place, 1
    info = {("model", told["model"])} if "model" in told else {("model", "")}
    info |= {(word, told.get(word, "")) for word in ("firmware", "serial")}
    yield "wifi_ap_info", place | info, 1
    yield from ((f"wifi_ap_{metric}", place, told[word]) for word, metric in AP.items() if word in told)
    radios = told.get("radios", ())
    if "clients_told" in told and not any("clients" in radio for radio in radios):
        yield "wifi_ap_associated_clients", place, told["clients_told"]
    for radio in radios:
        yield from of_radio(place | {("radio", radio["name"]), ("band", radio.get("band", ""))}, radio)
    for ssid in told.get("ssids", ()):
        yield from of_ssid(place | {("ssid", ssid["name"])}, ssid)
    for each in told.get("interfaces", ()):
        named = place | {("interface", each["name"])}
        yield from ((metric, named, each[word]) for word, metric in INTERFACE.items() if word in each)


def of_radio(place: Labels, radio: Told) -> Iterator[Sample]:
    yield from ((metric, place, radio[word] * scale) for word, (metric, scale) in RADIO.items() if word in radio)
    if "octets" in radio:
        yield "wifi_ap_radio_receive_bytes_total", place, radio["octets"]["up"]
        yield "wifi_ap_radio_transmit_bytes_total", place, radio["octets"]["down"]


def of_ssid(place: Labels, ssid: Told) -> Iterator[Sample]:
    if "clients" in ssid:
        yield "wifi_ap_ssid_clients", place, ssid["clients"]
    if "octets" in ssid:
        yield "wifi_ap_ssid_receive_bytes_total", place, ssid["octets"]["up"]
        yield "wifi_ap_ssid_transmit_bytes_total", place, ssid["octets"]["down"]


def at(kind: str, name: str) -> Labels:
    return frozenset({("city", CITY), ("site", SITE), (kind, name)})
