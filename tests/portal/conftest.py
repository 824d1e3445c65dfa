"""One city's door with a clock that the test moves.

`city` is Rostock on SQLite and on PostgreSQL, as everywhere in the suite, but copied from a database that was migrated
and seeded once a run. Modules in which the database plays no part define `city` by `quick_city`: SQLite alone.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from portal.staff.login import hash_password
from service.cities import City
from store import keys, migrate
from store.store import Store
from tests.portal.hands import NOW, PASSWORD, Clock, Door, Phone
from tests.support.cities import city_config, make_city
from tests.support.postgresql import Postgres

DATABASES = os.environ.get("KOGGE_DATABASES", "sqlite,postgresql").split(",")
_numbers = itertools.count()


@pytest.fixture(scope="session")
def password_hash() -> str:
    """argon2id of `PASSWORD`, once a run: hashing is slow on purpose."""
    return hash_password(PASSWORD)


# Seeded once, copied for each test ----------------------------------------------------------------------


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
class PostgresTemplate:
    """Rostock's seeded database on the run's PostgreSQL."""

    url: str

    @contextmanager
    def copy(self) -> Iterator[str]:
        """A database of its own; dropped afterwards."""
        server, _, template = self.url.rpartition("/")
        name = f"{template}_{next(_numbers)}"
        with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
            yield f"{server}/{name}"
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres, key_template: Path) -> Iterator[PostgresTemplate]:
    with postgres.database() as url:
        _seed(url, key_template)
        yield PostgresTemplate(url)


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
    template: PostgresTemplate = request.getfixturevalue("postgres_template")
    with template.copy() as url, _open(url, request.getfixturevalue("key_template")) as opened:
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
