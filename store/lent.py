"""Connections to PostgreSQL that are in use, and since when: what a server that hangs holds can be cut off.

libpq waits for an answer for ever. The kernel of a server that hangs (stopped, its disk gone) still acknowledges what
it is sent, so neither TCP's own time-outs nor `statement_timeout`, which the server keeps, ever end that wait. Shutting
the socket down from another thread does: libpq reads an end of file and raises, and the waiting thread is free.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from typing import Any

from sqlalchemy import Engine, event


class Lent:
    """What one engine's pool has lent out. Nothing is lent where the database runs inside this process (SQLite)."""

    def __init__(self, engine: Engine) -> None:
        self._lock = threading.Lock()
        self._since: dict[int, tuple[float, Any]] = {}
        if engine.dialect.name != "sqlite":
            event.listen(
                engine, "checkout", self._note, insert=True
            )  # before the look whether it lives, which may hang
            event.listen(engine, "checkin", self._forget)

    def _note(self, connection: Any, record: Any, _proxy: Any) -> None:
        with self._lock:
            self._since[id(record)] = time.monotonic(), connection

    def _forget(self, _connection: Any, record: Any) -> None:
        with self._lock:
            self._since.pop(id(record), None)

    def cut(self, seconds: float) -> int:
        """End what was lent out longer ago; whoever waits for it gets one of `Unavailable`. Returns how many."""
        before = time.monotonic() - seconds
        with self._lock:
            return sum(_shut(connection) for since, connection in self._since.values() if since < before)


def _shut(connection: Any) -> bool:
    """On a copy of the descriptor: the connection itself is closed by the thread that waits for it."""
    with contextlib.suppress(Exception):  # it was closed meanwhile
        with socket.socket(fileno=os.dup(connection.fileno())) as copy:
            copy.shutdown(socket.SHUT_RDWR)
        return True
    return False
