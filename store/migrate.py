"""Alembic, per city and from code: no ini file, no global state. Services check, only `kogge migrate` changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from hotspot.errors import ConfigError

_SCRIPTS = Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config


def head_revision() -> str:
    """The revision that this code wants."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def current_revision(engine: Engine) -> str | None:
    """The database's revision, None where it is empty."""
    with engine.connect() as conn:
        return MigrationContext.configure(conn).get_current_revision()


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database to a revision, in one transaction: a kill leaves the old one whole."""
    config = _config()
    with engine.execution_options(writes=True).connect() as conn, _foreign_keys_off(conn), conn.begin():
        config.attributes["connection"] = conn
        command.upgrade(config, revision)
        _check_foreign_keys(conn)


@contextmanager
def _foreign_keys_off(conn: Connection) -> Iterator[None]:
    """SQLite changes a table by making it anew, and dropping the old one would break what refers to it.

    The switch has no effect inside a transaction (SQLite, "Making Other Kinds Of Table Schema Changes").
    """
    raw: Any = conn.connection.driver_connection
    if conn.dialect.name != "sqlite":
        yield
        return
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        raw.execute("PRAGMA foreign_keys=ON")


def _check_foreign_keys(conn: Connection) -> None:
    if conn.dialect.name == "sqlite":
        broken = conn.exec_driver_sql("PRAGMA foreign_key_check").first()
        assert broken is None, f"the migration left a row that refers to nothing: {broken}"


def require_current(engine: Engine) -> None:
    """ConfigError naming the command, unless the database has exactly the revision of this code."""
    current, head = current_revision(engine), head_revision()
    if current is None:
        raise ConfigError("the database is empty; run `kogge init` first")
    if current != head:
        raise ConfigError(f"the database has revision {current}, this version wants {head}; run `kogge migrate`")
