"""Rows to values and back: the one place that knows which column is which field."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import RowMapping

from hotspot.access import Grant, Ticket
from hotspot.plan import Counting, Plan, Way
from hotspot.terms import Terms
from store.schema import grant, terms

Value = TypeVar("Value")

GRANT_COLUMNS: tuple[ColumnElement[Any], ...] = (
    *grant.c,
    terms.c.version.label("terms_version"),
)
"""What `grant_of` needs from a select that joins grant and terms."""


def pick(kind: type[Value], row: RowMapping, /, **changed: Any) -> Value:
    """A dataclass from the equally named columns; `changed` gives or converts the others."""
    return kind(**{name: changed[name] if name in changed else row[name] for name in _field_names(kind)})  # type: ignore[arg-type]


@cache
def _field_names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def plan_of(row: RowMapping) -> Plan:
    return pick(Plan, row, way=Way(row["way"]), voucher_counts=Counting(row["voucher_counts"]))


def grant_of(row: RowMapping) -> Grant:
    """From a row with `GRANT_COLUMNS`."""
    return pick(Grant, row, way=Way(row["way"]))


def ticket_of(row: RowMapping) -> Ticket:
    return pick(Ticket, row)


def terms_of(row: RowMapping) -> Terms:
    return pick(Terms, row)


def insert_for(conn: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, which SQLite and PostgreSQL spell alike and SQLAlchemy keeps apart."""
    return sqlite.insert(table) if conn.dialect.name == "sqlite" else postgresql.insert(table)
