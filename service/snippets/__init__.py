"""What to type into a NAS: one file a product, its places filled with this city's addresses and this NAS's secrets.

A file is data: `where` says where it goes, `config` is what to paste or type, `walled_garden` how a list of hosts is
written. A place is `{{name}}`, or `{{name:quoting}}` where the product's language has quotes.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from config.model import CityConfig
from hotspot import wifi4eu
from hotspot.handoffs import arrival_path
from store.nases import Nas

HIDDEN = "••••••••"
"""What stands where a secret is not to be seen."""

_PLACE = re.compile(r"\{\{(\w+)(?::(\w+))?\}\}")


@dataclass(frozen=True, slots=True)
class Snippet:
    """`where` is a text of the portal's catalogues; the others are for the NAS, and English where they are words."""

    where: str
    config: str
    walled_garden: str


def snippet(config: CityConfig, nas: Nas) -> Snippet:
    """What to type into this NAS, its secrets in the clear."""
    template = _template(nas.product)
    values = _values(config, nas)
    return Snippet(
        str(template["where"]),
        _fill(template["config"].strip("\n"), values),
        walled_garden(nas.product, garden_hosts(config, nas)),
    )


def without_secrets(nas: Nas) -> Nas:
    """The same NAS with dots for secrets, for a page over whose owner's shoulder somebody looks."""
    return replace(nas, secret=HIDDEN.encode(), uam_secret=HIDDEN.encode())


def garden_hosts(config: CityConfig, nas: Nas) -> tuple[str, ...]:
    """Hosts that a device must reach at this NAS before it is logged in, each once.

    Never those by which a device looks for a portal.
    """
    signing_in = config.oidc.hosts if config.oidc is not None else ()
    banner = (wifi4eu.HOST,) if config.face.wifi4eu.enabled else ()
    return tuple(dict.fromkeys((config.portal.host, *signing_in, *banner, *nas.walled_garden.split())))


def portal_address(config: CityConfig, nas: Nas) -> str:
    """The portal as this NAS must be told it: a redirect that does not name its NAS has an address of its own."""
    return f"{config.portal.url}{arrival_path(nas.handoff, nas.nas_identifier)}"


def walled_garden(product: str, hosts: tuple[str, ...]) -> str:
    """These hosts as the product's configuration writes them."""
    template = _template(product)["walled_garden"]
    listed = template["join"].join(_fill(template["host"], {"host": host}) for host in hosts)
    return _fill(template["frame"], {"hosts": listed})


@cache
def _template(product: str) -> dict[str, Any]:
    return tomllib.loads((files("service.snippets") / f"{product}.toml").read_text(encoding="utf-8"))


def _values(config: CityConfig, nas: Nas) -> dict[str, str]:
    portal, radius = urlsplit(config.portal.url), config.radius
    return {
        "name": nas.name,
        "nas_identifier": nas.nas_identifier,
        "secret": nas.secret.decode(),
        "uam_secret": nas.uam_secret.decode(),
        "coa_port": str(nas.coa_port),
        "radius_address": str(radius.listen),
        "auth_port": str(radius.auth_port),
        "acct_port": str(radius.acct_port),
        "interim_seconds": str(radius.interim_seconds),
        "interim_minutes": str(max(1, round(radius.interim_seconds / 60))),
        "portal_url": config.portal.url,
        "portal_address": portal_address(config, nas),
        "portal_path": arrival_path(nas.handoff, nas.nas_identifier),
        "portal_host": config.portal.host,
        "portal_port": str(portal.port or {"https": 443}.get(portal.scheme, 80)),
    }


def _fill(text: str, values: Mapping[str, str]) -> str:
    """Every place with its value. KeyError for a place that nothing fills: a mistake in our file."""
    return _PLACE.sub(lambda place: _QUOTINGS[place[2]](values[place[1]]) if place[2] else values[place[1]], text)


# Quoting ------------------------------------------------------------------------------------------------


def _in_double_quotes(escaped: str) -> Callable[[str], str]:
    """Double quotes, with a backslash before each of the characters that mean something inside."""

    def quote(text: str) -> str:
        return '"' + re.sub(f"[{re.escape(escaped)}]", r"\\\g<0>", text) + '"'

    return quote


def _in_single_quotes(text: str) -> str:
    """As a shell and OpenWrt's uci want it: nothing means anything inside, and a quote ends it for a moment."""
    return "'" + text.replace("'", "'\\''") + "'"


def _for_chilli(text: str) -> str:
    """Bare, or in double quotes where a space or a comment's sign is in it: chilli knows no escapes."""
    return f'"{text}"' if re.search(r'[\s#]|^"', text) else text


_QUOTINGS: dict[str, Callable[[str], str]] = {
    "chilli": _for_chilli,
    "routeros": _in_double_quotes('"\\$?'),
    "ios": _in_double_quotes('"\\'),
    "shell": _in_single_quotes,
}
