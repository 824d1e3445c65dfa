"""The shipped Prometheus configuration and rules, and a real Prometheus at a city's page."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from hotspot.fleet import ApReading, assess
from monitor import metrics
from monitor.board import Board
from monitor.instruments import Instruments
from service.exposition import MetricsListener, Target, bind
from store.fleet import AccessPoint, SnmpCredential
from tests.conftest import run
from tests.monitor.conftest import REPOSITORY

SHIPPED = REPOSITORY / "deploy" / "prometheus"
CITIES = ("luebeck", "rostock", "stralsund", "wismar")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
WAIT_S = 60.0


@pytest.fixture
def deployed(tmp_path: Path) -> Path:
    """The shipped folder with a token a city, as the README says."""
    folder = tmp_path / "prometheus"
    shutil.copytree(SHIPPED, folder)
    (folder / "tokens").mkdir()
    for key in CITIES:
        (folder / "tokens" / f"{key}.token").write_text(f"token-of-{key}\n")
    return folder


def city_page(key: str) -> CollectorRegistry:
    registry, board = CollectorRegistry(auto_describe=True), Board()
    Instruments(registry)
    metrics.register(registry, key, board)
    point = AccessPoint(1, f"{key}-1", "rathaus", "127.0.0.1", 161, SnmpCredential("v2c", community="x"))
    board.put(point, assess(None, ApReading(at=NOW, model="UAP"), now=NOW), 0.1)
    return registry


@pytest.fixture
def listener() -> Iterator[MetricsListener]:
    """Rostock and Wismar on one listener, each behind its own token."""
    targets = {key: Target(city_page(key), f"token-of-{key}") for key in ("rostock", "wismar")}
    listener = MetricsListener(bind("127.0.0.1:0"), targets)
    yield listener
    listener.close()


@pytest.mark.tool("promtool")
def test_promtool_accepts_configuration_and_rules(deployed: Path) -> None:
    checked = run("promtool", "check", "config", str(deployed / "prometheus.yml"))
    assert checked.returncode == 0, checked.stderr
    assert "rules found" in checked.stdout


@pytest.mark.tool("promtool")
def test_the_rules_do_what_their_tests_say(deployed: Path) -> None:
    files = sorted(map(str, (deployed / "tests").glob("*.yml")))
    tested = run("promtool", "test", "rules", *files)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_alert_has_a_test() -> None:
    rules = (SHIPPED / "rules" / "kogge.yml").read_text()
    tests = "".join(file.read_text() for file in (SHIPPED / "tests").glob("*.yml"))
    assert {name for name in re.findall(r"alert: (\w+)", rules) if f"alertname: {name}" not in tests} == set()


def test_the_rules_name_only_metrics_that_the_monitor_has() -> None:
    names = set(re.findall(r"\b(wifi_ap_\w+|kogge_monitor_\w+)\b", (SHIPPED / "rules" / "kogge.yml").read_text()))
    page = {sample.name for family in city_page("rostock").collect() for sample in family.samples}
    page |= {family.name for family in city_page("rostock").collect()}
    page |= {f"{name}_total" for name in page}
    assert {name for name in names if name not in page} == set()


def test_every_city_is_scraped_with_its_own_token_on_its_own_path() -> None:
    text = (SHIPPED / "prometheus.yml").read_text()
    for key in CITIES:
        assert f"metrics_path: /cities/{key}/metrics\n" in text and f"tokens/{key}.token" in text
    assert text.count("sample_limit") == text.count("label_limit") == len(CITIES)


@contextmanager
def prometheus(folder: Path, port: int) -> Iterator[Callable[[str], list[dict[str, str]]]]:
    """A real Prometheus on that folder; asks it an instant query."""
    command = ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield lambda path: get(f"http://127.0.0.1:{port}{path}")
        finally:
            process.terminate()


def get(url: str) -> list[dict[str, str]]:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            data = json.load(response)["data"]
    except (urllib.error.URLError, ConnectionError):
        return []
    return list(data.get("result", data.get("activeTargets")))


@pytest.mark.tool("prometheus")
def test_a_real_prometheus_reads_its_city_and_gets_401_at_another(
    deployed: Path, listener: MetricsListener, free_port: Callable[[int], int]
) -> None:
    """Rostock's job has Rostock's token; Wismar's job is given Rostock's as well."""
    file = deployed / "prometheus.yml"
    text = file.read_text().replace("127.0.0.1:9108", f"127.0.0.1:{listener.port}")
    file.write_text(text.replace("30s", "1s").replace("scrape_timeout: 10s", "scrape_timeout: 1s"))
    (deployed / "tokens" / "wismar.token").write_text("token-of-rostock\n")
    with prometheus(deployed, free_port(socket.SOCK_STREAM)) as ask:
        end = time.monotonic() + WAIT_S
        while len(seen := health(ask("/api/v1/targets?state=active"))) < 2 or "unknown" in str(seen):
            assert time.monotonic() < end, seen
            time.sleep(0.2)
        rows = ask("/api/v1/query?query=wifi_ap_up")
    assert seen["rostock"] == ("up", "")
    assert seen["wismar"][0] == "down" and "401" in seen["wismar"][1]
    labels = [row["metric"] for row in rows]
    assert [(each["city"], each["ap"], each["service"]) for each in labels] == [("rostock", "rostock-1", "monitor")]
    assert not any(name.startswith("exported_") for each in labels for name in each)


def health(targets: list[dict[str, str]]) -> dict[str, tuple[str, str]]:
    """State and last error of the monitor's targets, by city."""
    found: dict[str, tuple[str, str]] = {}
    for target in targets:
        labels: dict[str, str] = target["labels"]  # type: ignore[assignment]
        if labels["service"] == "monitor" and labels["city"] in ("rostock", "wismar"):
            found[labels["city"]] = (target["health"], target["lastError"])
    return found
