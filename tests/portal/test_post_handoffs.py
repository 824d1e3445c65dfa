"""NASes to which the browser posts: golden redirect in, golden form out, and redirects that lie."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from hotspot.errors import InputError
from portal.captive.handoff.methods import METHODS
from portal.captive.handoff.mikrotik import CHAP_OCTETS_MAX, octets
from portal.captive.handoff.protocol import Arrival, ForgedError, Method, Result, Submit
from portal.captive.sentences import FAILURES
from store.nases import Nas
from tests.support.handoffs import PHONE, handing_of, inbound_of, nas_of

LANDING = "http://portal.example/status?visit=x"
CHAP_ID = "\\371"
CHALLENGE = "\\357\\015\\330\\013\\021\\234\\145\\245\\303\\253\\142\\246\\133\\175\\375\\316"
"""As MikroTik's manual shows them."""

CHAP_PASSWORD = "9e6d0de977a7f4ffd9cbfe34f82ca6ca"
"""md5 of the id, `ostsee1` and the challenge, as octets."""


@dataclass(frozen=True)
class Product:
    """A golden redirect of a product and the form that answers it. `names`: the parameter that names the NAS."""

    handoff: str
    redirect: dict[str, str]
    url: str
    form: dict[str, str]
    mac: str
    names: str
    product: str = ""
    login_url: str = ""
    user_url: str = "http://example.org/wanted"
    failures: dict[str, str] = field(default_factory=dict)
    failing: str = ""

    @property
    def nas(self) -> Nas:
        changes: dict[str, Any] = {"login_url": self.login_url} if self.login_url else {}
        return nas_of(self.product or self.handoff, handoff=self.handoff, **changes)

    @property
    def method(self) -> Method:
        return METHODS[self.handoff]

    def arrive(self, **changes: str) -> Arrival:
        query = urlencode(self.redirect | changes, quote_via=quote)
        return self.method.read(inbound_of(f"http://portal.example/at/x?{query}"), self.nas)


PRODUCTS = {
    each.handoff: each
    for each in (
        Product(
            "mikrotik",
            redirect={
                "mac": "02:00:00:00:00:11",
                "ip": "10.5.50.2",
                "link-login-only": "http://10.5.50.1/login",
                "link-orig": "http://example.org/wanted",
                "chap-id": CHAP_ID,
                "chap-challenge": CHALLENGE,
                "error": "",
            },
            url="http://10.5.50.1/login",
            form={"username": "a+b/c=", "password": CHAP_PASSWORD, "dst": LANDING, "popup": "false"},
            mac="mac",
            names="link-login-only",
            failing="error",
            failures={
                "RADIUS server is not responding": "timeout",
                "web browser did not send challenge response (try again, enable JavaScript)": "challenge",
                "no more sessions are allowed for user a": "in_use",
                "already authorizing, retry later": "in_use",
                "session limit reached (license)": "full",
                "cannot assign ip address - no more free addresses from pool": "full",
                "hotspot service is shutting down": "away",
                "invalid username or password": "reject",
            },
        ),
        Product(
            "aruba",
            redirect={
                "cmd": "login",
                "mac": "02:00:00:00:00:11",
                "essid": "Rostock-WLAN",
                "ip": "192.0.2.9",
                "apname": "ap-1",
                "apmac": "02:00:00:00:00:99",
                "vcname": "instant-C8:1D:DA",
                "switchip": "securelogin.arubanetworks.com",
                "url": "http://example.org/wanted",
            },
            url="https://securelogin.arubanetworks.com/cgi-bin/login",
            form={"user": "a+b/c=", "password": "ostsee1", "cmd": "authenticate", "url": LANDING},
            mac="mac",
            names="switchip",
            failing="errmsg",
            failures={
                "Authentication failed": "reject",
                "Server timeout": "timeout",
                "User already logged in": "in_use",
            },
        ),
        Product(
            "cisco",
            redirect={
                "switch_url": "https://192.0.2.1/login.html",
                "ap_mac": "b8:be:bf:14:41:90",
                "client_mac": "02:00:00:00:00:11",
                "wlan": "Rostock-WLAN",
                "redirect": "example.org/wanted",
            },
            url="https://192.0.2.1/login.html",
            form={"username": "a+b/c=", "password": "ostsee1", "buttonClicked": "4", "redirect_url": LANDING},
            mac="client_mac",
            names="switch_url",
            failing="statusCode",
            failures={"2": "not_configured", "3": "in_use", "4": "excluded", "5": "reject"},
        ),
        Product(
            "ruckus",
            redirect={
                "sip": "192.168.0.2",
                "mac": "c4108a1c8b20",
                "client_mac": "020000000011",
                "uip": "10.0.0.9",
                "lid": "",
                "dn": "",
                "url": "http://example.org/wanted",
                "ssid": "Rostock-WLAN",
            },
            url="http://192.168.0.2:9997/login",
            form={"username": "a+b/c=", "password": "ostsee1", "ip": "10.0.0.9"},
            mac="client_mac",
            names="sip",
            failing="reason",
            failures={"Invalid username or password": "reject", "RADIUS timeout": "timeout"},
        ),
        Product(
            "meraki",
            product="cisco",
            login_url="https://n143.network-auth.com/splash/login",
            redirect={
                "login_url": "https://n143.network-auth.com/splash/login?mauth=MM1SZQ_Klj-Zs&continue_url=http%3A%2F%2Fx",
                "continue_url": "http://example.org/wanted",
                "ap_mac": "88:15:44:60:1c:1a",
                "ap_name": "mr53",
                "client_mac": "02:00:00:00:00:11",
                "client_ip": "192.168.0.13",
            },
            url="https://n143.network-auth.com/splash/login?mauth=MM1SZQ_Klj-Zs",
            form={"username": "a+b/c=", "password": "ostsee1", "success_url": LANDING},
            mac="client_mac",
            names="login_url",
            failing="error_message",
            failures={"Incorrect username or password": "reject", "RADIUS request timed out": "timeout"},
        ),
    )
}

