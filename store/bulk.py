"""One statement for many rows, as the hot path wants it: written once, sent prepared, on SQLite and PostgreSQL.

SQLite runs a statement for each row at a microsecond or two; PostgreSQL takes all rows as one array a column, because
a round trip costs more than a row. Values are what the driver stores: microseconds since 1970 and days as text, not
datetimes. Table and column names come from `store.schema`; no value ever becomes SQL text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, CursorResult, Table
from sqlalchemy.dialects import postgresql

Row = tuple[Any, ...]

SIZES = (1, 4, 16, 64, 256)
"""How many keys a prepared form takes on SQLite; fewer are filled up with the last one, more go by several."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """A statement for many rows. `run` needs `write()`."""

    sqlite: str
    postgresql: str

    def run(self, conn: Connection, rows: Sequence[Row]) -> None:
        """All rows, which have the columns in the order in which the statement was made. None is no statement."""
        if not rows:
            return
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql(self.sqlite, list(rows))
        else:
            conn.exec_driver_sql(self.postgresql, tuple(map(array, zip(*rows, strict=True))))


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


class Keyed:
    """A SELECT or UPDATE whose last condition is `column {keys}`: all rows under many keys at once.

    `text` has %s where values go, before the keys; `kind` is the keys' type on PostgreSQL.
    """

    def __init__(self, text: str, kind: str) -> None:
        self._postgresql = text.replace("{keys}", f"= ANY(%s::{kind}[])")
        filled = {size: text.replace("{keys}", f"IN ({_marks(range(size))})") for size in SIZES}
        self._sqlite = {size: each.replace("%s", "?") for size, each in filled.items()}

    def rows(self, conn: Connection, keys: Collection[Any], *arguments: Any) -> list[Row]:
        """What a SELECT finds, in no order; no query where there are no keys."""
        return [row for result in self._run(conn, keys, arguments) for row in _rows(result)]

    def run(self, conn: Connection, keys: Collection[Any], *arguments: Any) -> int:
        """Execute an UPDATE; how many rows it changed. Needs `write()`."""
        return sum(result.rowcount for result in self._run(conn, keys, arguments))

    def _run(self, conn: Connection, keys: Collection[Any], arguments: Row) -> Iterator[CursorResult[Any]]:
        if not keys:
            return
        if conn.dialect.name != "sqlite":
            yield conn.exec_driver_sql(self._postgresql, (*arguments, array(keys)))
            return
        every = list(keys)
        for start in range(0, len(every), SIZES[-1]):
            part = every[start : start + SIZES[-1]]
            size = next(size for size in SIZES if size >= len(part))
            part += part[-1:] * (size - len(part))
            yield conn.exec_driver_sql(self._sqlite[size], (*arguments, *part))


def fetch(conn: Connection, text: str, *arguments: Any) -> list[Row]:
    """All rows of a SELECT; %s where values go."""
    if conn.dialect.name == "sqlite":
        text = text.replace("%s", "?")
    return _rows(conn.exec_driver_sql(text, arguments))


def _rows(result: CursorResult[Any]) -> list[Row]:
    """From the driver's own cursor: SQLAlchemy's rows cost more than the query."""
    cursor: Any = result.cursor
    rows: list[Row] = cursor.fetchall()
    return rows


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
