"""The demo: what it refuses, what its table shows, and the whole of it, started as `make run` starts it."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from config.load import load_installation
from hotspot.errors import ConfigError
from ops import demo, ports, screen
from ops.installation import lay_files
from ops.ports import Needed
from ops.supervisor import kogge
from service.cities import open_cities
from store import sessions
from tests.support.installation import write_installation
from tests.support.processes import http_get

CITIES = ("luebeck", "rostock", "stralsund", "wismar")
PORTAL, METRICS = "127.0.0.1:8080", "127.0.0.1:9108"

TABLE_SECONDS = 60.0
LIFE_SECONDS = 120.0
END_SECONDS = 45.0
PORTS_SECONDS = 120.0
"""How long to wait for another demo on this machine to end."""


# What it refuses ---------------------------------------------------------------------------------------


def test_fresh_leaves_a_folder_alone_that_is_no_demos(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match="this is not a demo's folder; it is left as it is"):
        demo.run(tmp_path, fresh=True, stopping=threading.Event(), console=Console(file=StringIO()))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_fresh_removes_a_demos_folder_but_not_a_real_installation(tmp_path: Path) -> None:
    real = write_installation(tmp_path / "real", ["rostock"])
    real.initialise()
    with pytest.raises(ConfigError, match="not a demo's folder"):
        demo.run(real.path, fresh=True, stopping=threading.Event(), console=Console(file=StringIO()))
    assert real.database("rostock").exists()


@pytest.mark.parametrize(("kind", "name"), [(socket.SOCK_STREAM, "TCP"), (socket.SOCK_DGRAM, "UDP")])
def test_a_taken_port_is_named_with_who_wants_it(kind: socket.SocketKind, name: str) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        port = other.getsockname()[1]
        (busy,) = ports.taken([Needed(kind, "127.0.0.1", port, "rostock: radius.auth_port")])
    assert str(busy) == f"{name} 127.0.0.1:{port} (rostock: radius.auth_port)"
    assert ports.taken([busy]) == []


def test_every_port_of_the_installation_is_looked_at(tmp_path: Path) -> None:
    lay_files(tmp_path, say=lambda _: None)
    loaded = load_installation(tmp_path)
    services = {str(each).partition(" (")[0] for each in ports.needed_by_services(loaded.installation, loaded.cities)}
    assert services >= {f"TCP {PORTAL}", "TCP 127.0.0.1:9106", "TCP 127.0.0.1:9107", f"TCP {METRICS}"}
    assert {f"UDP 127.0.0.1:{port}" for port in (11812, 11813, 12812, 12813, 13812, 13813, 14812, 14813)} <= services
    town = [str(each) for each in ports.needed_by_town(loaded.cities)]
    assert sum("access point" in each for each in town) == 24 and sum("CoA" in each for each in town) == 4


# What it shows -------------------------------------------------------------------------------------------


def test_its_table_fits_80_columns_and_says_all(tmp_path: Path) -> None:
    lay_files(tmp_path, say=lambda _: None)
    loaded = load_installation(tmp_path)
    passwords = {(key, login): f"{key}-{login}-16chr" for key in CITIES for login in ("admin", "desk", "official")}
    out = StringIO()
    console = Console(file=out, width=80)
    console.print(screen.demo_table(loaded.cities, loaded.installation, passwords), soft_wrap=True)
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    for city in loaded.cities:
        for said in (f"{city.portal.url}/", f"{city.portal.staff_url}/staff", str(city.radius.auth_port)):
            assert said in text
    assert all(password in text for password in passwords.values())


def test_a_table_never_cuts_what_is_copied(tmp_path: Path) -> None:
    written = write_installation(tmp_path, ["rostock"])
    out = StringIO()
    table = screen.demo_table(list(written.cities.values()), written.installation, {("rostock", "admin"): "x" * 70})
    Console(file=out, width=60).print(table, soft_wrap=True)
    assert "x" * 70 in out.getvalue()


# All of it -----------------------------------------------------------------------------------------------


@dataclass
class Demo:
    """A running `kogge demo`."""

    process: subprocess.Popen[bytes]
    state: Path
    out: Path

    @property
    def said(self) -> str:
        return self.out.read_text()

    def wait_for(self, what: Callable[[], bool], seconds: float, why: str) -> None:
        until = time.monotonic() + seconds
        while not what():
            assert self.process.poll() is None, f"the demo ended by itself:\n{self.said}"
            assert time.monotonic() < until, f"{why} within {seconds:.0f} s:\n{self.said}\n{self.logs()}"
            time.sleep(0.5)

    def logs(self) -> str:
        tails = (f"--- {log.name}\n{log.read_text()[-1500:]}" for log in sorted((self.state / "log").glob("*.log")))
        return "\n".join(tails)

    def interrupt(self) -> int:
        """Ctrl-C, as a terminal sends it."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(END_SECONDS)


