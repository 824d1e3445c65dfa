"""A database that is away, a disk that is full: RADIUS acknowledges nothing, says so, and recovers by itself."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import time
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from bench import packets
from bench.packets import Status
from store import accounting, nases
from tests.conftest import miss, start_postgres
from tests.system.radius_load import NAS, SECRET, Asker, Load, Record

pytestmark = pytest.mark.system

OUTAGE_SECONDS = float(os.environ.get("KOGGE_OUTAGE_SECONDS", "5"))
"""How long the database is away: KOGGE_OUTAGE_SECONDS=60 waits for a minute, and proves the same."""

RECOVERY_SECONDS = 90.0
"""Generous, for a loaded machine."""

DISK_BYTES = 12 << 20
"""Of the tmpfs: the database and its log take a few MB."""

RECORDS = 40
FULL_ROUNDS_MAX = 100
"""A full disk shows within so many rounds of records: SQLite first uses up what its files already hold."""


class Sessions:
    """New sessions, their Starts and how to find them again."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._numbers = itertools.count()

    def starts(self, count: int = RECORDS) -> tuple[list[str], list[bytes]]:
        numbers = list(itertools.islice(self._numbers, count))
        names = [f"outage-{number:05d}" for number in numbers]
        records = [Record(name, Status.START, 0) for name in names]
        requests = [self._load.record(each, numbers[n], n) for n, each in enumerate(records)]
        return names, requests

    def stored(self, names: Collection[str]) -> set[str]:
        """Those of them that stand in the database."""
        with self._load.city.store.read() as conn:
            nas_id = next(nas.id for nas in nases.nases(conn, self._load.city.store.keys) if nas.name == "load-gateway")
            return {name for _, name in accounting.load_many(conn, [(nas_id, name) for name in names])}


@contextlib.contextmanager
def asking(requests: list[bytes], port: int) -> Iterator[Asker]:
    with contextlib.closing(Asker(requests, port)) as asker:
        yield asker


def log_ins(load: Load, count: int = 10) -> list[bytes]:
    """Access-Requests with sound tickets."""
    return [packets.access_request(n, SECRET, NAS, load.residents[n], 1_000 + n) for n in range(count)]


# The database is away -----------------------------------------------------------------------------------


def test_a_database_that_is_away_is_acknowledged_nothing_and_needs_no_restart(tmp_path: Path) -> None:
    postgres = start_postgres()
    with contextlib.ExitStack() as stack:
        stack.callback(postgres.stop)
        load = stack.enter_context(Load.prepare(tmp_path, residents=200, database=postgres.create("outage")))
        process = stack.enter_context(load.server())
        sessions = Sessions(load)
        before, requests = sessions.starts()
        with asking(requests, load.acct_port) as asker:
            assert len(asker.ask(60)) == RECORDS
        postgres.halt()
        names, requests = sessions.starts()
        with asking(requests, load.acct_port) as records, asking(log_ins(load), load.auth_port) as accesses:
            deadline = time.monotonic() + OUTAGE_SECONDS
            while time.monotonic() < deadline:
                assert not records.ask(0.5), "a record was acknowledged that no database holds"
                assert not accesses.ask(0.5), "a log-in was answered by guessing"
            postgres.resume()
            assert len(records.ask(RECOVERY_SECONDS)) == RECORDS
            assert len(accesses.ask(RECOVERY_SECONDS)) == len(accesses.requests)
        assert process.poll() is None
        assert sessions.stored(before + names) == {*before, *names}
        for port in ("auth", "acct"):
            assert load.dropped(port, "database") > 0
    assert "wismar: the database is away" in load.log.read_text()


# The disk is full ---------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own for Wismar's keys and database."""
    folder = tmp_path / "installation" / "data" / "wismar"
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        miss("needs root, to mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write until nothing more goes in; the file that is to be deleted again."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as out, contextlib.suppress(OSError):
        while out.write(bytes(4096)):
            pass
    assert shutil.disk_usage(folder).free < 4096
    return ballast


def test_a_full_disk_is_said_and_acknowledged_nothing_and_needs_no_restart(small_disk: Path, tmp_path: Path) -> None:
    with Load.prepare(tmp_path, residents=200) as load, load.server() as process:
        sessions = Sessions(load)
        ballast = fill(small_disk)
        acknowledged: list[str] = []
        for _ in range(FULL_ROUNDS_MAX):
            names, requests = sessions.starts()
            with asking(requests, load.acct_port) as asker:
                answered = asker.ask(1.5)
            acknowledged += [names[number] for number in answered]
            if not answered:
                break
        assert not answered, "the disk never became full"
        assert load.dropped("acct", "database") > 0
        assert "wismar: the database is away: database or disk is full" in load.log.read_text()
        assert sessions.stored(acknowledged) == set(acknowledged)
        ballast.unlink()
        names, requests = sessions.starts()
        with asking(requests, load.acct_port) as asker:
            assert len(asker.ask(RECOVERY_SECONDS)) == RECORDS
        assert process.poll() is None
        assert sessions.stored(acknowledged + names) == {*acknowledged, *names}
        with load.city.store.read() as conn:
            assert conn.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
