"""The first tables: all that the main job needs, end to end."""

import sqlalchemy as sa
from alembic import op

import store.types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "device",
        sa.Column("id", ID, nullable=False),
        sa.Column("mac_hash", sa.LargeBinary(), nullable=False),
        sa.Column("mac_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key_period", sa.Text(), nullable=False),
        sa.Column("first_seen_at", store.types.Instant(), nullable=False),
        sa.Column("last_seen_at", store.types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("mac_hash", name=op.f("uq_device_mac_hash")),
    )
    op.create_table(
        "guess",
        sa.Column("id", ID, nullable=False),
        sa.Column("bucket", sa.LargeBinary(), nullable=False),
        sa.Column("at", store.types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guess")),
    )
    op.create_index("ix_guess_at", "guess", ["at"], unique=False)
    op.create_index("ix_guess_bucket_at", "guess", ["bucket", "at"], unique=False)
    op.create_table(
        "job_lease",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until_at", store.types.Instant(), nullable=False),
        sa.CheckConstraint("length(job) > 0", name=op.f("ck_job_lease_named")),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_job_lease")),
    )
    op.create_table(
        "plan",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("session_minutes", sa.Integer(), nullable=False),
        sa.Column("idle_minutes", sa.Integer(), nullable=False),
        sa.Column("daily_minutes", sa.Integer(), nullable=False),
        sa.Column("daily_megabytes", sa.Integer(), nullable=False),
        sa.Column("rate_down_kbps", sa.Integer(), nullable=False),
        sa.Column("rate_up_kbps", sa.Integer(), nullable=False),
        sa.Column("devices_max", sa.Integer(), nullable=False),
        sa.Column("remember_hours", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("key", name=op.f("uq_plan_key")),
    )
    op.create_table(
        "site",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("key", name=op.f("uq_site_key")),
    )
    op.create_table(
        "staff",
        sa.Column("id", ID, nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("created_at", store.types.Instant(), nullable=False),
        sa.Column("disabled_at", store.types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("login", name=op.f("uq_staff_login")),
    )
    op.create_table(
        "terms",
        sa.Column("id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("published_at", store.types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms")),
        sa.UniqueConstraint("version", "language", name=op.f("uq_terms_version_language")),
    )
    op.create_table(
        "acceptance",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "device_id",
            ID,
            nullable=False,
        ),
        sa.Column(
            "terms_id",
            ID,
            nullable=False,
        ),
        sa.Column("accepted_at", store.types.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_acceptance_device_id_device")),
        sa.ForeignKeyConstraint(["terms_id"], ["terms.id"], name=op.f("fk_acceptance_terms_id_terms")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptance")),
    )
    op.create_index(op.f("ix_acceptance_device_id"), "acceptance", ["device_id"], unique=False)
    op.create_table(
        "access_point",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "site_id",
            ID,
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("snmp_version", sa.Text(), nullable=False),
        sa.Column("snmp_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", store.types.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_access_point_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_point")),
        sa.UniqueConstraint("name", name=op.f("uq_access_point_name")),
    )
    op.create_table(
        "audit",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", store.types.Instant(), nullable=False),
        sa.Column(
            "staff_id",
            ID,
            nullable=True,
        ),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_audit_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)
    op.create_table(
        "block",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "device_id",
            ID,
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("from_at", store.types.Instant(), nullable=False),
        sa.Column("until_at", store.types.Instant(), nullable=True),
        sa.Column(
            "created_by",
            ID,
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_block_created_by_staff")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_block_device_id_device")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_block")),
    )
    op.create_index(op.f("ix_block_device_id"), "block", ["device_id"], unique=False)
    op.create_table(
        "nas",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "site_id",
            ID,
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("nas_identifier", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("login_url", sa.Text(), nullable=False),
        sa.Column("coa_port", sa.Integer(), nullable=False),
        sa.Column("require_message_authenticator", sa.Boolean(), nullable=False),
        sa.Column("octets_swapped", sa.Boolean(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("uam_secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", store.types.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_nas_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nas")),
        sa.UniqueConstraint("address", name=op.f("uq_nas_address")),
        sa.UniqueConstraint("name", name=op.f("uq_nas_name")),
        sa.UniqueConstraint("nas_identifier", name=op.f("uq_nas_nas_identifier")),
    )
    op.create_table(
        "staff_invite",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "staff_id",
            ID,
            nullable=False,
        ),
        sa.Column("expires_at", store.types.Instant(), nullable=False),
        sa.Column("used_at", store.types.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_invite_staff_id_staff")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_staff_invite")),
    )
    op.create_table(
        "staff_session",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "staff_id",
            ID,
            nullable=False,
        ),
        sa.Column("created_at", store.types.Instant(), nullable=False),
        sa.Column("expires_at", store.types.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_session_staff_id_staff")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_staff_session")),
    )
    op.create_index(op.f("ix_staff_session_staff_id"), "staff_session", ["staff_id"], unique=False)
    op.create_table(
        "usage_daily",
        sa.Column(
            "device_id",
            ID,
            nullable=False,
        ),
        sa.Column("day", store.types.Day(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("octets_down", sa.BigInteger(), nullable=False),
        sa.Column("octets_up", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_usage_daily_device_id_device")),
        sa.UniqueConstraint("device_id", "day", name=op.f("uq_usage_daily_device_id_day")),
    )
    op.create_index("ix_usage_daily_day", "usage_daily", ["day"], unique=False)
    op.create_table(
        "voucher_batch",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "plan_id",
            ID,
            nullable=False,
        ),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("valid_minutes", sa.Integer(), nullable=False),
        sa.Column("redeem_until", store.types.Instant(), nullable=False),
        sa.Column("created_at", store.types.Instant(), nullable=False),
        sa.Column(
            "created_by",
            ID,
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_voucher_batch_created_by_staff")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_voucher_batch_plan_id_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_batch")),
    )
    op.create_table(
        "access_point_health",
        sa.Column(
            "access_point_id",
            ID,
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("up", sa.Boolean(), nullable=False),
        sa.Column("checked_at", store.types.Instant(), nullable=False),
        sa.Column("since", store.types.Instant(), nullable=False),
        sa.Column("last_success_at", store.types.Instant(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), server_default="", nullable=False),
        sa.Column("firmware", sa.Text(), server_default="", nullable=False),
        sa.Column("reading", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["access_point_id"],
            ["access_point.id"],
            name=op.f("fk_access_point_health_access_point_id_access_point"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("access_point_id", name=op.f("pk_access_point_health")),
    )
    op.create_table(
        "voucher",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "batch_id",
            ID,
            nullable=False,
        ),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("first_used_at", store.types.Instant(), nullable=True),
        sa.Column("until_at", store.types.Instant(), nullable=True),
        sa.Column("revoked_at", store.types.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["voucher_batch.id"],
            name=op.f("fk_voucher_batch_id_voucher_batch"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_voucher_code_hash")),
    )
    op.create_index(op.f("ix_voucher_batch_id"), "voucher", ["batch_id"], unique=False)
    op.create_table(
        "grant_",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "device_id",
            ID,
            nullable=False,
        ),
        sa.Column(
            "plan_id",
            ID,
            nullable=False,
        ),
        sa.Column(
            "voucher_id",
            ID,
            nullable=True,
        ),
        sa.Column(
            "terms_id",
            ID,
            nullable=False,
        ),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), server_default="", nullable=False),
        sa.Column("granted_at", store.types.Instant(), nullable=False),
        sa.Column("until_at", store.types.Instant(), nullable=False),
        sa.Column("remember_until", store.types.Instant(), nullable=True),
        sa.Column("remembered", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("accepted_at", store.types.Instant(), nullable=True),
        sa.Column("ended_at", store.types.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_grant__device_id_device")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_grant__plan_id_plan")),
        sa.ForeignKeyConstraint(["terms_id"], ["terms.id"], name=op.f("fk_grant__terms_id_terms")),
        sa.ForeignKeyConstraint(["voucher_id"], ["voucher.id"], name=op.f("fk_grant__voucher_id_voucher")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant_")),
    )
    op.create_index(
        "ix_grant__device_id_granted_at",
        "grant_",
        ["device_id", "granted_at"],
        unique=False,
    )
    op.create_index(op.f("ix_grant__voucher_id"), "grant_", ["voucher_id"], unique=False)
    op.create_table(
        "nas_contact",
        sa.Column("nas_id", ID, autoincrement=False, nullable=False),
        sa.Column("since_at", store.types.Instant(), nullable=False),
        sa.Column("last_at", store.types.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["nas_id"], ["nas.id"], name=op.f("fk_nas_contact_nas_id_nas"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("nas_id", name=op.f("pk_nas_contact")),
    )
    op.create_table(
        "decision",
        sa.Column("id", ID, nullable=False),
        sa.Column("decided_at", store.types.Instant(), nullable=False),
        sa.Column(
            "nas_id",
            ID,
            nullable=False,
        ),
        sa.Column(
            "device_id",
            ID,
            nullable=True,
        ),
        sa.Column(
            "grant_id",
            ID,
            nullable=True,
        ),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_decision_device_id_device")),
        sa.ForeignKeyConstraint(["grant_id"], ["grant_.id"], name=op.f("fk_decision_grant_id_grant_")),
        sa.ForeignKeyConstraint(["nas_id"], ["nas.id"], name=op.f("fk_decision_nas_id_nas")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_decided_at"), "decision", ["decided_at"], unique=False)
    op.create_table(
        "session",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "device_id",
            ID,
            nullable=False,
        ),
        sa.Column(
            "grant_id",
            ID,
            nullable=True,
        ),
        sa.Column(
            "nas_id",
            ID,
            nullable=False,
        ),
        sa.Column("acct_session_id", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("ssid", sa.Text(), server_default="", nullable=False),
        sa.Column("bssid", sa.Text(), server_default="", nullable=False),
        sa.Column("framed_ip", sa.Text(), server_default="", nullable=False),
        sa.Column("local_day", store.types.Day(), nullable=False),
        sa.Column("started_at", store.types.Instant(), nullable=False),
        sa.Column("updated_at", store.types.Instant(), nullable=False),
        sa.Column("start_seen", sa.Boolean(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("segment_down", sa.BigInteger(), nullable=False),
        sa.Column("segment_up", sa.BigInteger(), nullable=False),
        sa.Column("finished_down", sa.BigInteger(), nullable=False),
        sa.Column("finished_up", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", store.types.Instant(), nullable=True),
        sa.Column("terminate_cause", sa.Text(), nullable=True),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_session_device_id_device")),
        sa.ForeignKeyConstraint(["grant_id"], ["grant_.id"], name=op.f("fk_session_grant_id_grant_")),
        sa.ForeignKeyConstraint(["nas_id"], ["nas.id"], name=op.f("fk_session_nas_id_nas")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint(
            "nas_id",
            "acct_session_id",
            "started_at",
            name=op.f("uq_session_nas_id_acct_session_id_started_at"),
        ),
    )
    op.create_index(
        "ix_session_device_id_started_at",
        "session",
        ["device_id", "started_at"],
        unique=False,
    )
    op.create_index("ix_session_ended_at", "session", ["ended_at"], unique=False)
    op.create_index("ix_session_local_day", "session", ["local_day"], unique=False)
    op.create_index(
        "ix_session_open_device_id",
        "session",
        ["device_id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "ticket",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "grant_id",
            ID,
            nullable=False,
        ),
        sa.Column(
            "device_id",
            ID,
            nullable=False,
        ),
        sa.Column("issued_at", store.types.Instant(), nullable=False),
        sa.Column("expires_at", store.types.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_ticket_device_id_device")),
        sa.ForeignKeyConstraint(["grant_id"], ["grant_.id"], name=op.f("fk_ticket_grant_id_grant_")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_ticket")),
    )
    op.create_index(op.f("ix_ticket_expires_at"), "ticket", ["expires_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "session_id",
            ID,
            nullable=True,
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error_cause", sa.Integer(), nullable=True),
        sa.Column("created_at", store.types.Instant(), nullable=False),
        sa.Column("next_at", store.types.Instant(), nullable=False),
        sa.Column("changed_at", store.types.Instant(), nullable=False),
        sa.Column(
            "requested_by",
            ID,
            nullable=True,
        ),
        sa.ForeignKeyConstraint(["requested_by"], ["staff.id"], name=op.f("fk_outbox_requested_by_staff")),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_outbox_session_id_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_session_id"), "outbox", ["session_id"], unique=False)
    op.create_index("ix_outbox_state_next_at", "outbox", ["state", "next_at"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("Kogge restores a backup instead of migrating down")
