"""Two cities in one process: with another city's credentials a city answers exactly as it answers without any.

The routes are read from the city's own application, so a page that is added later is asked, too.
"""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select
from werkzeug.test import Client, TestResponse

from hotspot.nas import NasEntry
from hotspot.plan import Way
from hotspot.roles import Role
from hotspot.session import Totals
from hotspot.values import MacAddress, local_day
from portal import tokens
from portal.__main__ import build
from portal.dispatch import Dispatcher
from portal.staff.guard import COOKIE
from portal.tokens import Visit
from service import exposition
from service.cities import City
from store import accounting, keys, migrate, nases, residents, schema, staff, vouchers
from store.accounting import Session
from store.nases import Author
from store.store import Store
from tests.support.cities import make_city

pytestmark = pytest.mark.system

PHONE = MacAddress.parse("02-00-5E-10-00-0A")
CODE = "ABCDEFGHJK"
ROWS = 5
"""Sessions, voucher batches and NASes that only Wismar has (both have a first NAS)."""

SITE = "markt"
"""A place of Wismar."""

INVITATION = "t" * 43
NO_TOKEN = "x" * 43
A_TOKEN = "A-TOKEN-STANDS-HERE"

PLACE = re.compile(r"<(?:(\w+):)?(\w+)>")
PLACES = {"token": INVITATION, "nas_identifier": f"nas-{ROWS}"}
"""What stands in a route's place, by name; Wismar has it, and Rostock has not."""

KINDS = {"int": str(ROWS), "month": "2026-10"}
"""By converter; in any other place there is the resident's token."""


@dataclass(frozen=True)
class Credentials:
    """What somebody in Wismar holds: a log-in session of its admin, a resident's visit, an invitation's token."""

    cookie: str
    visit: str
    invitation: str


NONE = Credentials("", "", "")


@dataclass(frozen=True)
class Pair:
    """Rostock and Wismar behind one dispatcher, each with its own database and keys."""

    rostock: City
    wismar: City
    dispatcher: Dispatcher
    foreign: Credentials


def _open(key: str, folder: Path) -> City:
    now = datetime.now(UTC)
    keys.make_missing(folder / "keys", now=now)
    store = Store.open(f"sqlite:///{folder / 'kogge.db'}", keys.load(folder / "keys", now=now))
    migrate.upgrade(store.engine)
    return make_city(key, store, now=now)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    rostock, wismar = (_open(key, tmp_path / key) for key in ("rostock", "wismar"))
    yield Pair(rostock, wismar, build([rostock, wismar], ""), _live_in(wismar))
    rostock.store.close()
    wismar.store.close()


def _live_in(city: City) -> Credentials:
    """An admin, five sessions, five batches of vouchers, a phone at a NAS."""
    now = datetime.now(UTC)
    ring = city.store.keys
    visit = tokens.issue(ring, Visit(1, PHONE, {"challenge": "00" * 16}, "http://example.org/", signed=True), now=now)
    with city.store.write() as conn:
        staff_id = staff.add(conn, login="admin", name="Admin", role=Role.ADMIN, now=now)
        cookie, invitation = os.urandom(32).hex(), INVITATION
        staff.open_session(conn, staff_id=staff_id, token=cookie, now=now, expires_at=now + timedelta(hours=8))
        staff.add_invite(conn, staff_id=staff_id, token=invitation, expires_at=now + timedelta(days=7))
        device_id = residents.note_device(conn, ring, PHONE, now=now)
        rows = [_session(city, device_id, number, now) for number in range(ROWS)]
        accounting.save_many(conn, [(None, row) for row in rows])
        (plan,) = residents.plans(conn, Way.VOUCHER)
        rules = {"plan_id": plan.id, "valid_minutes": 60, "redeem_until": now + timedelta(days=9)}
        for number in range(ROWS):
            codes = [f"{CODE[:-1]}{number + 2}"]
            vouchers.add_batch(conn, ring, codes, label=f"batch-{number}", created_by=staff_id, now=now, **rules)
        for number in range(2, ROWS + 1):
            nases.add(conn, ring, _nas(f"nas-{number}"), author=Author(staff_id), now=now)
    return Credentials(cookie, visit, invitation)


