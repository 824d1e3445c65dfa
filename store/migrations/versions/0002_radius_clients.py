"""RADIUS clients that staff add and remove, networks and NAT; opening hours, more voucher rules, VLAN, IPv6."""

import sqlalchemy as sa
from alembic import op

import store.types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UPDATED_OFTEN = ("grant_", "session", "usage_daily", "voucher_usage_daily")
LIVE = sa.text("removed_at IS NULL")


def upgrade() -> None:
    _nas()
    _no_foreign_keys()
    op.create_table(
        "nas_arrival",
        sa.Column("id", ID, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("nas_identifier", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("nas_id", ID, nullable=True),
        sa.Column("packets", sa.BigInteger(), nullable=False),
        sa.Column("first_at", store.types.Instant(), nullable=False),
        sa.Column("last_at", store.types.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["nas_id"], ["nas.id"], name=op.f("fk_nas_arrival_nas_id_nas")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nas_arrival")),
        sa.UniqueConstraint(
            "source",
            "port",
            "nas_identifier",
            "verdict",
            name=op.f("uq_nas_arrival_source_port_nas_identifier_verdict"),
        ),
    )
    op.create_table(
        "voucher_usage_daily",
        sa.Column("voucher_id", ID, nullable=False),
        sa.Column("day", store.types.Day(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("octets_down", sa.BigInteger(), nullable=False),
        sa.Column("octets_up", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("voucher_id", "day", name=op.f("uq_voucher_usage_daily_voucher_id_day")),
    )
    op.add_column("site", _text("opening_hours"))
    op.add_column("plan", _text("voucher_counts", "clock"))
    for name in ("voucher_daily_minutes", "voucher_daily_megabytes", "vlan_id"):
        op.add_column("plan", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("session", _text("framed_ipv6"))
    op.add_column("session", _text("nas_address"))
    op.add_column("outbox", _text("reason", "staff"))
    op.drop_index("ix_session_ended_at", "session")
    ended, still_open = sa.text("ended_at IS NOT NULL"), sa.text("ended_at IS NULL")
    op.create_index("ix_session_ended_at", "session", ["ended_at"], sqlite_where=ended, postgresql_where=ended)
    op.create_index(
        "ix_session_open_nas_id", "session", ["nas_id"], sqlite_where=still_open, postgresql_where=still_open
    )
    op.create_index("ix_decision_device_id", "decision", ["device_id"], unique=False)
    op.add_column("decision", sa.Column("station_hash", sa.LargeBinary(), nullable=True))
    known = sa.text("station_hash IS NOT NULL")
    op.create_index(
        "ix_decision_station_hash", "decision", ["station_hash"], sqlite_where=known, postgresql_where=known
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in UPDATED_OFTEN:  # room in a page for a row's next version: then no index is written (HOT)
            op.execute(f"ALTER TABLE {table} SET (fillfactor = 70)")


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def _no_foreign_keys() -> None:
    """Logs and counters name rows without a foreign key: the check costs more than the row (docs/adr/0013)."""
    named = {"decision": ("nas_id_nas", "device_id_device", "grant_id_grant_"), "usage_daily": ("device_id_device",)}
    for table, references in named.items():
        with op.batch_alter_table(table) as batch:
            for reference in references:
                batch.drop_constraint(f"fk_{table}_{reference}", type_="foreignkey")


def _nas() -> None:
    """SQLite drops no constraint: there the table is made anew, with foreign keys off (`store.migrate`)."""
    with op.batch_alter_table("nas") as nas:
        for name in ("name", "nas_identifier", "address"):
            nas.drop_constraint(f"uq_nas_{name}", type_="unique")
        nas.alter_column(
            "require_message_authenticator",
            type_=sa.Text(),
            existing_type=sa.Boolean(),
            existing_nullable=False,
            postgresql_using="CASE WHEN require_message_authenticator THEN 'yes' ELSE 'no' END",
        )
        nas.add_column(sa.Column("message_authenticator_at", store.types.Instant()))
        nas.add_column(sa.Column("limit_proxy_state", sa.Boolean(), nullable=False, server_default=sa.true()))
        nas.add_column(sa.Column("removed_at", store.types.Instant()))
    op.execute(
        "UPDATE nas SET require_message_authenticator = CASE WHEN require_message_authenticator IN ('1', 'yes') "
        "THEN 'yes' ELSE 'no' END"
    )
    for name in ("name", "nas_identifier"):
        op.create_index(f"uq_nas_{name}", "nas", [name], unique=True, sqlite_where=LIVE, postgresql_where=LIVE)


def downgrade() -> None:
    raise NotImplementedError("Kogge restores a backup instead of migrating down")
