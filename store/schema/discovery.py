"""Searches for access points in a network, and what they found."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, Table, Text

from store.schema.base import id_, metadata, ref
from store.types import Instant

discovery = Table(
    "discovery",
    metadata,
    id_(),
    Column("network", Text, nullable=False),  # such as 10.1.0.0/24
    Column("port", Integer, nullable=False),
    ref("asked_by", "staff", nullable=True),
    Column("asked_at", Instant, nullable=False),
    Column("began_at", Instant),
    Column("ended_at", Instant),
    Column("total", Integer, nullable=False, server_default="0"),  # questions that it will put, at most
    Column("asked", Integer, nullable=False, server_default="0"),  # questions that it has put
    Column("answered", Integer, nullable=False, server_default="0"),  # addresses that answered
    Column("failure", Text, nullable=False, server_default=""),  # why it ended early; empty where it did not
)


discovery_find = Table(
    "discovery_find",
    metadata,
    id_(),
    ref("discovery_id", "discovery", index=True),
    Column("address", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("kind", Text, nullable=False),  # of hotspot.fleet.PointKind
    Column("profile", Text, nullable=False),
    Column("system_name", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("firmware", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("bssids", Text, nullable=False),  # separated by spaces
    Column("snmp_version", Text, nullable=False),
    Column("snmp_sealed", LargeBinary, nullable=False),  # what it answered to, as in access_point
    ref("access_point_id", "access_point", nullable=True),  # which one was made of it, or moved there
)
