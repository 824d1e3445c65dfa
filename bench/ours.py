"""Our side of the comparison: a real installation of one city, with residents who hold tickets.

Made by what `kogge init` does and by the store's own functions; each round serves a fresh copy of it.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.packets import Resident
from bench.servers import Place, free_ports
from config.load import load_installation
from hotspot.access import Ticket
from hotspot.credentials import ticket_name, ticket_password
from hotspot.plan import Way
from hotspot.values import MacAddress
from ops.installation import initialise
from ops.supervisor import kogge
from service.cities import open_city
from store import nases, residents
from store.store import Connection, Store

CITY = "bench"
NAS = "bench-gw-0001"
ROWS_A_COMMIT = 1_000
GOOD_FOR = timedelta(hours=4)
"""Longer than a ticket of the product's: the benchmark's must outlive the run."""

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
[[seed.sites]]
key = "bench"
name = "Bench"
district = "Bench"
kind = "square"
[[seed.nases]]
name = "bench-gateway"
site = "bench"
nas_identifier = "bench-gw-0001"
address = "127.0.0.1"
login_url = "http://127.0.0.1:3990"
[[seed.plans]]
key = "tap"
name = "Tap"
way = "tap"
session_minutes = 60
rate_down_kbps = 20000
rate_up_kbps = 5000
[[seed.terms]]
version = 1
language = "en"
title = "Terms"
body = "Terms"
"""


class OurServer:
    """An installation in `folder`, and how to start its RADIUS process."""

    name = "kogge"

    def __init__(self, folder: Path, *, devices: int) -> None:
        self._folder, self._template = folder / "kogge", folder / "kogge-as-made"
        auth_port, acct_port = free_ports(2)
        _write(self._template, auth_port, acct_port)
        self.secret, self.residents = _fill(self._template, devices)
        self.place = Place(auth_port, acct_port, self.secret)

    def command(self) -> list[str]:
        """What an operator types."""
        return kogge("radius", str(self._folder))

    def renew(self) -> None:
        """The installation as it was made: no decision logged, no session begun."""
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(self._template, self._folder)


def _write(folder: Path, auth_port: int, acct_port: int) -> None:
    (folder / "cities").mkdir(parents=True)
    metrics_port = free_ports(1)[0]
    (folder / "kogge.toml").write_text(_INSTALLATION.format(metrics_port=metrics_port))
    (folder / "cities" / f"{CITY}.toml").write_text(_CITY.format(auth_port=auth_port, acct_port=acct_port))


def _fill(folder: Path, devices: int) -> tuple[bytes, tuple[Resident, ...]]:
    """Keys, database and seed, then residents; returns the NAS's secret and them."""
    now = datetime.now(UTC)
    initialise(folder, [], now=now, say=lambda _: None)
    loaded = load_installation(folder)
    city = open_city(loaded.installation, loaded.cities[0], now=now)
    try:
        with city.store.read() as conn:
            secret = nases.nases(conn, city.store.keys)[0].secret
        return secret, add_residents(city.store, devices, now=now)
    finally:
        city.store.close()


def add_residents(store: Store, count: int, *, now: datetime) -> tuple[Resident, ...]:
    """So many devices that have just accepted the terms and hold a ticket each, in few transactions."""
    made: list[Resident] = []
    while len(made) < count:
        with store.write() as conn:
            plan_id = residents.plans(conn, Way.TAP)[0].id
            terms_id = residents.current_terms(conn)[0].id
            numbers = range(len(made), min(count, len(made) + ROWS_A_COMMIT))
            made += [_add_resident(conn, store, number, plan_id, terms_id, now) for number in numbers]
    return tuple(made)


def _add_resident(conn: Connection, store: Store, number: int, plan_id: int, terms_id: int, now: datetime) -> Resident:
    mac = MacAddress(bytes((2, 0, 0)) + number.to_bytes(3, "big"))
    device_id = residents.note_device(conn, store.keys, mac, now=now)
    grant_id = residents.add_grant(
        conn,
        device_id=device_id,
        plan_id=plan_id,
        terms_id=terms_id,
        way=Way.TAP.value,
        granted_at=now,
        until_at=now + GOOD_FOR,
    )
    ticket = Ticket(ticket_name(os.urandom(12)), grant_id, device_id, now, now + GOOD_FOR)
    residents.add_ticket(conn, ticket)
    key = store.keys.derive("ticket")
    password = ticket_password(key, name=ticket.name, device=mac, expires_at=ticket.expires_at)
    return Resident(number, str(mac), ticket.name, password, grant_id)
