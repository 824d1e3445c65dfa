"""The page: what an access point that is up shows, and what is left of one that is down."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from hotspot.fleet import (
    ApHealth,
    ApReading,
    Band,
    InterfaceReading,
    PollFailure,
    RadioReading,
    SsidReading,
    assess,
)
from hotspot.values import Octets
from monitor import metrics
from monitor.board import Board, Identity
from monitor.instruments import Instruments
from store.fleet import AccessPoint, SnmpCredential
from tests.conftest import run
from tests.monitor.conftest import REPOSITORY

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
POINT = AccessPoint(1, "rathaus-1", "rathaus", "127.0.0.1", 161, SnmpCredential("v2c", community="x"))
READING = ApReading(
    at=NOW,
    model="UAP",
    firmware='6.6 "beta"\\',
    uptime_seconds=12.5,
    cpu_ratio=0.25,
    memory_ratio=0.5,
    radios=(
        RadioReading("ng", Band.GHZ_2_4, 6, 4, 0.4, 20, Octets(1_000, 10)),
        RadioReading("na", None, None, None, None, None, None),
    ),
    ssids=(SsidReading("Rostock frei", 4),),
    interfaces=(InterfaceReading("eth0", True, 5, 6, None),),
)
PLACE = 'ap="rathaus-1",city="rostock",site="rathaus"'


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def registry(board: Board) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=True)
    Instruments(registry)
    metrics.register(registry, "rostock", board)
    return registry


def samples(registry: CollectorRegistry, prefix: str = "wifi_ap_") -> list[str]:
    page = generate_latest(registry).decode()
    return [line for line in page.splitlines() if line.startswith(prefix)]


def test_an_access_point_that_is_up(board: Board, registry: CollectorRegistry) -> None:
    board.put(POINT, assess(None, READING, now=NOW), 0.05)
    radio = 'ap="rathaus-1",band="2.4",city="rostock",radio="ng",site="rathaus"'
    eth0 = 'ap="rathaus-1",city="rostock",interface="eth0",site="rathaus"'
    info = 'ap="rathaus-1",city="rostock",firmware="6.6 \\"beta\\"\\\\",model="UAP",site="rathaus"'
    assert samples(registry) == [
        f"wifi_ap_up{{{PLACE}}} 1.0",
        f"wifi_ap_info{{{info}}} 1.0",
        f"wifi_ap_last_success_timestamp_seconds{{{PLACE}}} {NOW.timestamp()!r}".replace(
            "1795435200.0", "1.7954352e+09"
        ),
        f"wifi_ap_poll_duration_seconds{{{PLACE}}} 0.05",
        f"wifi_ap_uptime_seconds{{{PLACE}}} 12.5",
        f"wifi_ap_cpu_ratio{{{PLACE}}} 0.25",
        f"wifi_ap_memory_ratio{{{PLACE}}} 0.5",
        f"wifi_ap_clients{{{radio}}} 4.0",
        f"wifi_ap_channel{{{radio}}} 6.0",
        f"wifi_ap_utilisation_ratio{{{radio}}} 0.4",
        f"wifi_ap_tx_power_dbm{{{radio}}} 20.0",
        f"wifi_ap_radio_receive_bytes_total{{{radio}}} 10.0",
        f"wifi_ap_radio_transmit_bytes_total{{{radio}}} 1000.0",
        'wifi_ap_ssid_clients{ap="rathaus-1",city="rostock",site="rathaus",ssid="Rostock frei"} 4.0',
        f"wifi_ap_interface_up{{{eth0}}} 1.0",
        f"wifi_ap_interface_receive_bytes_total{{{eth0}}} 5.0",
        f"wifi_ap_interface_transmit_bytes_total{{{eth0}}} 6.0",
    ]


def test_a_dead_access_point_keeps_up_last_success_and_info_only(board: Board, registry: CollectorRegistry) -> None:
    before = assess(None, READING, now=NOW)
    board.put(POINT, before, 0.05)
    board.put(POINT, assess(before, PollFailure.TIMEOUT, now=NOW + timedelta(minutes=1)), 4.0)
    names = [line.partition("{")[0] for line in samples(registry)]
    assert names == ["wifi_ap_up", "wifi_ap_info", "wifi_ap_last_success_timestamp_seconds"]
    assert samples(registry)[0].endswith(" 0.0")
    assert 'model="UAP"' in samples(registry)[1]


def test_what_an_earlier_process_knew_is_not_shown_as_current(board: Board, registry: CollectorRegistry) -> None:
    board.add(POINT, ApHealth(True, NOW, NOW, NOW, None), Identity("UAP", "6.6"))
    names = [line.partition("{")[0] for line in samples(registry)]
    assert names == ["wifi_ap_info", "wifi_ap_last_success_timestamp_seconds"]


def test_an_access_point_that_is_taken_away_leaves_the_page(board: Board, registry: CollectorRegistry) -> None:
    board.put(POINT, assess(None, READING, now=NOW), 0.05)
    board.remove(POINT.id)
    assert samples(registry) == []


def test_two_cities_share_no_registry(board: Board) -> None:
    registry = CollectorRegistry(auto_describe=True)
    metrics.register(registry, "rostock", board)
    with pytest.raises(ValueError, match="Duplicated"):
        metrics.register(registry, "wismar", Board())


@pytest.mark.tool("promtool")
def test_promtool_accepts_the_page(board: Board, registry: CollectorRegistry) -> None:
    board.put(POINT, assess(None, READING, now=NOW), 0.05)
    other = replace(POINT, id=2, name="hafen-1")
    board.put(other, assess(None, PollFailure.UNREACHABLE, now=NOW), 0.05)
    checked = run("promtool", "check", "metrics", text=generate_latest(registry).decode())
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_the_documents_name_every_metric(registry: CollectorRegistry) -> None:
    documents = "".join(file.read_text() for file in (REPOSITORY / "docs").glob("metrics*.md"))
    families = {family.name + ("_total" if family.type == "counter" else "") for family in registry.collect()}
    assert {name for name in families if f"`{name}`" not in documents} == set()
