"""UAM on HANDOFF's golden vectors of the real daemon, and on redirects that lie."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from hotspot.errors import InputError
from portal.captive.handoff import uam
from portal.captive.handoff.uam import Result

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
        f"{GOLDEN}{'x' * uam.QUERY_MAX}&md={GOLDEN_MD}",
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


def test_the_golden_redirect_is_read() -> None:
    query = f"{urlsplit(GOLDEN).query}&md={GOLDEN_MD}"
    assert uam.nas_identifier(query) == "stralsund-ap-0001"
    arrival = uam.read(query)
    assert arrival.result is Result.NOT_YET
    assert str(arrival.mac) == "02-00-00-00-00-11"
    assert arrival.challenge.hex() == "2904485ac54ce369f1c3adc15e08b052"
    assert arrival.user_url == ""


SOUND = {"res": "notyet", "challenge": CHALLENGE.hex(), "mac": "02-00-00-00-00-11"}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"res": "owned"}, "res"),
        ({"res": ""}, "res"),
        ({"mac": ""}, "MAC"),
        ({"mac": "02-00-00-00-00"}, "MAC"),
        ({"mac": "0" * 4_000}, "MAC"),
        ({"challenge": ""}, "16 octets"),
        ({"challenge": CHALLENGE.hex()[:-2]}, "16 octets"),
        ({"challenge": CHALLENGE.hex() * 2}, "16 octets"),
        ({"challenge": "zz" * 16}, "hexadecimal"),
        ({"challenge": "ä" * 32}, "hexadecimal"),
        ({"res": "failed", "challenge": ""}, "16 octets"),
    ],
)
def test_a_redirect_that_lacks_something_is_refused(changes: dict[str, str], complaint: str) -> None:
    query = "&".join(f"{name}={value}" for name, value in (SOUND | changes).items())
    with pytest.raises(InputError, match=complaint):
        uam.read(query)


@pytest.mark.parametrize("result", ["success", "already", "logoff"])
def test_after_the_log_in_no_challenge_is_needed(result: str) -> None:
    assert uam.read(f"res={result}&mac=02-00-00-00-00-11").challenge == b""


@pytest.mark.parametrize(("claimed", "result"), [("splash", Result.NOT_YET), ("wispr", Result.NOT_YET)])
def test_other_words_for_not_yet(claimed: str, result: Result) -> None:
    assert uam.read(f"res={claimed}&challenge={CHALLENGE.hex()}&mac=02-00-00-00-00-11").result is result


@pytest.mark.parametrize("url", ["http://example.org/", "https://example.org/a?b=c#d", "http://[2001:db8::1]/"])
def test_a_wish_for_a_web_page_is_kept(url: str) -> None:
    assert uam.safe_url(url) == url


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
        "http://example.org/" + "x" * uam.USER_URL_MAX,
    ],
)
def test_any_other_wish_is_dropped(url: str) -> None:
    assert uam.safe_url(url) == ""


def test_the_log_in_address_quotes_what_it_carries() -> None:
    location = uam.login_url(
        "http://127.2.0.1:3990",
        username="a+b/c=",
        password="ostsee1",
        challenge=CHALLENGE,
        uam_secret=SECRET,
        user_url="http://example.org/?username=evil&response=0",
    )
    assert location.startswith("http://127.2.0.1:3990/logon?")
    assert parse_qs(urlsplit(location).query) == {
        "username": ["a+b/c="],
        "response": ["e00f6980f0041d79311a7e704a4cd5f1"],
        "userurl": ["http://example.org/?username=evil&response=0"],
    }


def test_the_log_off_address_is_the_registered_one() -> None:
    assert uam.logoff_url("http://127.2.0.1:3990") == "http://127.2.0.1:3990/logoff"
