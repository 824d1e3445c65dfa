"""SIGHUP: the portal takes in changed files while residents go on asking, and refuses files that are not sound."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.installation import Written, write_installation
from tests.support.processes import http_get, service

pytestmark = pytest.mark.system

CLIENTS = 8
SECONDS = 30.0
OLD, NEW = "wlan@rostock.example", "new-desk@rostock.example"


@pytest.fixture
def written(tmp_path: Path) -> Written:
    made = write_installation(tmp_path / "kogge", ["rostock", "wismar"])
    made.initialise()
    return made


@pytest.fixture
def portal(written: Written) -> Iterator[subprocess.Popen[bytes]]:
    with service(written, "portal") as process:
        yield process


def ask(written: Written) -> tuple[int, str]:
    host = urlsplit(written.cities["rostock"].portal.url).netloc
    answer = http_get(written.installation.portal.listen, "/help", host=host)
    return answer.status, answer.body


@contextlib.contextmanager
def crowd(written: Written) -> Iterator[Counter[object]]:
    """Residents who ask without a pause, on a connection each time; how often each status or error came."""
    ended, seen = threading.Event(), Counter[object]()

    def go_on() -> None:
        while not ended.is_set():
            try:
                seen[ask(written)[0]] += 1
            except OSError as error:
                seen[repr(error)] += 1

    threads = [threading.Thread(target=go_on) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        ended.set()
        for thread in threads:
            thread.join(SECONDS)


def await_true(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def change(written: Written, old: str, new: str) -> None:
    file = written.path / "cities" / "rostock.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def said(written: Written) -> str:
    return (written.path / "portal.log").read_text()


def test_changed_files_are_taken_in_without_dropping_a_request(
    written: Written, portal: subprocess.Popen[bytes]
) -> None:
    assert OLD in ask(written)[1]
    with crowd(written) as seen:
        for old, new in ((OLD, NEW), (NEW, OLD)):
            change(written, old, new)
            portal.send_signal(signal.SIGHUP)
            await_true(lambda wanted=new: wanted in ask(written)[1])  # type: ignore[misc]
            time.sleep(1)  # the old worker is ending
    assert set(seen) == {200}, seen
    assert seen[200] > 50
    scraped = http_get(written.installation.portal.metrics_listen, "/healthz")
    assert scraped.status == 200, "the new worker has taken over the metrics, too"


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("cities/rostock.toml", "[limits]", "[limits]\nvoucher_gueses = 1", "did you mean `voucher_guesses`?"),
        ("kogge.toml", "threads = 8", "threads = 0", "portal.threads"),
        ("kogge.toml", 'listen = "127.0.0.1:', 'listen = "127.0.0.2:', "needs a restart"),
    ],
)
def test_files_that_are_not_sound_change_nothing(
    written: Written, portal: subprocess.Popen[bytes], file: str, old: str, new: str, reason: str
) -> None:
    path = written.path / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    portal.send_signal(signal.SIGHUP)
    await_true(lambda: "portal: not reloaded; the old configuration goes on" in said(written))
    assert reason in said(written)
    assert ask(written)[0] == 200
    assert portal.poll() is None
