"""UAM on HANDOFF's golden vectors of the real daemon, and on redirects that lie."""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest

from hotspot.errors import InputError
from portal.captive.handoff import uam
from portal.captive.handoff.protocol import QUERY_MAX, USER_URL_MAX, Arrival, ForgedError, Result, safe_url
from tests.support.handoffs import handing_of, inbound_of, nas_of

SECRET = b"uamsecret1"
GOLDEN = (
    "http://10.50.0.2:8080/portal/stralsund?res=notyet&uamip=10.1.0.1&uamport=3990"
    "&challenge=2904485ac54ce369f1c3adc15e08b052&called=E2-7E-20-A1-A7-CA&mac=02-00-00-00-00-11&ip=10.1.0.2"
    "&ssid=Stralsund-WLAN&nasid=stralsund-ap-0001&sessionid=179541233400000001&userurl="
)
GOLDEN_MD = "C9F26CB6C88481DFE8D1D40DABDD83CC"
CHALLENGE = bytes.fromhex("8eb4738aeed6ce069e3d2e143fd08398")


def test_md_of_the_real_daemon_verifies() -> None:
    assert uam.verify(f"{GOLDEN}&md={GOLDEN_MD}", SECRET)
    assert uam.verify(f"{GOLDEN}&md={GOLDEN_MD.lower()}", SECRET)


@pytest.mark.parametrize(
    "url",
    [
        GOLDEN,
        f"{GOLDEN}&md=",
        f"{GOLDEN}&md={GOLDEN_MD[:-1]}0",
        f"{GOLDEN}x&md={GOLDEN_MD}",
        f"{GOLDEN.replace('02-00-00-00-00-11', '02-00-00-00-00-12')}&md={GOLDEN_MD}",
        f"{GOLDEN.replace('http:', 'https:')}&md={GOLDEN_MD}",
        f"{GOLDEN}&md={GOLDEN_MD}&res=success",
        f"{GOLDEN}&md={GOLDEN_MD}&md={GOLDEN_MD}",
        f"{GOLDEN}{'x' * QUERY_MAX}&md={GOLDEN_MD}",
        f"{GOLDEN}&md=ÄÖÜ",
        "",
    ],
)
def test_what_the_daemon_did_not_sign_does_not_verify(url: str) -> None:
    assert not uam.verify(url, SECRET)


def test_another_secret_does_not_verify() -> None:
    assert not uam.verify(f"{GOLDEN}&md={GOLDEN_MD}", b"uamsecret2")


def test_chap_response_that_the_real_daemon_accepted() -> None:
    assert uam.chap_response("ostsee1", CHALLENGE, SECRET) == "e00f6980f0041d79311a7e704a4cd5f1"


NAS = nas_of("coovachilli", uam_secret=SECRET, login_url="http://127.2.0.1:3990")


def signed(url: str) -> str:
    digest = hashlib.md5(url.encode("latin-1", "replace") + SECRET).hexdigest().upper()
    return f"{url}&md={digest}"


def read(**fields: str) -> Arrival:
    """A redirect of these fields as the daemon would have signed it."""
    query = "&".join(f"{name}={value}" for name, value in fields.items())
    return uam.read(inbound_of(signed(f"http://portal.example/?{query}")), NAS)


def test_the_golden_redirect_is_read() -> None:
    inbound = inbound_of(f"{GOLDEN}&md={GOLDEN_MD}")
    assert uam.nas_identifier(inbound) == "stralsund-ap-0001"
    arrival = uam.read(inbound, NAS)
    assert arrival.result is Result.NOT_YET and arrival.signed
    assert str(arrival.mac) == "02-00-00-00-00-11"
    assert arrival.back == {"challenge": "2904485ac54ce369f1c3adc15e08b052"}
    assert arrival.user_url == ""


def test_a_redirect_that_the_daemon_did_not_sign_is_forged() -> None:
    with pytest.raises(ForgedError):
        uam.read(inbound_of(f"{GOLDEN}x&md={GOLDEN_MD}"), NAS)


SOUND = {"res": "notyet", "challenge": CHALLENGE.hex(), "mac": "02-00-00-00-00-11"}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"res": "owned"}, "res"),
        ({"res": ""}, "res"),
        ({"mac": ""}, "MAC"),
        ({"mac": "02-00-00-00-00"}, "MAC"),
        ({"mac": "0" * 3_000}, "MAC"),
        ({"challenge": ""}, "16 octets"),
        ({"challenge": CHALLENGE.hex()[:-2]}, "16 octets"),
        ({"challenge": CHALLENGE.hex() * 2}, "16 octets"),
        ({"challenge": "zz" * 16}, "hexadecimal"),
        ({"challenge": "ä" * 32}, "hexadecimal"),
        ({"res": "failed", "challenge": ""}, "16 octets"),
    ],
)
def test_a_redirect_that_lacks_something_is_refused(changes: dict[str, str], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read(**(SOUND | changes))


@pytest.mark.parametrize("result", ["success", "already", "logoff"])
def test_after_the_log_in_no_challenge_is_needed(result: str) -> None:
    arrival = read(res=result, mac="02-00-00-00-00-11")
    assert arrival.result is Result(result) and arrival.back == {"challenge": ""}


@pytest.mark.parametrize(("claimed", "result"), [("splash", Result.NOT_YET), ("wispr", Result.NOT_YET)])
def test_other_words_for_not_yet(claimed: str, result: Result) -> None:
    assert read(**(SOUND | {"res": claimed})).result is result


@pytest.mark.parametrize("url", ["http://example.org/", "https://example.org/a?b=c#d", "http://[2001:db8::1]/"])
def test_a_wish_for_a_web_page_is_kept(url: str) -> None:
    assert safe_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "//example.org/",
        "/path",
        "http://",
        "http:///path",
        "http://[::1",
        "http://example.org/a b",
        "http://example.org/\r\nSet-Cookie: a=b",
        "http://example.org/" + "x" * USER_URL_MAX,
    ],
)
def test_any_other_wish_is_dropped(url: str) -> None:
    assert safe_url(url) == ""


def test_the_log_in_address_quotes_what_it_carries() -> None:
    wanted = "http://example.org/?username=evil&response=0"
    gone = uam.hand_off(handing_of(NAS, back={"challenge": CHALLENGE.hex()}, user_url=wanted))
    assert gone.url.startswith("http://127.2.0.1:3990/logon?")
    assert parse_qs(urlsplit(gone.url).query) == {
        "username": ["a+b/c="],
        "response": ["e00f6980f0041d79311a7e704a4cd5f1"],
        "userurl": [wanted],
    }


def test_the_log_off_address_is_the_registered_one() -> None:
    assert uam.log_off(handing_of(NAS)).url == "http://127.2.0.1:3990/logoff"