@contextlib.contextmanager
def started(state: Path, name: str) -> Iterator[Demo]:
    """`kogge demo` in `state`; `name` is the file beside it that its messages go into."""
    out = state.with_name(name)
    with out.open("wb") as file:
        process = subprocess.Popen(kogge("demo", "--state", str(state)), stdout=file, stderr=file)
    try:
        yield Demo(process, state, out)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(END_SECONDS)


def await_free_ports(folder: Path) -> None:
    """The demo's addresses are the shipped ones: two demos on one machine take turns."""
    lay_files(folder, say=lambda _: None)
    loaded = load_installation(folder)
    until = time.monotonic() + PORTS_SECONDS
    while True:
        wanted = [
            *ports.needed_by_services(loaded.installation, loaded.cities),
            *ports.needed_by_town(loaded.cities),
        ]
        busy = ports.taken(wanted)
        if not busy:
            return
        if time.monotonic() > until:
            pytest.fail("this test runs the real demo, and its ports are taken: " + ", ".join(map(str, busy)))
        time.sleep(1)


def token(state: Path, key: str) -> str:
    return (state / "data" / key / "keys" / "metrics.token").read_text().strip()


def samples(state: Path, key: str, name: str) -> dict[str, float]:
    """A gauge of a city's access points, by access point; empty while nobody answers."""
    try:
        page = http_get(METRICS, f"/cities/{key}/metrics", Authorization=f"Bearer {token(state, key)}")
    except OSError:
        return {}
    found = (sample for family in text_string_to_metric_families(page.body) for sample in family.samples)
    return {sample.labels["ap"]: sample.value for sample in found if sample.name == name}


def live_sessions(state: Path) -> dict[str, int]:
    opened = open_cities(state).cities
    found = {}
    for city in opened:
        with city.store.read() as conn:
            found[str(city.key)] = sessions.count_live(conn)
        city.store.close()
    return found


def processes_of(state: Path) -> list[str]:
    """Command lines that name the state folder: /proc knows."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(file.read_bytes().decode(errors="replace").replace("\0", " "))
    return [line for line in lines if str(state) in line]


def passwords_shown(text: str) -> list[str]:
    return re.findall(r"^ +(?:admin|desk|official) +(\S{16})\s*$", text, re.MULTILINE)


@pytest.mark.system
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_demo_from_its_table_to_ctrl_c_and_again(tmp_path: Path) -> None:
    await_free_ports(tmp_path / "ports")
    state = tmp_path / "state"
    with started(state, "first") as first:
        first.wait_for(lambda: "Ctrl-C ends it all." in first.said, TABLE_SECONDS, "no table")
        for key in CITIES:
            answer = http_get(PORTAL, "/", host=f"{key}.localhost:8080")
            assert answer.status == 200 and "text/html" in answer.headers["content-type"], key
        assert http_get(PORTAL, "/", host="localhost:8080").body.count("/walk-up") == len(CITIES)
        shown = passwords_shown(first.said)
        assert len(set(shown)) == 3 * len(CITIES), first.said
        first.wait_for(lambda: all(live_sessions(state).values()), LIFE_SECONDS, "not every city has sessions")
        for key in CITIES:
            first.wait_for(lambda key=key: len(samples(state, key, "wifi_ap_up")) == 6, 30, f"{key} lacks metrics")  # type: ignore[misc]
            assert sum(samples(state, key, "wifi_ap_up").values()) >= 5, "one a city may be failing just now"
            assert sum(samples(state, key, "wifi_ap_clients").values()) > 0
        kept = (state / "passwords.txt").read_text()
        assert stat.S_IMODE((state / "passwords.txt").stat().st_mode) == 0o600
        assert stat.S_IMODE((state / "TOWN.json").stat().st_mode) == 0o600
        assert first.interrupt() == 0
    assert first.said.endswith("Ended.\n") and "Traceback" not in first.said + first.logs()
    assert processes_of(state) == []
    assert sum(live_sessions(state).values()) == 0, "the NASes' Stops were counted"

    await_free_ports(tmp_path / "ports")
    with started(state, "second") as second:
        second.wait_for(lambda: "Ctrl-C ends it all." in second.said, TABLE_SECONDS, "no table")
        assert passwords_shown(second.said) == [] and "passwords.txt" in second.said
        assert (state / "passwords.txt").read_text() == kept
        with started(state, "third") as third:  # while the second one runs
            assert third.process.wait(60) == 2
        assert (
            "these ports are taken; end what uses them" in third.said and f"TCP {PORTAL} (portal.listen)" in third.said
        )
        assert second.interrupt() == 0
    assert processes_of(state) == []
