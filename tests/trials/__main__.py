"""`make simulate`: many trials, spread over processes. A failure prints its seed and the command that repeats it."""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from radius.__main__ import GARBAGE_THRESHOLD
from store import keys, migrate
from store.engine import open_engine
from tests.trials.world import EVENING, places, run

PROGRAM = (("0-999", 200), ("10000-10009", 10_000))
"""What `make simulate` runs without ARGS: seeds and sessions each."""

PROGRESS_EVERY = 50


@dataclass(frozen=True)
class Task:
    seed: int
    sessions: int


def prepare(folder: Path) -> tuple[Path, Path]:
    """A migrated, empty SQLite file and a folder with keys, for every trial of a run to begin with."""
    file, key_folder = folder / "migrated.db", folder / "keys"
    engine = open_engine(f"sqlite:///{file}")
    migrate.upgrade(engine)
    with engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    keys.make_missing(key_folder, now=EVENING)
    return file, key_folder


def attempt(task: Task, migrated: Path, key_folder: Path) -> tuple[Counter[str], str]:
    """What happened, and the traceback where a promise was broken."""
    with tempfile.TemporaryDirectory(prefix="kogge-trial-") as folder:
        try:
            return run(task.seed, task.sessions, places(Path(folder), migrated, key_folder)), ""
        except Exception:
            return Counter(), traceback.format_exc()


def again(task: Task) -> str:
    """The command that repeats a trial."""
    return f"make simulate ARGS='--seeds {task.seed} --sessions {task.sessions}'"


_migrated: list[tuple[Path, Path]] = []


def _begin(migrated: Path, key_folder: Path) -> None:
    _migrated.append((migrated, key_folder))
    gc.set_threshold(GARBAGE_THRESHOLD)
    gc.freeze()


def _work(task: Task) -> tuple[Task, Counter[str], str]:
    return task, *attempt(task, *_migrated[0])


def _tasks(options: argparse.Namespace) -> list[Task]:
    program = [(options.seeds, options.sessions)] if options.seeds else PROGRAM
    tasks = []
    for seeds, sessions in program:
        first, _, last = seeds.partition("-")
        tasks += [Task(seed, sessions) for seed in range(int(first), int(last or first) + 1)]
    return sorted(tasks, key=lambda task: -task.sessions)  # the long ones first: no process ends alone


def main() -> int:
    parser = argparse.ArgumentParser(prog="make simulate ARGS=", description=__doc__)
    parser.add_argument("--seeds", help="such as 17 or 0-999; without it the whole program runs")
    parser.add_argument("--sessions", type=int, default=200, help="of each seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    options = parser.parse_args()
    tasks, total, failed, begun = _tasks(options), Counter[str](), 0, time.monotonic()
    print(f"{len(tasks)} trials in {options.jobs} processes, {datetime.now(UTC):%H:%M:%S} UTC", flush=True)
    with tempfile.TemporaryDirectory(prefix="kogge-trials-") as folder:
        prepared = prepare(Path(folder))
        with multiprocessing.Pool(options.jobs, _begin, prepared) as pool:
            for done, (task, happened, trouble) in enumerate(pool.imap_unordered(_work, tasks), start=1):
                total += happened
                if done % PROGRESS_EVERY == 0:
                    print(f"{done} trials done, {failed} failed, {time.monotonic() - begun:.0f} s", flush=True)
                if trouble:
                    failed += 1
                    print(f"seed {task.seed} FAILED\n{trouble}repeat it: {again(task)}\n", flush=True)
    for name, count in sorted(total.items()):
        print(f"{count:>12,}  {name}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = f"{time.monotonic() - begun:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of CPU time"
    print(f"{len(tasks) - failed} of {len(tasks)} trials kept every promise, {spent}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
