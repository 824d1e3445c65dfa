"""Every page that a resident can see, and how a browser comes there: one line a page in `PLACES`.

`test_accessible.py` takes each of them through axe-core, every language and every way of looking. A new page, or a page
that looks different in some state, is a new line here.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Page
from sqlalchemy import func, insert, select, update
from werkzeug.serving import make_server

from hotspot.access import Reason
from hotspot.discovery import Found
from hotspot.fleet import PointKind
from hotspot.plan import Way
from hotspot.roles import Role
from hotspot.terms import Draft
from hotspot.values import MacAddress
from portal import tokens
from portal.captive.accounts import Accounts, Purpose
from portal.tokens import Visit
from service.cities import City
from store import access, accounts, discoveries, keys, migrate, outbox, schema, snmp_credentials, staff, terms
from store.fleet import SnmpCredential
from store.nases import COMMAND_LINE
from store.outbox import State as Told
from store.store import Store
from tests.portal.hands import NOW, Clock, Door, Phone, add_session, form
from tests.support.aps import enliven
from tests.support.cities import make_city
from tests.support.rows import add_plan

HOST = "rostock.localhost"


@dataclass
class Visitor:
    """A browser's page on a device of its own."""

    door: Door
    page: Page
    language: str
    number: int

    @property
    def phone(self) -> Phone:
        """The device, for what happens elsewhere than on the page."""
        return self.door.phone(MacAddress.parse(f"02:00:5e:20:{self.number >> 8:02x}:{self.number & 255:02x}"))

    def open(self, path: str) -> None:
        self.page.goto(f"{self.door.url}{path}")

    def follow(self, selector: str) -> None:
        """Press, and wait for the page that comes: a click alone may return before, and the next step meet the old."""
        with self.page.expect_navigation():
            self.page.click(selector)

    def arrive(self, **changes: str | None) -> None:
        """As the NAS's redirect brings it."""
        self.open(self.phone.redirect(**changes))

    def fault(self) -> None:
        """What the city answers while its database is away."""
        gone = Store.open("sqlite:////nowhere/kogge.db", self.door.city.store.keys)
        away = Door(City(self.door.city.config, gone), self.door.clock, "")
        answer = away.phone().get("/terms", language=self.language)
        gone.close()
        self.page.route(
            f"{self.door.url}/terms",
            lambda route: route.fulfill(status=answer.status_code, headers=dict(answer.headers), body=answer.data),
        )
        self.open("/terms")

    def welcome(self, path: str, **parameters: str) -> None:
        """A page of a visit that is under way."""
        token = form(self.phone.get(self.phone.redirect(), language=self.language), "accept")["visit"]
        self.open(f"{path}?{urlencode({'visit': token, 'lang': self.language, **parameters})}")

    def ask_text_message(self) -> None:
        self.arrive()
        unfold(self.page)
        self.page.fill("#sms-number", f"0151 {23456000 + self.number}")
        self.follow("#sms-code button")

    def wrong_text_message(self) -> None:
        self.ask_text_message()
        self.page.fill("#code-typed", "falsch")
        self.follow("#code button")

    def register(self, password: str) -> None:
        self.welcome("/account/new")
        self.page.fill("#email", self.address)
        self.page.evaluate("document.querySelector('#register').noValidate = true")
        self.page.fill("#password", password)
        self.follow("#register button")

    @property
    def address(self) -> str:
        return f"resident-{self.number}@example.org"

    def account_link(self, path: str, purpose: Purpose, *, confirmed: bool) -> None:
        """As a mail brings it to somebody with an account."""
        city, now = self.door.city, self.door.clock()
        with city.store.write() as conn:
            stored = {"password_hash": "nobody's", "language": self.language}
            account_id = accounts.register(conn, city.store.keys, self.address, **stored, now=now)
            assert account_id is not None
            if confirmed:
                accounts.confirm(conn, account_id, now=now)
            account = accounts.by_id(conn, account_id)
        assert account is not None
        self.open(f"{path}?token={Accounts(city, {}).token(account, purpose, now=now)}")

    def try_code(self, code: str) -> None:
        self.arrive()
        unfold(self.page)
        self.page.fill("#code", code)
        self.follow("#voucher button")

    def let_on(self) -> int:
        """The device taps and RADIUS accepts it; returns the grant's id."""
        front = self.phone.get(self.phone.redirect(), language=self.language)
        self.phone.send("/accept", form(front, "accept"), language=self.language)
        with self.door.city.store.write() as conn:
            grant_id = int(conn.execute(select(func.max(schema.grant.c.id))).scalar_one())
            accepted = update(schema.grant).where(schema.grant.c.id == grant_id)
            conn.execute(accepted.values(accepted_at=self.door.clock()))
        return grant_id

    def go_online(self, **session: object) -> None:
        """With a session of a few minutes; `session` changes it, as in `ended_at`."""
        grant_id = self.let_on()
        add_session(self.door.city, self.phone.mac, grant_id=grant_id, name=f"s-{self.number}", **session)  # type: ignore[arg-type]


