"""A few of `make simulate`'s evenings in each test run, on SQLite and on PostgreSQL; and that it sees what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from store import keys
from tests.support.postgresql import Postgres
from tests.trials import life, world
from tests.trials.__main__ import Task, again
from tests.trials.packets import START
from tests.trials.stay import Record
from tests.trials.world import CITIES, EVENING, Place, load_config, places, run

SEEDS = (1, 2, 3)
SESSIONS = 200
HAPPENED = ("accepts by ticket", "accepts by MAC", "rejects", "resent", "lost", "doubled", "bad_authenticator")
"""What an evening without it would not be a trial of."""


@pytest.fixture
def trial_keys(tmp_path: Path) -> Path:
    folder = tmp_path / "trial-keys"
    keys.make_missing(folder, now=EVENING)
    return folder


@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_is_kept(seed: int, tmp_path: Path, migrated_sqlite: Path, trial_keys: Path) -> None:
    happened = run(seed, SESSIONS, places(tmp_path, migrated_sqlite, trial_keys))
    assert happened["stays"] >= SESSIONS * 0.8, again(Task(seed, SESSIONS))
    assert all(happened[name] for name in HAPPENED), happened


def test_every_promise_is_kept_on_postgresql(postgres: Postgres, migrated_postgres: str, trial_keys: Path) -> None:
    with (
        postgres.database(like=migrated_postgres) as first,
        postgres.database(like=migrated_postgres) as second,
    ):
        urls = zip(CITIES, (first, second), strict=True)
        happened = run(4, SESSIONS, [Place(load_config(key), url, trial_keys) for key, url in urls])
    assert happened["stays"] >= SESSIONS * 0.8


def test_a_seed_gives_the_same_evening(tmp_path: Path, migrated_sqlite: Path, trial_keys: Path) -> None:
    first, second = (run(5, 40, places(tmp_path, migrated_sqlite, trial_keys)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("broken", ["a record is forgotten", "a Session-Timeout is too long"])
def test_a_broken_promise_is_seen(
    broken: str, tmp_path: Path, migrated_sqlite: Path, trial_keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if broken == "a record is forgotten":
        monkeypatch.setattr(world.Oracle, "commit", _but_starts(world.Oracle.commit))
    else:
        accept = world.Oracle.accept
        monkeypatch.setattr(
            life.Oracle,
            "accept",
            lambda self, mac, grant, timeout, by_mac: accept(self, mac, grant, timeout + 3600, by_mac=by_mac),
        )
    with pytest.raises(AssertionError):
        run(6, 40, places(tmp_path, migrated_sqlite, trial_keys))


def _but_starts(commit: Callable[..., None]) -> Callable[..., None]:
    """As if nothing but Starts had been sent: what the server stored of other records must look wrong."""

    def counted_less(self: object, record: object) -> None:
        if not isinstance(record, Record) or record.status == START:
            commit(self, record)

    return counted_less
