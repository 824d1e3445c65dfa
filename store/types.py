"""Column types: values of `hotspot/` in the database and back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Date, Dialect, TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """An aware instant as it is stored."""
    return (at - _EPOCH) // _MICROSECOND


def instant_of(stored: int) -> datetime:
    """A stored instant, aware, in UTC."""
    return _EPOCH + timedelta(microseconds=stored)


def day_of(stored: date | str) -> date:
    """A stored day: PostgreSQL's driver gives a date, SQLite's the text."""
    return date.fromisoformat(stored) if isinstance(stored, str) else stored


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime as microseconds since 1970: exact, ordered and the same on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "times in the store are aware"
        return microseconds(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else instant_of(value)


class Day(TypeDecorator[date]):
    """A local calendar day."""

    impl = Date
    cache_ok = True
