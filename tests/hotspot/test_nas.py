"""What people say of a NAS: every field read or refused with what would be right, all faults at once."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot.handoffs import HANDOVERS, arrival_path
from hotspot.nas import (
    FIELDS,
    REQUIRED,
    SECRET_OCTETS,
    NasEntry,
    NasError,
    as_texts,
    defaults_of,
    make_secret,
    read_entry,
    twins,
)
from hotspot.products import PRODUCTS

SITES = ("hafen", "markt")
GOOD = {
    "name": "Hafen Ost",
    "site": "hafen",
    "product": "mikrotik",
    "address": "192.0.2.7",
    "nas_identifier": "hafen-1",
    "login_url": "http://10.5.50.1",
}


def read(**changes: str) -> NasEntry:
    return read_entry(GOOD | changes, sites=SITES)


def faults(**changes: str) -> dict[str, str]:
    with pytest.raises(NasError) as caught:
        read(**changes)
    return {fault.field: fault.sentence % fault.values for fault in caught.value.faults}


def test_what_is_left_out_is_the_products() -> None:
    assert read() == NasEntry(
        "Hafen Ost",
        "hafen",
        "mikrotik",
        "192.0.2.7",
        "hafen-1",
        "http://10.5.50.1",
        3799,
        "yes",
        True,
        False,
        "mikrotik",
    )
    chilli = read(product="coovachilli")
    assert chilli.octets_swapped, "CoovaChilli counts the client's view"
    assert not read(product="coovachilli", octets_swapped="no").octets_swapped


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)
def test_every_products_defaults_can_be_read(product: object) -> None:
    defaults = defaults_of(PRODUCTS[product.key])  # type: ignore[attr-defined]
    assert read(**defaults).product == defaults["product"]


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        ("name", "  Hafen Ost ", "Hafen Ost"),
        ("name", "x" * 60, "x" * 60),
        ("nas_identifier", "AA:BB-01_(2)", "AA:BB-01_(2)"),
        ("address", "192.0.2.0/24", "192.0.2.0/24"),
        ("address", "192.0.2.0/255.255.255.0", "192.0.2.0/24"),
        ("address", "192.0.2.7/32", "192.0.2.7"),
        ("address", "2001:DB8:0:0::7", "2001:db8::7"),
        ("address", "2001:db8::7/128", "2001:db8::7"),
        ("address", "2001:db8::/32", "2001:db8::/32"),
        ("address", "::ffff:192.0.2.7", "192.0.2.7"),
        ("address", "0.0.0.0/0", "0.0.0.0/0"),
        ("address", "::/0", "::/0"),
        ("login_url", "https://gw.example:8443/login/", "https://gw.example:8443/login"),
        ("login_url", "http://[2001:db8::1]:3990", "http://[2001:db8::1]:3990"),
        ("coa_port", "1", 1),
        ("coa_port", "65535", 65_535),
        ("require_message_authenticator", "AUTO", "auto"),
        ("limit_proxy_state", "no", False),
        ("octets_swapped", "Yes", True),
        ("secret", "x" * 12, "x" * 12),
        ("secret", "!\"#$%&'()*+~", "!\"#$%&'()*+~"),
        ("uam_secret", "x" * 128, "x" * 128),
    ],
)
def test_what_is_read(field: str, typed: str, value: object) -> None:
    assert getattr(read(**{field: typed}), field) == value


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", "x" * 61, "Write 1 to 60 letters"),
        ("name", "-rm", "beginning with a letter or digit"),
        ("name", "=HYPERLINK(1)", "beginning with a letter or digit"),
        ("name", "Müritz", "ASCII"),
        ("name", "a\nb", "ASCII"),
        ("name", "kogge-radius-test", "built-in NAS"),
        ("nas_identifier", "kogge-radius-test", "built-in NAS"),
        ("nas_identifier", "x" * 65, "Write 1 to 64"),
        ("site", "Hafen", "There is no site Hafen. Sites are: hafen, markt."),
        ("product", "mikrotek", "Products are: coovachilli, mikrotik"),
        ("address", "192.0.2.256", "no address such as"),
        ("address", "192.0.2.07", "no address such as"),
        ("address", "gateway.example", "no address such as"),
        ("address", "fe80::1%eth0", "no address such as"),
        ("address", "192.0.2.7/24", "Write 192.0.2.7, or the whole network: 192.0.2.0/24."),
        ("address", "0.0.0.0", "nobody's address. Write the NAS's own, or 0.0.0.0/0"),
        ("address", "::", "or ::/0"),
        ("address", "224.0.0.1", "multicast"),
        ("address", "ff00::/8", "multicast"),
        ("login_url", "10.5.50.1", "no address such as http://10.5.50.1"),
        ("login_url", "javascript:alert(1)", "no address"),
        ("login_url", "http://user@10.5.50.1", "no address"),
        ("login_url", "http://10.5.50.1:99999", "no address"),
        ("login_url", "http://10.5.50.1/?x=1", "no address"),
        ("login_url", "http://10.5.50.1/;form-action *", "no address"),
        ("login_url", "", "This product needs it"),
        ("coa_port", "0", "Write a number from 1 to 65535."),
        ("coa_port", "65536", "Write a number"),
        ("coa_port", "٣", "Write a number"),
        ("coa_port", "3799.0", "Write a number"),
        ("require_message_authenticator", "maybe", "maybe is none of: yes, no, auto."),
        ("limit_proxy_state", "auto", "none of: yes, no."),
        ("octets_swapped", "1", "none of: yes, no."),
        ("secret", "x" * 11, "at least 12 characters"),
        ("secret", "x" * 129, "at most 128 characters"),
        ("secret", "a secret with spaces", "no spaces"),
        ("uam_secret", "schlüssel-geheim", "Only ASCII"),
    ],
)
def test_what_is_refused_and_what_would_be_right(field: str, typed: str, said: str) -> None:
    found = faults(**{field: typed})
    assert set(found) == {field} and said in found[field]


def test_every_fault_is_told_at_once_in_the_forms_order() -> None:
    with pytest.raises(NasError) as caught:
        read_entry({"address": "x", "coa_port": "0", "speed": "1"}, sites=SITES)
    assert [fault.field for fault in caught.value.faults] == [
        "speed", "name", "site", "product", "address", "nas_identifier", "coa_port",
    ]  # fmt: skip
    assert "address: x is no address" in str(caught.value)


def test_an_unknown_field_is_named_with_the_nearest() -> None:
    assert "Did you mean nas_identifier?" in faults(nas_identifer="x")["nas_identifer"]


@pytest.mark.parametrize("product", ["unifi", "hostapd", "standard"])
def test_some_products_need_no_log_in_address(product: str) -> None:
    assert read(product=product, login_url="").login_url == ""


def test_a_fault_repeats_no_more_than_a_line() -> None:
    assert all(len(said) < 200 for said in faults(address="9" * 5_000, login_url="h" * 5_000).values())


def test_a_refused_secret_is_not_repeated() -> None:
    assert "geheim" not in str(faults(secret="geheim geheim 1"))
    assert "geheim" not in repr(read(secret="geheimgeheim"))


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=30)))
def test_nothing_that_is_typed_is_more_than_refused(typed: dict[str, str]) -> None:
    try:
        entry = read_entry(GOOD | typed, sites=SITES)
    except NasError:
        return
    assert read_entry(as_texts(entry), sites=SITES) == entry


def test_twins_are_named() -> None:
    found = twins(read(), {"Hafen Ost"}, {"other"})
    assert [fault.field for fault in found] == ["name"]
    assert [fault.field for fault in twins(read(), set(), {"hafen-1"})] == ["nas_identifier"]
    assert twins(read(), set(), set()) == []


def test_secrets_are_made_where_none_is_given() -> None:
    made = read(secret="x" * 12).with_secrets(os.urandom)
    assert made.secret == "x" * 12 and re.fullmatch("[A-Za-z0-9]{24}", made.uam_secret)
    assert read(secret=made.uam_secret).secret == made.uam_secret


@given(st.binary(min_size=SECRET_OCTETS, max_size=SECRET_OCTETS))
def test_a_made_secret_is_one_that_every_device_takes(octets: bytes) -> None:
    assert re.fullmatch("[A-Za-z0-9]{24}", make_secret(octets))


def test_what_is_required_is_required() -> None:
    for name in REQUIRED:
        assert faults(**{name: ""})[name] == "This is needed."


# Ways of handing over -----------------------------------------------------------------------------------------


def test_every_way_of_a_product_is_known_and_none_is_nobody_s() -> None:
    assert {word for product in PRODUCTS.values() for word in product.handoffs} == set(HANDOVERS)


@pytest.mark.parametrize(
    ("key", "path"),
    [("uam", "/"), ("mikrotik", "/at/hafen%201%2Fa%3F"), ("unifi-key", "/guest/s/hafen%201%2Fa%3F/")],
)
def test_where_a_nas_sends_residents(key: str, path: str) -> None:
    assert arrival_path(key, "hafen 1/a?") == path


def test_a_way_that_calls_a_controller_needs_its_address_and_its_account() -> None:
    faults = {"login_url": "", "product": "unifi", "handoff": "unifi-os", "uam_secret": "no-colon-in-here"}
    with pytest.raises(NasError) as caught:
        read(**faults)
    assert {fault.field for fault in caught.value.faults} == {"login_url", "uam_secret"}
    assert "https://unifi.example.org" in str(caught.value) and "name:password" in str(caught.value)
    entry = read(product="unifi", handoff="unifi-os", login_url="https://unifi.example.org")
    with pytest.raises(NasError, match="calls a controller"):
        entry.with_secrets(os.urandom)
    whole = read(product="unifi", handoff="unifi-key", login_url="https://u.example", uam_secret="an-api-key-12")
    assert whole.with_secrets(os.urandom).uam_secret == "an-api-key-12"
