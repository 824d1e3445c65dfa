"""The staff, what they did, and what all rooms share: limits on guessing, leases of jobs."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Table, Text

from store.schema.base import id_, metadata, ref
from store.types import Instant

staff = Table(
    "staff",
    metadata,
    id_(),
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
    ref("staff_id", "staff"),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)


staff_session = Table(
    "staff_session",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    ref("staff_id", "staff", index=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)


audit = Table(
    "audit",
    metadata,
    id_(),
    Column("at", Instant, nullable=False, index=True),
    ref("staff_id", "staff", nullable=True),  # NULL: the resident or the system itself
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False, server_default="{}"),
)


guess = Table(
    "guess",
    metadata,
    id_(),
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
