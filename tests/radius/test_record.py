"""What a record says of the session it may open: read leniently, within bounds, no MAC address in the clear."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot.errors import WireError
from hotspot.values import MacAddress, MacSpelling
from radius import wire
from radius.account import Accountant
from radius.intake import Work
from radius.metrics import RadiusMetrics
from radius.peers import Peer
from radius.record import IPV6_MAX, TEXT_MAX, read_framed_ipv6, read_opening, read_report
from radius.wire import Attribute, Code, Packet
from service.cities import City
from store import accounting
from store.nases import Nas
from tests.radius.test_batches import peer, work

PHONE = MacAddress.parse("02-00-5E-10-00-0A")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ADDRESS = IPv6Address("2001:db8::5").packed
PREFIX = bytes((0, 64)) + IPv6Address("2001:db8:1::").packed
DELEGATED = bytes((0, 56)) + bytes.fromhex("20010db8000200")


def packet(attributes: list[Attribute]) -> Packet:
    body = wire.encode_attributes(attributes)
    return wire.parse(bytes((4, 1)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body)


# IPv6 ---------------------------------------------------------------------------------------------------


def test_ipv6_addresses_and_prefixes_in_their_canonical_text() -> None:
    said = [(123, DELEGATED), (168, ADDRESS), (97, PREFIX), (168, IPv6Address("fe80::1").packed), (168, ADDRESS)]
    told = "2001:db8::5 fe80::1 2001:db8:1::/64 2001:db8:2::/56"
    assert read_framed_ipv6(packet(said)) == read_opening(packet(said)).framed_ipv6 == told
    assert read_opening(packet([(8, bytes((10, 0, 0, 1)))])).framed_ipv6 == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0040 20010db8 00010000", "2001:db8:1::/64"),
        ("0040 20010db8 00010000 00000000 00000001", "2001:db8:1::/64"),
        ("0000", "::/0"),
        ("0080 20010db8 00000000 00000000 00000001", "2001:db8::1/128"),
        ("ff20 20010db8", "2001:db8::/32"),
    ],
)
def test_prefixes(value: str, text: str) -> None:
    assert wire.ipv6_prefix(bytes.fromhex(value)) == text


@pytest.mark.parametrize("value", ["", "00", "0081", "0040" + "00" * 17])
def test_malformed_prefixes(value: str) -> None:
    with pytest.raises(WireError):
        wire.ipv6_prefix(bytes.fromhex(value))


@given(st.binary(max_size=20))
def test_any_octets_are_an_address_a_prefix_or_a_wire_error(value: bytes) -> None:
    for read in (wire.ipv6_address, wire.ipv6_prefix):
        try:
            assert str(ip_network(read(value))).removesuffix("/128") == read(value).removesuffix("/128")
        except WireError:
            continue


def test_malformed_ones_are_passed_over() -> None:
    assert (
        read_framed_ipv6(packet([(168, b"short"), (168, ADDRESS), (97, b""), (97, bytes((0, 129)))])) == "2001:db8::5"
    )


def test_an_address_made_of_the_mac_address_is_kept_as_its_network() -> None:
    """Of PHONE, as an address and as a prefix of 128 bits (RFC 4291 appendix A)."""
    made = IPv6Address("2001:db8:7::5eff:fe10:a").packed
    assert PHONE.octets[3:] in made
    told = read_framed_ipv6(packet([(168, made), (97, bytes((0, 128)) + made), (168, ADDRESS)]))
    assert told == "2001:db8:7::/64 2001:db8::5"


def test_a_nas_may_send_any_number_and_a_few_are_kept() -> None:
    many = [(168, IPv6Address(0x20010DB8 << 96 | number).packed) for number in range(1, 180)]
    assert read_framed_ipv6(packet(many)).split() == [f"2001:db8::{number:x}" for number in range(1, IPV6_MAX + 1)]


def test_ipv6_is_kept_from_the_start_or_from_the_first_record_that_has_it(city: City) -> None:
    at, accountant = peer(city), Accountant(city, RadiusMetrics(city.registry))

    def record(session: str, status: int, *more: Attribute) -> None:
        nonlocal now
        now += timedelta(seconds=60)
        said = [(40, bytes((0, 0, 0, status))), (44, session.encode()), (31, str(PHONE).encode()), *more]
        accountant.answer([work(at, Code.ACCOUNTING_REQUEST, list(said))], now=now)

    def kept(session: str) -> str:
        with city.store.read() as conn:
            return accounting.load_many(conn, {(at.nas.id, session)})[at.nas.id, session].framed_ipv6

    now = datetime.now(UTC)
    record("six", 1, (168, ADDRESS), (97, PREFIX))
    assert kept("six") == "2001:db8::5 2001:db8:1::/64"
    record("late", 1)
    record("late", 3)
    assert kept("late") == ""
    record("late", 3, (168, ADDRESS))
    assert kept("late") == "2001:db8::5"
    record("late", 3, (168, IPv6Address("2001:db8::6").packed))
    record("late", 2)
    assert kept("late") == "2001:db8::5"


# Whatever comes -----------------------------------------------------------------------------------------------

NAS = Nas(
    id=1,
    name="test",
    site_name="",
    nas_identifier="test",
    address="127.0.0.1",
    product="coovachilli",
    login_url="",
    coa_port=3799,
    require_message_authenticator="yes",
    message_authenticator_at=None,
    limit_proxy_state=False,
    octets_swapped=True,
    secret=b"secret",
    uam_secret=b"",
)
NUMBERS = st.sampled_from([40, 41, 42, 43, 46, 49, 52, 53, 55])
READ = NUMBERS | st.sampled_from([1, 8, 25, 30, 31, 44, 97, 123, 168])


@given(
    st.lists(
        st.tuples(NUMBERS, st.binary(min_size=4, max_size=4)) | st.tuples(READ, st.binary(max_size=60)), max_size=20
    ),
    st.sampled_from([1, 2, 3, 7, 8]),
)
def test_a_record_is_read_or_is_a_wire_error(said: list[Attribute], kind: int) -> None:
    """Nothing that a NAS can write raises anything else, and what opens a session has its bounds."""
    came = packet([(40, bytes((0, 0, 0, kind))), (44, b"session"), *said])
    opening = read_opening(came)
    for text in (opening.user_name, opening.ssid, opening.bssid):
        assert len(text) <= TEXT_MAX and "\0" not in text
    try:
        report = read_report(Work(came, Peer(NAS), ("127.0.0.1", 1), 0.0), NOON)
    except WireError:
        return
    assert report.key == (1, "session") and (report.event is None) == (kind > 3)


# Names ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", MacSpelling)
def test_a_mac_address_as_user_name_leaves_only_its_spelling(spelling: MacSpelling) -> None:
    opening = read_opening(packet([(1, PHONE.spelled(spelling).encode()), (31, str(PHONE).encode())]))
    assert opening.user_name == f"mac:{spelling.value}"
    assert opening.mac == PHONE


@pytest.mark.parametrize("name", ["02:00-5E:10-00:0a", "02-00-5E-10-00-0a", "02-00-5E-10-00-0B"])
def test_no_other_mac_address_is_kept_as_a_name(name: str) -> None:
    """Mixed spellings that nobody could reproduce, or another device's: a MAC address stands in one table only."""
    assert read_opening(packet([(1, name.encode()), (31, str(PHONE).encode())])).user_name == ""


