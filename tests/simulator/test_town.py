"""TOWN.json: what is written comes back, and every mistake is named with its place."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hotspot.errors import ConfigError
from simulator import town


def test_a_town_survives_its_file_and_only_its_owner_reads_it(
    make_scene: Callable[..., Any], make_point: Callable[..., Any], tmp_path: Path
) -> None:
    built = make_scene(
        residents=3,
        points=(
            make_point(),
            make_point(version="v3", user="u", auth_password="a" * 8, priv_password="p" * 8, fails=True),
        ),
    ).town
    path = tmp_path / "TOWN.json"
    path.write_text("an older one, readable by all")
    town.dump(built, path)
    assert town.load(path) == built
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_secrets_are_not_shown(make_scene: Callable[..., Any], make_point: Callable[..., Any]) -> None:
    built = make_scene(points=(make_point(auth_password="ap-secret", priv_password="pp-secret"),)).town
    shown = repr(built)
    assert not any(secret in shown for secret in ("a-secret-of", "uamsecret1", "stralsund-read", "-secret"))


def _set(*place: Any, to: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for step in place[:-1]:
            data = data[step]
        data[place[-1]] = to

    return change


def _drop(*place: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for step in place[:-1]:
            data = data[step]
        del data[place[-1]]

    return change


NAS = ("cities", 0, "nas")
POINT = ("cities", 0, "access_points", 0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_set("colour", to=1), "colour: unknown key; known here: cities, seed"),
        (_drop("seed"), "seed: missing"),
        (_set(*NAS, "sekret", to=""), r"cities\[0\]\.nas\.sekret: unknown key"),
        (_drop(*NAS, "secret"), r"cities\[0\]\.nas\.secret: missing"),
        (_set(*NAS, "coa_port", to=True), r"coa_port: a whole number is wanted"),
        (_set(*NAS, "coa_port", to=70_000), r"coa_port: a port from 1 to 65535"),
        (_set(*NAS, "octets_swapped", to=1), "octets_swapped: true or false is wanted"),
        (_set(*NAS, "listen", to="127.0.0.1"), "listen: write it like"),
        (_set(*NAS, "listen", to="127.0.0.1:0"), r"nas\.listen: a port from 1"),
        (_set(*NAS, "interim_seconds", to=0), "interim_seconds: 1 or more"),
        (_set(*POINT, "version", to="v1"), r"access_points\[0\]\.version: one of 'v2c', 'v3'"),
        (_set(*POINT, "ssids", to="WLAN"), "ssids: a list is wanted"),
        (_set(*POINT, "ssids", to=[1]), r"ssids\[0\]: a text is wanted"),
        (_set(*POINT, "port", to=0), r"access_points\[0\]\.port: a port"),
        (_set(*POINT, "community", to=""), r"access_points\[0\]\.community: v2c needs one"),
        (_set(*POINT, "version", to="v3"), r"access_points\[0\]\.user: v3 needs one"),
        (_set("cities", 0, "residents", to=-1), "residents: 0 or more"),
        (_set("cities", 0, "portal_url", to="https://x/"), "portal_url: write it like"),
        (_set("cities", 0, "nas", to=[]), r"cities\[0\]\.nas: an object is wanted"),
    ],
)
def test_a_mistake_is_named_with_its_place(
    change: Callable[[Any], None],
    says: str,
    make_scene: Callable[..., Any],
    make_point: Callable[..., Any],
    tmp_path: Path,
) -> None:
    path = tmp_path / "TOWN.json"
    town.dump(make_scene(points=(make_point(),)).town, path)
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    with pytest.raises(ConfigError, match=says) as error:
        town.load(path)
    assert str(error.value).startswith(str(path))


def test_v3_passwords_have_eight_characters(
    make_scene: Callable[..., Any], make_point: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "TOWN.json"
    short = make_point(version="v3", user="u", auth_password="a" * 8, priv_password="short")
    town.dump(make_scene(points=(short,)).town, path)
    with pytest.raises(ConfigError, match="priv_password: v3 needs one of at least 8"):
        town.load(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_what_is_no_town_is_said(text: str, tmp_path: Path) -> None:
    path = tmp_path / "TOWN.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"TOWN\.json: "):
        town.load(path)
    with pytest.raises(ConfigError, match="No such file"):
        town.load(tmp_path / "none.json")
