"""Charts from a real Prometheus: its figures, its gaps; and our own where it is away, slow or talks nonsense."""

from __future__ import annotations

import http.server
import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from config.monitoring import Monitor
from hotspot.ap_curves import BLIND, DOWN, Topic
from hotspot.roles import Role
from portal.staff import prometheus_history
from portal.staff.ap_charts import grid_of
from portal.staff.prometheus_history import AwayError
from service.cities import City
from tests.conftest import run
from tests.portal.hands import NOW, Clock, Door, words
from tests.support.aps import enliven

INTERVAL = timedelta(seconds=60)
MINUTE = timedelta(minutes=1)
DOWN_FROM, DOWN_UNTIL = timedelta(hours=9), timedelta(hours=8)
BLIND_FROM, BLIND_UNTIL = timedelta(hours=20), timedelta(hours=18)
WAIT_S = 60.0


@pytest.fixture
def city(quick_city: City) -> City:
    return quick_city


def asking(city: City, url: str, **settings: Any) -> City:
    """The same city with a Prometheus named."""
    monitor = Monitor.model_validate({"poll_interval_s": 60, "prometheus_url": url, **settings})
    return replace(city, config=city.config.model_copy(update={"monitor": monitor}))


def ask(city: City, *, now: datetime = NOW, days: int = 1, name: str = "neuer-markt-1") -> Any:
    return prometheus_history.ask(city.config, name, grid_of(days, now=now, interval=INTERVAL), interval=INTERVAL)


# A real one ---------------------------------------------------------------------------------------------


def exposition() -> str:
    """A day of `neuer-markt-1` and of another in OpenMetrics: an hour down, two hours in which nobody looked."""
    families: dict[str, list[str]] = {}
    for name, crowd in (("neuer-markt-1", 1), ("neuer-markt-2", 50)):
        at = NOW - timedelta(days=1)
        while at <= NOW:
            if not NOW - BLIND_FROM <= at < NOW - BLIND_UNTIL:
                _sample(families, name, crowd, at)
            at += MINUTE
    lines = []
    for family, samples in families.items():
        kind = "counter" if family.endswith("_total") else "gauge"
        lines += [f"# TYPE {family.removesuffix('_total')} {kind}", *samples]
    return "\n".join([*lines, "# EOF", ""])


def _sample(families: dict[str, list[str]], name: str, crowd: int, at: datetime) -> None:
    down = NOW - DOWN_FROM <= at < NOW - DOWN_UNTIL
    labels = f'city="rostock",site="neuer-markt",ap="{name}"'
    values: dict[tuple[str, str], float] = {("wifi_ap_up", ""): float(not down)}
    if not down:
        octets = int((at - NOW + timedelta(days=1)).total_seconds()) * 1_000
        for radio, clients in (("ra0", 2 * crowd), ("rai0", 3 * crowd)):
            more = f',radio="{radio}",band="5"'
            values["wifi_ap_clients", more] = clients
            values["wifi_ap_utilisation_ratio", more] = 0.25
            values["wifi_ap_radio_transmit_bytes_total", more] = octets
            values["wifi_ap_radio_receive_bytes_total", more] = octets // 4
        values["wifi_ap_cpu_ratio", ""] = 0.5
    for (family, more), value in values.items():
        families.setdefault(family, []).append(f"{family}{{{labels}{more}}} {value} {at.timestamp():.0f}")