def _nas(name: str) -> NasEntry:
    return NasEntry(
        name, SITE, "standard", "192.0.2.7", name, "", 3799, "yes", True, False, secret="x" * 12, uam_secret="y" * 12
    )


def _session(city: City, device_id: int, number: int, now: datetime) -> Session:
    day = local_day(now, city.zone)
    return Session(
        None, device_id, None, 1, f"s-{number}", "ticket", "", "", "", day, Totals(now, now, start_seen=True)
    )


# Every route --------------------------------------------------------------------------------------------


def _routes(pair: Pair) -> list[tuple[str, str]]:
    """Method and path of every route that a city has, with ids that only Wismar has."""
    app = pair.dispatcher._apps[pair.rostock.config.portal.host]
    found = []
    for rule in app.url_map.iter_rules():  # type: ignore[attr-defined]
        path = PLACE.sub(lambda place: PLACES.get(place[2]) or KINDS.get(place[1] or "", A_TOKEN), rule.rule)
        found += [(method, path) for method in sorted(rule.methods - {"OPTIONS"})]
    return found


def _ask(pair: Pair, url: str, method: str, path: str, held: Credentials, csrf: str = "") -> TestResponse:
    """The route at that address, with every credential in every place where one could be looked for."""
    client = Client(pair.dispatcher)
    if held.cookie:
        client.set_cookie(COOKIE, held.cookie, domain=urlsplit(url).hostname or "")
    fields = {"visit": held.visit, "csrf": csrf, "code": CODE, "terms": "1", "password": "a password of this test"}
    options = {"data": fields} if method == "POST" else {"query_string": fields}
    path = path.replace(A_TOKEN, held.visit or NO_TOKEN)
    return client.open(path, method=method, base_url=url, headers={"Accept-Language": "de"}, **options)


def _answer(response: TestResponse, held: Credentials) -> tuple[int, list[tuple[str, str]], str]:
    """All that the other side sees. The visit that was sent stands in the language switch's links: it is its own."""
    headers = sorted((name, value) for name, value in response.headers if name not in ("Date", "Content-Length"))
    text = response.text.replace(held.visit or NO_TOKEN, "")
    return response.status_code, headers, text


def _csrf_of(city: City, cookie: str) -> str:
    """What Wismar's own pages would put into their forms."""
    return city.store.keys.keyed_hash("csrf", cookie.encode()).hex()


def _state(city: City) -> list[list[object]]:
    """Every row of the city's database."""
    with city.store.read() as conn:
        return [list(conn.execute(table.select())) for table in schema.metadata.sorted_tables]


def _sizes(city: City) -> dict[str, int]:
    """Rows by table: a failed log-in is noted, with credentials from elsewhere exactly as without."""
    tables = schema.metadata.sorted_tables
    with city.store.read() as conn:
        return {each.name: conn.execute(select(func.count()).select_from(each)).scalar_one() for each in tables}


def _grown(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: after[name] - size for name, size in before.items()}


def test_another_city_s_credentials_are_like_none_on_every_route(pair: Pair) -> None:
    routes, settings = _routes(pair), pair.rostock.config.portal
    assert len(routes) > 25
    csrf = _csrf_of(pair.wismar, pair.foreign.cookie)
    for url in (settings.url, settings.staff_url):
        for method, path in routes:
            at_first = _sizes(pair.rostock)
            plain = _answer(_ask(pair, url, method, path, NONE), NONE)
            between = _sizes(pair.rostock)
            foreign = _answer(_ask(pair, url, method, path, pair.foreign, csrf), pair.foreign)
            assert foreign == plain, f"{method} {url}{path}"
            assert _grown(between, _sizes(pair.rostock)) == _grown(at_first, between), f"{method} {url}{path}"


def test_the_credentials_are_good_at_home(pair: Pair) -> None:
    """Otherwise the test above would prove nothing."""
    settings = pair.wismar.config.portal
    csrf = _csrf_of(pair.wismar, pair.foreign.cookie)
    asked = {
        ("GET", settings.staff_url, "/staff/sessions"): 200,
        ("GET", settings.staff_url, f"/staff/vouchers/{ROWS}"): 200,
        ("GET", settings.staff_url, f"/staff/nases/{ROWS}"): 200,
        ("POST", settings.staff_url, f"/staff/nases/{ROWS}/secrets"): 200,
        ("POST", settings.staff_url, f"/staff/sessions/{ROWS}/disconnect"): 303,
        ("GET", settings.staff_url, f"/staff/invite/{pair.foreign.invitation}"): 200,
        ("GET", settings.url, "/status"): 200,
        ("GET", settings.url, "/welcome"): 200,
        ("POST", settings.url, "/accept"): 303,
    }
    for (method, url, path), status in asked.items():
        answer = _ask(pair, url, method, path, pair.foreign, csrf)
        assert answer.status_code == status, path
        assert (answer.location or "") != "/staff/login"


