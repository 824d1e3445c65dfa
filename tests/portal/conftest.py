"""One city's door with a clock that the test moves.

`door` stands on the suite's `city`, so on SQLite and on PostgreSQL. Modules in which the database plays no part take
`quick_city` instead (they define `city` by it): a copy of one migrated and seeded SQLite file.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.staff.login import hash_password
from service.cities import City
from store import keys, migrate
from store.store import Store
from tests.portal.hands import NOW, PASSWORD, Clock, Door, Phone
from tests.support.cities import city_config, make_city

DATABASE = "kogge.db"


@pytest.fixture(scope="session")
def password_hash() -> str:
    """argon2id of `PASSWORD`, once a run: hashing is slow on purpose."""
    return hash_password(PASSWORD)


@pytest.fixture(scope="session")
def seeded_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rostock's keys and its seeded database, to be copied."""
    folder = tmp_path_factory.mktemp("seeded")
    keys.make_missing(folder / "keys", now=NOW)
    store = _open(folder)
    migrate.upgrade(store.engine)
    make_city("rostock", store, now=NOW)
    store.close()
    return folder


@pytest.fixture
def quick_city(seeded_folder: Path, tmp_path: Path) -> Iterator[City]:
    """Rostock on a copy of the seeded database."""
    folder = shutil.copytree(seeded_folder, tmp_path / "rostock")
    store = _open(folder)
    yield City(city_config("rostock"), store)
    store.close()


def _open(folder: Path) -> Store:
    return Store.open(f"sqlite:///{folder / DATABASE}", keys.load(folder / "keys", now=NOW))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(city: City, clock: Clock, password_hash: str) -> Door:
    return Door(city, clock, password_hash)


@pytest.fixture
def phone(door: Door) -> Phone:
    return door.phone()
