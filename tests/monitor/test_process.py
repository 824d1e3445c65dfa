"""The monitor as a process: `python -m monitor`, its page behind the city's token, a clean end on SIGTERM."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.load import load_installation
from ops.installation import initialise, lay_files
from service.cities import open_cities
from tests.monitor.conftest import REPOSITORY

WAIT_S = 30.0
FreePort = Callable[[int], int]


def quiet(_text: str) -> None:
    """No output."""


@pytest.fixture
def installation(tmp_path: Path, free_port: FreePort) -> Path:
    """Four cities, on a metrics port of the test's own and with access points on one."""
    lay_files(tmp_path, say=quiet)
    file = tmp_path / "kogge.toml"
    file.write_text(file.read_text().replace("127.0.0.1:9108", f"127.0.0.1:{free_port(socket.SOCK_STREAM)}"))
    port = free_port(socket.SOCK_DGRAM)
    for city in (tmp_path / "cities").glob("*.toml"):
        text = re.sub(r"(?m)^poll_interval_s = \d+", "poll_interval_s = 5", city.read_text())
        city.write_text(text.replace("port = 1161", f"port = {port}"))
    initialise(tmp_path, [], now=datetime.now(UTC), say=quiet)
    return tmp_path


def token(installation: Path, key: str) -> str:
    (city,) = open_cities(installation, [key]).cities
    city.store.close()
    return city.store.keys.metrics_token


def command(installation: Path, *cities: str) -> list[str]:
    options = [part for key in cities for part in ("--city", key)]
    return [sys.executable, "-W", "error::ResourceWarning", "-m", "monitor", str(installation), *options]


@pytest.fixture
def monitor(installation: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(*cities: str, options: Sequence[str] = ()) -> subprocess.Popen[str]:
        words = [*command(installation, *cities), *options]
        process = subprocess.Popen(words, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def page(installation: Path, path: str, bearer: str) -> tuple[int, str]:
    address = load_installation(installation).installation.monitor.metrics_listen
    request = urllib.request.Request(f"http://{address}{path}", headers={"Authorization": f"Bearer {bearer}"})
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""
    except urllib.error.URLError:
        return 0, ""


def test_a_city_has_its_page_behind_its_own_token_and_sigterm_ends_cleanly(
    installation: Path, monitor: Callable[..., subprocess.Popen[str]]
) -> None:
    process = monitor("rostock", "wismar")
    own, other = token(installation, "rostock"), token(installation, "wismar")
    end = time.monotonic() + WAIT_S
    while page(installation, "/cities/rostock/metrics", own)[0] != 200:
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.1)
    assert "kogge_monitor_running 1.0" in page(installation, "/cities/rostock/metrics", own)[1]
    assert page(installation, "/cities/rostock/metrics", other)[0] == 401
    assert page(installation, "/cities/luebeck/metrics", own)[0] == 401
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "monitor: ready: rostock, wismar" in errors and "Traceback" not in errors and "Warning" not in errors


def test_a_city_that_does_not_exist_ends_with_status_2(
    installation: Path, monitor: Callable[..., subprocess.Popen[str]]
) -> None:
    process = monitor("atlantis")
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 2 and "atlantis" in errors and "Traceback" not in errors


def test_a_taken_listener_ends_with_status_2(
    installation: Path, monitor: Callable[..., subprocess.Popen[str]], free_port: FreePort
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        file = installation / "kogge.toml"
        lines = file.read_text().splitlines()
        last = max(at for at, line in enumerate(lines) if line.startswith("metrics_listen"))
        lines[last] = f'metrics_listen = "127.0.0.1:{taken.getsockname()[1]}"'
        file.write_text("\n".join(lines))
        process = monitor("rostock")
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2 and "cannot listen there" in errors and "Traceback" not in errors


@pytest.mark.parametrize(
    ("options", "sockets"), [([], 1), (["--engine", "fast"], 1), (["--engine", "pysnmp"], 2)], ids=str
)
def test_the_engine_is_chosen_on_the_command_line(
    installation: Path, monitor: Callable[..., subprocess.Popen[str]], options: list[str], sockets: int
) -> None:
    """The fast path asks all access points from one socket, pysnmp each from its own."""
    (city,) = (each for each in load_installation(installation).cities if each.key == "rostock")
    community = [point for point in city.seed.access_points if point.snmp == "v2c"][:2]
    with contextlib.ExitStack() as stack:
        askers = set()
        ears = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in community]
        for ear, point in zip(ears, community, strict=True):
            ear.bind((str(point.address), point.port))
            ear.settimeout(WAIT_S)
        monitor("rostock", options=options)
        for ear in ears:
            askers.add(ear.recvfrom(2_048)[1])
    assert len(ears) == 2 and len(askers) == sockets


def test_an_engine_that_does_not_exist_ends_with_status_2(
    installation: Path, monitor: Callable[..., subprocess.Popen[str]]
) -> None:
    process = monitor("rostock", options=["--engine", "steam"])
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 2 and "steam" in errors
