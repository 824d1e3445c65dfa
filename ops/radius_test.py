"""`kogge radius test`: a city's running RADIUS server is asked for real, over UDP, as a NAS would ask it.

It asks as the built-in NAS of `store.self_test`, for a device that nobody has, and deletes what that wrote.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from hotspot.access import TICKET_SECONDS, Ticket
from hotspot.credentials import TICKET_NAME_BYTES, ticket_name, ticket_password
from hotspot.errors import ConfigError
from hotspot.plan import Plan, Way
from ops.command import at, city_key, city_of, plainly
from ops.radius_report import Step, document, headline, line, verdict
from ops.radius_steps import STEPS, Credential, RandomOctets, Test, steps
from service.cities import City
from store import residents, self_test
from store.store import Connection

GRANT = timedelta(hours=1, minutes=1)
"""More than the hour of most plans' sessions, so that the Session-Timeout reads as theirs."""


@click.command("test")
@city_key
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts.")
@at
def command(city: str, as_json: bool, folder: Path) -> None:
    """Ask a running RADIUS server: log-ins and a session.

    Run it on the machine where `kogge radius` runs. It needs no NAS: each server knows a built-in client that no list
    shows. A throw-away device logs in with CHAP, PAP and its MAC address, has a session, and is deleted with all that
    was written of it. Exit status 0 where every step passed, 1 where one failed, 2 where the city cannot be tested.

    \b
    kogge radius test rostock
    """
    with plainly(), city_of(folder, city) as opened:
        with prepared(opened, now=_now(), random_octets=os.urandom) as test:
            if not as_json:
                click.echo(headline(test.place))
            done = [step if as_json else _shown(step) for step in steps(test)]
        if as_json:
            click.echo(json.dumps(document(test.place, done, len(STEPS)), indent=2, ensure_ascii=False))
        else:
            click.echo(verdict(done, len(STEPS)))
        if not all(step.ok for step in done):
            sys.exit(1)


def _now() -> datetime:
    return datetime.now(UTC)


def _shown(step: Step) -> Step:
    click.echo(line(step))
    return step


# Before and after -------------------------------------------------------------------------------------


@contextmanager
def prepared(city: City, *, now: datetime, random_octets: RandomOctets) -> Iterator[Test]:
    """A device with two tickets, as the portal would have issued them; all of it is deleted at the end.

    What a killed test left is deleted by the next one. ConfigError where the city cannot be tested: no site, plan or
    terms, or another test under way.
    """
    holder = random_octets(8).hex()
    keys = city.store.keys
    with city.store.write() as conn:
        if not self_test.begin(conn, holder=holder, now=now):
            raise ConfigError(f"{city.key}: another test is under way; wait {self_test.LEASE_SECONDS:.0f} s")
        self_test.end(conn, keys, holder=holder, now=now)
        self_test.begin(conn, holder=holder, now=now)
        nas = self_test.register(conn, keys, listen=str(city.config.radius.listen), now=now)
        if nas is None:
            raise ConfigError(f"{city.key} has no site yet; add one, then test")
        device_id, grant_id, credentials = _issue(conn, city, now=now, random_octets=random_octets)
    try:
        yield Test(city, nas, device_id, grant_id, credentials, random_octets)
    finally:
        with city.store.write() as conn:
            self_test.end(conn, keys, holder=holder, now=_now())


def _issue(
    conn: Connection, city: City, *, now: datetime, random_octets: RandomOctets
) -> tuple[int, int, tuple[Credential, Credential]]:
    """What the portal writes when a resident taps "go online": device, grant and, here, two tickets."""
    texts = residents.current_terms(conn)
    plan = _plan(conn)
    if plan is None or not texts:
        raise ConfigError(f"{city.key} has no {'terms' if plan else 'plan'} yet; add them, then test")
    device_id = residents.note_device(conn, city.store.keys, self_test.DEVICE, now=now)
    grant_id = residents.add_grant(
        conn,
        device_id=device_id,
        plan_id=plan.id,
        terms_id=texts[0].id,
        way=plan.way.value,
        granted_at=now,
        until_at=now + GRANT,
        remember_until=now + GRANT,
    )
    first, second = (_ticket(conn, city, device_id, grant_id, now, random_octets) for _ in range(2))
    return device_id, grant_id, (first, second)


def _plan(conn: Connection) -> Plan | None:
    """That of a tap where there is one: a voucher's plan may count what only a voucher has."""
    return next(iter([*residents.plans(conn, Way.TAP), *residents.plans(conn)]), None)


def _ticket(
    conn: Connection, city: City, device_id: int, grant_id: int, now: datetime, random_octets: RandomOctets
) -> Credential:
    name = ticket_name(random_octets(TICKET_NAME_BYTES))
    expires_at = now + timedelta(seconds=TICKET_SECONDS)
    residents.add_ticket(conn, Ticket(name, grant_id, device_id, now, expires_at))
    key = city.store.keys.derive("ticket")
    password = ticket_password(key, name=name, device=self_test.DEVICE, expires_at=expires_at)
    return Credential(name, password.encode())
