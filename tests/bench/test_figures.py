"""The benchmarks' own arithmetic: what a figure is made of, so that a wrong sum does not look like a quick server."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.databases import NotDurable, Sqlite, check_durable
from bench.history import VISITS, History
from bench.load import Tally
from bench.memory import Look, growth
from bench.ours import OurServer
from bench.packets import Status
from bench.radius import OURS, THEIRS, figures
from bench.report import Figure
from bench.requests import BEGUN_BEFORE, session_steps
from bench.rounds import Measured, summarise


def tally(*waits_ms: float, seconds: float = 1.0, cpu_seconds: float = 0.0) -> Tally:
    waits = [wait / 1_000 for wait in waits_ms]
    return Tally(list(range(len(waits))), waits, seconds, cpu_seconds)


def test_a_tally_counts_replies_waits_and_cpu_time() -> None:
    found = tally(*range(1, 101), seconds=2.0, cpu_seconds=0.01)
    assert found.per_second == 50
    assert found.wait(0.50) == pytest.approx(0.051)
    assert found.wait(0.99) == pytest.approx(0.100)
    assert found.cpu_us == pytest.approx(100)


def test_figures_are_medians_of_rounds_and_ours_divided_by_theirs() -> None:
    rounds = [
        *(Measured(OURS, "pg", "auth", tally(*[wait] * count)) for wait, count in ((2, 400), (1, 600), (9, 10))),
        *(Measured(THEIRS, "pg", "auth", tally(*[wait] * count)) for wait, count in ((4, 100), (4, 200), (8, 300))),
    ]
    assert {each.name: each.value for each in figures(summarise(rounds))} == {
        "radius.auth.pg.rps": 400,
        "radius.auth.pg.p99_ms": pytest.approx(2),
        "radius.auth.pg.ratio": 2,
        "radius.auth.pg.p99_ratio": pytest.approx(0.5),
    }


def test_without_a_rival_there_is_no_ratio() -> None:
    found = figures(summarise([Measured(OURS, "sqlite", "acct", tally(1, 2))]))
    assert [each.name for each in found] == ["radius.acct.sqlite.rps", "radius.acct.sqlite.p99_ms"]


def test_a_figure_is_one_line() -> None:
    assert Figure("radius.auth.pg.rps", 1_234.56, "rps").line() == "result radius.auth.pg.rps 1235 rps"
    assert Figure("radius.auth.pg.ratio", 2.3456, "x").line() == "result radius.auth.pg.ratio 2.35 x"


def test_memory_growth_is_the_slope_of_the_second_half() -> None:
    kb = [50, 100, 100, 101, 102, 103]
    looks = [Look(number * 100_000, each, 0.0) for number, each in enumerate(kb)]
    assert growth(looks) == pytest.approx(10)


def test_no_interim_comes_before_its_start() -> None:
    begun: dict[int, int] = {}
    for number, (who, status) in enumerate(session_steps(devices=1_000, count=5_000)):
        if status is Status.START:
            assert who not in begun
            begun[who] = number
        else:
            assert number - begun[who] >= BEGUN_BEFORE
    assert len(begun) == 1_000


# A city with a past -----------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> OurServer:
    return OurServer(tmp_path, Sqlite(tmp_path))


def rows_of(database: Sqlite, server: OurServer, question: str) -> list[tuple[object, ...]]:
    with contextlib.closing(database.connect(server.database_name)) as conn:
        return conn.execute(question).fetchall()


def test_a_history_is_what_it_says_with_every_index_of_the_schema(server: OurServer, tmp_path: Path) -> None:
    database = Sqlite(tmp_path)
    indexes = "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name"
    before = rows_of(database, server, indexes)
    History(sessions=400).write(server, database, now=datetime.now(UTC))
    assert rows_of(database, server, indexes) == before
    assert rows_of(database, server, "SELECT count(*) FROM session WHERE ended_at > started_at") == [(400,)]
    assert rows_of(database, server, "SELECT count(*) FROM usage_daily") == [(400,)]
    assert rows_of(database, server, "SELECT count(*) FROM session GROUP BY device_id") == [(VISITS,)] * 20
    strangers = "SELECT count(*) FROM session s JOIN grant_ g ON g.id = s.grant_id WHERE g.device_id <> s.device_id"
    assert rows_of(database, server, strangers) == [(0,)]
    assert rows_of(database, server, "PRAGMA foreign_key_check") == []


def test_commits_that_are_not_durable_end_the_run(tmp_path: Path) -> None:
    settings = {"PRAGMA journal_mode": "wal", "PRAGMA synchronous": 1}
    with pytest.raises(NotDurable, match="synchronous says 1, not 2"):
        check_durable(Sqlite(tmp_path), lambda question: settings[question])