each_product = pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)


@each_product
def test_the_golden_redirect_gets_the_golden_form(product: Product) -> None:
    arrival = product.arrive()
    assert (arrival.result, arrival.mac, arrival.signed) == (Result.NOT_YET, PHONE, False)
    assert arrival.user_url == product.user_url
    handed = product.method.hand_off(handing_of(product.nas, back=arrival.back, landing=LANDING))
    assert handed == Submit(product.url, product.form)


FOREIGN = (
    "http://evil.example/login",
    "https://evil.example",
    "evil.example",
    "http://192.0.2.66/",
    "//evil.example/",
    "http://user@evil.example/",
    "javascript:alert(1)",
    "http://[::1",
    "{own}.evil.example",
    "http://{own}@evil.example/",
    "http://evil.example/?{own}",
    "http://evil.example#{own}",
    "http://evil.example\\@{own}/",
)


@each_product
@pytest.mark.parametrize("claimed", FOREIGN)
def test_another_host_than_the_registered_one_is_forged(product: Product, claimed: str) -> None:
    own = product.url.partition("//")[2].partition("/")[0].partition(":")[0]
    with pytest.raises(ForgedError):
        product.arrive(**{product.names: claimed.format(own=own)})


@each_product
def test_the_address_that_radius_knows_is_the_nas_s_too(product: Product) -> None:
    arrival = product.arrive(**{product.names: f"http://{product.nas.address}/"})
    handed = product.method.hand_off(handing_of(product.nas, back=arrival.back))
    assert isinstance(handed, Submit)
    assert handed.url.startswith(product.nas.login_url), "what it names is judged and never used"


@each_product
def test_a_redirect_that_names_no_host_is_of_the_nas_whose_door_it_came_to(product: Product) -> None:
    assert product.arrive(**{product.names: ""}).mac == PHONE


@each_product
@pytest.mark.parametrize("mac", ["", "nonsense", "02-00-00-00-00", "0" * 3_000, "02:00:00:00:00:1g", "\0"])
def test_a_redirect_without_a_device_is_malformed(product: Product, mac: str) -> None:
    with pytest.raises(InputError):
        product.arrive(**{product.mac: mac})


