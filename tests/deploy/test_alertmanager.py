"""The shipped Alertmanager configuration: sound, and each city's alerts go to that city."""

from __future__ import annotations

import json
import re
import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import run
from tests.support.watching import alertmanager, deploy_alertmanager, get_json, wait

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
CITIES = sorted(file.stem for file in (ROOT / "config" / "cities").glob("*.toml"))
RULES = "".join(file.read_text() for file in (ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"))

amtool = pytest.mark.tool("amtool")


@amtool
def test_amtool_accepts_it() -> None:
    checked = run("amtool", "check-config", str(FILE))
    assert checked.returncode == 0, checked.stderr
    assert f"{len(CITIES) + 1} receivers" in checked.stdout


def receiver(*labels: str) -> str:
    return run("amtool", "config", "routes", "test", f"--config.file={FILE}", *labels).stdout.strip()


@amtool
@pytest.mark.parametrize("city", CITIES)
@pytest.mark.parametrize("severity", ["critical", "warning", "info"])
def test_a_city_s_alerts_go_to_that_city(city: str, severity: str) -> None:
    assert receiver(f"city={city}", f"severity={severity}", "site=hafen", "alertname=AccessPointDown") == city


@amtool
def test_what_names_no_city_of_ours_goes_to_the_alliance() -> None:
    assert receiver("severity=critical") == receiver("city=atlantis", "severity=critical") == "alliance"


def test_each_receiver_writes_to_its_own_city() -> None:
    receivers = re.findall(r"- name: (\w+)\n +email_configs:\n +- to: wlan-technik@(\w+)\.example", FILE.read_text())
    assert sorted(receivers) == sorted((name, name) for name in (*CITIES, "alliance"))


def test_what_mutes_and_is_muted_are_alerts_and_stay_within_a_city() -> None:
    names = set(re.findall(r"- alert: (\w+)", RULES))
    block = FILE.read_text().partition("inhibit_rules:")[2]
    for pattern in re.findall(r'alertname=~?"(.+?)"', block):
        assert all(any(re.fullmatch(part, name) for name in names) for part in pattern.split("|")), pattern
    assert block.count("source_matchers") == block.count("equal: [city") == 7


MUTES = [
    ({"alertname": "MonitorBlind"}, {"alertname": "SiteDown", "site": "hafen"}),
    ({"alertname": "MonitorBlind"}, {"alertname": "AccessPointDown", "site": "hafen", "ap": "hafen-1"}),
    ({"alertname": "SiteDown", "site": "hafen"}, {"alertname": "AccessPointDown", "site": "hafen", "ap": "hafen-1"}),
    ({"alertname": "SiteDown", "site": "hafen"}, {"alertname": "NoSessionsAtSite", "site": "hafen"}),
    ({"alertname": "ControllerDown", "site": "hafen"}, {"alertname": "AccessPointRebooting", "site": "hafen"}),
    ({"alertname": "KoggeServiceDown", "service": "portal"}, {"alertname": "HandoffsFail", "service": "portal"}),
    ({"alertname": "KoggeServiceNotScraped", "service": "radius"}, {"alertname": "NasSilent", "service": "radius"}),
    ({"alertname": "DatabaseAway"}, {"alertname": "HousekeepingFails"}),
    ({"alertname": "RadiusSilent"}, {"alertname": "NasSilent", "nas": "gateway"}),
    (
        {"alertname": "PortalCertificateRefused", "host": "wlan.example"},
        {"alertname": "PortalCertificateExpiring", "host": "wlan.example"},
    ),
]
"""A cause, and what it mutes."""

STAND = [
    ({"alertname": "SiteDown", "site": "hafen"}, {"alertname": "AccessPointDown", "site": "markt", "ap": "markt-1"}),
    ({"alertname": "KoggeServiceDown", "service": "portal"}, {"alertname": "NasSilent", "service": "radius"}),
]
"""What it leaves alone, in its own city."""


@pytest.mark.tool("prometheus-alertmanager")
@pytest.mark.parametrize(("cause", "effect", "muted"), [(*pair, True) for pair in MUTES] + [(*p, False) for p in STAND])
def test_a_cause_mutes_what_follows_from_it_in_its_own_city(
    cause: dict[str, str], effect: dict[str, str], muted: bool, tmp_path: Path, free_port: Callable[[int], int]
) -> None:
    severe, mild = {"severity": "critical", "city": "rostock"}, {"severity": "warning"}
    folder = deploy_alertmanager(tmp_path / "alertmanager", smtp=f"127.0.0.1:{free_port(socket.SOCK_STREAM)}")
    with alertmanager(folder, free_port(socket.SOCK_STREAM)) as url:
        sent = [cause | severe, effect | mild | {"city": "rostock"}, effect | mild | {"city": "wismar"}]
        body = json.dumps([{"labels": labels} for labels in sent]).encode()
        request = urllib.request.Request(f"{url}/api/v2/alerts", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).close()

        def judged() -> bool:
            alerts = get_json(f"{url}/api/v2/alerts")
            return len(alerts) == 3 and all(each["status"]["state"] != "unprocessed" for each in alerts)

        wait(judged, "the alerts are not judged")
        alerts = get_json(f"{url}/api/v2/alerts")
    states = {(each["labels"]["alertname"], each["labels"]["city"]): each["status"]["state"] for each in alerts}
    assert states == {
        (cause["alertname"], "rostock"): "active",
        (effect["alertname"], "rostock"): "suppressed" if muted else "active",
        (effect["alertname"], "wismar"): "active",
    }
