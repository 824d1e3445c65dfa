"""All parameters of all routes with whatever there is: never a fault of ours, always a page, nowhere a stranger's link.

Routes come from the application's table and parameters from its source (`tests.portal.hostile`), so what is added
later is asked, too. Each round draws one set of parameters and asks every route with it, by residents and by an admin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, urlsplit

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from hotspot.nas import NasEntry
from hotspot.products import PRODUCTS
from hotspot.roles import Role
from portal import tokens
from portal.captive.handoff.methods import METHODS
from portal.staff.guard import COOKIE
from portal.tokens import Visit
from service.cities import City
from store import keys, nases, residents
from store.nases import Author
from tests.portal.hands import NOW, PHONE, Clock, Door, redirect_fields, sign
from tests.portal.hostile import BODY_TYPES, HEADERS, NASTY, VALUES, parameter_names

pytestmark = pytest.mark.slow

ROUNDS = 10
"""Of each kind, on each database; each asks every route."""

CLOSED = "http://127.0.0.1:9"
"""Where nobody listens: a hand-off that calls its NAS must say so in a page."""

OURS = ("/", "?")
PLACE = re.compile(r"<(?:([^:<>]+):)?([^<>]+)>")

relaxed = settings(
    max_examples=ROUNDS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@dataclass(frozen=True)
class Stand:
    """A city with a NAS of each hand-off, and sound credentials to go with hostile parameters."""

    door: Door
    visits: tuple[str, ...]
    bad_tokens: tuple[str, ...]
    identifiers: tuple[str, ...]
    terms_id: int
    cookie: str
    csrf: str

    @property
    def rules(self) -> list[Rule]:
        return list(self.door.app.url_map.iter_rules())

    def host_of(self, rule: Rule) -> str:
        """Where it is a page; on the other host it is none (`tests.portal.test_web`)."""
        return self.door.staff_url if rule.endpoint.startswith(("staff.", "report.")) else self.door.url


@pytest.fixture
def stand(city: City, clock: Clock, password_hash: str, tmp_path: Path) -> Stand:
    door, ring = Door(city, clock, password_hash), city.store.keys
    with city.store.write() as conn:
        for handoff in (*METHODS, "none"):
            nases.add(conn, ring, _entry(handoff, city.config.seed.sites[0].key), author=Author(), now=NOW)
        known = nases.nases(conn, ring)
        terms_id = residents.current_terms(conn)[0].id
    visits = [tokens.issue(ring, Visit(nas.id, PHONE, back, "", True), now=NOW) for nas in known for back in BACKS]
    seat = door.member(Role.ADMIN)
    return Stand(
        door,
        tuple(visits),
        tuple(_bad_tokens(city, tmp_path, visits[0])),
        tuple(nas.nas_identifier for nas in known),
        terms_id,
        seat.cookie or "",
        seat.csrf(),
    )


BACKS: tuple[dict[str, str], ...] = ({}, {"challenge": "00" * 16})
"""What a visit holds for its NAS's hand-off: nothing, where the hand-off was changed while the visit was under way."""


def _entry(handoff: str, site: str) -> NasEntry:
    product = next(key for key, each in PRODUCTS.items() if handoff in each.handoffs)
    return NasEntry(
        name=f"zz-{handoff}",  # `door.nas` is the first by name
        site=site,
        product=product,
        address="192.0.2.9",
        nas_identifier=f"nas-{handoff}",
        login_url=CLOSED,
        coa_port=3799,
        require_message_authenticator="yes",
        limit_proxy_state=True,
        octets_swapped=False,
        secret="s" * 16,
        uam_secret="u" * 16,
        handoff=handoff,
    )


