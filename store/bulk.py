"""One statement for many rows, as the hot path wants it: written once, sent prepared, on SQLite and PostgreSQL.

SQLite runs a statement for each row at a microsecond or two; PostgreSQL takes all rows as one array a column, because
a round trip costs more than a row, and what stands in `together` travels in one round trip. Values are what the driver
stores: microseconds since 1970 and days as text, not datetimes. Table and column names come from `store.schema`; no
value ever becomes SQL text.

Statements go to the driver itself, inside SQLAlchemy's transaction: its own way costs more than the query. The driver's
errors leave here as SQLAlchemy's, so that `store.store.Unavailable` means the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

Row = tuple[Any, ...]
Rows = Callable[[], list[Row]]
"""What a statement that was sent will have found; ask once, inside the transaction."""

SIZES = (1, 4, 16, 64, 256)
"""How many keys a prepared form takes on SQLite; fewer are filled up with the last one, more go by several."""


@contextmanager
def together(conn: Connection) -> Iterator[None]:
    """Statements in here do not wait for one another's answers: PostgreSQL's pipeline mode. Errors come at its end."""
    with _in_our_words(conn), _pipeline(conn):
        yield


def _pipeline(conn: Connection) -> AbstractContextManager[object]:
    if conn.dialect.name == "sqlite":
        return nullcontext()
    pipeline: AbstractContextManager[object] = _driver(conn).pipeline()
    return pipeline


def _driver(conn: Connection) -> Any:
    return conn.connection.driver_connection


@contextmanager
def _in_our_words(conn: Connection) -> Iterator[None]:
    """The driver's error as SQLAlchemy says it; a connection that broke is not used again."""
    try:
        yield
    except conn.dialect.loaded_dbapi.Error as error:
        lost = conn.dialect.is_disconnect(error, _driver(conn), None)
        if lost:
            conn.invalidate(error)
        raise DBAPIError.instance(
            None, None, error, conn.dialect.loaded_dbapi.Error, connection_invalidated=lost, dialect=conn.dialect
        ) from error


def _send(conn: Connection, text: str, arguments: Sequence[Any]) -> Any:
    """The driver's cursor of a statement on its way."""
    cursor = _driver(conn).cursor()
    cursor.execute(text, arguments)
    return cursor


@dataclass(frozen=True, slots=True)
class Bulk:
    """A statement for many rows. `run` needs `write()`."""

    sqlite: str
    postgresql: str

    def run(self, conn: Connection, rows: Sequence[Row]) -> None:
        """All rows, which have the columns in the order in which the statement was made. None is no statement."""
        if not rows:
            return
        with _in_our_words(conn):
            if conn.dialect.name == "sqlite":
                _driver(conn).executemany(self.sqlite, rows)
            else:
                _send(conn, self.postgresql, tuple(map(array, zip(*rows, strict=True))))


def insert(table: Table, columns: Sequence[str]) -> Bulk:
    """Rows of these columns."""
    names = ", ".join(columns)
    return Bulk(
        f"INSERT INTO {table.name} ({names}) VALUES ({_marks(columns)})",
        f"INSERT INTO {table.name} ({names}) SELECT * FROM {_unnested(table, columns)}",
    )


def update(table: Table, key: str, columns: Sequence[str]) -> Bulk:
    """Rows of these columns and, last, the key."""
    return Bulk(
        f"UPDATE {table.name} SET {', '.join(f'{name} = ?' for name in columns)} WHERE {key} = ?",
        f"UPDATE {table.name} SET {', '.join(f'{name} = v.{name}' for name in columns)} "
        f"FROM {_unnested(table, (*columns, key))} AS v({', '.join((*columns, key))}) "
        f"WHERE {table.name}.{key} = v.{key}",
    )


def add(table: Table, keys: Sequence[str], columns: Sequence[str]) -> Bulk:
    """Rows of the keys and then these columns, whose values are added to what stands under the keys."""
    every = (*keys, *columns)
    sums = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in columns)
    conflict = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sums}"
    inserted = insert(table, every)
    return Bulk(f"{inserted.sqlite} {conflict}", f"{inserted.postgresql} {conflict}")


