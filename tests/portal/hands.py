"""The hands at a city's door: a NAS that redirects, a phone without cookies, a member of staff with one.

The NAS's side is written from HANDOFF with hashlib alone, so that the portal is not tested with its own functions.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import quote

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Table, func, select
from werkzeug.test import TestResponse

from hotspot.roles import Role
from hotspot.session import Totals
from hotspot.values import MacAddress, Octets, local_day
from portal.app import create_app
from portal.staff.guard import COOKIE
from service.cities import City
from simulator.browser import Form, Page
from store import accounting, nases, residents, schema, staff
from store.accounting import Session
from store.nases import Nas
from store.store import Connection

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
"""When the tests' cities are seeded; a Monday, 13:00 in the cities."""

PHONE = MacAddress.parse("02-00-5E-10-00-0A")
CHALLENGE = "2904485ac54ce369f1c3adc15e08b052"
WANTED = "http://example.org/wanted?a=1&b=2"
PASSWORD = "ein langes Passwort"
TRAFFIC = Octets(5_000_000, 400_000)
SOME_OCTETS = Octets(down=5_000_000, up=400_000)


@dataclass
class Clock:
    """The application's clock; it stands until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now


@dataclass
class Door:
    """One city's application with its clock."""

    city: City
    clock: Clock
    password_hash: str
    app: Flask = field(init=False)

    def __post_init__(self) -> None:
        self.app = create_app(self.city, clock=self.clock, random_octets=os.urandom)

    @property
    def url(self) -> str:
        return self.city.config.portal.url

    @property
    def staff_url(self) -> str:
        return self.city.config.portal.staff_url

    @property
    def nas(self) -> Nas:
        with self.city.store.read() as conn:
            return nases.nases(conn, self.city.store.keys)[0]

    def count(self, table: Table) -> int:
        with self.city.store.read() as conn:
            return int(conn.execute(select(func.count()).select_from(table)).scalar_one())

    def sample(self, name: str, **labels: str) -> float:
        """A counter's value in the city's registry."""
        return self.city.registry.get_sample_value(name, labels) or 0.0

    def phone(self, mac: MacAddress = PHONE) -> Phone:
        return Phone(self, mac, self.app.test_client(use_cookies=False))

    def member(self, role: Role, login: str | None = None) -> Seat:
        """A member who is logged in, by a session in the store."""
        token, now = os.urandom(32).hex(), self.clock()
        with self.city.store.write() as conn:
            known = staff.by_login(conn, login or role.value)
            staff_id = known.id if known else self._add(conn, login or role.value, role)
            staff.open_session(conn, staff_id=staff_id, token=token, now=now, expires_at=now + timedelta(hours=8))
        return self.seat(token)

    def add_member(self, login: str, role: Role = Role.ADMIN, *, with_password: bool = True) -> int:
        with self.city.store.write() as conn:
            return self._add(conn, login, role, with_password=with_password)

    def _add(self, conn: Connection, login: str, role: Role, *, with_password: bool = True) -> int:
        hashed = self.password_hash if with_password else None
        return staff.add(conn, login=login, name=login, role=role, now=self.clock(), password_hash=hashed)

    def seat(self, token: str | None = None) -> Seat:
        client = self.app.test_client()
        if token is not None:
            client.set_cookie(COOKIE, token, domain=self.city.config.portal.staff_host)
        return Seat(self, client)


# The NAS ----------------------------------------------------------------------------------------------


def sign(url: str, secret: bytes) -> str:
    """`md` of HANDOFF: UPPER(hex(md5(raw URL, secret)))."""
    return hashlib.md5(url.encode("latin-1") + secret).hexdigest().upper()


