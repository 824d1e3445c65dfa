"""How a database is opened: SQLite's pragmas and transaction mode, PostgreSQL's time-outs. No table is named here.

SQLite (durable, several processes on one file): WAL, synchronous=FULL, BEGIN IMMEDIATE for writers, busy time-out.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

BUSY_TIMEOUT_MS = 5_000
"""How long a writer waits for another process's transaction before it fails."""

POOL_SIZE = 8
"""Connections a process keeps to one city's database: threads of the portal, or one for each batch worker."""

STATEMENT_TIMEOUT_MS = 30_000

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-32768",
    "PRAGMA temp_store=MEMORY",
)


def open_engine(url: str, password: str | None = None) -> Engine:
    """An engine for `sqlite:///file` or `postgresql://…` (psycopg 3)."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(
            parsed,
            pool_size=POOL_SIZE,
            max_overflow=0,
            connect_args={"check_same_thread": False},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    options = f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC"
    return create_engine(
        parsed.set(drivername="postgresql+psycopg", password=password or parsed.password),
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"options": options, "connect_timeout": 5},
    )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # sqlite3 would open transactions by itself, and always deferred; we say BEGIN ourselves (`_begin_sqlite`).
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma).fetchall()


def _begin_sqlite(conn: Connection) -> None:
    writes = conn.get_execution_options().get("writes", False)
    conn.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