# An admin of Rostock --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/staff/vouchers/{id}"),
        ("POST", "/staff/sessions/{id}/disconnect"),
        ("GET", "/staff/nases/{id}"),
        ("GET", "/staff/nases/{id}/change"),
        ("GET", "/staff/nases/{id}/remove"),
        ("POST", "/staff/nases/{id}/change"),
        ("POST", "/staff/nases/{id}/remove"),
        ("POST", "/staff/nases/{id}/secrets"),
        ("POST", "/staff/nases/{id}/adopt"),
    ],
)
def test_ids_of_the_other_city_are_ids_of_nothing(pair: Pair, method: str, path: str) -> None:
    """The very ids exist next door, in the same process."""
    now, cookie = datetime.now(UTC), os.urandom(32).hex()
    with pair.rostock.store.write() as conn:
        staff_id = staff.add(conn, login="admin", name="Admin", role=Role.ADMIN, now=now)
        staff.open_session(conn, staff_id=staff_id, token=cookie, now=now, expires_at=now + timedelta(hours=1))
    held, csrf = Credentials(cookie, "", ""), _csrf_of(pair.rostock, cookie)
    url = pair.rostock.config.portal.staff_url
    before = _state(pair.wismar)
    for number in range(2 if "nases" in path else 1, ROWS + 1):
        here, nowhere = path.format(id=number), path.format(id=999_999)
        answer, nothing = (_ask(pair, url, method, each, held, csrf) for each in (here, nowhere))
        assert (answer.status_code, nothing.status_code) == (404, 404)
        assert answer.text.replace(here, "") == nothing.text.replace(nowhere, "")
    assert _state(pair.wismar) == before


def test_a_city_s_pages_name_no_other_city(pair: Pair) -> None:
    url = pair.rostock.config.portal.url
    for path in ("/", "/terms", "/help", "/nowhere"):
        answer = _ask(pair, url, "GET", path, NONE)
        assert "ismar" not in answer.text + str(answer.headers)


# Metrics --------------------------------------------------------------------------------------------------


@pytest.fixture
def scrape(pair: Pair) -> Iterator[Callable[[str, str | None], tuple[int, str]]]:
    """Asks the process's metrics listener for a city with a token; status and text."""
    listener = exposition.serve("127.0.0.1:0", [pair.rostock, pair.wismar])

    def ask(key: str, token: str | None) -> tuple[int, str]:
        request = urllib.request.Request(f"http://127.0.0.1:{listener.port}/cities/{key}/metrics")
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    yield ask
    listener.close()


def test_metrics_open_with_the_city_s_own_token_alone(
    pair: Pair, scrape: Callable[[str, str | None], tuple[int, str]]
) -> None:
    own, foreign = (city.store.keys.metrics_token for city in (pair.rostock, pair.wismar))
    assert own != foreign
    status, text = scrape("rostock", own)
    assert status == 200
    assert "kogge_portal_arrivals" in text
    refused = [scrape("rostock", token) for token in (foreign, None, "", "none", own[:-1])]
    assert {status for status, _ in refused} == {401}
    assert {text for _, text in refused} == {scrape("stralsund", own)[1]}, "and a city that is not here looks alike"


def test_what_happens_in_one_city_is_counted_there_alone(
    pair: Pair, scrape: Callable[[str, str | None], tuple[int, str]]
) -> None:
    for _ in range(3):
        _ask(pair, pair.wismar.config.portal.url, "GET", "/help", NONE)
    line = 'kogge_portal_requests_total{endpoint="captive.help",status="200"} 3.0'
    assert line in scrape("wismar", pair.wismar.store.keys.metrics_token)[1]
    assert "captive.help" not in scrape("rostock", pair.rostock.store.keys.metrics_token)[1]
