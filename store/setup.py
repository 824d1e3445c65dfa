"""What `kogge init` puts into an empty city: plans and terms (sites, access points and NASes: `store.fleet`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from store.schema import plan, site, terms


def is_empty(conn: Connection) -> bool:
    """Whether nothing was ever imported: a seed is taken once."""
    counts = [conn.execute(select(func.count()).select_from(table)).scalar_one() for table in (plan, site)]
    return not any(counts)


def add_plan(conn: Connection, **columns: Any) -> int:
    return int(conn.execute(insert(plan).values(**columns).returning(plan.c.id)).scalar_one())


def add_terms(conn: Connection, *, version: int, language: str, title: str, body: str, now: datetime) -> int:
    values = {"version": version, "language": language, "title": title, "body": body, "published_at": now}
    return int(conn.execute(insert(terms).values(**values).returning(terms.c.id)).scalar_one())
