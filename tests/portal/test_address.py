"""Who asks: the address behind the proxies that the city named, and behind nobody else's word."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from portal.staff.address import client_address

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
        pytest.param("127.0.0.1", "unknown", "unknown", id="a hop without an address is as far as we see"),
        pytest.param("2001:db8::1", "2001:db8:1::7, 2a00::7", "2a00::7", id="IPv6"),
        pytest.param("2001:db9::1", "2a00::7", "2001:db9::1", id="IPv6, not ours"),
        pytest.param("", GUEST, "", id="a socket without an address"),
    ],
)
def test_the_nearest_hop_that_is_not_ours(remote: str, forwarded: str, asks: str) -> None:
    assert client_address(remote, forwarded, PROXIES) == asks


def test_without_named_proxies_the_header_is_never_read() -> None:
    assert client_address("127.0.0.1", GUEST, ()) == "127.0.0.1"
