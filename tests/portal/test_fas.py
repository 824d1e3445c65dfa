"""openNDS's FAS, level by level: golden redirects of Debian's daemon, what goes back, and what no redirect may do."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotspot.access import Accept
from hotspot.errors import InputError
from portal.captive.handoff import fas, rijndael
from portal.captive.handoff.methods import METHODS
from portal.captive.handoff.protocol import Arrival, Awaited, ForgedError, GoTo, Inbound
from store.nases import Nas
from tests.support.handoffs import handing_of, inbound_of, nas_of

KEY = b"abcdefghijklmnopqrstuvwx"
GOLDEN: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "golden_fas.json").read_text())
"""Seen with openNDS 9.10.0 (Debian) under this key: the redirect, and who it was of."""

ACCEPT = Accept(
    grant_id=7, device_id=3, session_seconds=3_599, idle_seconds=0, rate_down_bps=8_000_000, rate_up_bps=1_000_000,
    octets_left=50_000_000,
)  # fmt: skip


def gateway(level: int) -> Nas:
    return nas_of("opennds", handoff=f"fas{level}", uam_secret=KEY)


def read(level: int, inbound: Inbound) -> Arrival:
    return METHODS[f"fas{level}"].read(inbound, gateway(level))


def golden(level: int) -> Inbound:
    return inbound_of(GOLDEN[str(level)]["url"])


# What arrives -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_golden_redirect_says_who_comes(level: int) -> None:
    told = GOLDEN[str(level)]
    arrival = read(level, golden(level))
    assert str(arrival.mac) == "02-00-5E-00-53-77"
    assert arrival.back["hid"] == told["hid"] and arrival.back["ip"] == "10.77.0.62"
    assert arrival.back["gateway"] == hashlib.sha256(told["gatewayname"].encode()).hexdigest()
    assert arrival.user_url == "http://www.example.org/path/x?a=1&b=2"
    assert arrival.signed is (level > 1), "base64 proves nothing"


def test_level_4_is_read_as_version_10_writes_it() -> None:
    """fas-hid-https.php of openNDS 10: base64 alone, and a field more than version 9 has."""
    hid = "ab" * 32
    said = (
        f"hid={hid}, clientip=10.77.0.62, clientmac=02:00:5e:00:53:77, client_type=cpd_can, cpi_query=, "
        "gatewayname=gw%20Node%3a0ed26343cfba%20, originurl=http%3a%2f%2fexample.org%2f, clientif=lan"
    )
    arrival = read(4, inbound_of(f"https://p.example/at/x?fas={quote(base64.b64encode(said.encode()).decode())}"))
    assert (arrival.back["hid"], arrival.signed) == (hid, False)


def test_the_token_of_the_handoff_facts() -> None:
    hid = "184eb33ca92b4d2d5f25b1e6dfcef2dc89786258524c337249fa4e30e01df022"
    wanted = "2da6dd17c02ca0ea10de630100cac47c13acba7c039a31007f5a49df36c26e3a"
    assert fas.return_hash(hid, b"faskey1234") == wanted


def test_a_gateways_own_token_leads_to_the_same_name() -> None:
    """Seen: token 21b55392 and this hid were one client's."""
    hid = "7b8f7b4c6b75ac50a9e2030554df3b9046cfafc59bff4d308bac97d2403eb08b"
    assert fas.return_hash_of("21b55392", KEY) == fas.return_hash(hid, KEY)


@pytest.mark.parametrize("level", [2, 3])
def test_another_key_opens_nothing(level: int) -> None:
    with pytest.raises(ForgedError):
        METHODS[f"fas{level}"].read(golden(level), nas_of("opennds", uam_secret=b"another-key-of-24-chars."))


@pytest.mark.parametrize("fault", ["", "fas=", "fas=%%%", "fas=QUJD", "fas=QUJDRA%3D%3D&iv=146c13f3ee4a4eec", "iv=1"])
@pytest.mark.parametrize("level", [2, 3])
def test_whatever_is_wrong_with_a_sealed_redirect_is_the_same(level: int, fault: str) -> None:
    with pytest.raises(ForgedError):
        read(level, inbound_of(f"http://p.example/at/x?{fault}"))


@pytest.mark.parametrize("fault", ["", "fas=", "fas=%%%", "fas=QUJD", f"fas={'A' * 5000}"])
@pytest.mark.parametrize("level", [1, 4])
def test_a_plain_redirect_that_makes_no_sense_is_malformed(level: int, fault: str) -> None:
    with pytest.raises(InputError):
        read(level, inbound_of(f"http://p.example/at/x?{fault}"))


