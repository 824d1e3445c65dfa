"""The supervisor with real processes: order, readiness, restarts, status 2, the end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ops import supervisor
from ops.supervisor import Child, supervise

PROGRAM = """
import signal, sys, time
name, book, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
def note(what):
    with open(book, "a") as file:
        file.write(f"{what} {name}\\n")
def ended(*_):
    note("ended")
    sys.exit(0)
signal.signal(signal.SIGTERM, ended)
note("began")
time.sleep(seconds)
"""


@dataclass
class Bench:
    """Children that write into one book what they do."""

    folder: Path
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def book(self) -> list[str]:
        file = self.folder / "book"
        return file.read_text().splitlines() if file.exists() else []

    def child(self, name: str, *, seconds: float = 60, ready: Callable[[], bool] | None = None) -> Child:
        return Child(name, [sys.executable, "-c", PROGRAM, name, str(self.folder / "book"), str(seconds)], None, ready)

    def failing(self, name: str, status: int) -> Child:
        log = self.folder / f"{name}.log"
        return Child(name, [sys.executable, "-c", f"print('why'); raise SystemExit({status})"], log)

    def wait_for(self, what: Callable[[], bool], seconds: float = 10) -> None:
        until = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < until, self.book
            time.sleep(0.02)

    def stop_when(self, what: Callable[[], bool]) -> threading.Thread:
        """From a thread of its own: `supervise` stays in this one, whose end would end the children."""

        def watch() -> None:
            until = time.monotonic() + 20
            while not what() and time.monotonic() < until:
                time.sleep(0.02)
            self.stopping.set()

        thread = threading.Thread(target=watch)
        thread.start()
        return thread


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.stopping.set()


def test_children_start_in_order_and_end_in_reverse(bench: Bench) -> None:
    children = [
        bench.child(name, ready=lambda name=name: f"began {name}" in bench.book)  # type: ignore[misc]
        for name in ("one", "two", "three")
    ]
    told: list[str] = []
    status = supervise(
        children, bench.stopping, starting=lambda child: told.append(child.name), started=bench.stopping.set
    )
    assert status == 0
    assert told == ["one", "two", "three"]
    assert bench.book == [*(f"began {name}" for name in told), *(f"ended {name}" for name in reversed(told))]


def test_the_next_child_waits_until_the_one_before_is_ready(bench: Bench) -> None:
    asked = 0

    def ready() -> bool:
        nonlocal asked
        asked += 1
        assert "began two" not in bench.book
        return asked > 3

    supervise([bench.child("one", ready=ready), bench.child("two")], bench.stopping, started=bench.stopping.set)
    assert asked == 4


def test_waiting_for_readiness_can_be_interrupted(bench: Bench) -> None:
    watcher = bench.stop_when(lambda: "began one" in bench.book)
    began = time.monotonic()
    status = supervise([bench.child("one", ready=lambda: False), bench.child("two")], bench.stopping)
    watcher.join()
    assert status == 0 and time.monotonic() - began < 10
    assert bench.book == ["began one", "ended one"]


def test_waiting_for_readiness_is_bounded(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "READY_SECONDS", 0.5)
    assert supervise([bench.child("one", ready=lambda: False), bench.child("two")], bench.stopping) == 2
    assert "one does not answer" in caplog.text and "began two" not in bench.book


def test_a_child_that_cannot_start_ends_all_and_names_its_log(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    broken = bench.failing("broken", 2)
    assert supervise([bench.child("one"), broken], bench.stopping) == 2
    assert f"broken cannot start; see {broken.log_file}" in caplog.text
    assert (bench.folder / "broken.log").read_text() == "why\n"


def test_a_child_that_cannot_start_is_seen_while_another_is_waited_for(bench: Bench) -> None:
    assert supervise([bench.failing("broken", 2), bench.child("one", ready=lambda: False)], bench.stopping) == 2


def test_a_killed_child_comes_back(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    child = bench.child("one")

    def kill_and_wait() -> bool:
        if bench.book.count("began one") == 1 and child.process is not None and child.failures == 0:
            os.kill(child.process.pid, signal.SIGKILL)
        return bench.book.count("began one") == 2

    watcher = bench.stop_when(kill_and_wait)
    assert supervise([child], bench.stopping) == 0
    watcher.join()
    assert bench.book == ["began one", "began one", "ended one"]
    assert "one ended with status -9; restarting in 1 s" in caplog.text


def test_pauses_between_restarts_grow(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "RESTART_SECONDS", (0.1, 0.2, 0.4))
    child = bench.failing("moody", 1)
    watcher = bench.stop_when(lambda: child.failures >= 4)
    began = time.monotonic()
    assert supervise([child], bench.stopping) == 0
    watcher.join()
    assert time.monotonic() - began >= 0.1 + 0.2 + 0.4


def test_what_does_not_end_is_killed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "DRAIN_SECONDS", 0.5)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open({!r}, 'w').close(); time.sleep(60)"
    sign = bench.folder / "deaf"
    child = Child("deaf", [sys.executable, "-c", deaf.format(str(sign))], ready=sign.exists)
    assert supervise([child], bench.stopping, started=bench.stopping.set) == 0
    assert child.process is not None and child.process.returncode == -signal.SIGKILL
    assert "deaf did not end within" in caplog.text


def test_nothing_starts_after_the_signal(bench: Bench) -> None:
    bench.stopping.set()
    assert supervise([bench.child("one")], bench.stopping, started=lambda: pytest.fail("nothing was started")) == 0
    assert bench.book == []
