"""What to type into each product: every place filled, secrets quoted as the product reads them; hostapd really does."""

from __future__ import annotations

import hashlib
import re
import socket
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from config.model import CityConfig
from hotspot.products import PRODUCTS
from service import snippets
from service.snippets import garden_hosts, snippet, walled_garden, without_secrets
from store.nases import Nas
from tests.support.cities import city_config, free_udp_port

NAS = Nas(
    1, "Hafen Ost", "Stadthafen", "hafen 1", "192.0.2.7", "standard", "http://10.1.0.1:3990", 1700, "yes", None, True,
    False, b"radius-secret-42", b"uam-secret-42",
)  # fmt: skip
FOLDER = Path(snippets.__file__).parent


@pytest.fixture
def config() -> CityConfig:
    radius = {"auth_port": 11_812, "acct_port": 11_813, "interim_seconds": 300}
    return city_config("rostock", radius=radius, portal={"url": "https://wlan.rostock.example"})


def of(config: CityConfig, product: str, nas: Nas = NAS) -> snippets.Snippet:
    return snippet(config, replace(nas, product=product))


def test_each_product_has_its_file_and_no_other() -> None:
    assert {file.stem for file in FOLDER.glob("*.toml")} == set(PRODUCTS)


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_snippet_has_all_that_a_nas_must_know(config: CityConfig, product: str) -> None:
    made = of(config, product)
    assert "{{" not in made.config + made.walled_garden and made.where
    assert "wlan.rostock.example" in made.walled_garden
    known = {"hafen 1", "127.0.0.1", "11812", "11813", "radius-secret-42"}
    if product == "opennds":  # it speaks no RADIUS
        known = {"wlan.rostock.example", "443", "uam-secret-42"}
    assert not {word for word in known if word not in made.config}


@pytest.mark.parametrize("product", ["coovachilli", "mikrotik", "aruba", "cisco", "hostapd", "ruckus", "standard"])
def test_the_interim_interval_is_told(config: CityConfig, product: str) -> None:
    assert re.search(r"\b(300s?|5)\b", of(config, product).config)


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_page_may_hide_the_secrets(config: CityConfig, product: str) -> None:
    made = of(config, product, without_secrets(NAS))
    assert "secret-42" not in made.config and snippets.HIDDEN in made.config


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_garden_is_of_the_portal_and_never_of_what_devices_look_for(config: CityConfig, product: str) -> None:
    garden = walled_garden(product, (*garden_hosts(config, NAS), "pay.example"))
    assert garden.index("wlan.rostock.example") < garden.index("pay.example")
    for probe in ("captive.apple.com", "gstatic", "msftconnecttest", "detectportal"):
        assert probe not in garden + of(config, product).config


@pytest.mark.parametrize(
    ("product", "secret", "written"),
    [
        ("mikrotik", 'a"b\\c$d?eeeee', 'secret="a\\"b\\\\c\\$d\\?eeeee"'),
        ("coovachilli", "a#bcdefghijkl", 'radiussecret     "a#bcdefghijkl"'),
        ("coovachilli", 'a"bcdefghijkl', 'radiussecret     a"bcdefghijkl'),
    ],
)
def test_signs_in_a_secret_are_quoted(config: CityConfig, product: str, secret: str, written: str) -> None:
    assert written in of(config, product, replace(NAS, secret=secret.encode())).config


def test_a_quote_does_not_end_opennds_key(config: CityConfig) -> None:
    assert "faskey 'it'\\''s-a-secret'" in of(config, "opennds", replace(NAS, uam_secret=b"it's-a-secret")).config


def test_a_place_that_nothing_fills_is_our_fault(config: CityConfig) -> None:
    places = {place for file in FOLDER.glob("*.toml") for place in re.findall(r"\{\{(\w+)", file.read_text())}
    assert places - set(snippets._values(config, NAS)) == {"host", "hosts"}
    assert all(
        set(tomllib.loads(file.read_text())) == {"where", "config", "walled_garden"} for file in FOLDER.glob("*.toml")
    )


@pytest.mark.tool("hostapd")
def test_hostapd_understands_its_snippet(config: CityConfig, tmp_path: Path) -> None:
    """The daemon itself reads the lines and speaks: its first packet is made with the secret and bears the name."""
    secret = b"s3cret!#$%&'()*+,-./:;<=>?@[]^_`{|}~"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)
        ports = {"auth_port": server.getsockname()[1] - 1, "acct_port": server.getsockname()[1]}
        moved = config.model_copy(update={"radius": config.radius.model_copy(update=ports)})
        file = tmp_path / "hostapd.conf"
        nas = replace(NAS, secret=secret, coa_port=free_udp_port())
        file.write_text(f"interface=kogge-none\ndriver=none\nssid=WLAN\n{of(moved, 'hostapd', nas).config}\n")
        with subprocess.Popen(["hostapd", str(file)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as daemon:
            try:
                packet = server.recv(4_096)
            finally:
                daemon.terminate()
    assert packet[0] == 4, "an Accounting-Request: Accounting-On"
    assert b"\x20\x09hafen 1" in packet, "attribute 32, NAS-Identifier"
    signed = packet[:4] + bytes(16) + packet[20:] + secret
    assert hashlib.md5(signed).digest() == packet[4:20]  # RFC 2866 section 3
