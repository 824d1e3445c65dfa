"""One city's database behind two doors: `read()` and `write()`. That is the whole interface.

What stands inside a `write()` is one transaction, committed at its end; nothing slow belongs in it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import Connection as Connection  # what the other rooms call a transaction's hand
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from store.engine import open_engine
from store.keys import KeyRing

Unavailable = (OperationalError, InterfaceError, InternalError, PoolTimeout)
"""What a caller catches to say "the database is away" instead of a traceback. A wrong value or statement is not in it:
that is our fault, and must look like one."""

Unusable = (DBAPIError, PoolTimeout)
"""What opening may raise: the database is away, or it is none at all."""


class Store:
    """A city's database and keys. `one_writer`: only one transaction writes at a time, so others need their turn."""

    def __init__(self, engine: Engine, keys: KeyRing) -> None:
        self.engine = engine
        self.keys = keys
        self._writer = engine.execution_options(writes=True)
        self._reader = engine.execution_options(postgresql_readonly=True)
        # SQLite has one writer: threads of a process queue here, where they wake at once, and not in SQLite's
        # busy handler, which sleeps up to 100 ms between looks.
        self.one_writer = engine.dialect.name == "sqlite"
        self._queue: AbstractContextManager[object] = threading.Lock() if self.one_writer else nullcontext()

    @classmethod
    def open(cls, url: str, keys: KeyRing, *, password: str | None = None) -> Store:
        """Open without looking at it; `store.migrate.require_current` checks the revision."""
        return cls(open_engine(url, password), keys)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view; writing in it fails on PostgreSQL."""
        with self._reader.connect() as conn, conn.begin():
            yield conn

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, durable when this returns."""
        with self._queue, self._writer.connect() as conn, conn.begin():
            yield conn

    def ping(self) -> None:
        """Raises one of `Unavailable` when the database does not answer."""
        with self.read() as conn:
            conn.execute(select(text("1")))

    def close(self) -> None:
        self.engine.dispose()
