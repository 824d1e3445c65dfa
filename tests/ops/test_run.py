"""`kogge run` and the single services as processes: what a signal, a kill and a broken city do to them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops.supervisor import kogge
from tests.support.installation import Written
from tests.support.processes import Answer, http_get

WAIT_SECONDS = 60.0
SERVICES = ("radius", "portal", "monitor")

pytestmark = [pytest.mark.timeout(240), pytest.mark.slow]


@contextmanager
def running(written: Written, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A `kogge` command that stays; its messages stand in `messages`. Killed if the test did not end it."""
    with (written.path / "messages").open("wb") as out:
        process = subprocess.Popen(kogge(*words), stdout=out, stderr=out)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(60)


def messages(written: Written) -> str:
    return (written.path / "messages").read_text()


def health(written: Written) -> list[int]:
    """Status of `/healthz` of each service's metrics listener; 0 where nobody answers."""
    found = []
    for name in SERVICES:
        try:
            found.append(http_get(getattr(written.installation, name).metrics_listen, "/healthz").status)
        except OSError:
            found.append(0)
    return found


def metrics(written: Written, name: str, key: str) -> Answer:
    """A city's page at one service, asked for with that city's token."""
    token = (written.installation.data_dir / key / "keys" / "metrics.token").read_text().strip()
    listen = getattr(written.installation, name).metrics_listen
    return http_get(listen, f"/cities/{key}/metrics", Authorization=f"Bearer {token}")


def wait_for(written: Written, health_wanted: list[int]) -> None:
    wait_until(written, lambda: health(written) == health_wanted)


def wait_until(written: Written, what: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while not what():
        assert time.monotonic() < until, messages(written)
        time.sleep(0.1)


def children_of(pid: int) -> dict[str, int]:
    """The services below a supervisor, by name: /proc knows."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if parent == pid:
            found |= {name: int(folder.name) for name in SERVICES if name in words}
    return found


def test_run_starts_three_services_brings_back_the_killed_and_ends_all(made: Written) -> None:
    with running(made, "run", str(made.path)) as process:
        wait_for(made, [200, 200, 200])
        before = children_of(process.pid)
        assert set(before) == set(SERVICES)
        os.kill(before["radius"], signal.SIGKILL)
        wait_until(made, lambda: children_of(process.pid).get("radius", before["radius"]) != before["radius"])
        wait_for(made, [200, 200, 200])
        after = children_of(process.pid)
        assert after["radius"] != before["radius"] and after["portal"] == before["portal"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert "radius ended with status -9; restarting in 1 s" in messages(made)
    assert health(made) == [0, 0, 0]
    assert not any(Path(f"/proc/{pid}").exists() for pid in (*before.values(), *after.values()))


def test_the_monitor_is_told_which_engine_to_use(made: Written) -> None:
    with running(made, "run", str(made.path), "--city", "rostock", "--engine", "pysnmp") as process:
        wait_for(made, [200, 200, 200])
        commands = {
            name: Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            for name, pid in children_of(process.pid).items()
        }
    assert {name for name, words in commands.items() if "pysnmp" in words} == {"monitor"}


def test_children_do_not_outlive_a_killed_supervisor(made: Written) -> None:
    with running(made, "run", str(made.path), "--city", "rostock") as process:
        wait_for(made, [200, 200, 200])
        process.kill()
        process.wait()
        wait_for(made, [0, 0, 0])


def test_run_ends_with_2_where_nothing_can_start(two_cities: Written) -> None:
    with running(two_cities, "run", str(two_cities.path)) as process:
        assert process.wait(60) == 2
    said = messages(two_cities)  # whichever of the three says so first: then everything ends
    assert "run `kogge init`" in said and any(f"{name} cannot start\n" in said for name in SERVICES)


def test_one_broken_city_is_named_and_the_other_answers(made: Written) -> None:
    file = made.path / "cities" / "wismar.toml"
    file.write_text(file.read_text().replace("auth_port", "auth_prot", 1))
    with running(made, "radius", str(made.path)):
        wait_for(made, [200, 0, 0])
        page = metrics(made, "radius", "rostock")
        assert page.status == 200 and "kogge_radius_clients" in page.body
    said = messages(made)
    assert "wismar.toml" in said and "radius.auth_prot: unknown key; did you mean `auth_port`?" in said
    assert "radius: ready: rostock\n" in said


def test_a_city_whose_port_is_taken_is_named_and_the_other_answers(made: Written) -> None:
    port = made.cities["wismar"].radius.auth_port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))
        with running(made, "radius", str(made.path)):
            wait_for(made, [200, 0, 0])
    said = messages(made)
    assert f"wismar: cannot listen on UDP 127.0.0.1:{port}" in said
    assert "radius: ready: rostock\n" in said


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_of_one_city_knows_no_other(name: str, made: Written) -> None:
    with running(made, name, str(made.path), "--city", "wismar"):
        wait_for(made, [200 if each == name else 0 for each in SERVICES])
        assert metrics(made, name, "wismar").status == 200
        assert metrics(made, name, "rostock").status == 401


@pytest.mark.parametrize("name", SERVICES)
def test_an_unknown_city_is_said_and_nothing_starts(name: str, made: Written) -> None:
    with running(made, name, str(made.path), "--city", "kiel") as process:
        assert process.wait(30) == 2
    assert "--city kiel: no such city; there are rostock, wismar" in messages(made)


def test_a_portal_whose_metrics_port_is_taken_says_so_and_ends_with_2(made: Written) -> None:
    host, _, port = made.installation.portal.metrics_listen.rpartition(":")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((host, int(port)))
        other.listen()
        with running(made, "portal", str(made.path)) as process:
            assert process.wait(60) == 2
    assert f"metrics_listen {made.installation.portal.metrics_listen}: cannot listen there" in messages(made)
