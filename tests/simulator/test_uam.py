"""UAM against vectors taken from the real CoovaChilli."""

from __future__ import annotations

import pytest

from hotspot.errors import WireError
from simulator import uam

CHALLENGE = bytes.fromhex("8eb4738aeed6ce069e3d2e143fd08398")
KEY = bytes.fromhex("356614ea8e95c5f84bb2bebaf52665e5")

REDIRECT = (
    "http://10.50.0.2:8080/portal/stralsund?res=notyet&uamip=10.1.0.1&uamport=3990"
    "&challenge=2904485ac54ce369f1c3adc15e08b052&called=E2-7E-20-A1-A7-CA&mac=02-00-00-00-00-11&ip=10.1.0.2"
    "&ssid=Stralsund-WLAN&nasid=stralsund-ap-0001&sessionid=179541233400000001&userurl="
)
MD = "C9F26CB6C88481DFE8D1D40DABDD83CC"


def test_the_signature_is_the_real_daemons() -> None:
    assert uam.sign(REDIRECT, "uamsecret1") == MD


def test_a_built_redirect_is_octet_for_octet_the_real_daemons() -> None:
    base, _, query = REDIRECT.partition("?")
    pairs = [(name, value) for name, _, value in (pair.partition("=") for pair in query.split("&"))]
    assert uam.signed_url(base, pairs, "uamsecret1") == f"{REDIRECT}&md={MD}"


def test_values_are_percent_encoded_before_they_are_signed() -> None:
    url = uam.signed_url("http://p/", [("userurl", "http://a/b?c=d&e=ü")], "s")
    raw, _, md = url.partition("&md=")
    assert raw == "http://p/?userurl=http%3A%2F%2Fa%2Fb%3Fc%3Dd%26e%3D%C3%BC"
    assert md == uam.sign(raw, "s")


def test_the_challenge_key_and_the_chap_response_are_the_real_daemons() -> None:
    assert uam.challenge_key(CHALLENGE, "uamsecret1") == KEY
    assert uam.chap_response("ostsee1", KEY).hex() == "e00f6980f0041d79311a7e704a4cd5f1"


@pytest.mark.parametrize("password", ["ostsee1", "x" * 16, ""])
def test_a_hidden_password_comes_back(password: str) -> None:
    assert uam.pap_password(uam.pap_hidden(password, KEY), KEY) == password.encode()


@pytest.mark.parametrize("text", ["", "00", "zz" * 16, "00" * 17, "0 " * 16, "é" * 32])
def test_what_is_not_sixteen_octets_of_hex_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        uam.hex_octets(text, 16)
