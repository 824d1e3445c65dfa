"""A running RADIUS server of one city, a NAS on loopback, and a ticket as the portal would issue it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from hotspot.access import Ticket
from hotspot.credentials import ticket_name, ticket_password
from hotspot.values import MacAddress
from radius.server import CityServer
from service.cities import City
from store import nases, residents
from tests.support.cities import free_udp_port

SECRET = "a-secret-of-the-test"
PHONE = MacAddress.parse("02-00-5E-10-00-0A")


@dataclass
class Issued:
    """A ticket with its password in the clear."""

    name: str
    password: str
    grant_id: int
    device_id: int


def add_loopback_nas(city: City, **changes: object) -> int:
    """Register 127.0.0.1, from where radclient speaks."""
    columns: dict[str, object] = {
        "site_id": 1,
        "name": "test-nas",
        "nas_identifier": "test-nas-0001",
        "address": "127.0.0.1",
        "product": "coovachilli",
        "login_url": "http://127.0.0.1:3990",
        "coa_port": free_udp_port(),
        "require_message_authenticator": "yes",
        "octets_swapped": False,
        "created_at": datetime.now(UTC),
    }
    with city.store.write() as conn:
        return nases.add_nas(conn, city.store.keys, secret=SECRET.encode(), uam_secret=b"uam", **(columns | changes))


def issue_ticket(
    city: City, mac: MacAddress = PHONE, *, plan_key: str = "tap", minutes: int = 60, **grant: object
) -> Issued:
    """What the portal does on acceptance, straight in the store."""
    now = datetime.now(UTC)
    keys = city.store.keys
    with city.store.write() as conn:
        device_id = residents.note_device(conn, keys, mac, now=now)
        plan = next(each for each in residents.plans(conn) if each.key == plan_key)
        columns: dict[str, object] = {
            "device_id": device_id,
            "plan_id": plan.id,
            "terms_id": residents.current_terms(conn)[0].id,
            "way": plan.way.value,
            "granted_at": now,
            "until_at": now + timedelta(minutes=minutes),
            "remember_until": now + timedelta(hours=24),
        }
        grant_id = residents.add_grant(conn, **(columns | grant))
        ticket = Ticket(ticket_name(os.urandom(12)), grant_id, device_id, now, now + timedelta(minutes=5))
        residents.add_ticket(conn, ticket)
    password = ticket_password(keys.derive("ticket"), name=ticket.name, device=mac, expires_at=ticket.expires_at)
    return Issued(ticket.name, password, grant_id, device_id)


@pytest.fixture
def radius(city: City) -> Iterator[City]:
    """The city with its RADIUS server running and `test-nas` registered."""
    add_loopback_nas(city)
    server = CityServer(city, clock=lambda: datetime.now(UTC), random_octets=os.urandom)
    server.start()
    yield city
    server.stop()
    server.join(10)
    assert not server.is_alive()
    assert threading.active_count() >= 1
