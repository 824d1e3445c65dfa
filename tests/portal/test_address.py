"""Who asks: the address behind the proxies that the city named, and behind nobody else's word."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from portal.address import nearest_stranger

PROXIES = (ip_network("127.0.0.0/8"), ip_network("10.0.0.5/32"), ip_network("2001:db8::/32"))
GUEST = "198.51.100.7"
LIAR = "203.0.113.66"


@pytest.mark.parametrize(
    ("remote", "forwarded", "asks"),
    [
        pytest.param(GUEST, "", GUEST, id="nobody between"),
        pytest.param(GUEST, LIAR, GUEST, id="a stranger's header is not read"),
        pytest.param(GUEST, f"{LIAR}, 127.0.0.1", GUEST, id="a stranger who names our proxy"),
        pytest.param("127.0.0.1", GUEST, GUEST, id="our proxy"),
        pytest.param("127.0.0.1", f"{LIAR}, {GUEST}", GUEST, id="what the guest sent stands to the left"),
        pytest.param("127.0.0.1", f"{LIAR}, {GUEST}, 10.0.0.5", GUEST, id="two of our proxies"),
        pytest.param("127.0.0.1", f"{LIAR},{GUEST},10.0.0.6", "10.0.0.6", id="one that is not ours ends the walk"),
        pytest.param("127.0.0.1", "", "127.0.0.1", id="a proxy that adds nothing"),
        pytest.param("127.0.0.1", " , ,", "127.0.0.1", id="empty hops"),
        pytest.param("127.0.0.1", "10.0.0.5, 127.0.0.1", "10.0.0.5", id="our proxies alone"),
        pytest.param("127.0.0.1", "unknown", None, id="a hop without an address is nobody"),
        pytest.param("127.0.0.1", f"{LIAR}, unknown", None, id="and nothing beyond it is believed"),
        pytest.param("2001:db8::1", "2001:db8:1::7, 2a00::7", "2a00::7", id="IPv6"),
        pytest.param("2001:db9::1", "2a00::7", "2001:db9::1", id="IPv6, not ours"),
        pytest.param("::ffff:127.0.0.1", f"::ffff:{GUEST}", GUEST, id="IPv4 within IPv6 is IPv4"),
        pytest.param("127.0.0.1", f"{GUEST}:4711", GUEST, id="a proxy that adds the port"),
        pytest.param("127.0.0.1", "[2a00::7]:4711", "2a00::7", id="a proxy that adds the port, IPv6"),
        pytest.param("fe80::1%eth0", "", "fe80::1", id="a zone is the interface's"),
        pytest.param("127.0.0.1", f"{LIAR}, " * 90_000 + GUEST, GUEST, id="a long tale"),
        pytest.param("", GUEST, None, id="a socket without an address"),
    ],
)
def test_the_nearest_hop_that_is_not_ours(remote: str, forwarded: str, asks: str | None) -> None:
    assert nearest_stranger(remote, forwarded, PROXIES) == (ip_address(asks) if asks else None)


def test_without_named_proxies_the_header_is_never_read() -> None:
    assert nearest_stranger("127.0.0.1", GUEST, ()) == ip_address("127.0.0.1")