def query_of(fields: Mapping[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())


def redirect_fields(nas: Nas, device: MacAddress, **changes: str | None) -> dict[str, str]:
    """The parameters of a redirect in the real daemon's order; None leaves one out."""
    fields: dict[str, str | None] = {
        "res": "notyet",
        "uamip": "10.1.0.1",
        "uamport": "3990",
        "challenge": CHALLENGE,
        "called": "E2-7E-20-A1-A7-CA",
        "mac": str(device),
        "ip": "10.1.0.2",
        "ssid": "Rostock-WLAN",
        "nasid": nas.nas_identifier,
        "sessionid": "179541233400000001",
        "userurl": WANTED,
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


def chap(password: str, challenge: str, secret: bytes) -> str:
    """HANDOFF: k = md5(challenge, secret); response = md5(0x00, password, k)."""
    k = hashlib.md5(bytes.fromhex(challenge) + secret).digest()
    return hashlib.md5(b"\0" + password.encode() + k).hexdigest()


# The resident -----------------------------------------------------------------------------------------


@dataclass
class Phone:
    """A browser without cookies on the city's Wi-Fi."""

    door: Door
    mac: MacAddress
    client: FlaskClient

    def redirect(self, **changes: str | None) -> str:
        """Path and query of the NAS's signed redirect."""
        nas = self.door.nas
        raw = f"/?{query_of(redirect_fields(nas, self.mac, **changes))}"
        return f"{raw}&md={sign(self.door.url + raw, nas.uam_secret)}"

    def get(self, path: str, *, language: str = "en", **options: object) -> TestResponse:
        headers = {"Accept-Language": language, **options.pop("headers", {})}  # type: ignore[dict-item]
        return self.client.get(path, base_url=self.door.url, headers=headers, **options)

    def arrive(self, *, language: str = "en", **changes: str | None) -> TestResponse:
        return self.get(self.redirect(**changes), language=language)

    def token(self) -> str:
        """A visit: what the terms page carries in its forms."""
        return form(self.arrive(), "accept")["visit"]

    def send(self, path: str, fields: Mapping[str, str], *, language: str = "en") -> TestResponse:
        return self.client.post(path, base_url=self.door.url, data=fields, headers={"Accept-Language": language})

    def accept(self, **changes: str) -> TestResponse:
        return self.send("/accept", form(self.arrive(), "accept") | changes)

    def try_code(self, code: str, **changes: str) -> TestResponse:
        return self.send("/voucher", form(self.arrive(), "voucher") | {"code": code} | changes)

    def status(self, token: str | None = None, *, language: str = "en") -> TestResponse:
        return self.get(f"/status?visit={token or self.token()}", language=language)


def form(response: TestResponse, id_: str) -> dict[str, str]:
    """The preset fields of a form of a page."""
    return dict(found_form(response, id_).fields)


def found_form(response: TestResponse, id_: str) -> Form:
    found = Page(response.status_code, response.request.url, response.text, ()).form(id_)
    assert found is not None, f"no form {id_!r} on the page:\n{response.text}"
    return found


def words(response: TestResponse) -> str:
    """A page's text without tags and style, white space joined."""
    bare = re.sub(r"<style>.*?</style>", "", response.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", bare)).split())


# The staff --------------------------------------------------------------------------------------------


@dataclass
class Seat:
    """A browser in front of the staff's pages, with the cookie of a log-in or without."""

    door: Door
    client: FlaskClient

    def get(self, path: str, *, language: str = "en") -> TestResponse:
        return self.client.get(path, base_url=self.door.staff_url, headers={"Accept-Language": language})

    def send(
        self,
        path: str,
        fields: Mapping[str, str] | None = None,
        *,
        csrf: str | None = "",
        language: str = "en",
        **headers: str,
    ) -> TestResponse:
        """A form as the page gave it; `csrf` None leaves the token out, "" takes the session's own."""
        own = {} if csrf is None else {"csrf": csrf or self.csrf()}
        sent = {"Accept-Language": language} | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, base_url=self.door.staff_url, data={**(fields or {}), **own}, headers=sent)

    def csrf(self) -> str:
        """The token in the log-out form, which stands on every page of somebody who is logged in."""
        found = re.search(r'name="csrf" value="([^"]*)"', self.get("/staff/login").text)
        return found[1] if found else ""

    def log_in(self, login: str, password: str = PASSWORD, **headers: str) -> TestResponse:
        return self.send("/staff/login", {"login": login, "password": password}, **headers)

    @property
    def cookie(self) -> str | None:
        found = self.client.get_cookie(COOKIE, domain=self.door.city.config.portal.staff_host)
        return found.value if found else None


# What RADIUS would have written -------------------------------------------------------------------------


def add_session(
    city: City,
    mac: MacAddress = PHONE,
    *,
    started_at: datetime = NOW,
    ended_at: datetime | None = None,
    seconds: int = 600,
    octets: Octets = SOME_OCTETS,
    grant_id: int | None = None,
    name: str = "session-1",
    cause: str | None = None,
) -> int:
    """A session with its day's usage, as accounting leaves it; returns its id."""
    day = local_day(started_at, city.zone)
    totals = Totals(
        started_at,
        started_at + timedelta(seconds=seconds),
        start_seen=True,
        seconds=seconds,
        segment=octets,
        ended_at=ended_at,
        terminate_cause=cause,
    )
    with city.store.write() as conn:
        device_id = residents.note_device(conn, city.store.keys, mac, now=started_at)
        row = Session(None, device_id, grant_id, 1, name, "ticket", "Rostock-WLAN", "", "10.1.0.2", day, totals)
        accounting.save_many(conn, [(None, row)])
        accounting.add_usage(conn, {(device_id, day): (seconds, octets)})
        newest = select(func.max(schema.session.c.id)).where(schema.session.c.acct_session_id == name)
        return int(conn.execute(newest).scalar_one())