def unfold(page: Page) -> None:
    """Open everything that is folded away, as a person does one by one."""
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")


def _starting(visitor: Visitor) -> None:
    visitor.let_on()
    visitor.arrive(res="success")


def _online(visitor: Visitor) -> None:
    visitor.go_online()
    visitor.arrive(res="success")


def _offline(visitor: Visitor) -> None:
    visitor.go_online(ended_at=NOW)
    visitor.arrive(res="success")


def _claimed(visitor: Visitor, **changes: Any) -> None:
    """The status page of a redirect that nobody signed."""
    visit = Visit(1, visitor.phone.mac, arrived_at=NOW, **changes)
    token = tokens.issue(visitor.door.city.store.keys, visit, now=visitor.door.clock())
    visitor.open(f"/status?visit={token}&lang={visitor.language}")


def _waiting(visitor: Visitor, reason: Reason | None = None) -> None:
    grant_id, city = visitor.let_on(), visitor.door.city
    with city.store.write() as conn:
        conn.execute(update(schema.grant).where(schema.grant.c.id == grant_id).values(accepted_at=None))
        device_id = conn.execute(select(schema.grant.c.device_id).where(schema.grant.c.id == grant_id)).scalar_one()
        if reason is not None:
            noted = access.Noted(1, device_id, grant_id, "ticket", reason.value)
            access.note_decisions(conn, [noted], now=NOW)
    _claimed(visitor, grant_id=grant_id)


def _extended(visitor: Visitor, state: Told) -> None:
    _online(visitor)
    visitor.follow("#extend button")
    city = visitor.door.city
    with city.store.write() as conn:
        order_id = int(conn.execute(select(func.max(schema.outbox.c.id))).scalar_one())
        outbox.record(conn, [outbox.Change(order_id, outbox.Kind.COA, state, 1)], now=NOW)
    visitor.page.reload()


def _my_data(visitor: Visitor) -> None:
    _online(visitor)
    visitor.follow("a[href^='/my-data?']")


def _my_data_delete(visitor: Visitor) -> None:
    _my_data(visitor)
    visitor.follow("#delete")


def _my_data_deleted(visitor: Visitor) -> None:
    _my_data_delete(visitor)
    visitor.follow("#delete button")


def _my_data_old_link(visitor: Visitor) -> None:
    visitor.go_online()
    visit = Visit(1, visitor.phone.mac, signed=True, arrived_at=NOW - timedelta(hours=2))
    token = tokens.issue(visitor.door.city.store.keys, visit, now=visitor.door.clock())
    visitor.open(f"/my-data/delete?visit={token}&lang={visitor.language}")


PLACES: dict[str, Callable[[Visitor], None]] = {
    "front": lambda visitor: visitor.arrive(),
    "front-refused": lambda visitor: visitor.arrive(res="failed", reason="timeout"),
    "front-wrong-code": lambda visitor: visitor.try_code("FALSCH"),
    "starting": _starting,
    "online": _online,
    "offline": _offline,
    "unknown": _claimed,
    "waiting": _waiting,
    "waiting-refused": lambda visitor: _waiting(visitor, Reason.DAILY_VOLUME_USED),
    "extended": lambda visitor: _extended(visitor, Told.CONFIRMED),
    "extended-refused": lambda visitor: _extended(visitor, Told.REFUSED),
    "my-data": _my_data,
    "my-data-delete": _my_data_delete,
    "my-data-deleted": _my_data_deleted,
    "my-data-old-link": _my_data_old_link,
    "my-data-unproven": lambda visitor: visitor.open(f"/my-data?lang={visitor.language}"),
    "help": lambda visitor: visitor.open("/help"),
    "terms": lambda visitor: visitor.open("/terms"),
    "accessibility": lambda visitor: visitor.open("/accessibility"),
    "feedback": lambda visitor: visitor.open("/feedback"),
    "account": lambda visitor: visitor.welcome("/account"),
    "account-new": lambda visitor: visitor.welcome("/account/new"),
    "account-new-refused": lambda visitor: visitor.register("passwort"),
    "account-registered": lambda visitor: visitor.register("vier Wörter sind gut"),
    "account-confirm": lambda visitor: visitor.account_link("/account/confirm", Purpose.CONFIRM, confirmed=False),
    "account-password": lambda visitor: visitor.account_link("/account/password", Purpose.RESET, confirmed=True),
    "account-link-spent": lambda visitor: visitor.open("/account/confirm?token=spent"),
    "code": lambda visitor: visitor.welcome("/code", way="email"),
    "code-on-its-way": lambda visitor: visitor.ask_text_message(),
    "code-wrong": lambda visitor: visitor.wrong_text_message(),
    "sign-in-not-started": lambda visitor: visitor.open("/oidc/callback?state=old&code=1"),
    "not-at-a-hotspot": lambda visitor: visitor.open("/"),
    "forged": lambda visitor: visitor.arrive(md="0" * 32),
    "fault": lambda visitor: visitor.fault(),
    "no-such-page": lambda visitor: visitor.open("/nowhere"),
}


