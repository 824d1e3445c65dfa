"""Migrations make exactly the schema of the code; a service refuses any other revision."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

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


def test_rows_of_the_first_revision_survive_the_upgrade(city_store: Store) -> None:
    """What stood in the database before: NASes with their settings, and the sessions that refer to them."""
    engine = city_store.engine
    with engine.connect() as conn, conn.begin():
        for table in reversed(metadata.sorted_tables):
            conn.execute(text(f"DROP TABLE {table.name}"))
        conn.execute(text("DROP TABLE alembic_version"))
    migrate.upgrade(engine, "0001")
    with city_store.write() as conn:
        for statement in _FIRST_ROWS:
            conn.execute(text(statement))
    migrate.upgrade(engine)
    with city_store.read() as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []
        nases = conn.execute(text("SELECT name, require_message_authenticator, limit_proxy_state FROM nas ORDER BY id"))
        assert [tuple(row) for row in nases] == [("strict", "yes", 1), ("lenient", "no", 1)]
        assert conn.execute(text("SELECT count(*) FROM nas_contact JOIN nas ON nas.id = nas_id")).scalar_one() == 1
    with city_store.write() as conn, pytest.raises(IntegrityError):
        conn.execute(text("INSERT INTO nas_contact VALUES (77, 0, 0)"))


_NAS = (
    "INSERT INTO nas (id, site_id, name, nas_identifier, address, product, login_url, coa_port,"
    " require_message_authenticator, octets_swapped, secret_sealed, uam_secret_sealed, created_at)"
    " VALUES ({id}, 1, '{name}', 'gw-{id}', '192.0.2.{id}', 'coovachilli', '', 3799, {required}, true, '', '', 0)"
)
_FIRST_ROWS = (
    "INSERT INTO site (id, key, name, district, kind) VALUES (1, 'markt', 'Markt', 'Altstadt', 'square')",
    _NAS.format(id=1, name="strict", required="true"),
    _NAS.format(id=2, name="lenient", required="false"),
    "INSERT INTO nas_contact VALUES (1, 0, 0)",
)
