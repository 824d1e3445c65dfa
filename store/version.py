"""Whether a database has changed since one last looked: cheap enough to ask for every page.

Equal answers mean equal content. SQLite counts the commits of other connections for us (`PRAGMA data_version`, 3 µs),
so it is asked on a connection that never writes. On PostgreSQL the snapshot names every transaction that it sees or
does not see; of the whole server, so it changes more often than this database, never less.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from urllib.parse import quote

from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

Version = Callable[[], object]

_DATA_VERSION = "PRAGMA data_version"
_SNAPSHOT = text("SELECT pg_current_snapshot()::text")


def version_of(engine: Engine) -> Version:
    """How to ask this database. What it returns raises one of `store.store.Unavailable` when the database is away."""
    if engine.dialect.name == "sqlite":
        return _Sqlite(engine.url.database or "")
    looking = engine.execution_options(isolation_level="AUTOCOMMIT")  # one round trip, no transaction around it

    def ask() -> object:
        with looking.connect() as conn:
            return conn.execute(_SNAPSHOT).scalar_one()

    return ask


class _Sqlite:
    """A connection of its own, outside the pool, opened when it is first asked."""

    def __init__(self, file: str) -> None:
        self._address = f"file:{quote(file)}?mode=rw"
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def __call__(self) -> object:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = sqlite3.connect(self._address, uri=True, check_same_thread=False)
                return self._connection.execute(_DATA_VERSION).fetchall()[0][0]  # to its end: it holds no read lock
            except sqlite3.Error as error:
                self._connection = None
                raise OperationalError(_DATA_VERSION, None, error) from error
