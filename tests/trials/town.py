"""A city for a trial: plans whose limits are met in an evening, NASes of four kinds, vouchers that devices share."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import event

from config.model import CityConfig
from hotspot.access import TICKET_SECONDS, Ticket
from hotspot.admission import Denial, voucher_span
from hotspot.credentials import TICKET_NAME_BYTES, ticket_name, ticket_password
from hotspot.plan import MEGABYTE, Way
from hotspot.roles import Role
from hotspot.values import MacAddress
from hotspot.vouchers import make_code
from portal.captive.handoff.protocol import Credential
from service.cities import City
from store import fleet, keys, nases, residents, setup, staff, vouchers
from store.store import Connection
from tests.support.cities import city_config
from tests.trials.nas import MODELS, Nas
from tests.trials.oracle import Terms
from tests.trials.server import TrialStore
from tests.trials.timeline import Timeline

INTERIM_SECONDS = 300
DEVICES_A_CODE = 9
"""Of each kind of voucher: about three devices share a code."""

SECRET_OCTETS = 16

HOUR = 3600
TAP = Terms("tap", session_seconds=1800, daily_seconds=2400, remember_seconds=3 * HOUR, daily_octets=80_000 * MEGABYTE)
CLOCK = Terms("clock", session_seconds=HOUR, remember_seconds=2 * HOUR, devices_max=2, voucher_seconds=9000)
USE = replace(CLOCK, plan="use", by_use=True, voucher_seconds=4500)
DAILY = replace(CLOCK, plan="daily", voucher_daily_seconds=3600, voucher_daily_octets=20_000 * MEGABYTE)
VOUCHERS = (CLOCK, USE, DAILY)
"""What is promised. More devices hold a voucher than may be on at once, so that they are refused now and then."""


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
    codes = {make_code(chance.randbytes(10)): of for of in VOUCHERS for _ in range(-(-devices // DEVICES_A_CODE))}
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
    nases.add_nas(
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


def redeem(
    town: Town, mac: MacAddress, code: str, *, now: datetime, random_octets: Callable[[int], bytes]
) -> Credential | Denial:
    """A voucher's ticket for one device more than the portal would admit.

    The portal lets as many devices hold a voucher as may be on at once; here RADIUS alone must keep the promise.
    """
    store = town.city.store
    with store.write() as conn:
        device_id = residents.note_device(conn, store.keys, mac, now=now)
        found = vouchers.find(conn, store.keys, code)
        assert found is not None
        ends_at = vouchers.use(conn, found, now=now)
        if now >= ends_at:
            return Denial.CODE_USED_UP
        span = voucher_span(found.plan, ends_at=ends_at, now=now)
        grant_id = residents.add_grant(
            conn,
            device_id=device_id,
            plan_id=found.plan.id,
            voucher_id=found.id,
            terms_id=town.terms_id,
            way=Way.VOUCHER.value,
            granted_at=now,
            until_at=span.until_at,
            remember_until=span.remember_until,
        )
        name = ticket_name(random_octets(TICKET_NAME_BYTES))
        ticket = Ticket(name, grant_id, device_id, now, now + timedelta(seconds=TICKET_SECONDS))
        residents.add_ticket(conn, ticket)
    password = ticket_password(store.keys.derive("ticket"), name=name, device=mac, expires_at=ticket.expires_at)
    return Credential(name, password)
