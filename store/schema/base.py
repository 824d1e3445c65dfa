"""The tables of one city's database. There is no city column: another city has another database.

Times are UTC instants, days are the city's local days, octets are the resident's view, secrets are sealed.
`docs/data-model.md` draws the relations.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    MetaData,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def id_() -> Column[int]:
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def named(name: str, *, nullable: bool = False, index: bool = False) -> Column[int]:
    """A row's id without a foreign key: checking one costs a log or a counter more than writing it.

    PostgreSQL would lock and dirty the row that is named, for each of thousands a second (docs/adr/0013).
    """
    return Column(name, BigInteger().with_variant(Integer, "sqlite"), nullable=nullable, index=index)


def ref(name: str, target: str, *, nullable: bool = False, index: bool = False) -> Column[int]:
    """A foreign key; SQLite indexes none of them by itself."""
    kind = BigInteger().with_variant(Integer, "sqlite")
    return Column(name, kind, ForeignKey(f"{target}.id"), nullable=nullable, index=index)
