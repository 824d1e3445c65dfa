"""The resident's portal: ways in, accounts, codes, messages, hand-offs, a site's face, notices."""

import sqlalchemy as sa
from alembic import op

import store.types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Instant = store.types.Instant


def upgrade() -> None:
    _account()
    _message()
    _one_time_code()
    _notice()
    _terms_draft()
    _awaited()
    for name, default in (("ways", ""), ("face", "{}"), ("logo_type", "")):
        op.add_column("site", _text(name, default))
    op.add_column("site", sa.Column("logo", sa.LargeBinary(), nullable=True))
    op.add_column("nas", _text("handoff", "none"))
    op.add_column("nas", _text("walled_garden"))
    op.execute("UPDATE nas SET handoff = 'uam' WHERE product = 'coovachilli'")
    op.add_column("plan", _number("extensions_max"))
    op.add_column("acceptance", sa.Column("digest", sa.LargeBinary(), nullable=True))
    op.add_column("session", sa.Column("planned_end_at", Instant(), nullable=True))
    op.add_column("grant_", _number("extensions"))
    with op.batch_alter_table("grant_") as batch:
        batch.add_column(sa.Column("account_id", ID, nullable=True))
        batch.create_foreign_key(op.f("fk_grant__account_id_account"), "account", ["account_id"], ["id"])
    op.create_index("ix_grant__account_id", "grant_", ["account_id"])
    is_open = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_session_open_framed_ip", "session", ["framed_ip"], sqlite_where=is_open, postgresql_where=is_open
    )
    op.add_column("device", sa.Column("forget_at", Instant(), nullable=True))
    asked = sa.text("forget_at IS NOT NULL")
    op.create_index("ix_device_forget_at", "device", ["forget_at"], sqlite_where=asked, postgresql_where=asked)


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default="0")


def _account() -> None:
    op.create_table(
        "account",
        sa.Column("id", ID, nullable=False),
        sa.Column("address_hash", sa.LargeBinary(), nullable=True),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("subject_hash", sa.LargeBinary(), nullable=True),
        _text("language"),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("last_used_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("address_hash", name=op.f("uq_account_address_hash")),
        sa.UniqueConstraint("subject_hash", name=op.f("uq_account_subject_hash")),
    )


def _one_time_code() -> None:
    op.create_table(
        "one_time_code",
        sa.Column("id", ID, nullable=False),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("address_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        _number("attempts"),
        sa.Column("used_at", Instant(), nullable=True),
        sa.Column("message_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_one_time_code_device_id_device")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_one_time_code_message_id_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_code")),
    )
    op.create_index("ix_one_time_code_device_id", "one_time_code", ["device_id"])
    op.create_index("ix_one_time_code_expires_at", "one_time_code", ["expires_at"])
    op.create_index("ix_one_time_code_address_hash_created_at", "one_time_code", ["address_hash", "created_at"])


def _message() -> None:
    op.create_table(
        "message",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _text("failure"),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_index("ix_message_state_next_at", "message", ["state", "next_at"])


def _notice() -> None:
    op.create_table(
        "notice",
        sa.Column("id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=True),
        sa.Column("texts", sa.Text(), nullable=False),
        sa.Column("from_at", Instant(), nullable=False),
        sa.Column("until_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", ID, nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_notice_site_id_site")),
        sa.ForeignKeyConstraint(["created_by"], ["staff.id"], name=op.f("fk_notice_created_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )


def _terms_draft() -> None:
    op.create_table(
        "terms_draft",
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("changed_by", ID, nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["staff.id"], name=op.f("fk_terms_draft_changed_by_staff")),
        sa.PrimaryKeyConstraint("language", name=op.f("pk_terms_draft")),
    )


def _awaited() -> None:
    op.create_table(
        "awaited",
        sa.Column("id", ID, nullable=False),
        sa.Column("nas_id", ID, nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("grant_id", ID, nullable=False),
        sa.Column("session_seconds", sa.BigInteger(), nullable=False),
        sa.Column("rate_down_bps", sa.BigInteger(), nullable=False),
        sa.Column("rate_up_bps", sa.BigInteger(), nullable=False),
        sa.Column("octets_left", sa.BigInteger(), nullable=True),
        _text("framed_ip"),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("listed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_awaited")),
        sa.UniqueConstraint("nas_id", "session_id", name=op.f("uq_awaited_nas_id_session_id")),
    )
    op.create_index("ix_awaited_made_at", "awaited", ["made_at"])


def downgrade() -> None:
    raise NotImplementedError("Kogge restores a backup instead of migrating down")
