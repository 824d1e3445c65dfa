"""Our side of the comparison: a real installation of one city, with residents who hold tickets and have quotas.

Made by what `kogge init` does and by the store's own functions. Two residents in three came with a tap; the third
shares a voucher with two others, so that every check of the policy has something to compute.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.databases import Database, check_durable
from bench.packets import Resident
from bench.servers import Place, free_ports
from config.load import load_installation
from hotspot.access import Ticket
from hotspot.credentials import ticket_name, ticket_password
from hotspot.plan import Way
from hotspot.values import MacAddress, Octets, local_day
from ops.installation import FIRST_ADMIN, initialise
from ops.supervisor import kogge
from service.cities import City, open_city
from store import accounting, nases, residents, staff, vouchers
from store.store import Connection, Store

CITY = "bench"
NAS = "bench-gw-0000"
"""The NAS that asks; the others are known and silent."""

NASES = 40
ROWS_A_COMMIT = 1_000
GOOD_FOR = timedelta(hours=4)
"""Longer than a ticket of the product's: the benchmark's must outlive the run."""

VOUCHER_EVERY = 3
"""One resident in so many came with a voucher."""

DEVICES_A_VOUCHER = 3

USED_TODAY = (600, Octets(50_000_000, 5_000_000))
"""Seconds and octets that each device has used when the first request comes: the quotas are of rows that exist."""

_INSTALLATION = """\
data_dir = "data"
[radius]
metrics_listen = "127.0.0.1:{metrics_port}"
[log]
level = "warning"
"""

_CITY = """\
key = "bench"
name = "Bench"
[contact]
operator = "Bench"
email = "bench@city.example"
[portal]
url = "http://bench.localhost:8080"
staff_url = "http://staff.bench.localhost:8080"
[radius]
listen = "127.0.0.1"
auth_port = {auth_port}
acct_port = {acct_port}
[database]
url = "{database_url}"
[[seed.sites]]
key = "bench"
name = "Bench"
district = "Bench"
kind = "square"
{nases}
[[seed.plans]]
key = "tap"
name = "Tap"
way = "tap"
session_minutes = 60
daily_minutes = 1440
daily_megabytes = 1000000
rate_down_kbps = 20000
rate_up_kbps = 5000
[[seed.plans]]
key = "voucher"
name = "Voucher"
way = "voucher"
session_minutes = 120
daily_minutes = 1440
daily_megabytes = 1000000
rate_down_kbps = 50000
rate_up_kbps = 10000
devices_max = 3
[[seed.terms]]
version = 1
language = "en"
title = "Terms"
body = "Terms"
"""

_SEED_NAS = """\
[[seed.nases]]
name = "bench-gateway-{number:04d}"
site = "bench"
nas_identifier = "bench-gw-{number:04d}"
address = "127.0.0.{host}"
login_url = "http://127.0.0.{host}:3990"
"""

_VOUCHER_QUOTAS = """\
UPDATE plan SET voucher_counts = 'use', voucher_daily_minutes = 10000, voucher_daily_megabytes = 10000000
WHERE key = 'voucher'
"""


class OurServer:
    """An installation in `folder`, on the database `kogge` or of the given name, and how to start its RADIUS process.

    NotDurable where the connection that our own store opens would not commit durably.
    """

    name = "kogge"

    def __init__(self, folder: Path, database: Database, *, database_name: str = "kogge") -> None:
        self.folder = folder / f"kogge-{database.key}-{database_name}"
        self.database_name = database_name
        self._database = database
        self.residents: tuple[Resident, ...] = ()
        auth_port, acct_port = free_ports(2)
        database.make(database_name)
        _write(self.folder, database.url(database_name), auth_port, acct_port)
        initialise(self.folder, [], now=datetime.now(UTC), say=lambda _: None)
        database.script(database_name, _VOUCHER_QUOTAS)
        with self.opened() as city, city.store.read() as conn:
            check_durable(database, lambda question: conn.exec_driver_sql(question).scalar())
            secret = next(nas.secret for nas in nases.nases(conn, city.store.keys) if nas.nas_identifier == NAS)
        self.place = Place(auth_port, acct_port, secret)

    @contextlib.contextmanager
    def opened(self) -> Iterator[City]:
        """The city as its services see it."""
        loaded = load_installation(self.folder)
        city = open_city(loaded.installation, loaded.cities[0], now=datetime.now(UTC))
        try:
            yield city
        finally:
            city.store.close()

    def admit(self, count: int, *, spacing: int = 1) -> None:
        """So many residents with a grant, a ticket and something used today. `spacing`: see `add_residents`."""
        now = datetime.now(UTC)
        with self.opened() as city:
            shared = _add_vouchers(city.store, -(-count // (VOUCHER_EVERY * DEVICES_A_VOUCHER)), now=now)
            self.residents = add_residents(city.store, count, now=now, voucher_ids=shared, spacing=spacing)
            _use_quotas(city, now=now)

    def command(self) -> list[str]:
        """What an operator types."""
        return kogge("radius", str(self.folder))

    def keep(self) -> None:
        """What the database holds now is what each round begins with."""
        self._database.keep(self.database_name)

    def renew(self) -> None:
        """The database as it was kept: no decision logged, no session begun."""
        self._database.renew(self.database_name)

    def drop(self) -> None:
        """Away with the round's database, so that nothing looks after it while another is measured."""
        self._database.drop(self.database_name)


