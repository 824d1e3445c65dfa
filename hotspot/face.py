"""How a place shows itself: name, logo, colours, welcome, whom to ask. A site's own face lies over its city's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from hotspot.colours import Colours
from hotspot.errors import InputError
from hotspot.logo import Logo

NAME_MAX = 60
WELCOME_MAX = 300
SSID_OCTETS_MAX = 32
"""IEEE 802.11-2020, section 9.4.2.2."""


@dataclass(frozen=True, slots=True)
class HelpContact:
    """Whom residents ask."""

    name: str
    email: str
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Face:
    """What is empty is the city's, and what the city leaves empty is the house's. `welcome` is by language."""

    name: str = ""
    logo: Logo | None = None
    colours: Colours | None = None
    welcome: Mapping[str, str] = field(default_factory=dict)
    help: HelpContact | None = None
    ssid: str = ""

    def over(self, other: Face) -> Face:
        """This face where it says something, the other where it is silent. Colours come together or not at all."""
        said = {each.name: getattr(self, each.name) for each in fields(self) if getattr(self, each.name)}
        return replace(other, **said)

    def welcomed(self, language: str) -> str:
        """The welcome in that language (`de` for `de-simple`); empty where there is none."""
        return self.welcome.get(language) or self.welcome.get(language.partition("-")[0]) or ""


def read_ssid(text: str) -> str:
    """A network's name as people see it. InputError where it is too long or has control characters."""
    if len(text.encode()) > SSID_OCTETS_MAX or not text.isprintable():
        raise InputError(f"{text[:40]!r} is not a network name (SSID) of at most {SSID_OCTETS_MAX} octets")
    return text
