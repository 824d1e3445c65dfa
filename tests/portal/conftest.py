"""One city's door with a clock that the test moves.

`city` is Rostock on SQLite and on PostgreSQL, as everywhere in the suite, but of a database that was migrated and
seeded once a run. Modules in which the database plays no part define `city` by `quick_city`: SQLite alone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select, text

from service.cities import City
from store import keys, migrate, schema
from store.engine import open_engine
from store.store import Store
from tests.portal.hands import NOW, PASSWORD, Clock, Door, Phone
from tests.support.cities import city_config, make_city
from tests.support.postgresql import Postgres

DATABASES = os.environ.get("KOGGE_DATABASES", "sqlite,postgresql").split(",")
TABLES = schema.metadata.sorted_tables


@pytest.fixture(scope="session")
def password_hash() -> str:
    """argon2id of `PASSWORD`, cheaper than ours: a stored hash brings its own cost, and log-ins here are many."""
    return PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)


# Seeded once, the same for each test ----------------------------------------------------------------------


@pytest.fixture(scope="session")
def key_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A city's key folder."""
    folder = tmp_path_factory.mktemp("template") / "keys"
    keys.make_missing(folder, now=NOW)
    return folder


def _seed(url: str, key_folder: Path) -> None:
    store = Store.open(url, keys.load(key_folder, now=NOW))
    migrate.upgrade(store.engine)
    make_city("rostock", store, now=NOW)
    store.close()


@pytest.fixture(scope="session")
def sqlite_template(key_template: Path) -> Path:
    """Rostock's seeded database file."""
    file = key_template.with_name("kogge.db")
    _seed(f"sqlite:///{file}", key_template)
    return file


@dataclass(frozen=True)
class Rewound:
    """One PostgreSQL database for the run, put back to its seed before each test.

    A database of its own for each test took half a second to make, this takes a few hundredths.
    """

    url: str
    rows: dict[str, list[dict[str, Any]]]
    sequences: dict[str, int | None]

    @classmethod
    def of(cls, url: str) -> Rewound:
        engine = open_engine(url)
        with engine.connect() as conn:
            rows = {each.name: [dict(row) for row in conn.execute(each.select()).mappings()] for each in TABLES}
            sequences = dict(conn.execute(text("SELECT sequencename, last_value FROM pg_sequences")).all())
        engine.dispose()
        return cls(url, rows, sequences)

    def rewind(self) -> None:
        engine = open_engine(self.url)
        with engine.begin() as conn:
            for table in reversed(TABLES):
                conn.execute(table.delete())
            for table in TABLES:
                if self.rows[table.name]:
                    conn.execute(table.insert(), self.rows[table.name])
            for name, last in self.sequences.items():
                conn.execute(select(func.setval(name, last or 1, last is not None)))
        engine.dispose()


@pytest.fixture(scope="session")
def postgres_seeded(postgres: Postgres, key_template: Path) -> Iterator[Rewound]:
    with postgres.database() as url:
        _seed(url, key_template)
        yield Rewound.of(url)


@contextmanager
def _open(url: str, key_folder: Path) -> Iterator[City]:
    store = Store.open(url, keys.load(key_folder, now=NOW))
    yield City(city_config("rostock"), store)
    store.close()


@pytest.fixture
def quick_city(sqlite_template: Path, key_template: Path, tmp_path: Path) -> Iterator[City]:
    """Rostock on SQLite."""
    with _open(f"sqlite:///{shutil.copy(sqlite_template, tmp_path)}", key_template) as city:
        yield city


@pytest.fixture(params=DATABASES)
def city(request: pytest.FixtureRequest) -> Iterator[City]:
    """Rostock on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield request.getfixturevalue("quick_city")
        return
    seeded: Rewound = request.getfixturevalue("postgres_seeded")
    seeded.rewind()
    with _open(seeded.url, request.getfixturevalue("key_template")) as opened:
        yield opened


# Doors ----------------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(city: City, clock: Clock, password_hash: str) -> Door:
    return Door(city, clock, password_hash)


@pytest.fixture
def phone(door: Door) -> Phone:
    return door.phone()
