"""What residents may have and what they leave behind: plans, terms, devices, accounts, grants, vouchers."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, false, text

from store.schema.base import id_, metadata, ref
from store.types import Instant

plan = Table(
    "plan",
    metadata,
    id_(),
    Column("key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("session_minutes", Integer, nullable=False),
    Column("idle_minutes", Integer, nullable=False),
    Column("daily_minutes", Integer, nullable=False),
    Column("daily_megabytes", Integer, nullable=False),
    Column("rate_down_kbps", Integer, nullable=False),
    Column("rate_up_kbps", Integer, nullable=False),
    Column("devices_max", Integer, nullable=False),
    Column("remember_hours", Integer, nullable=False),
    Column("voucher_counts", Text, nullable=False, server_default="clock"),  # clock: from first use; use: time online
    Column("voucher_daily_minutes", Integer, nullable=False, server_default="0"),
    Column("voucher_daily_megabytes", Integer, nullable=False, server_default="0"),
    Column("vlan_id", Integer, nullable=False, server_default="0"),  # 0: none (RFC 3580)
    Column("extensions_max", Integer, nullable=False, server_default="0"),
)


terms = Table(
    "terms",
    metadata,
    id_(),
    Column("version", Integer, nullable=False),
    Column("language", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("published_at", Instant, nullable=False),
    UniqueConstraint("version", "language"),
)


terms_draft = Table(
    "terms_draft",
    metadata,
    # What staff writes until it is published as a version of all languages.
    Column("language", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    ref("changed_by", "staff"),
)


device = Table(
    "device",
    metadata,
    id_(),
    # The MAC's only place: a keyed hash to find it by and its ciphertext, both under `key_period`'s key.
    Column("mac_hash", LargeBinary, nullable=False, unique=True),
    Column("mac_sealed", LargeBinary, nullable=False),
    Column("key_period", Text, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("forget_at", Instant),  # the resident asked then for deletion, and something had to wait
    Index(
        "ix_device_forget_at",
        "forget_at",
        sqlite_where=text("forget_at IS NOT NULL"),
        postgresql_where=text("forget_at IS NOT NULL"),
    ),
)


acceptance = Table(
    "acceptance",
    metadata,
    id_(),
    ref("device_id", "device", index=True),
    ref("terms_id", "terms"),
    Column("accepted_at", Instant, nullable=False),
    Column("digest", LargeBinary),  # SHA-256 of the text that was seen; NULL: accepted before digests were kept
)


account = Table(
    "account",
    metadata,
    id_(),
    Column("address_hash", LargeBinary, unique=True),  # keyed hash of the e-mail address; NULL: by OpenID Connect
    Column("address_sealed", LargeBinary),
    Column("password_hash", Text),  # argon2id
    Column("subject_hash", LargeBinary, unique=True),  # keyed hash of issuer and subject; NULL: by password
    Column("language", Text, nullable=False, server_default=""),
    Column("created_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("last_used_at", Instant, nullable=False),
)


one_time_code = Table(
    "one_time_code",
    metadata,
    id_(),
    ref("device_id", "device", index=True),
    Column("way", Text, nullable=False),  # email or sms
    Column("address_hash", LargeBinary, nullable=False),  # keyed hash: the address itself stands in `message` alone
    Column("code_hash", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("used_at", Instant),
    ref("message_id", "message", nullable=True),  # that carries it
    Index("ix_one_time_code_address_hash_created_at", "address_hash", "created_at"),
)


message = Table(
    "message",
    metadata,
    id_(),
    # What is to be sent; recipient and text are wiped once it was sent or given up.
    Column("kind", Text, nullable=False),  # email or sms
    Column("recipient_sealed", LargeBinary),
    Column("content_sealed", LargeBinary),
    Column("state", Text, nullable=False),  # wanted, sent, failed
    Column("attempts", Integer, nullable=False),
    Column("failure", Text, nullable=False, server_default=""),
    Column("created_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index("ix_message_state_next_at", "state", "next_at"),
)


notice = Table(
    "notice",
    metadata,
    id_(),
    # What residents are told above everything else, such as an outage.
    ref("site_id", "site", nullable=True),  # NULL: the whole city
    Column("texts", Text, nullable=False),  # JSON: text by language
    Column("from_at", Instant, nullable=False),
    Column("until_at", Instant),
    Column("created_at", Instant, nullable=False),
    ref("created_by", "staff", nullable=True),
)


voucher_batch = Table(
    "voucher_batch",
    metadata,
    id_(),
    ref("plan_id", "plan"),
    Column("label", Text, nullable=False),
    Column("valid_minutes", Integer, nullable=False),
    Column("redeem_until", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    ref("created_by", "staff"),
)


voucher = Table(
    "voucher",
    metadata,
    id_(),
    ref("batch_id", "voucher_batch", index=True),
    Column("code_hash", LargeBinary, nullable=False, unique=True),
    Column("code_sealed", LargeBinary, nullable=False),
    Column("first_used_at", Instant),
    Column("until_at", Instant),
    Column("revoked_at", Instant),
)


grant = Table(
    "grant_",
    metadata,
    id_(),
    ref("device_id", "device"),
    ref("plan_id", "plan"),
    ref("voucher_id", "voucher", nullable=True, index=True),
    ref("account_id", "account", nullable=True, index=True),
    ref("terms_id", "terms"),
    Column("way", Text, nullable=False),
    Column("language", Text, nullable=False, server_default=""),  # of the page on which the terms were accepted
    Column("granted_at", Instant, nullable=False),
    Column("until_at", Instant, nullable=False),
    Column("remember_until", Instant),
    Column("remembered", Boolean, nullable=False, server_default=false()),
    Column("accepted_at", Instant),
    Column("ended_at", Instant),
    Column("extensions", Integer, nullable=False, server_default="0"),  # of a session, asked for by the resident
    Index("ix_grant__device_id_granted_at", "device_id", "granted_at"),
)


ticket = Table(
    "ticket",
    metadata,
    Column("name", Text, primary_key=True),
    ref("grant_id", "grant_"),
    ref("device_id", "device"),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)


block = Table(
    "block",
    metadata,
    id_(),
    ref("device_id", "device", index=True),
    Column("reason", Text, nullable=False),
    Column("from_at", Instant, nullable=False),
    Column("until_at", Instant),
    ref("created_by", "staff"),
)
