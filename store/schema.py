"""The tables of one city's database. There is no city column: another city has another database.

Times are UTC instants, days are the city's local days, octets are the resident's view, secrets are sealed.
`docs/data-model.md` draws the relations.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

from store.types import Day, Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def _named(name: str, *, nullable: bool = False, index: bool = False) -> Column[int]:
    """A row's id without a foreign key: checking one costs a log or a counter more than writing it.

    PostgreSQL would lock and dirty the row that is named, for each of thousands a second (docs/adr/0013).
    """
    return Column(name, BigInteger().with_variant(Integer, "sqlite"), nullable=nullable, index=index)


def _ref(name: str, target: str, *, nullable: bool = False, index: bool = False) -> Column[int]:
    """A foreign key; SQLite indexes none of them by itself."""
    kind = BigInteger().with_variant(Integer, "sqlite")
    return Column(name, kind, ForeignKey(f"{target}.id"), nullable=nullable, index=index)


site = Table(
    "site",
    metadata,
    _id(),
    Column("key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("district", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("opening_hours", Text, nullable=False, server_default=""),  # empty: always open
    Column("latitude", Float),
    Column("longitude", Float),
)

access_point = Table(
    "access_point",
    metadata,
    _id(),
    _ref("site_id", "site"),
    Column("name", Text, nullable=False, unique=True),
    Column("address", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("snmp_version", Text, nullable=False),
    Column("snmp_sealed", LargeBinary, nullable=False),  # JSON: community, or user and passwords
    Column("created_at", Instant, nullable=False),
)

access_point_health = Table(
    "access_point_health",
    metadata,
    Column(
        "access_point_id",
        BigInteger().with_variant(Integer, "sqlite"),
        ForeignKey("access_point.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("up", Boolean, nullable=False),
    Column("checked_at", Instant, nullable=False),
    Column("since", Instant, nullable=False),
    Column("last_success_at", Instant),
    Column("failure", Text),
    Column("model", Text, nullable=False, server_default=""),
    Column("firmware", Text, nullable=False, server_default=""),
    Column("reading", Text),  # JSON of what staff pages show of the current reading; NULL while down
)

nas = Table(
    "nas",
    metadata,
    _id(),
    _ref("site_id", "site"),
    Column("name", Text, nullable=False),
    Column("nas_identifier", Text, nullable=False),
    Column("address", Text, nullable=False),  # an address, or a network such as 10.1.0.0/24
    Column("product", Text, nullable=False),
    Column("login_url", Text, nullable=False),
    Column("coa_port", Integer, nullable=False),
    Column("require_message_authenticator", Text, nullable=False),  # yes, no, auto
    Column("message_authenticator_at", Instant),  # when `auto` first saw one: from then on it is required
    Column("limit_proxy_state", Boolean, nullable=False, server_default=true()),
    Column("octets_swapped", Boolean, nullable=False),
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("uam_secret_sealed", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("removed_at", Instant),  # its sessions stay, so its row does
    *(
        Index(
            f"uq_nas_{name}",
            name,
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        )
        for name in ("name", "nas_identifier")
    ),
)

nas_arrival = Table(
    "nas_arrival",
    metadata,
    _id(),
    # What came from where and what became of it: how a NAS that is being set up is told what is wrong.
    Column("source", Text, nullable=False),
    Column("port", Text, nullable=False),  # auth or acct
    Column("nas_identifier", Text, nullable=False),  # as claimed, not proven
    Column("verdict", Text, nullable=False),  # ok, or the reason of the silence
    _ref("nas_id", "nas", nullable=True),
    Column("packets", BigInteger, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    UniqueConstraint("source", "port", "nas_identifier", "verdict"),
)

nas_contact = Table(
    "nas_contact",
    metadata,
    Column(
        "nas_id",
        BigInteger().with_variant(Integer, "sqlite"),
        ForeignKey("nas.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    # Accounting came in without a long gap from `since_at` to `last_at`: only then does silence tell anything.
    Column("since_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
)

plan = Table(
    "plan",
    metadata,
    _id(),
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
)

terms = Table(
    "terms",
    metadata,
    _id(),
    Column("version", Integer, nullable=False),
    Column("language", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("published_at", Instant, nullable=False),
    UniqueConstraint("version", "language"),
)

device = Table(
    "device",
    metadata,
    _id(),
    # The MAC's only place: a keyed hash to find it by and its ciphertext, both under `key_period`'s key.
    Column("mac_hash", LargeBinary, nullable=False, unique=True),
    Column("mac_sealed", LargeBinary, nullable=False),
    Column("key_period", Text, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
)

acceptance = Table(
    "acceptance",
    metadata,
    _id(),
    _ref("device_id", "device", index=True),
    _ref("terms_id", "terms"),
    Column("accepted_at", Instant, nullable=False),
)

voucher_batch = Table(
    "voucher_batch",
    metadata,
    _id(),
    _ref("plan_id", "plan"),
    Column("label", Text, nullable=False),
    Column("valid_minutes", Integer, nullable=False),
    Column("redeem_until", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    _ref("created_by", "staff"),
)

voucher = Table(
    "voucher",
    metadata,
    _id(),
    _ref("batch_id", "voucher_batch", index=True),
    Column("code_hash", LargeBinary, nullable=False, unique=True),
    Column("code_sealed", LargeBinary, nullable=False),
    Column("first_used_at", Instant),
    Column("until_at", Instant),
    Column("revoked_at", Instant),
)

grant = Table(
    "grant_",
    metadata,
    _id(),
    _ref("device_id", "device"),
    _ref("plan_id", "plan"),
    _ref("voucher_id", "voucher", nullable=True, index=True),
    _ref("terms_id", "terms"),
    Column("way", Text, nullable=False),
    Column("language", Text, nullable=False, server_default=""),  # of the page on which the terms were accepted
    Column("granted_at", Instant, nullable=False),
    Column("until_at", Instant, nullable=False),
    Column("remember_until", Instant),
    Column("remembered", Boolean, nullable=False, server_default=false()),
    Column("accepted_at", Instant),
    Column("ended_at", Instant),
    Index("ix_grant__device_id_granted_at", "device_id", "granted_at"),
)

ticket = Table(
    "ticket",
    metadata,
    Column("name", Text, primary_key=True),
    _ref("grant_id", "grant_"),
    _ref("device_id", "device"),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)

session = Table(
    "session",
    metadata,
    _id(),
    _ref("device_id", "device"),
    _ref("grant_id", "grant_", nullable=True),
    _ref("nas_id", "nas"),
    Column("acct_session_id", Text, nullable=False),
    Column("user_name", Text, nullable=False),  # opaque; a MAC is replaced by a marker of its spelling
    Column("ssid", Text, nullable=False, server_default=""),
    Column("bssid", Text, nullable=False, server_default=""),
    Column("framed_ip", Text, nullable=False, server_default=""),
    Column("framed_ipv6", Text, nullable=False, server_default=""),  # addresses and prefixes, separated by spaces
    Column("nas_address", Text, nullable=False, server_default=""),  # where its records came from: CoA goes there
    Column("local_day", Day, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("start_seen", Boolean, nullable=False),
    Column("seconds", BigInteger, nullable=False),
    Column("segment_down", BigInteger, nullable=False),
    Column("segment_up", BigInteger, nullable=False),
    Column("finished_down", BigInteger, nullable=False),
    Column("finished_up", BigInteger, nullable=False),
    Column("ended_at", Instant),
    Column("terminate_cause", Text),
    Column("estimated", Boolean, nullable=False),
    UniqueConstraint("nas_id", "acct_session_id", "started_at"),
    Index("ix_session_local_day", "local_day"),
    # Partial, so that no planner takes it for "is open", of which there may be ten thousand.
    Index(
        "ix_session_ended_at",
        "ended_at",
        sqlite_where=text("ended_at IS NOT NULL"),
        postgresql_where=text("ended_at IS NOT NULL"),
    ),
    Index("ix_session_device_id_started_at", "device_id", "started_at"),
    # Open sessions are few and asked for all the time: partial indexes stay small for ever.
    *(
        Index(
            f"ix_session_open_{name}",
            name,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        )
        for name in ("device_id", "nas_id")
    ),
)

usage_daily = Table(
    "usage_daily",
    metadata,
    _named("device_id"),
    Column("day", Day, nullable=False),
    Column("seconds", BigInteger, nullable=False),
    Column("octets_down", BigInteger, nullable=False),
    Column("octets_up", BigInteger, nullable=False),
    UniqueConstraint("device_id", "day"),
    Index("ix_usage_daily_day", "day"),
)

voucher_usage_daily = Table(
    "voucher_usage_daily",
    metadata,
    _named("voucher_id"),
    Column("day", Day, nullable=False),
    Column("seconds", BigInteger, nullable=False),
    Column("octets_down", BigInteger, nullable=False),
    Column("octets_up", BigInteger, nullable=False),
    UniqueConstraint("voucher_id", "day"),
)

block = Table(
    "block",
    metadata,
    _id(),
    _ref("device_id", "device", index=True),
    Column("reason", Text, nullable=False),
    Column("from_at", Instant, nullable=False),
    Column("until_at", Instant),
    _ref("created_by", "staff"),
)

decision = Table(
    "decision",
    metadata,
    _id(),
    Column("decided_at", Instant, nullable=False, index=True),
    _named("nas_id"),
    _named("device_id", nullable=True, index=True),
    _named("grant_id", nullable=True),
    Column("station_hash", LargeBinary),  # of a device that the city does not know: as `device.mac_hash`
    Column("proof", Text, nullable=False),
    Column("reason", Text),  # NULL: accepted
    Index(
        "ix_decision_station_hash",
        "station_hash",
        sqlite_where=text("station_hash IS NOT NULL"),
        postgresql_where=text("station_hash IS NOT NULL"),
    ),
)

staff = Table(
    "staff",
    metadata,
    _id(),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text),  # argon2id; NULL until the invitation is used
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
)

staff_invite = Table(
    "staff_invite",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    _ref("staff_id", "staff"),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)

staff_session = Table(
    "staff_session",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    _ref("staff_id", "staff", index=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    Column("at", Instant, nullable=False, index=True),
    _ref("staff_id", "staff", nullable=True),  # NULL: the resident or the system itself
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False, server_default="{}"),
)

outbox = Table(
    "outbox",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    _ref("session_id", "session", nullable=True, index=True),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error_cause", Integer),
    Column("created_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    _ref("requested_by", "staff", nullable=True),
    Column("reason", Text, nullable=False, server_default="staff"),  # staff, or which limit was reached
    Index("ix_outbox_state_next_at", "state", "next_at"),
)

guess = Table(
    "guess",
    metadata,
    _id(),
    Column("bucket", LargeBinary, nullable=False),  # keyed hash of what is limited: a login, a device
    Column("at", Instant, nullable=False),
    Index("ix_guess_bucket_at", "bucket", "at"),
    Index("ix_guess_at", "at"),
)

job_lease = Table(
    "job_lease",
    metadata,
    Column("job", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until_at", Instant, nullable=False),
    CheckConstraint("length(job) > 0", name="named"),
)