def _bad_tokens(city: City, folder: Path, good: str) -> Iterator[str]:
    """Broken, expired, of another city, for another purpose, of a NAS that is no more."""
    ring, later = city.store.keys, NOW + timedelta(hours=1)
    keys.make_missing(folder / "elsewhere", now=NOW)
    elsewhere = keys.load(folder / "elsewhere", now=NOW)
    visit = Visit(1, PHONE, {}, "", True)
    yield from (good[:-1], good + "A", good[::-1], good[: len(good) // 2], good.swapcase())
    yield tokens.issue(elsewhere, visit, now=NOW)
    yield tokens.issue(ring, visit, now=NOW - timedelta(days=9))
    yield tokens.seal(ring, "something-else", [1, PHONE.octets.hex(), {}, "", True, 0], expires_at=later)
    yield tokens.issue(ring, Visit(2**63 - 1, PHONE, {}, "", True, 2**63 - 1), now=NOW)


# Asking ---------------------------------------------------------------------------------------------------


def _encoded(pairs: list[tuple[str, bytes]]) -> str:
    return "&".join(f"{name}={quote_from_bytes(value)}" for name, value in pairs)


def _path(rule: Rule, values: Mapping[str, str]) -> str:
    """Every place of a route filled; the values are percent-encoded already."""
    return PLACE.sub(lambda place: values["number" if (place[1] or "").startswith("int") else "text"], rule.rule)


def _look_at(stand: Stand, answer: TestResponse, asked: str) -> None:
    assert answer.status_code < 500 or answer.status_code == 502, f"{asked}: {answer.status_code}"
    assert "Traceback" not in answer.text, asked
    assert "<script>alert" not in answer.text, asked
    if 300 <= answer.status_code < 400:
        target = urlsplit(answer.location)
        place = f"{target.scheme}://{target.netloc}"
        known = (CLOSED, stand.door.nas.login_url, stand.door.url, stand.door.staff_url)
        assert place in known or (answer.location.startswith(OURS) and not target.netloc), f"{asked}: {answer.location}"
    elif answer.mimetype == "text/html" and answer.data:
        assert answer.text.rstrip().endswith("</html>"), asked
    assert set(answer.headers.getlist("Set-Cookie")) == set() or "/staff" in asked, asked


def _ask_all(stand: Stand, values: Mapping[str, str], **options: Any) -> None:
    """Every route, the staff's by an admin."""
    client: FlaskClient = stand.door.app.test_client(use_cookies=False)
    for rule in stand.rules:
        host, path = stand.host_of(rule), _path(rule, values)
        headers = dict(options.get("headers", {}))
        if host == stand.door.staff_url:
            headers.setdefault("Cookie", f"{COOKIE}={stand.cookie}")
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            if rule.rule in ENDS_THE_LOG_IN:
                continue
            sent = {"query_string": options.get("query", ""), "headers": headers}
            if method == "POST":
                sent |= {"data": options.get("body", b""), "content_type": options.get("kind", BODY_TYPES[0])}
            answer = client.open(path, method=method, base_url=host, **sent)
            _look_at(stand, answer, f"{method} {host}{path}?{sent['query_string']} {sent.get('data')!r}")


ENDS_THE_LOG_IN = {"/staff/logout"}

PAIRS = st.lists(st.tuples(st.sampled_from(parameter_names()), VALUES), max_size=12)
"""Also with one name twice."""

NUMBERS = st.sampled_from(["0", "77", "00001", "9223372036854775807", "9223372036854775808", "9" * 30, "-1", "x"])


@given(query=PAIRS, body=PAIRS, text=st.sampled_from(NASTY), number=NUMBERS)
@relaxed
def test_hostile_parameters_without_credentials(
    stand: Stand, query: list[tuple[str, bytes]], body: list[tuple[str, bytes]], text: bytes, number: str
) -> None:
    places = {"text": quote_from_bytes(text, safe="") or "-", "number": number}
    _ask_all(stand, places, query=_encoded(query), body=_encoded(body).encode())


@given(data=st.data(), body=PAIRS)
@relaxed
def test_hostile_parameters_beside_a_sound_visit(
    stand: Stand, data: st.DataObject, body: list[tuple[str, bytes]]
) -> None:
    visit = data.draw(st.sampled_from(stand.visits))
    sound = [("visit", visit.encode()), ("csrf", stand.csrf.encode()), ("terms", str(stand.terms_id).encode())]
    hidden = [pair for pair in body if pair[0] not in {name for name, _ in sound}]
    places = {"text": data.draw(st.sampled_from(stand.identifiers)), "number": data.draw(NUMBERS)}
    _ask_all(stand, places, query=_encoded([*sound[:1], *hidden]), body=_encoded([*sound, *hidden]).encode())


@given(data=st.data())
@relaxed
def test_broken_and_foreign_tokens_wherever_a_token_may_stand(stand: Stand, data: st.DataObject) -> None:
    token = data.draw(st.sampled_from(stand.bad_tokens)).encode()
    pairs = [(name, token) for name in parameter_names()]
    _ask_all(stand, {"text": token.decode(), "number": "1" * 3}, query=_encoded([("visit", token)]))
    few = data.draw(st.lists(st.sampled_from(pairs), max_size=10))
    _ask_all(stand, {"text": token.decode(), "number": "999"}, body=_encoded([("visit", token), *few]).encode())


@given(
    headers=st.dictionaries(st.sampled_from(HEADERS), VALUES, max_size=6),
    kind=st.sampled_from(BODY_TYPES),
    body=st.one_of(st.binary(max_size=300), PAIRS.map(lambda pairs: _encoded(pairs).encode())),
    query=st.binary(max_size=60),
)
@relaxed
def test_hostile_headers_and_bodies(
    stand: Stand, headers: dict[str, bytes], kind: str, body: bytes, query: bytes
) -> None:
    """A header has no line breaks and no NUL: gunicorn refuses those before we see them."""
    said = {name: re.sub(r"[\r\n\0]", "", value.decode("latin-1")) for name, value in headers.items()}
    _ask_all(
        stand,
        {"text": "x", "number": "999"},
        headers=said,
        kind=kind,
        body=body,
        query=quote_from_bytes(query, safe="&=%+;"),
    )


@given(data=st.data())
@relaxed
def test_a_redirect_that_is_signed_and_hostile_all_the_same(stand: Stand, data: st.DataObject) -> None:
    """Who knows a NAS's secret may write anything into it: a stolen gateway, or a device behind a careless one."""
    door = stand.door
    fields = redirect_fields(door.nas, PHONE)
    spoilt = data.draw(st.dictionaries(st.sampled_from(sorted(fields)), VALUES, min_size=1, max_size=4))
    pairs = [(name, spoilt.get(name, value.encode())) for name, value in fields.items()]
    raw = f"/?{_encoded(pairs)}"
    client = door.app.test_client(use_cookies=False)
    answer = client.get(f"{raw}&md={sign(door.url + raw, door.nas.uam_secret)}", base_url=door.url)
    _look_at(stand, answer, raw)


@given(host=VALUES)
@relaxed
def test_a_hostile_host_is_no_city_s(stand: Stand, host: bytes) -> None:
    name = re.sub(r"[\r\n\0]", "", host.decode("latin-1"))
    answer = stand.door.app.test_client().get("/help", headers={"Host": name})
    assert answer.status_code < 500


def test_the_parameters_are_found(stand: Stand) -> None:
    """Otherwise the tests above would prove little."""
    found = set(parameter_names())
    assert {"visit", "lang", "terms", "code", "login", "password", "csrf", "nasid", "challenge", "userurl"} <= found
    assert len(stand.rules) > 25
