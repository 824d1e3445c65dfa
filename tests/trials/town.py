"""A city for a trial: plans whose limits are met in an evening, NASes of four kinds, vouchers that devices share."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import event

from config.model import CityConfig
from hotspot.plan import MEGABYTE, Way
from hotspot.roles import Role
from hotspot.vouchers import make_code
from service.cities import City
from store import fleet, keys, setup, staff, vouchers
from store.store import Connection
from tests.support.cities import city_config
from tests.trials.nas import MODELS, Nas
from tests.trials.oracle import Terms
from tests.trials.server import TrialStore
from tests.trials.timeline import Timeline

INTERIM_SECONDS = 300
DEVICES_A_VOUCHER = 3
SECRET_OCTETS = 16

TAP = Terms("tap", session_seconds=1800, daily_seconds=2400, remember_seconds=3 * 3600, daily_octets=80_000 * MEGABYTE)
VOUCHERS = (
    Terms("clock", session_seconds=3600, daily_seconds=0, remember_seconds=7200, devices_max=2, voucher_seconds=9000),
)
"""What is promised. Vouchers are for fewer devices than hold one, so that they are refused now and then."""


@dataclass(frozen=True)
class Town:
    """A prepared city. `vouchers`: the terms of each code."""

    city: City
    nases: tuple[Nas, ...]
    vouchers: dict[str, Terms]
    terms_id: int


def load_config(key: str) -> CityConfig:
    return city_config(key, radius={"interim_seconds": INTERIM_SECONDS})


def open_town(
    config: CityConfig, url: str, key_folder: Path, timeline: Timeline, chance: random.Random, *, devices: int
) -> Town:
    """Fill a migrated, empty database. SQLite without fsync: what the simulation proves does not depend on it."""
    now = timeline.clock
    store = TrialStore.open(url, keys.load(key_folder, now=now))
    assert isinstance(store, TrialStore)
    if url.startswith("sqlite"):
        event.listen(store.engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF"))
    city = City(config, store)
    nases = tuple(_nas(config, number, timeline, chance) for number in range(len(MODELS)))
    codes = {make_code(chance.randbytes(10)): VOUCHERS[n % len(VOUCHERS)] for n in range(devices // DEVICES_A_VOUCHER)}
    with store.write() as conn:
        site_id = fleet.add_site(conn, key="trial", name="Trial", district="Trial", kind="square")
        for nas in nases:
            _add_nas(conn, store, site_id, nas, now)
        terms_id = setup.add_terms(conn, version=1, language="en", title="Terms", body="Terms", now=now)
        setup.add_plan(conn, **_columns(TAP, Way.TAP))
        clerk = staff.add(conn, login="clerk", name="Clerk", role=Role.ADMIN, password_hash=None, now=now)
        for terms in VOUCHERS:
            _add_vouchers(conn, store, terms, [code for code, of in codes.items() if of is terms], clerk, now)
    return Town(city, nases, codes, terms_id)


def _nas(config: CityConfig, number: int, timeline: Timeline, chance: random.Random) -> Nas:
    """Alike in every city in name and address, so that only secret and port keep cities apart."""
    secret = chance.randbytes(SECRET_OCTETS).hex().encode()
    return Nas(f"gateway-{number}", f"10.0.0.{number + 1}", secret, MODELS[number], timeline, chance)


def _add_nas(conn: Connection, store: TrialStore, site_id: int, nas: Nas, now: datetime) -> None:
    fleet.add_nas(
        conn,
        store.keys,
        secret=nas.secret,
        uam_secret=b"uam",
        site_id=site_id,
        name=nas.name,
        nas_identifier=nas.name,
        address=nas.address,
        product=nas.model.product,
        login_url="http://127.0.0.1:3990",
        coa_port=3799,
        require_message_authenticator="yes",
        octets_swapped=nas.model.octets_swapped,
        created_at=now,
    )


def _columns(terms: Terms, way: Way) -> dict[str, object]:
    return {
        "key": terms.plan,
        "name": terms.plan,
        "way": way.value,
        "session_minutes": terms.session_seconds // 60,
        "idle_minutes": 15,
        "daily_minutes": terms.daily_seconds // 60,
        "daily_megabytes": terms.daily_octets // MEGABYTE,
        "rate_down_kbps": 20_000,
        "rate_up_kbps": 5_000,
        "devices_max": terms.devices_max,
        "remember_hours": terms.remember_seconds // 3600,
        "voucher_counts": "use" if terms.by_use else "clock",
        "voucher_daily_minutes": terms.voucher_daily_seconds // 60,
        "voucher_daily_megabytes": terms.voucher_daily_octets // MEGABYTE,
    }


def _add_vouchers(
    conn: Connection, store: TrialStore, terms: Terms, codes: list[str], clerk: int, now: datetime
) -> None:
    plan_id = setup.add_plan(conn, **_columns(terms, Way.VOUCHER))
    if codes:
        vouchers.add_batch(
            conn,
            store.keys,
            codes,
            plan_id=plan_id,
            label=terms.plan,
            valid_minutes=terms.voucher_seconds // 60,
            redeem_until=now + timedelta(days=30),
            created_by=clerk,
            now=now,
        )