def put(table: Table, keys: Sequence[str], columns: Sequence[str], *, kept: Sequence[str] = ()) -> Bulk:
    """Rows of the keys and then these columns, which replace what stands under the keys.

    `kept`: columns that stay where the row brings an empty text.
    """
    news = [f"{name} = {_unless_empty(table, name) if name in kept else f'excluded.{name}'}" for name in columns]
    conflict = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {', '.join(news)}"
    inserted = insert(table, (*keys, *columns))
    return Bulk(f"{inserted.sqlite} {conflict}", f"{inserted.postgresql} {conflict}")


def _unless_empty(table: Table, name: str) -> str:
    return f"CASE excluded.{name} WHEN '' THEN {table.name}.{name} ELSE excluded.{name} END"


def append(table: Table, keys: Sequence[str], column: str) -> Bulk:
    """Rows of the keys and octets, which are written behind those under the keys."""
    joined = f"{table.name}.{column} || excluded.{column}"
    conflict = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {column} = "
    inserted = insert(table, (*keys, column))
    return Bulk(  # SQLite's || makes text of octets, the same ones
        f"{inserted.sqlite} {conflict}CAST({joined} AS BLOB)", f"{inserted.postgresql} {conflict}{joined}"
    )


class Keyed:
    """A SELECT or UPDATE whose last condition is `column {keys}`: all rows under many keys at once.

    `text` has %s where values go, before the keys; `kind` is the keys' type on PostgreSQL. `postgresql`: another text
    for it, with %s for the keys too.
    """

    def __init__(self, text: str, kind: str, *, postgresql: str | None = None) -> None:
        self._postgresql = postgresql or text.replace("{keys}", f"= ANY(%s::{kind}[])")
        filled = {size: text.replace("{keys}", f"IN ({_marks(range(size))})") for size in SIZES}
        self._sqlite = {size: each.replace("%s", "?") for size, each in filled.items()}

    def rows(self, conn: Connection, keys: Collection[Any], *arguments: Any) -> list[Row]:
        """What a SELECT finds, in no order; no query where there are no keys."""
        return self.ask(conn, keys, *arguments)()

    def ask(self, conn: Connection, keys: Collection[Any], *arguments: Any) -> Rows:
        """Send a SELECT whose answer is wanted later; see `together`."""
        with _in_our_words(conn):
            return _answers(conn, self._run(conn, keys, arguments))

    def run(self, conn: Connection, keys: Collection[Any], *arguments: Any) -> None:
        """Execute an UPDATE. Needs `write()`."""
        with _in_our_words(conn):
            self._run(conn, keys, arguments)

    def _run(self, conn: Connection, keys: Collection[Any], arguments: Row) -> list[Any]:
        """The cursors: one on PostgreSQL, one for each slice of keys on SQLite."""
        if not keys:
            return []
        if conn.dialect.name != "sqlite":
            return [_send(conn, self._postgresql, (*arguments, array(keys)))]
        every = list(keys)
        parts = (every[start : start + SIZES[-1]] for start in range(0, len(every), SIZES[-1]))
        return [self._run_part(conn, part, arguments) for part in parts]

    def _run_part(self, conn: Connection, part: list[Any], arguments: Row) -> Any:
        size = next(size for size in SIZES if size >= len(part))
        return _send(conn, self._sqlite[size], (*arguments, *part, *part[-1:] * (size - len(part))))


def ask(conn: Connection, text: str, *arguments: Any) -> Rows:
    """Send a SELECT; %s where values go. See `together`."""
    if conn.dialect.name == "sqlite":
        text = text.replace("%s", "?")
    with _in_our_words(conn):
        return _answers(conn, [_send(conn, text, arguments)])


def fetch(conn: Connection, text: str, *arguments: Any) -> list[Row]:
    """All rows of a SELECT; %s where values go."""
    return ask(conn, text, *arguments)()


def _answers(conn: Connection, cursors: list[Any]) -> Rows:
    def fetch_all() -> list[Row]:
        with _in_our_words(conn):
            return [row for cursor in cursors for row in cursor.fetchall()]

    return fetch_all


def _marks(columns: Collection[Any]) -> str:
    return ", ".join("?" * len(columns))


def _unnested(table: Table, columns: Sequence[str]) -> str:
    return f"unnest({', '.join(f'%s::{_kind(table.c[name])}[]' for name in columns)})"


def _kind(column: Column[Any]) -> str:
    return column.type.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]


def array(values: Iterable[Any]) -> str:
    """PostgreSQL's text form of an array: psycopg's own adaptation of a list takes three times as long."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bytes):
        return '"\\\\x' + value.hex() + '"'
    return str(value)
