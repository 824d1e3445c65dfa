"""From a product's redirect to its hand-off through the pages, and every lie on the way met with a page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from werkzeug.test import TestResponse

from hotspot.errors import InputError
from hotspot.handoffs import HANDOVERS, arrival_path
from hotspot.products import PRODUCTS
from portal.captive.handoff.methods import METHODS
from portal.captive.handoff.protocol import ForgedError, Inbound, safe_url
from portal.captive.sentences import FAILURES, HOTSPOT_AWAY
from portal.tokens import TOKEN_MAX, VISIT_LIFETIME
from service.cities import City
from store import nases, schema
from store.nases import Nas
from tests.portal.hands import NOW, PHONE, Door, Phone, add_session, form, words
from tests.support.controller import UnifiWithKey, listening
from tests.support.handoffs import nas_of

COLONS = "02:00:5e:10:00:0a"


@pytest.fixture
def city(quick_city: City) -> City:
    return quick_city


def register(door: Door, handoff: str, **changes: Any) -> Nas:
    """Make the city's NAS one of this way of handing over."""
    product = next(each.key for each in PRODUCTS.values() if handoff in each.handoffs)
    example = HANDOVERS[handoff].login_example or PRODUCTS[product].login_example
    values = {"handoff": handoff, "product": product, "login_url": example} | changes
    secret = values.pop("uam_secret", None)
    with door.city.store.write() as conn:
        if secret is not None:
            sealed = nases.seal_nas_secrets(door.city.store.keys, door.nas.secret, secret)
            values |= sealed
        conn.execute(update(schema.nas).values(**values))
    return door.nas


def door_of(nas: Nas) -> str:
    return arrival_path(nas.handoff, nas.nas_identifier)


REDIRECTS: dict[str, dict[str, str]] = {
    "mikrotik": {
        "mac": COLONS,
        "link-login-only": "http://10.5.50.1/login",
        "chap-id": "\\371",
        "chap-challenge": "\\357\\015",
        "link-orig": "http://example.org/",
    },
    "aruba": {"cmd": "login", "mac": COLONS, "switchip": "securelogin.arubanetworks.com"},
    "cisco": {"switch_url": "https://192.0.2.1/login.html", "client_mac": COLONS},
    "meraki": {"login_url": "https://n143.network-auth.com/splash/login?mauth=MM1", "client_mac": COLONS},
    "ruckus": {"sip": "192.168.0.2", "client_mac": COLONS, "uip": "10.0.0.9"},
}
FAILING = {"mikrotik": "error", "aruba": "errmsg", "cisco": "statusCode", "ruckus": "reason", "meraki": "error_message"}

posting = pytest.mark.parametrize("handoff", REDIRECTS)


def arrive(phone: Phone, nas: Nas, **changes: str) -> TestResponse:
    return phone.get(f"{door_of(nas)}?{urlencode(REDIRECTS[nas.handoff] | changes)}")


# With one more tap --------------------------------------------------------------------------------------------


@posting
def test_one_more_tap_posts_the_ticket_to_the_registered_nas(door: Door, phone: Phone, handoff: str) -> None:
    nas = register(door, handoff)
    page = arrive(phone, nas)
    assert page.status_code == 200 and door.sample("kogge_portal_arrivals_total", result="notyet") == 1
    submit = phone.send("/accept", form(page, "accept"))
    assert submit.status_code == 200 and "One more tap" in words(submit)
    fields = form(submit, "onward")
    assert fields.get("username") or fields.get("user")
    place = nas.login_url.split("/")[2]
    assert f'action="{nas.login_url.split("/")[0]}//{place}' in submit.text
    targets = submit.headers["Content-Security-Policy"].split("form-action ")[1].split(";")[0].split()
    assert targets == ["'self'", f"{nas.login_url.split('/')[0]}//{place}"]
    assert submit.headers["Referrer-Policy"] == "no-referrer" and "<script" not in submit.text
    assert door.sample("kogge_portal_handoffs_total", result="asked", reason="") == 1


