"""The ways in which the portal may hand a resident over to a NAS, and what each needs to be told: a table, no code.

How each is done stands in `portal.captive.handoff`, a module a product.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

AT_THE_FRONT = "/"
BY_NAS = "/at/{}"
UNIFI_PATH = "/guest/s/{}/"

ACCOUNT = "name:password"
ACCOUNT_OR_PASSWORD = "name:password or password"
API_KEY = "API key"


@dataclass(frozen=True, slots=True)
class HandOver:
    """One way. `arrives`: the portal's path that is typed into the NAS; the NAS-Identifier goes into `{}`.

    `calls`: the portal speaks to a controller, and the log-in address is the controller's, which no resident is sent
    to. `credentials`: what the controller wants to be told; it stands in the NAS's UAM secret. `login_example` is how
    the log-in address looks, where that is not the product's usual one.
    """

    key: str
    name: str
    arrives: str = BY_NAS
    calls: bool = False
    credentials: str = ""
    login_example: str = ""


HANDOVERS: dict[str, HandOver] = {
    each.key: each
    for each in (
        HandOver("none", "–", arrives=AT_THE_FRONT),
        HandOver("uam", "UAM (CoovaChilli, uspot)", arrives=AT_THE_FRONT),
        HandOver("fas1", "openNDS FAS, level 1", arrives=AT_THE_FRONT),
        HandOver("fas2", "openNDS FAS, level 2", arrives=AT_THE_FRONT),
        HandOver("fas3", "openNDS FAS, level 3", arrives=AT_THE_FRONT),
        HandOver("fas4", "openNDS FAS, level 4", arrives=AT_THE_FRONT),
        HandOver("mikrotik", "RouterOS login.html"),
        HandOver("aruba", "Aruba Instant"),
        HandOver("cisco", "Cisco WLC, Catalyst 9800"),
        HandOver("meraki", "Meraki sign-on (RADIUS)", login_example="https://n143.network-auth.com/splash/login"),
        HandOver("meraki-click", "Meraki click-through", login_example="https://n143.network-auth.com/splash/grant"),
        HandOver("ruckus", "Unleashed, ZoneDirector"),
        HandOver(
            "smartzone",
            "SmartZone northbound interface",
            calls=True,
            credentials=ACCOUNT_OR_PASSWORD,
            login_example="https://smartzone.example.org:9443",
        ),
        HandOver(
            "unifi-classic",
            "UniFi controller, name:password",
            arrives=UNIFI_PATH,
            calls=True,
            credentials=ACCOUNT,
            login_example="https://unifi.example.org:8443",
        ),
        HandOver(
            "unifi-os",
            "UniFi OS, name:password",
            arrives=UNIFI_PATH,
            calls=True,
            credentials=ACCOUNT,
            login_example="https://unifi.example.org",
        ),
        HandOver(
            "unifi-key",
            "UniFi OS, API key (Network 9.1.105)",
            arrives=UNIFI_PATH,
            calls=True,
            credentials=API_KEY,
            login_example="https://unifi.example.org",
        ),
    )
}
"""By key; which of them a product may have stands in `hotspot.products`."""


def arrival_path(key: str, nas_identifier: str) -> str:
    """The path of the portal to which the NAS sends residents."""
    return HANDOVERS[key].arrives.format(quote(nas_identifier, safe=""))