@contextmanager
def prometheus(folder: Path, port: int) -> Iterator[str]:
    """A real Prometheus with that day in it."""
    (folder / "day.txt").write_text(exposition())
    made = run("promtool", "tsdb", "create-blocks-from", "openmetrics", str(folder / "day.txt"), str(folder / "data"))
    assert made.returncode == 0, made.stderr
    (folder / "prometheus.yml").write_text("{}\n")
    url = f"http://127.0.0.1:{port}"
    command = ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    command += ["--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_until_ready(url)
            yield url
        finally:
            process.terminate()


def _wait_until_ready(url: str) -> None:
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{url}/-/ready", timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError("Prometheus never was ready")


@pytest.mark.tool("prometheus")
@pytest.mark.tool("promtool")
def test_curves_of_a_real_prometheus(
    city: City, password_hash: str, tmp_path: Path, free_port: Callable[[int], int]
) -> None:
    with prometheus(tmp_path, free_port(socket.SOCK_STREAM)) as url:
        asked = asking(city, url)
        found = ask(asked)
        assert found.states.count(DOWN) in (11, 12, 13), "an hour of five minutes each"
        assert found.states.count(BLIND) in (23, 24, 25), "two hours"
        topics = found.topics
        clients = topics[Topic.CLIENTS]
        assert {name: values[-10] for name, values in clients.items()} == {"ra0": 2, "rai0": 3}
        for index, state in enumerate(found.states):
            if state and found.states[index - 1] == state:
                assert clients["ra0"][index] is None, "a gap is a gap"
        assert topics[Topic.UTILISATION]["ra0"][-10] == pytest.approx(0.25)
        assert topics[Topic.THROUGHPUT]["down"][-10] == pytest.approx(16_000, rel=0.02), "two radios, 8,000 bit/s each"
        assert topics[Topic.THROUGHPUT]["up"][-10] == pytest.approx(4_000, rel=0.02)
        assert topics[Topic.LOAD].keys() == {"cpu"}
        assert ask(asked, name='no "such\\ one\n').topics == {}
        page = Door(asked, Clock(), password_hash).member(Role.ADMIN).get("/staff/access-points/1")
        assert "ra0: 2" in words(page) and "Prometheus does not answer" not in words(page)
        week = ask(asked, days=7)
        assert week.states.count(BLIND) > 200 and week.topics[Topic.CLIENTS]["rai0"][-2] == 3
    with pytest.raises(AwayError, match="refused"):
        ask(asked)


# One that is not well -----------------------------------------------------------------------------------


@contextmanager
def answering(
    status: int, body: bytes, *, slowly: float = 0.0, to: str = "http://127.0.0.1:1"
) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Something on loopback that answers so; and the headers that it was asked with."""
    seen: list[dict[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(dict(self.headers))
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Location", to)
            self.end_headers()
            for octet in body if slowly else (body,):
                self.wfile.write(bytes([octet]) if isinstance(octet, int) else octet)
                time.sleep(slowly)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # whoever asked may have gone
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


def table(*series: object) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": series}}).encode()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"{}"),
        (401, b"who are you"),
        (302, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"data": {"result": 7}}'),
        (200, b'{"data": {"result": [7]}}'),
        (200, table({"metric": {}, "values": []})),
        (200, table({"metric": {"topic": "clients"}, "values": [[1, "2"]]})),
        (200, table({"metric": {"topic": "up"}, "values": [["x", "y"]]})),
        (200, table({"metric": {"topic": "up"}, "values": [[1e400, "1"]]})),
        (200, b" " * (prometheus_history.ANSWER_MAX + 1)),
        (200, b"\xff\xfe"),
    ],
)
def test_nonsense_is_away_and_the_page_uses_our_own(city: City, password_hash: str, status: int, body: bytes) -> None:
    with answering(status, body) as (url, _):
        asked = asking(city, url)
        with pytest.raises(AwayError):
            ask(asked)
        enliven(city, now=NOW)
        door = Door(asked, Clock(), password_hash)
        page = door.member(Role.ADMIN).get("/staff/access-points/1")
    assert door.sample("kogge_portal_ap_histories_total", source="instead") == 1
    assert "Prometheus does not answer: these figures are what the monitor keeps itself." in words(page)
    assert "ra0 (2.4 GHz): 5" in words(page)


def test_what_is_no_number_is_a_gap(city: City) -> None:
    grid = grid_of(1, now=NOW, interval=INTERVAL)
    ends = [(grid.at(index) + grid.step).timestamp() for index in (3, 4, 5, 6)]
    labels = {"topic": "clients", "radio": "ra0"}
    values = [[ends[0], "1"], [ends[1], "NaN"], [ends[2], "+Inf"], [ends[3], "4"], [9e12, "5"], [0, "6"]]
    with answering(200, table({"metric": labels, "values": values})) as (url, _):
        found = ask(asking(city, url))
    assert found.topics[Topic.CLIENTS]["ra0"][2:8] == (None, 1, None, None, 4, None)
    assert set(found.states) == {BLIND}, "no wifi_ap_up, no word of it"


def test_a_slow_one_is_not_waited_for(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus_history, "TIMEOUT_S", 0.3)
    with answering(200, b" " * 100, slowly=0.05) as (url, _):
        began = time.monotonic()
        with pytest.raises(AwayError):
            ask(asking(city, url))
        assert time.monotonic() - began < 4


def test_the_token_is_shown_to_it_and_to_nobody_it_points_at(city: City, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("sesam\n")
    token.chmod(0o600)
    with answering(200, table()) as (url, seen):
        assert ask(asking(city, url, prometheus_token_file=token)).topics == {}
    assert seen[0]["Authorization"] == "Bearer sesam"
    with answering(200, table()) as (other, asked), answering(302, b"", to=other) as (url, _):
        with pytest.raises(AwayError):
            ask(asking(city, url, prometheus_token_file=token))
        assert asked == []
    token.chmod(0o644)
    with pytest.raises(AwayError, match="others may read"):
        ask(asking(city, "http://127.0.0.1:1", prometheus_token_file=token))


@pytest.mark.parametrize(
    "settings",
    [
        {"prometheus_url": "127.0.0.1:9090"},
        {"prometheus_url": "ftp://127.0.0.1"},
        {"prometheus_url": "http://127.0.0.1:0"},
        {"prometheus_url": "http://user@127.0.0.1"},
        {"prometheus_url": "http://127.0.0.1/?x=1"},
        {"prometheus_token_file": "/x"},
        {"prometheus_url": "http://prometheus.example", "prometheus_token_file": "/x"},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Monitor.model_validate(settings)


def test_settings_that_do() -> None:
    for url in (
        "https://prometheus.example/city",
        "http://127.0.0.1:9090",
        "http://localhost:9090",
        "http://[::1]:9090",
    ):
        assert Monitor.model_validate({"prometheus_url": url, "prometheus_token_file": "/x"}).prometheus_url == url
