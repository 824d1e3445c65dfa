"""What each product is told: golden packets, octet by octet, and FreeRADIUS's client as the one who reads them."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot.access import Accept
from hotspot.products import PRODUCTS, Dynamic
from radius import dialect, wire
from radius.dialect import COA, DIALECTS
from radius.wire import Attribute, Code

SECRET = b"xyzzy5461"
REQUEST = bytes.fromhex(  # RFC 2865 section 7.1
    "010000380f403f9473978057bd83d5cb98f4227a01066e656d6f02120dbe708d93d413ce3196e43f782a0aee0406c0a80110050600000003"
)
LIMITED = Accept(
    grant_id=7,
    device_id=3,
    session_seconds=3_600,
    idle_seconds=900,
    rate_down_bps=16_000_000,
    rate_up_bps=4_000_000,
    octets_left=5_000_000_000,
    vlan_id=42,
)
FREE = Accept(7, 3, 3_600, 0, 0, 0, None)

ACCEPTS = {
    "coovachilli": """
        02000062 ebbe0b625407958d0f21f0ce5fcacd02
        5012 0a978974c548efd382b3758ac9fe8594  # Message-Authenticator
        1b06 00000e10  # Session-Timeout = 3600
        1c06 00000384  # Idle-Timeout = 900
        1a0c 0000372a 0706 003d0900  # WISPr-Bandwidth-Max-Up = 4000000
        1a0c 0000372a 0806 00f42400  # WISPr-Bandwidth-Max-Down = 16000000
        1a0c 000038df 0306 2a05f200  # ChilliSpot-Max-Total-Octets = 705032704
        1a0c 000038df 1706 00000001  # ChilliSpot-Max-Total-Gigawords = 1
    """,
    "mikrotik": """
        0200008a a0df3b919f81d8087f49fd9e8ccfec69
        5012 7deed785821182651a9ff1450c92a356  # Message-Authenticator
        1b06 00000e10  # Session-Timeout = 3600
        1c06 00000384  # Idle-Timeout = 900
        1a18 00003a8c 0812 343030303030302f3136303030303030  # Mikrotik-Rate-Limit = 4000000/16000000
        1a0c 00003a8c 1106 2a05f200  # Mikrotik-Total-Limit = 705032704
        1a0c 00003a8c 1206 00000001  # Mikrotik-Total-Limit-Gigawords = 1
        4006 0000000d  # Tunnel-Type = 13
        4106 00000006  # Tunnel-Medium-Type = 6
        5104 3432  # Tunnel-Private-Group-Id = 42
        1a0c 00003a8c 1a06 0000002a  # Mikrotik-Wireless-VLANID = 42
        1a0c 00003a8c 1b06 00000000  # Mikrotik-Wireless-VLANID-Type = 0
    """,
    "opennds": """
        0200004a 2bc56eb93306aef739b41f4330d4e883
        5012 e1e070dd774c3d0f9a4c448bfdc97261  # Message-Authenticator
        1b06 00000e10  # Session-Timeout = 3600
        1c06 00000384  # Idle-Timeout = 900
        1a0c 0000372a 0706 003d0900  # WISPr-Bandwidth-Max-Up = 4000000
        1a0c 0000372a 0806 00f42400  # WISPr-Bandwidth-Max-Down = 16000000
    """,
    "unifi": """
        0200005a 0354d71d4f68c5534c0f99e419f23b44
        5012 780be1601481ae1a61ecd486f3c4c6dd  # Message-Authenticator
        1b06 00000e10  # Session-Timeout = 3600
        1c06 00000384  # Idle-Timeout = 900
        1a0c 0000372a 0706 003d0900  # WISPr-Bandwidth-Max-Up = 4000000
        1a0c 0000372a 0806 00f42400  # WISPr-Bandwidth-Max-Down = 16000000
        4006 0000000d  # Tunnel-Type = 13
        4106 00000006  # Tunnel-Medium-Type = 6
        5104 3432  # Tunnel-Private-Group-Id = 42
    """,
    "aruba": """
        0200006c 60a81add87cee55c9a38e09af021d6a9
        5012 e37ff97f10b6c52558ea4e61044bcd36  # Message-Authenticator
        1b06 00000e10  # Session-Timeout = 3600
        1c06 00000384  # Idle-Timeout = 900
        1d06 00000000  # Termination-Action = 0
        1a0c 0000372a 0706 003d0900  # WISPr-Bandwidth-Max-Up = 4000000
        1a0c 0000372a 0806 00f42400  # WISPr-Bandwidth-Max-Down = 16000000
        4006 0000000d  # Tunnel-Type = 13
        4106 00000006  # Tunnel-Medium-Type = 6
        5104 3432  # Tunnel-Private-Group-Id = 42
        1a0c 000039e7 0206 0000002a  # Aruba-User-Vlan = 42
    """,
    "cisco": """
        020000a8 cfd9107c7ce3bacc45e56d3e8888ef2a
        5012 792f5c3e537494eade63da2ef35e2980  # Message-Authenticator
        1b06 00000e10  # Session-Timeout = 3600
        1c06 00000384  # Idle-Timeout = 900
        1d06 00000000  # Termination-Action = 0
        1a0c 00003763 0706 00003e80  # Airespace-Data-Bandwidth-Average-Contract = 16000
        1a0c 00003763 0806 00003e80  # Airespace-Real-Time-Bandwidth-Average-Contract = 16000
        1a0c 00003763 0906 00003e80  # Airespace-Data-Bandwidth-Burst-Contract = 16000
        1a0c 00003763 0a06 00003e80  # Airespace-Real-Time-Bandwidth-Burst-Contract = 16000
        1a0c 00003763 0d06 00000fa0  # Airespace-Data-Bandwidth-Average-Contract-Upstream = 4000
        1a0c 00003763 0e06 00000fa0  # Airespace-Real-Time-Bandwidth-Average-Contract-Upstream = 4000
        1a0c 00003763 0f06 00000fa0  # Airespace-Data-Bandwidth-Burst-Contract-Upstream = 4000
        1a0c 00003763 1006 00000fa0  # Airespace-Real-Time-Bandwidth-Burst-Contract-Upstream = 4000
        4006 0000000d  # Tunnel-Type = 13
        4106 00000006  # Tunnel-Medium-Type = 6
        5104 3432  # Tunnel-Private-Group-Id = 42
    """,
    "ruckus": """
        02000060 8d8c5847e59dacfa176462ca0a6747ab
        5012 18539b71efeca5ddec9896f3a49399ab  # Message-Authenticator
        1b06 00000e10  # Session-Timeout = 3600
        1c06 00000384  # Idle-Timeout = 900
        1d06 00000000  # Termination-Action = 0
        1a0c 0000372a 0706 003d0900  # WISPr-Bandwidth-Max-Up = 4000000
        1a0c 0000372a 0806 00f42400  # WISPr-Bandwidth-Max-Down = 16000000
        4006 0000000d  # Tunnel-Type = 13
        4106 00000006  # Tunnel-Medium-Type = 6
        5104 3432  # Tunnel-Private-Group-Id = 42
    """,
    "hostapd": """
        02000060 8d8c5847e59dacfa176462ca0a6747ab
        5012 18539b71efeca5ddec9896f3a49399ab  # Message-Authenticator
        1b06 00000e10  # Session-Timeout = 3600
        1c06 00000384  # Idle-Timeout = 900
        1d06 00000000  # Termination-Action = 0
        1a0c 0000372a 0706 003d0900  # WISPr-Bandwidth-Max-Up = 4000000
        1a0c 0000372a 0806 00f42400  # WISPr-Bandwidth-Max-Down = 16000000
        4006 0000000d  # Tunnel-Type = 13
        4106 00000006  # Tunnel-Medium-Type = 6
        5104 3432  # Tunnel-Private-Group-Id = 42
    """,
    "standard": """
        02000060 8d8c5847e59dacfa176462ca0a6747ab
        5012 18539b71efeca5ddec9896f3a49399ab  # Message-Authenticator
        1b06 00000e10  # Session-Timeout = 3600
        1c06 00000384  # Idle-Timeout = 900
        1d06 00000000  # Termination-Action = 0
        1a0c 0000372a 0706 003d0900  # WISPr-Bandwidth-Max-Up = 4000000
        1a0c 0000372a 0806 00f42400  # WISPr-Bandwidth-Max-Down = 16000000
        4006 0000000d  # Tunnel-Type = 13
        4106 00000006  # Tunnel-Medium-Type = 6
        5104 3432  # Tunnel-Private-Group-Id = 42
    """,
}
"""Access-Accepts to REQUEST for LIMITED."""

CHANGES = {
    ("coovachilli", "limited"): """
        1b06 00000e10  # Session-Timeout = 3600
        1c06 00000384  # Idle-Timeout = 900
        1a0c 0000372a 0706 003d0900  # WISPr-Bandwidth-Max-Up = 4000000
        1a0c 0000372a 0806 00f42400  # WISPr-Bandwidth-Max-Down = 16000000
        1a0c 000038df 0306 2a05f200  # ChilliSpot-Max-Total-Octets = 705032704
        1a0c 000038df 1706 00000001  # ChilliSpot-Max-Total-Gigawords = 1
    """,
    ("coovachilli", "lifted"): """
        1b06 00000e10  # Session-Timeout = 3600
        1c06 00000000  # Idle-Timeout = 0
        1a0c 0000372a 0706 00000000  # WISPr-Bandwidth-Max-Up = 0
        1a0c 0000372a 0806 00000000  # WISPr-Bandwidth-Max-Down = 0
        1a0c 000038df 0306 00000000  # ChilliSpot-Max-Total-Octets = 0
    """,
    ("mikrotik", "limited"): """
        1b06 00000e10  # Session-Timeout = 3600
        1c06 00000384  # Idle-Timeout = 900
        1a18 00003a8c 0812 343030303030302f3136303030303030  # Mikrotik-Rate-Limit = 4000000/16000000
    """,
    ("mikrotik", "lifted"): """
        1b06 00000e10  # Session-Timeout = 3600
        1c06 00000000  # Idle-Timeout = 0
        1a0b 00003a8c 0805 302f30  # Mikrotik-Rate-Limit = 0/0
    """,
}
"""Attributes of a CoA-Request for LIMITED and for FREE."""


def octets(golden: str) -> bytes:
    return bytes.fromhex("".join(line.partition("#")[0] for line in golden.splitlines()))


@pytest.mark.parametrize("product", DIALECTS)
def test_an_access_accept_octet_by_octet(product: str) -> None:
    packet = wire.encode_reply(wire.parse(REQUEST), Code.ACCESS_ACCEPT, dialect.say(product, LIMITED), SECRET)
    assert packet.hex() == octets(ACCEPTS[product]).hex()


@pytest.mark.parametrize(("product", "limits"), CHANGES)
def test_a_coa_s_limits_octet_by_octet(product: str, limits: str) -> None:
    said = dialect.change(product, {"limited": LIMITED, "lifted": FREE}[limits])
    assert wire.encode_attributes(said).hex() == octets(CHANGES[product, limits]).hex()


def test_every_product_has_a_dialect_and_another_gets_the_standard() -> None:
    assert set(DIALECTS) == set(PRODUCTS) == set(ACCEPTS) == set(COA)
    assert dialect.say("nobody-knows", LIMITED) == dialect.say("standard", LIMITED)


def test_only_those_that_take_a_coa_have_something_to_say_in_it() -> None:
    takers = {product for product, takes in COA.items() if takes is Dynamic.COA}
    assert takers == {product for product, _ in CHANGES}
    for product in DIALECTS:
        assert bool(dialect.change(product, FREE)) == (product in takers)


@pytest.mark.parametrize("product", DIALECTS)
def test_without_limits_only_the_time_is_said(product: str) -> None:
    kinds = {kind for kind, _ in dialect.say(product, FREE)}
    assert 27 in kinds and kinds <= {27, 29}


@pytest.mark.parametrize("product", DIALECTS)
def test_what_is_said_depends_on_the_limits_alone(product: str) -> None:
    """So the octets may be kept by product and limits, whoever is let on."""
    another = replace(LIMITED, grant_id=99, device_id=98)
    assert dialect.say(product, another) == dialect.say(product, LIMITED)
    assert dialect.change(product, another) == dialect.change(product, LIMITED)


def number(said: list[Attribute], vendor: int, kind: int) -> int | None:
    inner = vendor.to_bytes(4, "big") + bytes((kind, 6))
    values = [value[6:] for code, value in said if code == 26 and value.startswith(inner)]
    assert len(values) < 2
    return int.from_bytes(values[0], "big") if values else None


@pytest.mark.parametrize(
    ("product", "vendor", "low", "high"), [("coovachilli", 14559, 3, 23), ("mikrotik", 14988, 17, 18)]
)
@given(left=st.integers(0, 1 << 63))
def test_a_volume_is_exact_and_never_none(product: str, vendor: int, low: int, high: int, left: int) -> None:
    """0 would be no limit to both."""
    said = dialect.say(product, Accept(7, 3, 60, 0, 0, 0, left))
    octets, gigawords = number(said, vendor, low), number(said, vendor, high)
    assert octets is not None
    assert octets + ((gigawords or 0) << 32) == max(1, left)
    assert gigawords != 0


@given(
    st.builds(
        Accept,
        grant_id=st.just(1),
        device_id=st.just(1),
        session_seconds=st.integers(1, 1 << 40),
        idle_seconds=st.integers(0, 1 << 40),
        rate_down_bps=st.integers(0, 1 << 40),
        rate_up_bps=st.integers(0, 1 << 40),
        octets_left=st.none() | st.integers(0, 1 << 80),
        vlan_id=st.integers(0, 4_094),
    )
)
def test_any_accept_can_be_said_to_anyone_and_fits_a_packet(accept: Accept) -> None:
    for product in DIALECTS:
        for said in (dialect.say(product, accept), dialect.change(product, accept)):
            raw = wire.encode_reply(wire.parse(REQUEST), Code.ACCESS_ACCEPT, said, SECRET)
            assert list(wire.parse(raw).attributes)[1:] == said
        assert dialect.say(product, accept) == dialect.say(product, accept)


# FreeRADIUS's client reads it -----------------------------------------------------------------------------


READS = {
    "coovachilli": {
        "Session-Timeout = 3600",
        "Idle-Timeout = 900",
        "WISPr-Bandwidth-Max-Up = 4000000",
        "WISPr-Bandwidth-Max-Down = 16000000",
        "ChilliSpot-Max-Total-Octets = 705032704",
        "Attr-26.14559.23 = 0x00000001",  # its dictionary is older than CoovaChilli's
    },
    "mikrotik": {
        "Session-Timeout = 3600",
        "Idle-Timeout = 900",
        'Mikrotik-Rate-Limit = "4000000/16000000"',
        "Mikrotik-Total-Limit = 705032704",
        "Mikrotik-Total-Limit-Gigawords = 1",
        "Tunnel-Type:0 = VLAN",
        "Tunnel-Medium-Type:0 = IEEE-802",
        'Tunnel-Private-Group-Id:0 = "42"',
        "Mikrotik-Wireless-VLANID = 42",
        "Mikrotik-Wireless-VLANID-Type = 802.1q",
    },
    "aruba": {
        "Session-Timeout = 3600",
        "Idle-Timeout = 900",
        "Termination-Action = Default",
        "WISPr-Bandwidth-Max-Up = 4000000",
        "WISPr-Bandwidth-Max-Down = 16000000",
        "Tunnel-Type:0 = VLAN",
        "Tunnel-Medium-Type:0 = IEEE-802",
        'Tunnel-Private-Group-Id:0 = "42"',
        "Aruba-User-Vlan = 42",
    },
    "cisco": {
        "Session-Timeout = 3600",
        "Idle-Timeout = 900",
        "Termination-Action = Default",
        "Airespace-Data-Bandwidth-Average-Contract = 16000",
        "Airespace-Real-Time-Bandwidth-Average-Contract = 16000",
        "Airespace-Data-Bandwidth-Burst-Contract = 16000",
        "Airespace-Real-Time-Bandwidth-Burst-Contract = 16000",
        "Airespace-Data-Bandwidth-Average-Contract-Upstream = 4000",
        "Airespace-Real-Time-Bandwidth-Average-Contract-Upstream = 4000",
        "Airespace-Data-Bandwidth-Burst-Contract-Upstream = 4000",
        "Airespace-Real-Time-Bandwidth-Burst-Contract-Upstream = 4000",
        "Tunnel-Type:0 = VLAN",
        "Tunnel-Medium-Type:0 = IEEE-802",
        'Tunnel-Private-Group-Id:0 = "42"',
    },
}


@pytest.mark.tool("radclient")
@pytest.mark.parametrize("product", READS)
def test_radclient_reads_every_attribute_by_its_name(product: str) -> None:
    """A stranger's dictionaries and decoder: the numbers, types and tags are what the makers published."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)

        def answer() -> None:
            asked, client = server.recvfrom(4_096)
            said = dialect.say(product, LIMITED)
            server.sendto(wire.encode_reply(wire.parse(asked), Code.ACCESS_ACCEPT, said, SECRET), client)

        answering = threading.Thread(target=answer)
        answering.start()
        done = subprocess.run(
            ["radclient", "-x", "-t", "5", "-r", "1", f"127.0.0.1:{server.getsockname()[1]}", "auth", SECRET.decode()],
            input="User-Name=nemo,User-Password=arctangent,Message-Authenticator=0x00",
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        answering.join(10)
    received = done.stdout.partition("Received Access-Accept")[2]
    lines = {re.sub("[ \\t]+", " ", line.strip()) for line in received.splitlines()[1:]}
    assert {line for line in lines if line and not line.startswith("Message-Authenticator")} == READS[product], done