def test_every_changed_octet_before_the_mac_address_ends_is_noticed() -> None:
    """CBC lets a forger flip a bit in one block by garbling the one before; the MAC address stands in hexadecimal."""
    fields = dict(golden(2).fields)
    sealed = base64.b64decode(base64.b64decode(fields["fas"]))
    plain = rijndael.decrypted(sealed, KEY, fields["iv"].encode())
    ends = plain.index(b", client_type")
    device = read(2, golden(2)).mac
    for place in range(ends):
        for bit in (1, 2, 4, 128):
            forged = bytearray(sealed)
            forged[place] ^= bit
            again = base64.b64encode(base64.b64encode(bytes(forged))).decode()
            try:
                arrival = METHODS["fas2"].read(Inbound("", "", {**fields, "fas": again}), gateway(2))
            except ForgedError:
                continue
            assert arrival.mac == device, f"octet {place}, bit {bit}"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.text(max_size=20), st.sampled_from([1, 2, 3, 4]))
def test_nothing_that_arrives_is_a_fault_of_ours(octets: bytes, iv: str, level: int) -> None:
    for once in (base64.b64encode(octets), octets):
        said = {"fas": base64.b64encode(once).decode(), "iv": iv}
        with contextlib.suppress(ForgedError, InputError):
            read(level, Inbound("", "", said))


# What goes back -----------------------------------------------------------------------------------------


def handed(level: int, **changes: Any) -> Awaited:
    handing = handing_of(
        gateway(level), back=dict(read(max(1, level - 1), golden(max(1, level - 1))).back), accept=ACCEPT, **changes
    )
    found = METHODS[f"fas{level}"].hand_off(handing)
    assert isinstance(found, Awaited)
    return found


def test_the_browser_takes_token_and_signed_limits_to_the_registered_gateway() -> None:
    due = METHODS["fas1"].hand_off(handing_of(gateway(1), back=dict(read(1, golden(1)).back), accept=ACCEPT))
    assert isinstance(due, Awaited)
    parts = urlsplit(due.url)
    said = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "http://192.168.1.1:2050/opennds_auth/"
    assert (said["tok"], said["redir"]) == (due.session_id, "http://portal.example/status?visit=x")
    limits = "3599.1000.8000.48828.48828"
    hid = GOLDEN["1"]["hid"]
    signed = f"{limits} 02:00:00:00:00:11 {hid} {KEY.decode()}"
    assert said["custom"] == f"{limits}.{hashlib.sha256(signed.encode()).hexdigest()}"
    assert (due.framed_ip, due.gateway) == ("10.77.0.62", "")


@pytest.mark.parametrize(("seconds", "minutes"), [(60, 1), (61, 1), (89, 1), (599, 10), (3_599, 60), (1, 1)])
def test_a_gateway_that_asks_counts_whole_minutes(seconds: int, minutes: int) -> None:
    accept = Accept(7, 3, seconds, 0, 0, 0, None)
    handing = handing_of(gateway(3), back=dict(read(2, golden(2)).back), accept=accept)
    due = METHODS["fas3"].hand_off(handing)
    assert isinstance(due, Awaited) and due.accept.session_seconds == minutes * 60
    assert due.url == handing.landing and due.gateway == handing.back["gateway"]
    assert fas.listed(due.session_id, due.accept) == f"{due.session_id}%20{minutes}%200%200%200%200%20na"


def test_log_off_is_the_gateways_own() -> None:
    assert METHODS["fas1"].log_off(handing_of(gateway(1))) == GoTo("http://192.168.1.1:2050/opennds_deny/")


@pytest.mark.parametrize(
    ("fields", "landing"),
    [
        ({"status": "authenticated", "redir": "http://p.example/status?visit=x"}, "/status?visit=x"),
        ({"status": "authenticated", "redir": "http://p.example.evil/status?visit=x"}, ""),
        ({"status": "authenticated", "redir": "http://p.example@evil/status?visit=x"}, ""),
        ({"status": "authenticated", "redir": "//evil/status?x"}, ""),
        ({"status": "authenticated", "redir": "http://p.example//evil"}, ""),
        ({"redir": "http://p.example/status?visit=x"}, ""),
        ({}, ""),
    ],
)
def test_who_is_on_already_comes_back_to_our_own_page_alone(fields: dict[str, str], landing: str) -> None:
    assert fas.comes_back_online(fields, "http://p.example") == landing
