"""Places, access points and NASes."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
    true,
)

from store.schema.base import id_, metadata, ref
from store.types import Instant

site = Table(
    "site",
    metadata,
    id_(),
    Column("key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("district", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("opening_hours", Text, nullable=False, server_default=""),  # empty: always open
    Column("latitude", Float),
    Column("longitude", Float),
    Column("ways", Text, nullable=False, server_default=""),  # of the ways in; empty: all that the city has
    Column("face", Text, nullable=False, server_default="{}"),  # JSON: colours, texts, help contact of its own
    Column("logo", LargeBinary),
    Column("logo_type", Text, nullable=False, server_default=""),
)


access_point = Table(
    "access_point",
    metadata,
    id_(),
    ref("site_id", "site"),
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
    id_(),
    ref("site_id", "site"),
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
    Column("handoff", Text, nullable=False, server_default="none"),  # how the portal hands a resident over to it
    Column("walled_garden", Text, nullable=False, server_default=""),  # further hosts, separated by spaces
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
    id_(),
    # What came from where and what became of it: how a NAS that is being set up is told what is wrong.
    Column("source", Text, nullable=False),
    Column("port", Text, nullable=False),  # auth or acct
    Column("nas_identifier", Text, nullable=False),  # as claimed, not proven
    Column("verdict", Text, nullable=False),  # ok, or the reason of the silence
    ref("nas_id", "nas", nullable=True),
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
