"""What every room's tests share: cities on both databases, free ports, and tools that may be missing."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.cities import City
from store import keys, migrate
from store.engine import open_engine
from store.store import Store
from tests.support.cities import make_city
from tests.support.postgresql import Postgres

TOOL_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


# Tools -----------------------------------------------------------------------------------------------


def find_tool(name: str) -> str | None:
    """A Debian program's path; daemons stand where a user's PATH does not look."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *TOOL_FOLDERS])
    return shutil.which(name, path=path)


def pytest_configure(config: pytest.Config) -> None:
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", ""), *TOOL_FOLDERS])


def pytest_runtest_setup(item: pytest.Item) -> None:
    missing = [mark.args[0] for mark in item.iter_markers("tool") if find_tool(mark.args[0]) is None]
    if missing:
        miss(f"needs {', '.join(missing)}")


def miss(why: str) -> None:
    """Skip, or fail where the tools were promised (CI)."""
    if os.environ.get("KOGGE_REQUIRE_TOOLS"):
        pytest.fail(f"{why}, and KOGGE_REQUIRE_TOOLS is set")
    pytest.skip(f"{why}; `make test-tools` installs it")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [
        report for report in terminalreporter.stats.get("skipped", []) if "make test-tools" in str(report.longrepr)
    ]
    if skipped:
        wanted = sorted({str(report.longrepr).split("needs ")[1].split(";")[0] for report in skipped})
        terminalreporter.write_line("")
        terminalreporter.write_line(f"{len(skipped)} tests were skipped: they need {', '.join(wanted)}.")
        terminalreporter.write_line("`make test-tools` installs what is missing (Debian packages, asks for root).")


# Databases -------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """A command in this process logs to the screen that its test made: nothing later may write there."""
    root = logging.getLogger()
    root.handlers[:] = [each for each in root.handlers if not getattr(getattr(each, "stream", None), "closed", False)]
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this test run's own, on a socket and port of its own."""
    server = start_postgres()
    yield server
    server.stop()


def start_postgres() -> Postgres:
    """One more, for a test that ends it; the test is skipped where PostgreSQL is missing. `stop()` it."""
    server = Postgres.start()
    if server is None:
        miss("needs postgresql")
    assert server is not None
    return server


DATABASES = os.environ.get("KOGGE_DATABASES", "sqlite,postgresql").split(",")


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty file; each test gets a copy, so that the migrations run once."""
    file = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres) -> str:
    """The name of a migrated, empty database; each test gets a copy."""
    name = "kogge_migrated"
    _migrate(postgres.create(name))
    return name


def _migrate(url: str) -> None:
    engine = open_engine(url)
    migrate.upgrade(engine)
    if engine.dialect.name == "sqlite":  # all of it in the one file that is copied
        with engine.connect() as conn:
            conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database, on SQLite and on PostgreSQL: every test that takes it runs on both."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), tmp_path / "kogge.db")
        yield f"sqlite:///{tmp_path / 'kogge.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database(like=request.getfixturevalue("migrated_postgres")) as url:
        yield url


@pytest.fixture
def key_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    keys.make_missing(folder, now=NOW)
    return folder


@pytest.fixture
def city_store(database_url: str, key_folder: Path) -> Iterator[Store]:
    """A migrated, empty store of one city."""
    store = Store.open(database_url, keys.load(key_folder, now=NOW))
    yield store
    store.close()


@pytest.fixture
def city(city_store: Store) -> City:
    """Rostock with its seed imported, on a store of its own."""
    return make_city("rostock", city_store, now=NOW)


# Sockets ---------------------------------------------------------------------------------------------


@pytest.fixture
def free_port() -> Callable[[int], int]:
    """A port that nobody listens on; pass SOCK_DGRAM or SOCK_STREAM."""

    def find(kind: int = socket.SOCK_STREAM, host: str = "127.0.0.1") -> int:
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind((host, 0))
            return int(probe.getsockname()[1])

    return find


def run(*command: str, text: str = "", timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """A command's output; never raises for its status."""
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=timeout, check=False)
