"""A service's life with parts of the test's own: who serves, who is named, what a signal does."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from config.model import Installation
from hotspot.errors import ConfigError
from service import processes
from service.cities import City, open_cities
from tests.support.installation import Written, write_installation
from tests.support.processes import http_get


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def made(tmp_path: Path) -> Written:
    written = write_installation(tmp_path / "installation", ["rostock", "wismar"])
    written.initialise()
    return written


@dataclass
class Parts:
    """What `run` did, in order; the first part that waits for its end is told by `ended`."""

    refuse: frozenset[str] = frozenset()
    book: list[str] = field(default_factory=list)

    def start(self, city: City) -> Part:
        if city.key in self.refuse:
            raise ConfigError(f"{city.key}: refused by the test")
        self.book.append(f"start {city.key}")
        return Part(self, city)


@dataclass
class Part:
    parts: Parts
    city: City

    def stop(self) -> None:
        self.parts.book.append(f"stop {self.city.key}")

    def join(self, timeout: float | None = None) -> None:
        assert timeout == processes.DRAIN_SECONDS
        self.parts.book.append(f"join {self.city.key}")


def metrics_listen(installation: Installation) -> str:
    return installation.monitor.metrics_listen


def run(path: Path, parts: Parts, only: tuple[str, ...] = ()) -> int:
    return processes.run(path, only, name="test", metrics_listen=metrics_listen, start=parts.start)


def signal_when_healthy(written: Written, number: int, seen: list[int]) -> threading.Thread:
    """Sends the signal once `/healthz` answers; what it answered goes into `seen`."""

    def watch() -> None:
        for _ in range(300):
            try:
                seen.append(http_get(written.installation.monitor.metrics_listen, "/healthz").status)
                break
            except OSError:
                threading.Event().wait(0.05)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_all_then_waits_for_each(number: int, made: Written) -> None:
    parts, seen = Parts(), list[int]()
    watcher = signal_when_healthy(made, number, seen)
    assert run(made.path, parts) == 0
    watcher.join()
    assert seen == [200]
    assert parts.book == [f"{what} {key}" for what in ("start", "stop", "join") for key in ("rostock", "wismar")]
    with pytest.raises(OSError, match="refused"):
        http_get(made.installation.monitor.metrics_listen, "/healthz")


def test_a_part_that_cannot_start_leaves_the_others_running(made: Written, capsys: pytest.CaptureFixture[str]) -> None:
    parts, seen = Parts(refuse=frozenset({"rostock"})), list[int]()
    watcher = signal_when_healthy(made, signal.SIGTERM, seen)
    assert run(made.path, parts) == 0
    watcher.join()
    assert parts.book == ["start wismar", "stop wismar", "join wismar"]
    said = capsys.readouterr().err
    assert "rostock: refused by the test" in said and "test: ready: wismar" in said


def test_where_no_part_starts_the_status_is_2(made: Written, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(made.path, Parts(refuse=frozenset({"rostock", "wismar"}))) == 2
    assert "no city could be started" in capsys.readouterr().err


def test_an_installation_that_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, Parts()) == 2
    assert "kogge.toml: cannot be read" in capsys.readouterr().err


def test_a_taken_metrics_port_ends_what_was_started(made: Written, capsys: pytest.CaptureFixture[str]) -> None:
    listen = made.installation.monitor.metrics_listen
    parts = Parts()
    with socket.socket() as other:
        address, _, port = listen.rpartition(":")
        other.bind((address, int(port)))
        other.listen()
        assert run(made.path, parts) == 2
    assert parts.book[-1] == "join wismar"
    assert f"metrics_listen {listen}: cannot listen there" in capsys.readouterr().err


# Opening cities --------------------------------------------------------------------------------------


def close(cities: tuple[City, ...]) -> None:
    for city in cities:
        city.store.close()


def test_each_city_is_opened_with_its_own_keys_database_and_registry(made: Written) -> None:
    opened = open_cities(made.path)
    rostock, wismar = opened.cities
    close(opened.cities)
    assert opened.problems == ()
    assert rostock.store.keys.masters != wismar.store.keys.masters
    assert rostock.registry is not wismar.registry
    assert rostock.store.engine.url != wismar.store.engine.url
    assert repr(rostock) == "City(rostock)", "a log line shows no key"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: (data / "keys/master-1.key").chmod(0o644), "others may read this key; run `chmod 600"),
        (lambda data: (data / "keys/master-1.key").write_text("short"), "not a key of 32 octets"),
        (lambda data: (data / "keys/master-1.key").unlink(), "no keys yet; run `kogge init`"),
        (lambda data: (data / "kogge.db").write_bytes(b"no database" * 100), "the database does not answer"),
        (lambda data: (data / "kogge.db").unlink(), "the database is empty; run `kogge init` first"),
    ],
    ids=["readable key", "short key", "no key", "broken database", "no database"],
)
def test_one_citys_fault_is_named_and_the_other_opens(spoil: object, said: str, made: Written) -> None:
    assert callable(spoil)
    spoil(made.installation.data_dir / "rostock")
    opened = open_cities(made.path)
    close(opened.cities)
    assert [city.key for city in opened.cities] == ["wismar"]
    assert len(opened.problems) == 1
    assert opened.problems[0].startswith("rostock: ") and said in opened.problems[0]
