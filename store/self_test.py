"""The built-in NAS of `kogge radius test`, and how every trace of a test goes again.

It has a row because sessions and decisions name their NAS. The row counts as removed from the start: no list, page or
figure shows it, and only RADIUS asks for it. Its device is one that nobody has, so deleting a test is deleting a
device, whatever was interrupted; a lease tells whether a test is under way.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from hotspot.nas import RESERVED_IDENTIFIER
from hotspot.values import MacAddress
from store import guesses, jobs, nases
from store.keys import KeyRing
from store.nases import Nas
from store.residents import find_devices
from store.schema import (
    acceptance,
    block,
    decision,
    device,
    grant,
    nas,
    nas_arrival,
    nas_contact,
    outbox,
    session,
    site,
    ticket,
    usage_daily,
)

IDENTIFIER = RESERVED_IDENTIFIER
"""Its name and NAS-Identifier."""

DEVICE = MacAddress(b"\x02KOGGE")
"""02-4B-4F-47-47-45: locally administered, so no maker gives it to a device."""

LEASE_SECONDS = 120.0
"""Longer than a test can take; after that a test that was killed counts as over."""

_LEASE = "radius-test"
_SECRET_BYTES = 24


def source_address(listen: str) -> str:
    """From where a test asks a server at `listen`: a loopback address that no NAS has, on this machine only.

    The kernel takes nothing with such a source from outside (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3).
    """
    return "::1" if ":" in listen else "127.254.0.1"


def register(conn: Connection, keys: KeyRing, *, listen: str, now: datetime) -> Nas | None:
    """The built-in NAS, made where it is missing; None where the city has no site to put it at. Needs `write()`."""
    address = source_address(listen)
    known = update(nas).where(nas.c.nas_identifier == IDENTIFIER).values(address=address)
    site_id = conn.execute(select(site.c.id).order_by(site.c.id).limit(1)).scalar()
    if conn.execute(known).rowcount == 0 and site_id is not None:
        secret = secrets.token_urlsafe(_SECRET_BYTES).encode()
        nases.add_nas(conn, keys, secret=secret, uam_secret=secret, **_columns(site_id, address, now))
    return nases.hidden_nas(conn, keys, IDENTIFIER)


def _columns(site_id: int, address: str, now: datetime) -> dict[str, Any]:
    return {
        "site_id": site_id,
        "name": IDENTIFIER,
        "nas_identifier": IDENTIFIER,
        "address": address,
        "product": "standard",
        "login_url": "",
        "coa_port": 0,
        "require_message_authenticator": "yes",
        "octets_swapped": False,
        "created_at": now,
        "removed_at": now,
    }


def begin(conn: Connection, *, holder: str, now: datetime) -> bool:
    """Take the lease on testing; False while another test holds it. Needs `write()`."""
    return jobs.take(conn, _LEASE, holder=holder, lease_seconds=LEASE_SECONDS, now=now)


def end(conn: Connection, keys: KeyRing, *, holder: str, now: datetime) -> int:
    """Delete what a test wrote and free the lease. Returns the rows deleted; 0 while another test is under way."""
    if not jobs.take(conn, _LEASE, holder=holder, lease_seconds=0, now=now):
        return 0
    return _delete_traces(conn, keys, now=now)


def _delete_traces(conn: Connection, keys: KeyRing, *, now: datetime) -> int:
    """By device, what points at a row before the row. The NAS itself stays: packets may be on their way."""
    devices = list(find_devices(conn, keys, [DEVICE], now=now).values())
    if not devices:
        return 0
    sessions = select(session.c.id).where(session.c.device_id.in_(devices))
    _forgive(conn, keys, list(conn.execute(select(ticket.c.name).where(ticket.c.device_id.in_(devices))).scalars()))
    done = conn.execute(outbox.delete().where(outbox.c.session_id.in_(sessions))).rowcount
    for table in (session, decision, ticket, usage_daily, acceptance, grant, block):
        done += conn.execute(table.delete().where(table.c.device_id.in_(devices))).rowcount
    nas_id = select(nas.c.id).where(nas.c.nas_identifier == IDENTIFIER).scalar_subquery()
    done += conn.execute(nas_contact.delete().where(nas_contact.c.nas_id == nas_id)).rowcount
    # By name: what came before RADIUS knew the built-in NAS stands there as a stranger's.
    done += conn.execute(nas_arrival.delete().where(nas_arrival.c.nas_identifier == IDENTIFIER)).rowcount
    return done + conn.execute(device.delete().where(device.c.id.in_(devices))).rowcount


def _forgive(conn: Connection, keys: KeyRing, names: list[str]) -> None:
    """The wrong passwords of the test must lock out nobody, the next test least of all."""
    own = guesses.bucket(keys, guesses.BY_DEVICE, str(DEVICE))
    guesses.clear_shared(conn, guesses.bucket(keys, guesses.BY_CITY, ""), own)
    subjects = [(guesses.BY_DEVICE, str(DEVICE)), (guesses.BY_NAS, IDENTIFIER)]
    for kind, subject in (*subjects, *((guesses.BY_USER, name) for name in names)):
        guesses.clear(conn, guesses.bucket(keys, kind, subject))