def test_an_opening_is_read_whatever_stands_in_it() -> None:
    junk = os.urandom(200)
    said: list[Attribute] = [(kind, junk) for kind in (1, 8, 25, 30, 31, 97, 123, 168)]
    opening = read_opening(packet(said))
    assert (opening.mac, opening.grant_id, opening.framed_ip, opening.framed_ipv6) == (None, None, "", "")
    assert len(opening.user_name) <= 128 and "\0" not in opening.user_name + opening.ssid + opening.bssid


@pytest.mark.parametrize(
    ("called", "bssid", "ssid"),
    [
        ("E2-7E-20-A1-A7-CA:Lübeck:frei", "E2-7E-20-A1-A7-CA", "Lübeck:frei"),
        ("E2-7E-20-A1-A7-CA", "E2-7E-20-A1-A7-CA", ""),
        ("e2:7e:20:a1:a7:ca:Stralsund-WLAN", "e2:7e:20:a1:a7:ca", "Stralsund-WLAN"),
        ("e27e20a1a7ca:Stralsund-WLAN", "e27e20a1a7ca", "Stralsund-WLAN"),
        ("hotspot1", "hotspot1", ""),
        ("", "", ""),
    ],
)
def test_the_ssid_follows_the_address_of_the_access_point(called: str, bssid: str, ssid: str) -> None:
    opening = read_opening(packet([(30, called.encode())]))
    assert (opening.bssid, opening.ssid) == (bssid, ssid)