def _write(folder: Path, database_url: str, auth_port: int, acct_port: int) -> None:
    (folder / "cities").mkdir(parents=True)
    metrics_port = free_ports(1)[0]
    (folder / "kogge.toml").write_text(_INSTALLATION.format(metrics_port=metrics_port))
    nases = "".join(_SEED_NAS.format(number=number, host=number + 1) for number in range(NASES))
    (folder / "cities" / f"{CITY}.toml").write_text(
        _CITY.format(auth_port=auth_port, acct_port=acct_port, database_url=database_url, nases=nases)
    )


# Residents --------------------------------------------------------------------------------------------


def add_residents(
    store: Store, count: int, *, now: datetime, voucher_ids: Sequence[int] = (), spacing: int = 1
) -> tuple[Resident, ...]:
    """So many devices that have just accepted the terms and hold a ticket each, in few transactions.

    With `voucher_ids` every third one shares a voucher. `spacing`: the devices are every so manieth of those that
    `device_address` numbers, because a city with a history does not see its oldest devices only.
    """
    made: list[Resident] = []
    with store.read() as conn:
        admission = _Admission(
            store,
            {way: plans[0].id for way in Way if (plans := residents.plans(conn, way))},
            residents.current_terms(conn)[0].id,
            now,
        )
    while len(made) < count:
        with store.write() as conn:
            turns = range(len(made), min(count, len(made) + ROWS_A_COMMIT))
            made += [admission.add(conn, turn * spacing, _voucher_of(turn, voucher_ids)) for turn in turns]
    return tuple(made)


def device_address(number: int) -> MacAddress:
    """The MAC address of a numbered device, locally administered."""
    return MacAddress(bytes((2, 0, 0)) + number.to_bytes(3, "big"))


def _voucher_of(turn: int, voucher_ids: Sequence[int]) -> int | None:
    if turn % VOUCHER_EVERY or not voucher_ids:
        return None
    return voucher_ids[turn // VOUCHER_EVERY // DEVICES_A_VOUCHER]


@dataclass(frozen=True)
class _Admission:
    """What the portal does when a resident accepts, without the pages."""

    store: Store
    plan_ids: Mapping[Way, int]
    terms_id: int
    now: datetime

    def add(self, conn: Connection, number: int, voucher_id: int | None) -> Resident:
        keys, now, until = self.store.keys, self.now, self.now + GOOD_FOR
        mac, way = device_address(number), Way.TAP if voucher_id is None else Way.VOUCHER
        device_id = residents.note_device(conn, keys, mac, now=now)
        grant_id = residents.add_grant(
            conn,
            device_id=device_id,
            plan_id=self.plan_ids[way],
            voucher_id=voucher_id,
            terms_id=self.terms_id,
            way=way.value,
            granted_at=now,
            until_at=until,
        )
        ticket = Ticket(ticket_name(os.urandom(12)), grant_id, device_id, now, until)
        residents.add_ticket(conn, ticket)
        password = ticket_password(keys.derive("ticket"), name=ticket.name, device=mac, expires_at=until)
        return Resident(number, str(mac), ticket.name, password, grant_id)


def _add_vouchers(store: Store, count: int, *, now: datetime) -> list[int]:
    """Vouchers in use, as the desk makes them and a page redeems them; their ids."""
    codes = [f"BENCH{number:07d}" for number in range(count)]
    with store.write() as conn:
        admin = staff.by_login(conn, FIRST_ADMIN)
        assert admin is not None, "init makes the first admin"
        vouchers.add_batch(
            conn,
            store.keys,
            codes,
            plan_id=residents.plans(conn, Way.VOUCHER)[0].id,
            label="Bench",
            valid_minutes=int(GOOD_FOR.total_seconds()) // 60,
            redeem_until=now + GOOD_FOR,
            created_by=admin.id,
            now=now,
        )
        found = [voucher for code in codes if (voucher := vouchers.find(conn, store.keys, code)) is not None]
        for voucher in found:
            vouchers.use(conn, voucher, now=now)
    return [voucher.id for voucher in found]


def _use_quotas(city: City, *, now: datetime) -> None:
    """What each resident with a ticket has used today, and each voucher."""
    today = local_day(now, city.zone)
    with city.store.write() as conn:
        held = conn.exec_driver_sql(
            "SELECT g.device_id, g.voucher_id FROM ticket t JOIN grant_ g ON g.id = t.grant_id"
        ).all()
        accounting.add_usage(conn, {(device_id, today): USED_TODAY for device_id, _ in held})
        shared = {voucher_id for _, voucher_id in held if voucher_id is not None}
        accounting.add_voucher_usage(conn, {(voucher_id, today): USED_TODAY for voucher_id in shared})
