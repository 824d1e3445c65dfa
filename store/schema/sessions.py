"""What NASes report and what is decided about it: sessions, usage, the decision log, orders to NASes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, text

from store.schema.base import id_, metadata, named, ref
from store.types import Day, Instant

session = Table(
    "session",
    metadata,
    id_(),
    ref("device_id", "device"),
    ref("grant_id", "grant_", nullable=True),
    ref("nas_id", "nas"),
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
    Column("planned_end_at", Instant),  # of a session that the portal itself admitted; NULL: its NAS accounts for it
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
        for name in ("device_id", "nas_id", "framed_ip")
    ),
)


usage_daily = Table(
    "usage_daily",
    metadata,
    named("device_id"),
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
    named("voucher_id"),
    Column("day", Day, nullable=False),
    Column("seconds", BigInteger, nullable=False),
    Column("octets_down", BigInteger, nullable=False),
    Column("octets_up", BigInteger, nullable=False),
    UniqueConstraint("voucher_id", "day"),
)


decision = Table(
    "decision",
    metadata,
    id_(),
    Column("decided_at", Instant, nullable=False, index=True),
    named("nas_id"),
    named("device_id", nullable=True, index=True),
    named("grant_id", nullable=True),
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


awaited = Table(
    "awaited",
    metadata,
    id_(),
    # A device that its NAS was allowed to let on and that it has not told of yet. Short-lived, so nothing points here.
    named("nas_id"),
    Column("session_id", Text, nullable=False),  # by which the NAS will name it; later `session.acct_session_id`
    Column("gateway", Text, nullable=False),  # hash of the name of the gateway that asks; empty: none asks
    named("device_id"),
    named("grant_id"),
    Column("session_seconds", BigInteger, nullable=False),
    Column("rate_down_bps", BigInteger, nullable=False),
    Column("rate_up_bps", BigInteger, nullable=False),
    Column("octets_left", BigInteger),
    Column("framed_ip", Text, nullable=False, server_default=""),
    Column("proven", Boolean, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("listed_at", Instant),
    UniqueConstraint("nas_id", "session_id"),
    Index("ix_awaited_made_at", "made_at"),
)


outbox = Table(
    "outbox",
    metadata,
    id_(),
    Column("kind", Text, nullable=False),
    ref("session_id", "session", nullable=True, index=True),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error_cause", Integer),
    Column("created_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    ref("requested_by", "staff", nullable=True),
    Column("reason", Text, nullable=False, server_default="staff"),  # staff, or which limit was reached
    Index("ix_outbox_state_next_at", "state", "next_at"),
)
