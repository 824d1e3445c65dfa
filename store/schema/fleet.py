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
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default="access_point"),  # of hotspot.fleet.PointKind
    Column("address", Text, nullable=False),  # empty for one behind a controller
    Column("port", Integer, nullable=False),
    Column("snmp_version", Text, nullable=False),  # empty for one behind a controller
    Column("snmp_sealed", LargeBinary, nullable=False),  # JSON: community, or user and passwords
    ref("controller_id", "access_point", nullable=True),
    Column("member_key", Text, nullable=False, server_default=""),  # what its controller's table calls it
    Column("created_at", Instant, nullable=False),
    Column("retired_at", Instant),  # polled no more; its history and events stay
    Index(
        "uq_access_point_name",
        "name",
        unique=True,
        sqlite_where=text("retired_at IS NULL"),
        postgresql_where=text("retired_at IS NULL"),
    ),
    Index(
        "uq_access_point_member",
        "controller_id",
        "member_key",
        unique=True,
        sqlite_where=text("retired_at IS NULL AND controller_id IS NOT NULL"),
        postgresql_where=text("retired_at IS NULL AND controller_id IS NOT NULL"),
    ),
)


def _of_access_point() -> Column[int]:
    """The access point that a row is of, as the whole key or a part of it."""
    return Column(
        "access_point_id",
        BigInteger().with_variant(Integer, "sqlite"),
        ForeignKey("access_point.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )


access_point_health = Table(
    "access_point_health",
    metadata,
    _of_access_point(),
    Column("up", Boolean, nullable=False),
    Column("checked_at", Instant, nullable=False),
    Column("since", Instant, nullable=False),
    Column("last_success_at", Instant),
    Column("failure", Text),
    Column("model", Text, nullable=False, server_default=""),
    Column("firmware", Text, nullable=False, server_default=""),
    Column("serial", Text, nullable=False, server_default=""),
    Column("profile", Text, nullable=False, server_default=""),  # which of monitor/profiles it is read by
    Column("reading", Text),  # JSON of what staff pages show of the current reading; NULL while down
)


access_point_bssid = Table(
    "access_point_bssid",
    metadata,
    Column("bssid", Text, primary_key=True),  # as hotspot.values.MacAddress writes it
    ref("access_point_id", "access_point"),
    Column("seen_at", Instant, nullable=False),
    Index("ix_access_point_bssid_access_point_id", "access_point_id"),
)


access_point_hour = Table(
    "access_point_hour",
    metadata,
    _of_access_point(),
    Column("hour", Instant, primary_key=True),
    Column("packed", LargeBinary, nullable=False),  # the hour's polls, as store.ap_history packs them
    Index("ix_access_point_hour_hour", "hour"),
)


access_point_event = Table(
    "access_point_event",
    metadata,
    id_(),
    ref("access_point_id", "access_point"),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),  # of hotspot.ap_events.Kind
    Column("radio", Text, nullable=False, server_default=""),
    Column("before", Text, nullable=False, server_default=""),
    Column("after", Text, nullable=False, server_default=""),
    Index("ix_access_point_event_access_point_id_at", "access_point_id", "at"),
    Index("ix_access_point_event_at", "at"),
)


monitor_watch = Table(
    "monitor_watch",
    metadata,
    id_(),
    # The monitor saw from `began_at` to `last_at` without a gap; between two rows it was blind.
    Column("began_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False, index=True),
)


snmp_credential = Table(
    "snmp_credential",
    metadata,
    id_(),
    # Candidates by network, tried in this order, for access points that are being found.
    Column("name", Text, nullable=False, unique=True),
    Column("network", Text, nullable=False),  # such as 10.1.0.0/24
    Column("version", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
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