STAFF_PLACES = (
    "/staff/login",
    "/staff/sessions",
    "/staff/access-points",
    "/staff/access-points?q=nothing-like-it",
    "/staff/access-points/map",
    "/staff/access-points/1",
    "/staff/access-points/1?days=7",
    "/staff/access-points/3",
    "/staff/access-points/new",
    "/staff/access-points/1/change",
    "/staff/access-points/1/retire",
    "/staff/access-points/files",
    "/staff/access-points/discovery",
    "/staff/access-points/credentials",
    "/staff/nases",
    "/staff/nases/new",
    "/staff/nases/1",
    "/staff/vouchers",
    "/staff/audit",
    "/staff/places",
    "/staff/places/1",
    "/staff/places/1/preview",
    "/staff/places/1/poster",
    "/staff/terms",
    "/staff/terms/1",
    "/staff/terms/draft/de",
    "/staff/notices",
    "/report",
)
"""The staff's pages, as an admin sees them."""

PRINTED = ("/staff/places/1/poster",)
"""Sheets of paper: as wide as they are."""


def _search(city: City) -> None:
    """A search under way that has found something, and a credential that is kept."""
    network, secret = ip_network("127.2.1.0/24"), SnmpCredential("v2c", community="lesen")
    kind, keyring = PointKind.ACCESS_POINT, city.store.keys
    with city.store.write() as conn:
        snmp_credentials.add(conn, keyring, "hafen", network, secret, author=COMMAND_LINE, now=NOW)
        search_id = discoveries.request(conn, network, port=1161, author=COMMAND_LINE, now=NOW)
        discoveries.begin(conn, search_id, total=254, now=NOW)
        found = [Found(f"127.2.1.{n}", 1161, kind, "unifi", f"mole-{n}", "U6-LR", "6.6", f"S{n}") for n in (1, 77, 78)]
        discoveries.add_finds(conn, keyring, search_id, [(each, secret) for each in found])
        discoveries.note_progress(conn, search_id, asked=97, answered=3)


@contextmanager
def open_door(folder: Path, port: int) -> Iterator[Door]:
    """Rostock's pages on a port of this machine, in this process."""
    keys.make_missing(folder / "keys", now=NOW)
    store = Store.open(f"sqlite:///{folder / 'kogge.db'}", keys.load(folder / "keys", now=NOW))
    migrate.upgrade(store.engine)
    urls = {"url": f"http://{HOST}:{port}", "staff_url": f"http://{HOST}:{port}"}
    senders: dict[str, dict[str, Any]] = {
        "mail": {"host": "127.0.0.1", "sender": "wlan@rostock.example"},
        "sms": {"enabled": True, "url": "http://127.0.0.1/", "body": "{number}{text}"},
    }
    door = Door(make_city("rostock", store, now=NOW, portal=urls, **senders), Clock(), "")
    for way in (Way.ACCOUNT, Way.EMAIL, Way.SMS):
        add_plan(store, way)
    with store.write() as conn:
        conn.execute(update(schema.plan).where(schema.plan.c.key == "tap").values(extensions_max=2))
        texts = {"de": "Am Neuen Markt fällt das WLAN heute aus.", "en": "No Wi-Fi at Neuer Markt today."}
        conn.execute(insert(schema.notice).values(texts=json.dumps(texts), from_at=NOW, created_at=NOW))
    with store.write() as conn:  # so that the staff's page of a draft has differences to show
        writer = staff.add(conn, login="writer", name="writer", role=Role.ADMIN, now=NOW)
        text = Draft("Nutzungsbedingungen", "# Neu\n\nAlles **anders**.\n\n- Punkt")
        terms.save_draft(conn, "de", text, staff_id=writer, now=NOW)
    enliven(door.city, now=NOW)
    _search(door.city)
    server = make_server("127.0.0.1", port, door.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield door
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        store.close()
