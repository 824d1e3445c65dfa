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
    for name in ("tokens", "passwords"):
        (folder / name).mkdir()
    for key in CITIES:
        (folder / "tokens" / f"{key}.token").write_text(f"token-of-{key}\n")
        (folder / "passwords" / key).write_text(f"password-of-{key}\n")
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
    """Rostock and Wismar on one listener, each behind its own token; it calls itself the monitor."""
    targets = {key: Target(city_page(key), f"token-of-{key}") for key in ("rostock", "wismar")}
    bound = bind("127.0.0.1:0")
    listener = MetricsListener(bound, targets, listens={"monitor": f"127.0.0.1:{bound.getsockname()[1]}"})
    yield listener
    listener.close()


@pytest.mark.tool("promtool")
@pytest.mark.parametrize("file", ["prometheus.yml", "city.yml", "alliance.yml"])
def test_promtool_accepts_configuration_and_rules(deployed: Path, file: str) -> None:
    checked = run("promtool", "check", "config", str(deployed / file))
    assert checked.returncode == 0, checked.stderr
    assert ("rules found" in checked.stdout) == (file != "alliance.yml")


@pytest.mark.tool("promtool")
def test_the_rules_do_what_their_tests_say(deployed: Path) -> None:
    files = sorted(map(str, (deployed / "tests").glob("*.yml")))
    tested = run("promtool", "test", "rules", *files, timeout=280)
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize("file", ["prometheus.yml", "city.yml"])
def test_every_city_is_scraped_with_its_own_token_and_called_what_we_say(file: str) -> None:
    jobs = (SHIPPED / file).read_text().split("- job_name: kogge-")[1:]
    keys = [job.partition("\n")[0] for job in jobs]
    assert keys == (list(CITIES) if file == "prometheus.yml" else ["rostock"])
    for key, job in zip(keys, jobs, strict=True):
        assert set(re.findall(r"tokens/([\w-]+)\.token", job)) == set(re.findall(r"/cities/([\w-]+)/", job)) == {key}
        assert f"target_label: city, replacement: {key}}}" in job
        for limit in ("target_limit", "sample_limit", "label_limit", "label_value_length_limit", "body_size_limit"):
            assert job.count(f"{limit}: ") == 1
    assert len({job.partition("sample_limit")[2].partition("relabel")[0] for job in jobs}) == 1


def test_a_city_s_own_prometheus_has_room_for_ten_thousand_access_points() -> None:
    (limit,) = re.findall(r"sample_limit: (\d+)", (SHIPPED / "city.yml").read_text())
    assert int(limit) > 10_000 * 60


def test_the_alliance_reads_what_is_published_and_nothing_else() -> None:
    jobs = (SHIPPED / "alliance.yml").read_text().split("- job_name: published-")[1:]
    assert [job.partition("\n")[0] for job in jobs] == list(CITIES)
    assert all('regex: "alliance:.+", action: keep' in job and "honor_labels" not in job for job in jobs)


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
def test_a_real_prometheus_finds_and_reads_its_cities_and_gets_401_with_another_token(
    deployed: Path, listener: MetricsListener, free_port: Callable[[int], int]
) -> None:
    """Wismar's token file gets Rostock's token while Prometheus runs: its targets stay known, and stay shut."""
    file = deployed / "prometheus.yml"
    text = re.sub(r"127\.0\.0\.1:910[678]", f"127.0.0.1:{listener.port}", file.read_text())
    file.write_text(text.replace("30s", "1s").replace("scrape_timeout: 10s", "scrape_timeout: 1s"))
    with prometheus(deployed, free_port(socket.SOCK_STREAM)) as ask:
        seen = wait_for(ask, {"rostock": "up", "wismar": "up"})
        rows = ask("/api/v1/query?query=wifi_ap_up")
        (deployed / "tokens" / "wismar.token").write_text("token-of-rostock\n")
        seen = wait_for(ask, {"rostock": "up", "wismar": "down"})
    assert "401" in seen["wismar"][1]
    labels = [row["metric"] for row in rows]
    assert {(each["city"], each["ap"], each["service"]) for each in labels} <= {
        ("rostock", "rostock-1", "monitor"),
        ("wismar", "wismar-1", "monitor"),
    }
    assert labels and not any(name.startswith("exported_") for each in labels for name in each)


def wait_for(ask: Callable[[str], list[dict[str, str]]], wanted: dict[str, str]) -> dict[str, tuple[str, str]]:
    end = time.monotonic() + WAIT_S
    while True:
        seen = health(ask("/api/v1/targets?state=active"))
        if {key: state for key, (state, _) in seen.items()} == wanted:
            return seen
        assert time.monotonic() < end, seen
        time.sleep(0.2)


def health(targets: list[dict[str, str]]) -> dict[str, tuple[str, str]]:
    """State and last error of the monitor's targets, by city."""
    found: dict[str, tuple[str, str]] = {}
    for target in targets:
        labels: dict[str, str] = target["labels"]  # type: ignore[assignment]
        found[labels["city"]] = (target["health"], target["lastError"])
    return found
