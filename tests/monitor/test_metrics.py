"""The page: what an access point that is up shows, and what is left of one that is down."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from hotspot.fleet import (
    ApHealth,
    ApReading,
    Band,
    InterfaceReading,
    Member,
    PointKind,
    PollFailure,
    RadioReading,
    SsidReading,
    assess,
)
from hotspot.values import Octets
from monitor import metrics
from monitor.board import Board, Identity
from monitor.instruments import Instruments
from service import page
from store.fleet import AccessPoint, SnmpCredential
from store.members import MemberPoint
from tests.conftest import run
from tests.monitor.conftest import REPOSITORY

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
COMMUNITY = SnmpCredential("v2c", community="x")
POINT = AccessPoint(1, "rathaus-1", "rathaus", "127.0.0.1", 161, COMMUNITY)
CONTROLLER = AccessPoint(2, "wlc", "rathaus", "127.0.0.2", 161, COMMUNITY, PointKind.CONTROLLER)
READING = ApReading(
    at=NOW,
    model="UAP",
    firmware='6.6 "beta"\\',
    serial="F09FC2",
    uptime_seconds=12.5,
    cpu_ratio=0.25,
    memory_ratio=0.5,
    temperature_celsius=41.5,
    radios=(
        RadioReading("ng", Band.GHZ_2_4, 6, 4, 0.4, 20, Octets(1_000, 10), 20, -92, 1, 2, 3),
        RadioReading("na", None, None, None, None, None, None),
    ),
    ssids=(SsidReading("Rostock frei", 4, Octets(70, 7)), SsidReading("eduroam", None)),
    interfaces=(InterfaceReading("eth0", True, 5, 6, None), InterfaceReading("eth1", False, None, None, 7)),
)
PLACE = 'city="rostock",site="rathaus",ap="rathaus-1"'


MEMBERS = [MemberPoint(number, f"m{number}", "hafen", CONTROLLER.id, f"key {number}") for number in (11, 12, 13)]


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def registry(board: Board) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=True)
    Instruments(registry)
    metrics.register(registry, "rostock", board)
    return registry


def text(registry: CollectorRegistry) -> str:
    return "".join(page.pieces(registry, page.PLAIN))


def samples(registry: CollectorRegistry, prefix: str = "wifi_") -> list[str]:
    return [line for line in text(registry).splitlines() if line.startswith(prefix)]


def names(registry: CollectorRegistry) -> list[str]:
    return [line.partition("{")[0] for line in samples(registry)]


def test_an_access_point_that_is_up(board: Board, registry: CollectorRegistry) -> None:
    board.put(POINT, assess(None, READING, now=NOW), 0.05)
    ng, na = (f'{PLACE},radio="ng",band="2.4"', f'{PLACE},radio="na",band=""')
    frei, eth0, eth1 = f'{PLACE},ssid="Rostock frei"', f'{PLACE},interface="eth0"', f'{PLACE},interface="eth1"'
    assert samples(registry) == [
        f"wifi_ap_up{{{PLACE}}} 1",
        f"wifi_ap_last_success_timestamp_seconds{{{PLACE}}} {NOW.timestamp()}",
        f"wifi_ap_poll_duration_seconds{{{PLACE}}} 0.05",
        f'wifi_ap_info{{{PLACE},model="UAP",firmware="6.6 \\"beta\\"\\\\",serial="F09FC2"}} 1',
        f"wifi_ap_uptime_seconds{{{PLACE}}} 12.5",
        f"wifi_ap_cpu_ratio{{{PLACE}}} 0.25",
        f"wifi_ap_memory_ratio{{{PLACE}}} 0.5",
        f"wifi_ap_temperature_celsius{{{PLACE}}} 41.5",
        f"wifi_ap_clients{{{ng}}} 4",
        f"wifi_ap_channel{{{ng}}} 6",
        f"wifi_ap_channel_width_hertz{{{ng}}} 20000000",
        f"wifi_ap_utilisation_ratio{{{ng}}} 0.4",
        f"wifi_ap_noise_dbm{{{ng}}} -92",
        f"wifi_ap_tx_power_dbm{{{ng}}} 20",
        f"wifi_ap_radio_receive_bytes_total{{{ng}}} 10",
        f"wifi_ap_radio_transmit_bytes_total{{{ng}}} 1000",
        f"wifi_ap_radio_receive_errors_total{{{ng}}} 1",
        f"wifi_ap_radio_transmit_errors_total{{{ng}}} 2",
        f"wifi_ap_radio_transmit_retries_total{{{ng}}} 3",
        f"wifi_ap_ssid_clients{{{frei}}} 4",
        f"wifi_ap_ssid_receive_bytes_total{{{frei}}} 7",
        f"wifi_ap_ssid_transmit_bytes_total{{{frei}}} 70",
        f"wifi_ap_interface_up{{{eth0}}} 1",
        f"wifi_ap_interface_up{{{eth1}}} 0",
        f"wifi_ap_interface_receive_bytes_total{{{eth0}}} 5",
        f"wifi_ap_interface_transmit_bytes_total{{{eth0}}} 6",
        f"wifi_ap_interface_receive_errors_total{{{eth1}}} 7",
    ]
    assert na not in text(registry)


LEFT = ["wifi_ap_up", "wifi_ap_last_success_timestamp_seconds", "wifi_ap_info"]


def test_a_dead_access_point_keeps_up_last_success_and_info_only(board: Board, registry: CollectorRegistry) -> None:
    before = assess(None, READING, now=NOW)
    board.put(POINT, before, 0.05)
    board.put(POINT, assess(before, PollFailure.TIMEOUT, now=NOW + timedelta(minutes=1)), 4.0)
    assert names(registry) == LEFT
    assert samples(registry)[0].endswith(" 0")
    assert 'model="UAP"' in samples(registry)[2]


def test_what_an_earlier_process_knew_is_not_shown_as_current(board: Board, registry: CollectorRegistry) -> None:
    board.add(POINT, ApHealth(True, NOW, NOW, NOW, None), Identity("UAP", "6.6", "F0"))
    assert names(registry) == LEFT[1:]
    assert 'serial="F0"' in text(registry)


def test_an_access_point_that_is_taken_away_leaves_the_page(board: Board, registry: CollectorRegistry) -> None:
    board.put(POINT, assess(None, READING, now=NOW), 0.05)
    board.remove(POINT.id)
    assert samples(registry) == []


def test_a_device_that_tells_no_clients_by_radio_has_its_own_total(board: Board, registry: CollectorRegistry) -> None:
    reading = ApReading(at=NOW, radios=(RadioReading("1", channel=6),), clients_told=9)
    board.put(POINT, assess(None, reading, now=NOW), 0.05)
    assert f"wifi_ap_associated_clients{{{PLACE}}} 9" in samples(registry)
    board.put(POINT, assess(None, replace(READING, clients_told=9), now=NOW), 0.05)
    assert "wifi_ap_associated_clients" not in names(registry)


# Names that change -----------------------------------------------------------------------------------


def test_label_strings_are_kept_until_a_name_changes(board: Board) -> None:
    health = assess(None, READING, now=NOW)
    board.put(POINT, health, 0.05)
    first = board.entries()[0].labels
    board.put(POINT, assess(health, replace(READING, uptime_seconds=72.5), now=NOW), 0.05)
    assert board.entries()[0].labels is first
    board.put(POINT, assess(health, replace(READING, ssids=()), now=NOW), 0.05)
    second = board.entries()[0].labels
    assert second.ssids.texts == () and second.radios is first.radios and second.interfaces is first.interfaces


def test_new_names_are_on_the_next_page(board: Board, registry: CollectorRegistry) -> None:
    board.put(POINT, assess(None, READING, now=NOW), 0.05)
    changed = replace(
        READING,
        firmware="7.0",
        radios=(replace(READING.radios[0], name="wifi0"), *READING.radios[1:]),
        ssids=(replace(READING.ssids[0], name="Stadtnetz"),),
        interfaces=(replace(READING.interfaces[0], name="eth9"),),
    )
    moved = replace(POINT, name="hafen-1", site="hafen")
    board.put(moved, assess(None, changed, now=NOW), 0.05)
    found = text(registry)
    for old in ("6.6", 'radio="ng"', "Rostock frei", "eth0", "rathaus"):
        assert old not in found
    for new in ("7.0", 'radio="wifi0"', "Stadtnetz", "eth9", 'site="hafen",ap="hafen-1"'):
        assert new in found


def test_a_look_is_not_changed_by_polls_that_come_after_it(board: Board, registry: CollectorRegistry) -> None:
    """A page takes a while to write: what it began with stays together."""
    board.put(POINT, assess(None, READING, now=NOW), 0.05)
    before, page_begun = text(registry), page.pieces(registry, page.PLAIN)
    begun = next(page_begun)
    board.put(POINT, assess(None, replace(READING, radios=(), interfaces=READING.interfaces[:1]), now=NOW), 0.05)
    board.put(replace(POINT, id=3, name="other"), assess(None, PollFailure.TIMEOUT, now=NOW), 0.05)
    assert begun + "".join(page_begun) == before
    assert text(registry) != before


def test_two_interfaces_of_one_name_are_one_series(board: Board, registry: CollectorRegistry) -> None:
    twins = (InterfaceReading("eth0", True, 1, 2, 3), InterfaceReading("eth0", True, 4, 5, 6))
    board.put(POINT, assess(None, replace(READING, interfaces=twins), now=NOW), 0.05)
    assert names(registry).count("wifi_ap_interface_receive_bytes_total") == 1


# Controllers -----------------------------------------------------------------------------------------


def with_members(board: Board, *ups: bool) -> ApHealth:
    """The controller answers; its members are as told."""
    told = ApReading(at=NOW, radios=(RadioReading("1", Band.GHZ_5, clients=5),))
    members = tuple(Member(point.name, up, told) for point, up in zip(MEMBERS, ups, strict=True))
    ssids = (SsidReading("Rostock frei", 10),)
    reading = ApReading(NOW, "", "WLC", "8.10", 60.0, 0.25, ssids=ssids, members=members)
    health = assess(None, reading, now=NOW)
    board.put(CONTROLLER, health, 1.5)
    for point, member in zip(MEMBERS, members, strict=True):
        board.put(point, assess(None, member.reading if member.up else PollFailure.LOST, now=NOW), None)
    return health


def test_a_controller_and_what_stands_behind_it(board: Board, registry: CollectorRegistry) -> None:
    with_members(board, True, True, False)
    place = 'city="rostock",site="rathaus",controller="wlc"'
    assert samples(registry, "wifi_controller") == [
        f"wifi_controller_up{{{place}}} 1",
        f"wifi_controller_last_success_timestamp_seconds{{{place}}} {NOW.timestamp()}",
        f'wifi_controller_info{{{place},model="WLC",firmware="8.10",serial=""}} 1',
        f"wifi_controller_uptime_seconds{{{place}}} 60.0",
        f"wifi_controller_cpu_ratio{{{place}}} 0.25",
        f"wifi_controller_clients{{{place}}} 10",
        f'wifi_controller_ssid_clients{{{place},ssid="Rostock frei"}} 10',
        f'wifi_controller_access_points{{{place},state="joined"}} 2',
        f'wifi_controller_access_points{{{place},state="missing"}} 1',
    ]
    ups = set(samples(registry, "wifi_ap_up"))
    members = {point.name: f'wifi_ap_up{{city="rostock",site="hafen",ap="{point.name}"}}' for point in MEMBERS}
    assert ups == {f"{members['m11']} 1", f"{members['m12']} 1", f"{members['m13']} 0"}
    assert names(registry).count("wifi_ap_clients") == 2
    assert "wifi_ap_poll_duration_seconds" not in names(registry)


def test_what_stands_behind_a_silent_controller_is_unknown_not_down(board: Board, registry: CollectorRegistry) -> None:
    before = with_members(board, True, True, False)
    board.put(CONTROLLER, assess(before, PollFailure.TIMEOUT, now=NOW), 4.0)
    assert sorted(set(names(registry))) == [
        "wifi_ap_info",
        "wifi_ap_last_success_timestamp_seconds",
        "wifi_controller_info",
        "wifi_controller_last_success_timestamp_seconds",
        "wifi_controller_up",
    ]
    with_members(board, True, True, True)
    assert names(registry).count("wifi_ap_up") == 3


# The page --------------------------------------------------------------------------------------------


def test_two_cities_share_no_registry(board: Board) -> None:
    registry = CollectorRegistry(auto_describe=True)
    metrics.register(registry, "rostock", board)
    with pytest.raises(ValueError, match="Duplicated"):
        metrics.register(registry, "wismar", Board())


@pytest.mark.tool("promtool")
def test_promtool_accepts_the_page(board: Board, registry: CollectorRegistry) -> None:
    board.put(POINT, assess(None, READING, now=NOW), 0.05)
    board.put(replace(POINT, id=7, name="hafen-1"), assess(None, PollFailure.UNREACHABLE, now=NOW), 0.05)
    told = replace(POINT, id=8, name="hafen-2")
    board.put(told, assess(None, ApReading(at=NOW, clients_told=3), now=NOW), 0.05)
    with_members(board, True, True, False)
    assert {name.removesuffix("_total") for name in names(registry)} >= {
        family.name for family in metrics.FAMILIES if family.name != "wifi_controller_memory_ratio"
    }
    checked = run("promtool", "check", "metrics", text=text(registry))
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_the_documents_name_every_metric(registry: CollectorRegistry) -> None:
    documents = "".join(file.read_text() for file in (REPOSITORY / "docs").glob("metrics*.md"))
    families = {family.name + ("_total" if family.type == "counter" else "") for family in registry.collect()}
    assert {name for name in families if f"`{name}`" not in documents} == set()