@each_product
def test_every_failure_has_our_word_and_a_sentence(product: Product) -> None:
    for text, word in product.failures.items():
        arrival = product.arrive(**{product.failing: text})
        assert (arrival.result, arrival.reason) == (Result.FAILED, word), text
        assert word in FAILURES


WISHES = {"mikrotik": "link-orig", "aruba": "url", "cisco": "redirect", "ruckus": "url", "meraki": "continue_url"}


@each_product
@pytest.mark.parametrize(
    "wanted", ["javascript:alert(1)", "//evil.example", "data:text/html,x", "http://a@evil.example/"]
)
def test_a_wish_that_is_no_web_page_is_dropped(product: Product, wanted: str) -> None:
    assert product.arrive(**{WISHES[product.handoff]: wanted}).user_url == ""


def test_cisco_says_that_somebody_is_on_already() -> None:
    assert PRODUCTS["cisco"].arrive(statusCode="1").result is Result.ALREADY
    assert PRODUCTS["cisco"].arrive(statusCode="99").result is Result.NOT_YET


def test_a_ruckus_redirect_that_says_only_that_nobody_logged_in() -> None:
    assert PRODUCTS["ruckus"].arrive(reason="Un-Auth-Captive").result is Result.NOT_YET
    arrival = PRODUCTS["ruckus"].arrive(uip="<script>")
    assert arrival.back == {"ip": ""}


@pytest.mark.parametrize("mauth", ["a b", "x" * 601, '"><script>', "a%26b", "a\r\nb"])
def test_a_one_time_value_of_other_signs_is_malformed(mauth: str) -> None:
    with pytest.raises(InputError):
        PRODUCTS["meraki"].arrive(login_url=f"https://n143.network-auth.com/splash/login?{urlencode({'mauth': mauth})}")


# MikroTik's CHAP -----------------------------------------------------------------------------------------


def test_octal_escapes_are_octets() -> None:
    assert octets("\\011\\373a\\\\") == b"\x09\xfba\\\\"
    assert octets("") == b""
    assert octets("\\000") == b"\0"


@pytest.mark.parametrize("text", ["x" * (CHAP_OCTETS_MAX + 1), "\\377" * (CHAP_OCTETS_MAX + 1), "ш", "\ufffd"])
def test_what_is_no_challenge_is_malformed(text: str) -> None:
    with pytest.raises(InputError):
        PRODUCTS["mikrotik"].arrive(**{"chap-challenge": text})


def test_the_challenge_decides_the_password() -> None:
    """A page that was open for long has an old challenge: the router refuses what it makes, and says so."""
    mikrotik = PRODUCTS["mikrotik"]
    arrival = mikrotik.arrive(**{"chap-challenge": "\\001\\002"})
    handed = mikrotik.method.hand_off(handing_of(mikrotik.nas, back=arrival.back))
    assert isinstance(handed, Submit)
    assert handed.fields["password"] == hashlib.md5(b"\xf9ostsee1\x01\x02").hexdigest() != CHAP_PASSWORD


def test_without_chap_the_password_goes_as_it_is() -> None:
    mikrotik = PRODUCTS["mikrotik"]
    arrival = mikrotik.arrive(**{"chap-id": "", "chap-challenge": ""})
    handed = mikrotik.method.hand_off(handing_of(mikrotik.nas, back=arrival.back))
    assert isinstance(handed, Submit) and handed.fields["password"] == "ostsee1"


def test_a_router_that_is_registered_without_its_path() -> None:
    mikrotik = PRODUCTS["mikrotik"]
    nas = nas_of("mikrotik", login_url="http://10.5.50.1")
    handed = mikrotik.method.hand_off(handing_of(nas, back=mikrotik.arrive().back))
    assert isinstance(handed, Submit) and handed.url == "http://10.5.50.1/login"


def test_what_login_html_posts_is_read_as_well() -> None:
    mikrotik = PRODUCTS["mikrotik"]
    arrival = mikrotik.method.read(inbound_of("http://portal.example/at/x", **mikrotik.redirect), mikrotik.nas)
    assert arrival == mikrotik.arrive()
