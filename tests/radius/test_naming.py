"""Which attributes name a session to which product: hostapd and others refuse what they do not know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from hotspot.products import PRODUCTS
from hotspot.session import Totals
from hotspot.values import MacAddress
from radius import wire
from radius.naming import NAMINGS, name_session, naming_of
from radius.wire import Attr
from store.accounting import Session
from store.nases import Nas

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PHONE = MacAddress.parse("02-00-5E-10-00-0A")
SESSION = Session(
    id=1,
    device_id=1,
    grant_id=1,
    nas_id=1,
    acct_session_id="s-1",
    user_name="ticket",
    ssid="",
    bssid="",
    framed_ip="10.1.0.2",
    local_day=date(2026, 11, 23),
    totals=Totals(started_at=NOW, updated_at=NOW),
)
NAS = Nas(1, "gw", "Markt", "gw-1", "10.0.0.1", "standard", "", 3799, "yes", None, True, False, b"s", b"u")
EVERYTHING = {
    Attr.NAS_IDENTIFIER: b"gw-1",
    Attr.USER_NAME: b"ticket",
    Attr.ACCT_SESSION_ID: b"s-1",
    Attr.CALLING_STATION_ID: b"02-00-5E-10-00-0A",
    Attr.FRAMED_IP_ADDRESS: bytes((10, 1, 0, 2)),
}


def named(product: str, session: Session = SESSION, mac: MacAddress | None = PHONE, at: str = "10.0.0.1") -> dict:
    return dict(name_session(session, replace(NAS, product=product), mac, at, now=NOW))


@pytest.mark.parametrize("product", ["standard", "coovachilli", "ruckus", "a new one"])
def test_a_product_by_the_rfc_gets_all_that_names_a_session(product: str) -> None:
    said = named(product)
    assert said.pop(Attr.EVENT_TIMESTAMP) == int(NOW.timestamp()).to_bytes(4, "big")
    assert said == EVERYTHING


@pytest.mark.parametrize("product", ["hostapd", "unifi"])
def test_hostapd_gets_only_what_stands_on_its_list(product: str) -> None:
    """`radius_das_disconnect` of its src/radius/radius_das.c; User-Name is not compared with a MAC address."""
    assert set(named(product)) == {
        Attr.NAS_IDENTIFIER,
        Attr.ACCT_SESSION_ID,
        Attr.CALLING_STATION_ID,
        Attr.EVENT_TIMESTAMP,
    }
    assert naming_of(product).signed


def test_cisco_is_named_itself_by_its_address() -> None:
    said = named("cisco")
    assert said[Attr.NAS_IP_ADDRESS] == bytes((10, 0, 0, 1)) and said[Attr.CALLING_STATION_ID] == b"02-00-5e-10-00-0a"
    assert Attr.NAS_IP_ADDRESS not in named("cisco", at="2001:db8::1")


def test_a_mac_address_as_user_name_is_said_as_the_nas_spells_it() -> None:
    by_mac = replace(SESSION, user_name="mac:colon-lower")
    assert named("mikrotik", by_mac)[Attr.USER_NAME] == b"02:00:5e:10:00:0a"
    forgotten = named("coovachilli", by_mac, mac=None)
    assert Attr.USER_NAME not in forgotten and Attr.CALLING_STATION_ID not in forgotten
    assert named("coovachilli", replace(SESSION, user_name="mac:nonsense"))[Attr.USER_NAME] == b"mac:nonsense"


def test_what_is_unknown_or_too_long_is_left_out() -> None:
    said = named("standard", replace(SESSION, framed_ip="", user_name="ß" * 127))
    assert Attr.FRAMED_IP_ADDRESS not in said and Attr.USER_NAME not in said


def test_every_product_finds_the_session_by_its_number() -> None:
    assert set(NAMINGS) <= set(PRODUCTS)
    for product in PRODUCTS:
        assert Attr.ACCT_SESSION_ID in named(product)
        naming = naming_of(product)
        code = wire.DynamicCode.DISCONNECT
        attributes = list(named(product).items())
        assert wire.encode_dynamic(code, 1, attributes, b"secret", signed=naming.signed)
