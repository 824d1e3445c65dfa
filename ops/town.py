"""TOWN.json for the simulator: what it may know of the cities, which is what a vendor's technician would type in.

The file's format is docs/simulator.md's; the simulator is a separate party and is not imported.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from service.cities import City
from store import fleet, nases
from store.nases import Nas

SSID_GUEST = "WLAN"
RESIDENTS = 12
"""Residents of a city at once."""

SEED = 20261123


def write_town(path: Path, cities: Sequence[City], *, residents: int = RESIDENTS) -> None:
    """Write it 0600: it holds RADIUS secrets and SNMP credentials."""
    town = {"seed": SEED, "cities": [_city(city, residents) for city in cities]}
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(town, file, indent=1)


def _city(city: City, residents: int) -> dict[str, Any]:
    with city.store.read() as conn:
        nas = min(nases.nases(conn, city.store.keys), key=lambda nas: nas.id)  # the seed's, whatever was added later
        points = fleet.access_points(conn, city.store.keys)
    ssid = f"{city.key.capitalize()}-{SSID_GUEST}"
    return {
        "key": city.key,
        "portal_url": city.config.portal.url,
        "residents": residents,
        "nas": _nas(city, nas, ssid),
        "access_points": [_point(point, ssid, fails=index == 1) for index, point in enumerate(points)],
    }


def _nas(city: City, nas: Nas, ssid: str) -> dict[str, Any]:
    radius = city.config.radius
    return {
        "name": nas.name,
        "nas_identifier": nas.nas_identifier,
        "listen": urlsplit(nas.login_url).netloc,
        "coa_port": nas.coa_port,
        "radius_host": str(radius.listen),
        "auth_port": radius.auth_port,
        "acct_port": radius.acct_port,
        "secret": nas.secret.decode(),
        "uam_secret": nas.uam_secret.decode(),
        "octets_swapped": nas.octets_swapped,
        "ssid": ssid,
        "interim_seconds": radius.interim_seconds,
    }


def _point(point: fleet.AccessPoint, ssid: str, *, fails: bool) -> dict[str, Any]:
    return {
        "name": point.name,
        "address": point.address,
        "port": point.port,
        "version": point.credential.version,
        "community": point.credential.community,
        "user": point.credential.user,
        "auth_password": point.credential.auth_password,
        "priv_password": point.credential.priv_password,
        "ssids": [ssid, "eduroam"],
        "fails": fails,
    }
