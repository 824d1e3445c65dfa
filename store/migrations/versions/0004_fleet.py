"""Eyes on every access point: controllers and what stands behind them, events, history, availability, credentials."""

import sqlalchemy as sa
from alembic import op

import store.types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Instant = store.types.Instant


def upgrade() -> None:
    _access_point()
    _of_access_points()
    op.create_table(
        "monitor_watch",
        sa.Column("id", ID, nullable=False),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_monitor_watch")),
    )
    op.create_index("ix_monitor_watch_last_at", "monitor_watch", ["last_at"])
    op.create_table(
        "snmp_credential",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snmp_credential")),
        sa.UniqueConstraint("name", name=op.f("uq_snmp_credential_name")),
    )
    _discovery()


def downgrade() -> None:
    raise NotImplementedError("Kogge restores a backup instead of migrating down")


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def _access_point() -> None:
    with op.batch_alter_table("access_point") as batch:
        batch.drop_constraint(op.f("uq_access_point_name"), type_="unique")
        batch.add_column(_text("kind", "access_point"))
        batch.add_column(sa.Column("controller_id", ID, nullable=True))
        batch.add_column(_text("member_key"))
        batch.add_column(sa.Column("retired_at", Instant(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_access_point_controller_id_access_point"), "access_point", ["controller_id"], ["id"]
        )
    polled = sa.text("retired_at IS NULL")
    op.create_index(
        "uq_access_point_name", "access_point", ["name"], unique=True, sqlite_where=polled, postgresql_where=polled
    )
    behind = sa.text("retired_at IS NULL AND controller_id IS NOT NULL")
    op.create_index(
        "uq_access_point_member",
        "access_point",
        ["controller_id", "member_key"],
        unique=True,
        sqlite_where=behind,
        postgresql_where=behind,
    )
    op.add_column("access_point_health", _text("serial"))
    op.add_column("access_point_health", _text("profile"))


def _of_access_points() -> None:
    op.create_table(
        "access_point_bssid",
        sa.Column("bssid", sa.Text(), nullable=False),
        sa.Column("access_point_id", ID, nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["access_point_id"], ["access_point.id"], name=op.f("fk_access_point_bssid_access_point_id_access_point")
        ),
        sa.PrimaryKeyConstraint("bssid", name=op.f("pk_access_point_bssid")),
    )
    op.create_index("ix_access_point_bssid_access_point_id", "access_point_bssid", ["access_point_id"])
    op.create_table(
        "access_point_hour",
        sa.Column("access_point_id", ID, autoincrement=False, nullable=False),
        sa.Column("hour", Instant(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["access_point_id"],
            ["access_point.id"],
            name=op.f("fk_access_point_hour_access_point_id_access_point"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("access_point_id", "hour", name=op.f("pk_access_point_hour")),
    )
    op.create_index("ix_access_point_hour_hour", "access_point_hour", ["hour"])
    op.create_table(
        "access_point_event",
        sa.Column("id", ID, nullable=False),
        sa.Column("access_point_id", ID, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        _text("radio"),
        _text("before"),
        _text("after"),
        sa.ForeignKeyConstraint(
            ["access_point_id"], ["access_point.id"], name=op.f("fk_access_point_event_access_point_id_access_point")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_point_event")),
    )
    op.create_index("ix_access_point_event_access_point_id_at", "access_point_event", ["access_point_id", "at"])
    op.create_index("ix_access_point_event_at", "access_point_event", ["at"])


def _discovery() -> None:
    op.create_table(
        "discovery",
        sa.Column("id", ID, nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("asked_by", ID, nullable=True),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("began_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        *(sa.Column(name, sa.Integer(), nullable=False, server_default="0") for name in ("total", "asked", "answered")),
        _text("failure"),
        sa.ForeignKeyConstraint(["asked_by"], ["staff.id"], name=op.f("fk_discovery_asked_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discovery")),
    )
    words = ("address", "kind", "profile", "system_name", "model", "firmware", "serial", "bssids", "snmp_version")
    op.create_table(
        "discovery_find",
        sa.Column("id", ID, nullable=False),
        sa.Column("discovery_id", ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in words),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("snmp_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("access_point_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["discovery_id"], ["discovery.id"], name=op.f("fk_discovery_find_discovery_id_discovery")
        ),
        sa.ForeignKeyConstraint(
            ["access_point_id"], ["access_point.id"], name=op.f("fk_discovery_find_access_point_id_access_point")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discovery_find")),
    )
    op.create_index("ix_discovery_find_discovery_id", "discovery_find", ["discovery_id"])
