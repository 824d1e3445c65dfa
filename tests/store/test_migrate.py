"""Migrations make exactly the schema of the code; a service refuses any other revision."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from hotspot.errors import ConfigError
from store import migrate
from store.engine import open_engine
from store.schema import metadata
from store.store import Store


def test_the_migrations_make_the_schema(city_store: Store) -> None:
    with city_store.read() as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []


def test_an_empty_database_is_refused_with_the_command(tmp_path) -> None:  # type: ignore[no-untyped-def]
    engine = open_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(ConfigError, match="kogge init"):
        migrate.require_current(engine)
    engine.dispose()


def test_another_revision_is_refused_with_the_command(city_store: Store) -> None:
    migrate.require_current(city_store.engine)
    with city_store.write() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(ConfigError, match=r"0000.*kogge migrate"):
        migrate.require_current(city_store.engine)


def test_migrating_twice_changes_nothing(city_store: Store) -> None:
    migrate.upgrade(city_store.engine)
    assert migrate.current_revision(city_store.engine) == migrate.head_revision()
