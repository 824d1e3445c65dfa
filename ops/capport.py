"""`kogge capport`: what a DHCP server or a router is told, so that devices find the captive portal API (RFC 8910)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from config.model import CityConfig
from hotspot.errors import ConfigError
from ops import installation as installations
from ops.command import at, city_key, plainly

DHCPV4_OPTION, DHCPV6_OPTION, RA_TYPE = 114, 103, 37
"""RFC 8910 sections 2.1 to 2.3."""

URL_OCTETS_MAX = 255
"""What a DHCPv4 option holds (RFC 2132 section 2)."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """What goes into one server's file, `{url}` being the API's address. `tells`: by which of the three ways."""

    server: str
    where: str
    tells: str
    text: str


SNIPPETS = (
    Snippet(
        "dnsmasq",
        "dnsmasq.conf",
        "DHCPv4, DHCPv6",
        "dhcp-option={v4},{url}\ndhcp-option=option6:{v6},{url}",
    ),
    Snippet(
        "Kea",
        "kea-dhcp4.conf, in Dhcp4 or a subnet",
        "DHCPv4",
        '"option-data": [ {{ "name": "v4-captive-portal", "data": "{url}" }} ]',
    ),
    Snippet(
        "Kea",
        "kea-dhcp6.conf, in Dhcp6 or a subnet",
        "DHCPv6",
        '"option-data": [ {{ "name": "v6-captive-portal", "data": "{url}" }} ]',
    ),
    # The server knows 114 by its name of before RFC 8910.
    Snippet("ISC dhcpd", "dhcpd.conf", "DHCPv4", 'option default-url "{url}";'),
    Snippet(
        "ISC dhcpd",
        "dhcpd6.conf",
        "DHCPv6",
        'option dhcp6.captive-portal code {v6} = string;\noption dhcp6.captive-portal "{url}";',
    ),
    Snippet(
        "MikroTik RouterOS",
        "terminal",
        "DHCPv4, DHCPv6",
        "/ip dhcp-server option add name=capport code={v4} value=\"'{url}'\"\n"
        "/ip dhcp-server network set [find] dhcp-option=capport\n"
        "/ipv6 dhcp-server option add name=capport6 code={v6} value=\"'{url}'\"\n"
        "/ipv6 dhcp-server set [find] dhcp-option=capport6",
    ),
    Snippet(
        "radvd 2.20 or newer",
        "radvd.conf, in the interface",
        "router advertisement",
        'AdvCaptivePortalAPI "{url}";',
    ),
)
"""By each maker's own manual; tests have dnsmasq, Kea and ISC dhcpd read theirs."""

NOBODY = (
    "portal.unnatted_networks is empty: the API knows no device by its address and answers 404, and devices then look "
    "for a portal by themselves, as without these options. Name the networks in which the portal sees a device's own "
    "address."
)


@click.command("capport")
@city_key
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts.")
@at
def command(city: str, as_json: bool, folder: Path) -> None:
    """Print what a DHCP server says of the captive portal.

    RFC 8910: DHCPv4 option 114, DHCPv6 option 103, router advertisement option 37, for dnsmasq, Kea, ISC dhcpd,
    MikroTik and radvd. Devices take nothing but https.
    """
    with plainly():
        _, (config,) = installations.select_cities(folder, [city])
        url = api_url(config)
        if not config.portal.unnatted_networks:
            click.echo(NOBODY, err=True)
        said = json.dumps(document(config, url), indent=2) if as_json else "\n".join(lines(url))
        click.echo(said)


def api_url(config: CityConfig) -> str:
    """The API's address. ConfigError where no device would take it."""
    portal_url = config.portal.url
    if not portal_url.startswith("https://"):
        raise ConfigError(
            f"portal.url is {portal_url}, and devices take an API only over https (RFC 8910 section 2): put the portal "
            "behind TLS (docs/operations.md), then say https:// in portal.url and to the hotspots"
        )
    url = f"{portal_url}/capport"
    if len(url) > URL_OCTETS_MAX:
        raise ConfigError(f"{url} is longer than the {URL_OCTETS_MAX} octets that a DHCP option holds")
    return url


def written(snippet: Snippet, url: str) -> str:
    return snippet.text.format(url=url, v4=DHCPV4_OPTION, v6=DHCPV6_OPTION)


def lines(url: str) -> list[str]:
    """For a person to copy."""
    head = [
        f"Captive portal API: {url}",
        f"DHCPv4 option {DHCPV4_OPTION}, DHCPv6 option {DHCPV6_OPTION}, router advertisement option {RA_TYPE}",
    ]
    for snippet in SNIPPETS:
        head += ["", f"{snippet.server} ({snippet.where}): {snippet.tells}"]
        head += [f"    {line}" for line in written(snippet, url).splitlines()]
    return head


def document(config: CityConfig, url: str) -> dict[str, Any]:
    """For scripts."""
    return {
        "city": config.key,
        "url": url,
        "dhcpv4_option": DHCPV4_OPTION,
        "dhcpv6_option": DHCPV6_OPTION,
        "router_advertisement_option": RA_TYPE,
        "unnatted_networks": [str(network) for network in config.portal.unnatted_networks],
        "servers": [
            {
                "server": snippet.server,
                "where": snippet.where,
                "tells": snippet.tells,
                "lines": written(snippet, url).splitlines(),
            }
            for snippet in SNIPPETS
        ],
    }
