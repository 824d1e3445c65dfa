"""A city's `[seed]` into its empty database, once. Secrets are made here; afterwards the database owns all of it."""

from __future__ import annotations

import secrets
from datetime import datetime

from config.model import Seed, SeedAccessPoint
from store import fleet, nases, setup
from store.fleet import SnmpCredential
from store.store import Connection, Store

SECRET_BYTES = 18
"""144 random bits, 24 characters: RADIUS secrets, UAM secrets, SNMP passwords."""


def import_seed(store: Store, seed: Seed, *, now: datetime) -> bool:
    """Import into an empty city; False, and nothing done, where something stands there already."""
    with store.write() as conn:
        if not setup.is_empty(conn):
            return False
        _add_sites(conn, store, seed, now)
        for plan in seed.plans:
            setup.add_plan(conn, **plan.model_dump(mode="json"))
        for text in seed.terms:
            setup.add_terms(conn, **text.model_dump(), now=now)
    return True


def _add_sites(conn: Connection, store: Store, seed: Seed, now: datetime) -> None:
    sites = {site.key: fleet.add_site(conn, **site.model_dump()) for site in seed.sites}
    for point in seed.access_points:
        fleet.add_access_point(
            conn,
            store.keys,
            credential=_credential(point),
            site_id=sites[point.site],
            name=point.name,
            address=str(point.address),
            port=point.port,
            kind=point.kind,
            created_at=now,
        )
    for nas in seed.nases:
        columns = nas.model_dump(mode="json", exclude={"site"} if nas.handoff else {"site", "handoff"})
        nases.add_nas(
            conn,
            store.keys,
            secret=_token().encode(),
            uam_secret=_token().encode(),
            site_id=sites[nas.site],
            created_at=now,
            **columns,
        )


def _credential(point: SeedAccessPoint) -> SnmpCredential:
    if point.snmp == "v2c":
        return SnmpCredential("v2c", community=_token())
    return SnmpCredential("v3", user="kogge", auth_password=_token(), priv_password=_token())


def _token() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)
