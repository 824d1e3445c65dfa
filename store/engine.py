"""How a database is opened: SQLite's pragmas and transaction mode, PostgreSQL's time-outs. No table is named here.

SQLite (durable, several processes on one file): WAL, synchronous=FULL, BEGIN IMMEDIATE for writers, busy time-out.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError

BUSY_TIMEOUT_MS = 5_000
"""How long a writer waits for another process's transaction before it fails."""

LOOK_AGAIN_SECONDS = 0.001
"""Pause of a waiting writer between two looks: shorter than the gap that RADIUS leaves after each commit."""

POOL_SIZE = 8
"""Connections a process keeps to one city's database: threads of the portal, or one for each batch worker."""

PING_AFTER_SECONDS = 1.0
"""A connection to PostgreSQL that rested so long is asked whether it lives before it is used."""

POOL_WAIT_SECONDS = 5.0
"""How long a thread waits for one of those connections before the database counts as away."""

CONNECT_SECONDS = 5

STATEMENT_TIMEOUT_MS = 30_000

LOST_PEER = {
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # ms
}
"""When the kernel gives up a server whose machine or network is gone (libpq, "Parameter Key Words"). One that hangs is
cut off by `store.lent`."""

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-32768",
    "PRAGMA temp_store=MEMORY",
)


def open_engine(url: str, password: str | None = None) -> Engine:
    """An engine for `sqlite:///file` or `postgresql://…` (psycopg 3). Its errors show no values: they get into logs."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(
            parsed,
            hide_parameters=True,
            pool_size=POOL_SIZE,
            max_overflow=0,
            pool_timeout=POOL_WAIT_SECONDS,
            connect_args={"check_same_thread": False},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    options = f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC"
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg", password=password or parsed.password),
        hide_parameters=True,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        connect_args={"options": options, "connect_timeout": CONNECT_SECONDS, **LOST_PEER},
    )
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _ping_after_a_rest(engine))
    return engine


def _note_use(_connection: Any, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


def _ping_after_a_rest(engine: Engine) -> Callable[[Any, Any, Any], None]:
    """SQLAlchemy's pre-ping, but only for a connection that rested: RADIUS asks a thousand times a second."""

    def check(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("used_at", float("inf")) < PING_AFTER_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except Exception as error:
            raise DisconnectionError("the server closed a resting connection") from error  # the pool opens another

    return check


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # sqlite3 would open transactions by itself, and always deferred; we say BEGIN ourselves (`_begin_sqlite`).
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma).fetchall()


def _begin_sqlite(conn: Connection) -> None:
    if conn.get_execution_options().get("writes", False):
        _begin_writing(conn)
    else:
        conn.exec_driver_sql("BEGIN")


def _begin_writing(conn: Connection) -> None:
    """BEGIN IMMEDIATE, waiting by ourselves while another process writes.

    SQLite's own busy handler looks at 1, 3, 8, 18 … 128, 228 ms and misses the gap of a few ms that RADIUS under load
    leaves after each commit: one write in a hundred waited for 150 to 550 ms.
    """
    raw: Any = conn.connection.driver_connection
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    raw.execute("PRAGMA busy_timeout=0")
    try:
        while time.monotonic() < deadline:
            try:
                raw.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
            time.sleep(LOOK_AGAIN_SECONDS)
        conn.exec_driver_sql("BEGIN IMMEDIATE")  # fails once more, in the words that `Unavailable` knows
    finally:
        raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