@posting
def test_a_foreign_host_is_refused_with_a_page(door: Door, phone: Phone, handoff: str) -> None:
    nas = register(door, handoff)
    for name, value in REDIRECTS[handoff].items():
        if "/" in value or name in ("switchip", "sip"):
            page = arrive(phone, nas, **{name: "https://evil.example/login"})
            if name in ("link-orig",):
                assert "evil.example" not in page.text
                continue
            assert page.status_code == 400 and "Connect to the Wi-Fi" in words(page) and "evil" not in page.text
    assert door.sample("kogge_portal_arrivals_total", result="forged") == 1
    assert door.count(schema.device) == 0


@posting
def test_a_failure_is_a_sentence_and_the_way_in_again(door: Door, phone: Phone, handoff: str) -> None:
    nas = register(door, handoff)
    page = arrive(phone, nas, **{FAILING[handoff]: "5"})
    assert page.status_code == 200 and FAILURES["reject"] in words(page)
    assert form(page, "accept")["visit"], "one tap away from trying again"


@posting
def test_an_expired_visit_is_refused_with_a_page(door: Door, phone: Phone, handoff: str) -> None:
    fields = form(arrive(phone, register(door, handoff)), "accept")
    door.clock.forward(seconds=VISIT_LIFETIME.total_seconds())
    answer = phone.send("/accept", fields)
    assert answer.status_code == 400 and "Connect to the Wi-Fi" in words(answer)


@posting
def test_an_unsigned_redirect_shows_nothing_of_the_device(door: Door, phone: Phone, handoff: str) -> None:
    add_session(door.city, PHONE, started_at=NOW - timedelta(minutes=10))
    page = arrive(phone, register(door, handoff))
    status = phone.status(form(page, "accept")["visit"])
    assert "You are online" not in words(status)


def test_the_unknown_and_the_removed_are_refused(door: Door, phone: Phone) -> None:
    register(door, "mikrotik")
    assert phone.get(f"/at/nobody?mac={COLONS}").status_code == 400
    with door.city.store.write() as conn:
        conn.execute(update(schema.nas).values(removed_at=NOW))
    assert phone.get(f"/at/x?mac={COLONS}").status_code == 400


# The controller is called ---------------------------------------------------------------------------------


@pytest.fixture
def unifi() -> Iterator[tuple[UnifiWithKey, str]]:
    controller = UnifiWithKey(present=frozenset({COLONS}))
    with listening(controller) as url:
        yield controller, url


UNIFI = f"ap=b8:be:bf:14:41:90&id={COLONS}&t=1&url=http://example.org/&ssid=WLAN"


def test_a_guest_of_unifi_gets_on_and_off(door: Door, phone: Phone, unifi: tuple[UnifiWithKey, str]) -> None:
    controller, url = unifi
    register(door, "unifi-key", login_url=url, nas_identifier="default", uam_secret=b"an-api-key-of-length")
    page = phone.get(f"/guest/s/default/?{UNIFI}")
    assert page.status_code == 200
    assert url not in page.text + page.headers["Content-Security-Policy"], "the controller is nobody's business"
    answer = phone.send("/accept", form(page, "accept"))
    assert answer.status_code == 303 and answer.location.startswith("/status?visit=")
    (_, content) = controller.actions[0]
    assert content["action"] == "AUTHORIZE_GUEST_ACCESS" and content["timeLimitMinutes"] > 0
    assert door.count(schema.session) == 1
    assert door.sample("kogge_portal_handoffs_total", result="admitted", reason="") == 1


def test_unifi_s_path_needs_no_slash_at_its_end(door: Door, phone: Phone) -> None:
    register(door, "unifi-key", nas_identifier="default", login_url="http://127.0.0.1:9")
    assert phone.get(f"/guest/s/default?{UNIFI}").status_code == 200
    assert phone.get(f"/guest/s/elsewhere/?{UNIFI}").status_code == 400


