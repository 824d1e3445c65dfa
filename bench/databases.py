"""The databases on which both servers are measured: made, renewed for each round, and asked whether they are durable.

Nothing here knows a table. PostgreSQL is a cluster of the benchmark's own, on the server's core, with Debian's default
settings; it ends with the benchmark.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import psycopg

from bench.servers import READY_SECONDS, Cores, NotReady, last_lines, pinned

POSTGRES_ACCOUNT = "postgres"
"""As whom Debian's package runs PostgreSQL. The server refuses to run as root; anybody else runs it as themselves."""

ROLE = "bench"
"""Who owns the cluster inside PostgreSQL."""

AS_MADE = "_as_made"
"""What the copy's name ends with from which each round's database is made."""


class NotDurable(Exception):
    """A setting that would make commits cheaper than they may be: then no figure is worth printing."""


class Database(Protocol):
    """Where databases stand, by name. `key` is what result lines call it."""

    key: str
    name: str
    promises: Mapping[str, str]

    def make(self, name: str) -> None:
        """A new, empty database."""

    def url(self, name: str) -> str:
        """As a city's file names it."""

    def connect(self, name: str) -> Any:
        """A DB-API connection to it; close it."""

    def script(self, name: str, text: str) -> None:
        """Execute statements that stand in one text, and commit."""

    def keep(self, name: str) -> None:
        """What the database holds now is what `renew` gives back. Nobody may be connected."""

    def renew(self, name: str) -> None:
        """The database as it was kept, with nothing left to write."""

    def drop(self, name: str) -> None:
        """Away with it; what was kept stays."""

    def files(self, name: str) -> list[Path]:
        """Where its rows stand on the disk."""

    def processes(self) -> frozenset[int]:
        """Servers whose CPU time, with that of their children, is the database's."""


def check_durable(database: Database, ask: Callable[[str], Any]) -> None:
    """NotDurable unless the connection behind `ask` commits as it should. `ask` gives a query's one value."""
    for question, wanted in database.promises.items():
        if (answer := str(ask(question))) != wanted:
            raise NotDurable(f"{database.name}: {question} says {answer}, not {wanted}: commits would not be durable")


class Sqlite:
    """Files in `folder`, in WAL mode, which stays with a file."""

    key, name = "sqlite", "SQLite"
    promises: Mapping[str, str] = {"PRAGMA journal_mode": "wal", "PRAGMA synchronous": "2"}  # 2: FULL

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "sqlite"
        self._folder.mkdir(exist_ok=True)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.db"

    def make(self, name: str) -> None:
        self.script(name, "PRAGMA journal_mode=WAL")

    def url(self, name: str) -> str:
        return f"sqlite:///{self._file(name)}"

    def connect(self, name: str) -> sqlite3.Connection:
        return sqlite3.connect(self._file(name))

    def script(self, name: str, text: str) -> None:
        with contextlib.closing(self.connect(name)) as conn:
            conn.executescript(text)

    def keep(self, name: str) -> None:
        self.script(name, "PRAGMA wal_checkpoint(TRUNCATE)")
        self._file(name).rename(self._file(name + AS_MADE))

    def renew(self, name: str) -> None:
        self.drop(name)
        shutil.copyfile(self._file(name + AS_MADE), self._file(name))
        os.sync()

    def drop(self, name: str) -> None:
        for ending in ("", "-wal", "-shm"):
            Path(f"{self._file(name)}{ending}").unlink(missing_ok=True)

    def files(self, name: str) -> list[Path]:
        return [self._file(name)]

    def processes(self) -> frozenset[int]:
        return frozenset()  # it runs inside the RADIUS server


class Postgres:
    """A running cluster whose files stand in `folder`."""

    key, name = "pg", "PostgreSQL"
    promises: Mapping[str, str] = {
        "SHOW fsync": "on",
        "SHOW synchronous_commit": "on",
        "SHOW full_page_writes": "on",
    }

    def __init__(self, folder: Path, port: int, process: int) -> None:
        self._folder, self._port, self._process = folder, port, process

    def make(self, name: str) -> None:
        self.script("postgres", f"CREATE DATABASE {name}")

    def url(self, name: str) -> str:
        return f"postgresql://{ROLE}@127.0.0.1:{self._port}/{name}"

    def connect(self, name: str) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url(name), autocommit=True)

    def script(self, name: str, text: str) -> None:
        with contextlib.closing(self.connect(name)) as conn:
            conn.execute(text.encode())

    def keep(self, name: str) -> None:
        self.script(name, "VACUUM ANALYZE")
        self.script("postgres", f"ALTER DATABASE {name} RENAME TO {name}{AS_MADE}")

    def renew(self, name: str) -> None:
        self.drop(name)
        self.script("postgres", f"CREATE DATABASE {name} TEMPLATE {name}{AS_MADE}")
        self.script("postgres", "CHECKPOINT")
        os.sync()

    def drop(self, name: str) -> None:
        self.script("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def files(self, name: str) -> list[Path]:
        with contextlib.closing(self.connect(name)) as conn:
            oid = conn.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
        assert oid is not None
        return [each for each in (self._folder / "base" / str(oid[0])).iterdir() if each.is_file()]

    def processes(self) -> frozenset[int]:
        return frozenset({self._process})


# A cluster of the benchmark's own ---------------------------------------------------------------------


def why_no_postgres() -> str | None:
    """What is missing on this machine; None where nothing is."""
    return "postgresql is not installed" if _binaries() is None else None


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found else None


@contextlib.contextmanager
def postgres(folder: Path, cores: Cores) -> Iterator[Postgres]:
    """A cluster on the server's core, from its first connection until it has ended. NotReady says why it is not."""
    binaries, account = _binaries(), POSTGRES_ACCOUNT if os.geteuid() == 0 else None
    assert binaries is not None, "the caller asks `why_no_postgres` first"
    data, log, port = folder / "postgresql", folder / "postgresql.log", _free_port()
    data.mkdir(mode=0o700)
    if account is not None:
        folder.chmod(0o711)  # the account must reach what is its own
        shutil.chown(data, account, account)
    _initialise(binaries, data, account)
    listen = ("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-p", str(port))
    with pinned([str(binaries / "postgres"), "-D", str(data), *listen], cores, log, account=account) as process:
        cluster = Postgres(data, port, process.pid)
        _await_connection(cluster, process, log)
        yield cluster


def _initialise(binaries: Path, data: Path, account: str | None) -> None:
    command = [str(binaries / "initdb"), "-D", str(data), "-U", ROLE, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, user=account, group=account)
    if done.returncode:
        raise NotReady(f"initdb fails in {data}:\n{done.stderr}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_connection(cluster: Postgres, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            cluster.connect("postgres").close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise NotReady(f"PostgreSQL does not answer:\n{last_lines(log)}")
