"""Who may speak from where: addresses, networks, neighbours behind one address, and what is learned of them."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius.peers import Peers, network_of, plain_address
from store.nases import Nas
from tests.radius.test_intake import NAS

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def nas(number: int, address: str, **changes: object) -> Nas:
    return replace(NAS, id=number, name=f"nas-{number}", nas_identifier=f"id-{number}", address=address, **changes)


def ids(peers: Peers, source: str, identifier: bytes | None = None) -> list[int]:
    found = peers.find(source)
    return [] if found is None else [peer.nas.id for peer in found.candidates(identifier)]


NESTED = Peers(
    [
        nas(1, "10.0.0.0/8"),
        nas(2, "10.1.0.0/24"),
        nas(3, "10.1.0.7"),
        nas(4, "10.1.0.0/24"),
        nas(5, "2001:db8::/32"),
        nas(6, "2001:db8::1"),
        nas(7, "::ffff:192.0.2.0/120"),
    ]
)


@pytest.mark.parametrize(
    ("source", "identifier", "expected"),
    [
        ("10.1.0.7", None, [3, 2, 4, 1]),
        ("10.1.0.8", None, [2, 4, 1]),
        ("10.9.9.9", None, [1]),
        ("11.0.0.1", None, []),
        ("::ffff:10.1.0.7", None, [3, 2, 4, 1]),
        ("2001:db8::1", None, [6, 5]),
        ("2001:db8::2%eth0", None, [5]),
        ("2001:db9::1", None, []),
        ("192.0.2.200", None, [7]),
        ("10.1.0.7", b"id-4", [4]),
        ("10.1.0.7", b"id-1", [1]),
        ("10.1.0.8", b"id-3", [2, 4, 1]),  # it does not live there
        ("10.1.0.7", b"\xff\n", [3, 2, 4, 1]),
    ],
)
def test_the_address_before_its_networks_and_the_identifier_chooses(
    source: str, identifier: bytes | None, expected: list[int]
) -> None:
    for _ in range(2):  # looked up, and remembered
        assert ids(NESTED, source, identifier) == expected


v4 = st.integers(0, 2**32 - 1).map(lambda number: ipaddress.IPv4Address(number & 0x8307_0301))
v6 = st.integers(0, 2**128 - 1).map(lambda number: ipaddress.IPv6Address(0x2001_0DB8 << 96 | number & 0x8301))
networks = st.one_of(
    st.tuples(v4, st.integers(0, 32)), st.tuples(v6, st.integers(96, 128)), st.tuples(v6, st.integers(0, 40))
).map(lambda pair: ipaddress.ip_network(f"{pair[0]}/{pair[1]}", strict=False))


@given(st.lists(networks, max_size=12), st.lists(st.one_of(v4, v6), min_size=1, max_size=8))
def test_everybody_is_found_that_ipaddress_finds_the_longest_prefix_first(
    registered: list[ipaddress.IPv4Network | ipaddress.IPv6Network],
    sources: list[ipaddress.IPv4Address | ipaddress.IPv6Address],
) -> None:
    peers = Peers([nas(number, str(network)) for number, network in enumerate(registered)], sources_max=3)
    for source in sources:
        around = [(-net.prefixlen, number) for number, net in enumerate(registered) if source in net]
        assert ids(peers, str(source)) == [number for _, number in sorted(around)]


def test_the_memory_of_sources_is_bounded_and_strangers_are_not_in_it() -> None:
    peers = Peers([nas(1, "10.0.0.0/8")], sources_max=4)
    for number in range(10):
        assert ids(peers, f"10.0.0.{number}") == [1]
        assert ids(peers, f"11.0.0.{number}") == []
        assert len(peers._seen) <= 4
    assert (peers.take_emptied(), peers.take_emptied()) == (2, 0)


def test_a_new_list_leaves_nothing_of_the_old() -> None:
    peers = Peers([nas(1, "10.0.0.0/8"), nas(2, "192.0.2.1")])
    assert ids(peers, "10.0.0.1") == [1] and len(peers) == 2
    peers.replace([nas(3, "10.0.0.1")])
    assert (ids(peers, "10.0.0.1"), ids(peers, "10.0.0.2"), ids(peers, "192.0.2.1")) == ([3], [], [])


def test_a_nas_whose_address_is_none_harms_no_other() -> None:
    broken = nas(1, "gateway.example")
    peers = Peers([broken, nas(2, "192.0.2.1")])
    assert peers.unreadable == (broken,) and len(peers) == 1
    assert ids(peers, "192.0.2.1") == [2]


@pytest.mark.parametrize(
    ("setting", "learned_at", "must_sign", "learning"),
    [
        ("yes", None, True, False),
        ("no", None, False, False),
        ("no", NOON, False, False),
        ("auto", None, False, True),
        ("auto", NOON, True, False),
    ],
)
def test_who_must_sign(setting: str, learned_at: datetime | None, must_sign: bool, learning: bool) -> None:
    one = nas(1, "192.0.2.1", require_message_authenticator=setting, message_authenticator_at=learned_at)
    neighbours = Peers([one]).find("192.0.2.1")
    assert neighbours is not None
    assert (neighbours.all[0].must_sign, neighbours.all[0].learning) == (must_sign, learning)


def test_what_was_learned_outlives_a_new_list_until_it_is_stored() -> None:
    auto = nas(1, "192.0.2.1", require_message_authenticator="auto")
    peers = Peers([auto])

    def must_sign() -> bool:
        neighbours = peers.find("192.0.2.1")
        assert neighbours is not None
        return neighbours.all[0].must_sign

    assert not must_sign()
    neighbours = peers.find("192.0.2.1")
    assert neighbours is not None
    peers.learn(neighbours.all[0])
    assert must_sign() and peers.learned == {1}
    peers.replace([auto, nas(2, "192.0.2.2")])
    assert must_sign()
    peers.learned.clear()  # stored; and now somebody takes it back
    peers.replace([auto])
    assert not must_sign()


def test_spellings() -> None:
    assert plain_address("::ffff:192.0.2.1") == "192.0.2.1"
    assert plain_address("fe80::1%eth0") == "fe80::1"
    assert str(network_of(" 10.1.0.9/24 ")) == "10.1.0.0/24"
    assert str(network_of("fe80::1%eth0")) == "fe80::1/128"