def test_a_dead_controller_gives_a_page_with_a_sentence(door: Door, phone: Phone) -> None:
    register(
        door, "unifi-os", login_url="http://127.0.0.1:9", nas_identifier="default", uam_secret=b"kogge:a-long-password"
    )
    page = phone.get(f"/guest/s/default/?{UNIFI}")
    answer = phone.send("/accept", form(page, "accept"))
    assert answer.status_code == 502 and HOTSPOT_AWAY in words(answer)
    assert form(answer, "accept")["visit"], "the way in again"
    assert door.sample("kogge_portal_handoffs_total", result="failed", reason="away") == 1
    assert door.count(schema.session) == 0


def test_an_encrypted_address_that_stays_so_is_a_page(door: Door, phone: Phone) -> None:
    nas = register(door, "smartzone", login_url="http://127.0.0.1:9", uam_secret=b"kogge:a-long-password")
    page = phone.get(f"{door_of(nas)}?nbiIP=127.0.0.1&client_mac=ENC1d88cf9ea7ff4e9e&uip=10.0.0.9")
    assert page.status_code == 502 and HOTSPOT_AWAY in words(page)
    assert door.sample("kogge_portal_arrivals_total", result="unreadable") == 1


def test_meraki_s_click_is_a_session_of_ours(door: Door, phone: Phone) -> None:
    nas = register(door, "meraki-click")
    fields = {"base_grant_url": nas.login_url, "client_mac": COLONS, "user_continue_url": "http://example.org/"}
    page = phone.get(f"{door_of(nas)}?{urlencode(fields)}")
    answer = phone.send("/accept", form(page, "accept"))
    assert answer.status_code == 303 and answer.location.startswith(f"{nas.login_url}?continue_url=")
    assert quote(door.url, safe="") in answer.location
    assert door.count(schema.session) == 1


# Hostile parameters -----------------------------------------------------------------------------------------


NAMES = sorted(
    {
        *(name for fields in REDIRECTS.values() for name in fields),
        *FAILING.values(),
        *("res", "md", "nasid", "challenge", "userurl", "reason", "reply", "fas", "iv"),
        *("id", "ap", "url", "t", "nbiIP", "uip", "base_grant_url", "user_continue_url", "continue_url", "redirect"),
    }
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            COLONS,
            "ENC0123456789abcdef",
            "http://10.5.50.1/login",
            "http://[::1",
            "//evil.example",
            "\\377" * 70,
            "\ud800",
        ]
    ),
)


@pytest.mark.parametrize("handoff", METHODS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=12), query=st.text(max_size=100))
def test_nothing_but_our_two_errors_leaves_a_reader(handoff: str, fields: dict[str, str], query: str) -> None:
    product = next(each.key for each in PRODUCTS.values() if handoff in each.handoffs)
    nas = nas_of(product, handoff=handoff, login_url="http://10.5.50.1/login")
    try:
        arrival = METHODS[handoff].read(Inbound(f"http://portal.example/?{query}", query, fields), nas)
    except (InputError, ForgedError):
        return
    assert arrival.user_url == "" or arrival.user_url.startswith(("http://", "https://"))
    assert all(isinstance(each, str) and len(each) <= 700 for each in arrival.back.values())


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=80),
        st.text(max_size=80).map(lambda text: f"http://{text}"),
        st.text(max_size=1_100, alphabet="ж/a").map(lambda text: f"https://example.org/{text}"),
    )
)
def test_a_wish_is_a_web_page_in_ascii_and_stays_the_same(text: str) -> None:
    wished = safe_url(text)
    assert wished.isascii() and wished == safe_url(wished) and len(wished) < TOKEN_MAX / 2
    assert not wished or wished.startswith(("http://", "https://"))
    assert not set('\r\n\t "<>\\') & set(wished)
