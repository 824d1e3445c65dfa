"""Writers of several processes on one SQLite file: a second store, which shares only the file, stands for another."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from store import engine, keys, migrate
from store.store import Store, Unavailable

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GAP_S = 0.004
HELD_S = 0.04


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    keys.make_missing(tmp_path / "keys", now=NOW)
    ring = keys.load(tmp_path / "keys", now=NOW)
    opened = [Store.open(f"sqlite:///{tmp_path / 'kogge.db'}", ring) for _ in range(2)]
    migrate.upgrade(opened[0].engine)
    yield opened[0], opened[1]
    for each in opened:
        each.close()


def test_a_writer_takes_the_short_gap_that_another_leaves(stores: tuple[Store, Store]) -> None:
    busy, patient = stores
    ending = threading.Event()

    def keep_busy() -> None:  # as accounting flat out: held most of the time, with short gaps
        while not ending.is_set():
            with busy.write():
                time.sleep(HELD_S)
            time.sleep(GAP_S)

    thread = threading.Thread(target=keep_busy)
    thread.start()
    waits = [_wait_of(patient) for _ in range(20)]
    ending.set()
    thread.join()
    assert statistics.mean(waits) < 2 * (HELD_S + GAP_S), "SQLite's own handler misses most of the gaps"


def _wait_of(store: Store) -> float:
    time.sleep(HELD_S / 2)
    begun = time.monotonic()
    with store.write():
        return time.monotonic() - begun


def test_a_writer_gives_up_in_the_end(stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch) -> None:
    busy, patient = stores
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 50)
    with busy.write(), pytest.raises(Unavailable, match="locked"), patient.write():
        pass
    with patient.write() as conn:  # and the next one succeeds, on the same connection
        assert conn.exec_driver_sql("PRAGMA busy_timeout").scalar() == 50
