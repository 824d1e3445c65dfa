"""One city's database behind two doors: `read()` and `write()`. That is the whole interface.

What stands inside a `write()` is one transaction, committed at its end; nothing slow belongs in it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection as Connection  # what the other rooms call a transaction's hand
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from store.engine import BUSY_TIMEOUT_MS, open_engine
from store.keys import KeyRing
from store.lent import Lent
from store.version import version_of

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
        self.version = version_of(engine)  # equal answers: nothing was committed in between
        self._turn = threading.Lock()
        self._lent = Lent(engine)

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
        with self._queue(), self._writer.connect() as conn, conn.begin():
            yield conn

    @contextmanager
    def _queue(self) -> Iterator[None]:
        """This thread's turn to write; no longer a wait than for another process."""
        if not self.one_writer:
            yield
            return
        if not self._turn.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
            raise PoolTimeout(f"another thread has been writing for {BUSY_TIMEOUT_MS} ms")
        try:
            yield
        finally:
            self._turn.release()

    def cut(self, seconds: float) -> int:
        """Free the threads that have waited longer for a server that hangs: they get one of `Unavailable`."""
        return self._lent.cut(seconds)

    def ping(self) -> None:
        """Raises one of `Unavailable` when the database does not answer."""
        with self.read() as conn:
            conn.execute(select(text("1")))

    def close(self) -> None:
        self.engine.dispose()
