"""The shipped Alertmanager configuration: sound, and each city's alerts go to that city."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import run

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
