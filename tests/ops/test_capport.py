"""`kogge capport`: values that real DHCP servers read, and nothing where no device would take them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.capport import SNIPPETS, written
from tests.conftest import run
from tests.ops.conftest import Kogge
from tests.support.installation import Written, write_installation

URL = "https://wlan.rostock.example/capport"


@pytest.fixture
def behind_tls(tmp_path: Path) -> Written:
    """Rostock's file with an https address."""
    made = write_installation(tmp_path / "installation", ["rostock"])
    file = made.path / "cities" / "rostock.toml"
    lines = file.read_text().splitlines()
    changed = [
        'url = "https://wlan.rostock.example"' if line.startswith('url = "http://ro') else line for line in lines
    ]
    assert changed != lines
    file.write_text("\n".join(changed))
    return made


def test_it_prints_each_server_s_lines(behind_tls: Written, kogge: Kogge) -> None:
    result = kogge("capport", "rostock", "--dir", behind_tls.path)
    assert result.exit_code == 0
    for snippet in SNIPPETS:
        for line in written(snippet, URL).splitlines():
            assert f"    {line}\n" in result.stdout
    assert "portal.unnatted_networks is empty" in result.stderr


def test_the_document_is_for_scripts(behind_tls: Written, kogge: Kogge) -> None:
    said = json.loads(kogge("capport", "rostock", "--json", "--dir", behind_tls.path).stdout)
    assert (said["url"], said["dhcpv4_option"], said["dhcpv6_option"]) == (URL, 114, 103)
    assert said["router_advertisement_option"] == 37 and said["unnatted_networks"] == []
    assert said["servers"][0]["lines"][0] == f"dhcp-option=114,{URL}"


def test_without_tls_it_says_what_to_do(two_cities: Written, kogge: Kogge) -> None:
    result = kogge("capport", "rostock", "--dir", two_cities.path)
    assert result.exit_code == 2 and result.stdout == ""
    assert "devices take an API only over https (RFC 8910 section 2): put the portal behind TLS" in result.stderr


# Read by the servers themselves -----------------------------------------------------------------------------

Wrap = Callable[[str], str]
READERS: dict[str, tuple[str, list[str], Wrap]] = {
    "dnsmasq.conf": ("dnsmasq", ["--test", "-C"], str),
    "kea-dhcp4.conf, in Dhcp4 or a subnet": ("kea-dhcp4", ["-t"], lambda text: '{"Dhcp4": {' + text + "}}"),
    "kea-dhcp6.conf, in Dhcp6 or a subnet": ("kea-dhcp6", ["-t"], lambda text: '{"Dhcp6": {' + text + "}}"),
    "dhcpd.conf": ("dhcpd", ["-t", "-4", "-cf"], lambda text: text + "\nsubnet 10.1.0.0 netmask 255.255.255.0 {}\n"),
    "dhcpd6.conf": ("dhcpd", ["-t", "-6", "-cf"], lambda text: text + "\nsubnet6 2001:db8::/64 {}\n"),
}


@pytest.mark.tool("dnsmasq")
@pytest.mark.tool("kea-dhcp4")
@pytest.mark.tool("kea-dhcp6")
@pytest.mark.tool("dhcpd")
@pytest.mark.parametrize("where", READERS)
@pytest.mark.parametrize("spoiled", [False, True])
def test_the_servers_read_it(tmp_path: Path, where: str, spoiled: bool) -> None:
    program, options, wrap = READERS[where]
    (snippet,) = [each for each in SNIPPETS if each.where == where]
    text = written(snippet, URL)
    file = tmp_path / "file"
    file.write_text(wrap(text.replace("option", "optoin") if spoiled else text))
    done = run(shutil.which(program) or program, *options, str(file))
    assert (done.returncode == 0) is not spoiled, done.stderr + done.stdout
