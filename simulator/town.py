"""TOWN.json: what the simulated town consists of, read strictly into frozen values.

It never guesses: a key that is missing, unknown or of the wrong type is a ConfigError that names its place.
The file holds shared secrets, so it is written readable by its owner only.
"""

from __future__ import annotations

import dataclasses
import json
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from hotspot.errors import ConfigError

TOWN_OCTETS_MAX = 1 << 20
"""Largest TOWN.json that is read."""

PORT_MAX = 65535
V3_PASSWORD_MIN = 8
"""RFC 3414 section 11.2."""

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class TownNas:
    """One NAS: where its hotspot listens (`address:port`), whom it asks, and what it shares with them."""

    name: str
    nas_identifier: str
    listen: str
    coa_port: int
    radius_host: str
    auth_port: int
    acct_port: int
    secret: str = field(repr=False)
    uam_secret: str = field(repr=False)
    octets_swapped: bool
    ssid: str
    interim_seconds: int

    @property
    def address(self) -> str:
        return self.listen.rpartition(":")[0]

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])


@dataclass(frozen=True, slots=True)
class TownAccessPoint:
    """One access point's SNMP agent. v2c uses `community`; v3 (authPriv, SHA-256 and AES-128) the other three."""

    name: str
    address: str
    port: int
    version: Literal["v2c", "v3"]
    community: str = field(repr=False)
    user: str
    auth_password: str = field(repr=False)
    priv_password: str = field(repr=False)
    ssids: tuple[str, ...]
    fails: bool


@dataclass(frozen=True, slots=True)
class TownCity:
    """One city: its portal as residents reach it (no slash at the end), and about how many are there at once."""

    key: str
    portal_url: str
    residents: int
    nas: TownNas
    access_points: tuple[TownAccessPoint, ...]


@dataclass(frozen=True, slots=True)
class Town:
    """The whole town. `seed` decides everything random in it."""

    cities: tuple[TownCity, ...]
    seed: int


def load(path: Path | str) -> Town:
    """Read TOWN.json; ConfigError names the file, the place in it and what would be right."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            raw = file.read(TOWN_OCTETS_MAX + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    if len(raw) > TOWN_OCTETS_MAX:
        raise ConfigError(f"{path}: larger than {TOWN_OCTETS_MAX} octets")
    try:
        data = json.loads(raw)
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON: {error}") from error
    try:
        town = _record(Town, data, "")
        _check(town)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return town


def dump(town: Town, path: Path | str) -> None:
    """Write TOWN.json for `load`, mode 0600 from its first octet on."""
    text = json.dumps(dataclasses.asdict(town), indent=2, ensure_ascii=False) + "\n"
    path = Path(path)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def _record(cls: type[Made], data: object, place: str) -> Made:
    """A dataclass from a JSON object that has exactly its keys."""
    if not isinstance(data, Mapping):
        raise ConfigError(f"{place or 'the file'}: an object is wanted")
    hints = typing.get_type_hints(cls)
    known = [each.name for each in dataclasses.fields(cls)]  # type: ignore[arg-type]
    for key in data:
        if key not in known:
            raise ConfigError(f"{_at(place, str(key))}: unknown key; known here: {', '.join(known)}")
    for key in known:
        if key not in data:
            raise ConfigError(f"{_at(place, key)}: missing")
    return cls(**{key: _value(hints[key], data[key], _at(place, key)) for key in known})


def _value(hint: Any, value: object, place: str) -> object:
    origin = typing.get_origin(hint)
    if origin is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{place}: a list is wanted")
        inner = typing.get_args(hint)[0]
        return tuple(_value(inner, each, f"{place}[{index}]") for index, each in enumerate(value))
    if origin is Literal:
        if value not in typing.get_args(hint):
            raise ConfigError(f"{place}: one of {', '.join(map(repr, typing.get_args(hint)))} is wanted")
        return value
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _record(hint, value, place)
    assert isinstance(hint, type) and not isinstance(hint, types.GenericAlias)
    if type(value) is not hint:  # bool is an int for isinstance, and `"coa_port": true` a mistake
        raise ConfigError(f"{place}: {_WORDS[hint]} is wanted")
    return value


_WORDS = {str: "a text", int: "a whole number", bool: "true or false"}


def _at(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _check(town: Town) -> None:
    for number, city in enumerate(town.cities):
        place = f"cities[{number}]"
        _check_nas(city.nas, f"{place}.nas")
        if city.residents < 0:
            raise ConfigError(f"{place}.residents: 0 or more is wanted")
        if not city.portal_url.startswith(("http://", "https://")) or city.portal_url.endswith("/"):
            raise ConfigError(f"{place}.portal_url: write it like http://rostock.localhost:8080, no slash at the end")
        for index, point in enumerate(city.access_points):
            _check_point(point, f"{place}.access_points[{index}]")


def _check_nas(nas: TownNas, place: str) -> None:
    port = nas.listen.rpartition(":")[2]
    if not nas.address or not port.isascii() or not port.isdigit():
        raise ConfigError(f"{place}.listen: write it like 127.2.0.1:3990")
    for key in ("port", "coa_port", "auth_port", "acct_port"):
        _check_port(getattr(nas, key), f"{place}.{'listen' if key == 'port' else key}")
    if nas.interim_seconds < 1:
        raise ConfigError(f"{place}.interim_seconds: 1 or more is wanted")


def _check_point(point: TownAccessPoint, place: str) -> None:
    _check_port(point.port, f"{place}.port")
    if point.version == "v2c" and not point.community:
        raise ConfigError(f"{place}.community: v2c needs one")
    if point.version == "v3" and not point.user:
        raise ConfigError(f"{place}.user: v3 needs one")
    for key in ("auth_password", "priv_password") if point.version == "v3" else ():
        if len(getattr(point, key)) < V3_PASSWORD_MIN:
            raise ConfigError(f"{place}.{key}: v3 needs one of at least {V3_PASSWORD_MIN} characters")


def _check_port(port: int, place: str) -> None:
    if not 1 <= port <= PORT_MAX:
        raise ConfigError(f"{place}: a port from 1 to {PORT_MAX} is wanted")
