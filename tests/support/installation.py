"""Installations for tests of whole processes: the shipped files with addresses and ports that nobody else has.

Several may run at once on one machine: each takes an address block of its own in 127.0.0.0/8 and ports that were free.
"""

from __future__ import annotations

import json
import random
import socket
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from config.load import FILE_NAME, load_installation
from config.model import CityConfig, Installation
from ops.installation import initialise, lay_files

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Written:
    """An installation's files, parsed. `path` is what a service's `run` and `kogge --config` take."""

    path: Path
    installation: Installation
    cities: dict[str, CityConfig]

    def database(self, key: str) -> Path:
        """The SQLite file of a city that names no database."""
        return self.installation.data_dir / key / "kogge.db"

    def initialise(self) -> None:
        """Keys, databases, seeds, first admins: what `kogge init` does."""
        initialise(self.path, [], now=datetime.now(UTC), say=lambda _: None)


def write_installation(folder: Path, keys: Sequence[str], **changes: dict[str, Any]) -> Written:
    """The shipped files of these cities in `folder`, every listener and address rewritten to free ones.

    `changes` set single keys of every city's file, by table, as in `radius={"interim_seconds": 60}`.
    """
    lay_files(folder, say=lambda _: None)
    ports = _free_ports()
    portal_port = next(ports)
    _change(folder / FILE_NAME, _listeners(portal_port, ports))
    for file in (folder / "cities").glob("*.toml"):
        if file.stem not in keys:
            file.unlink()
    for key in keys:
        file = folder / "cities" / f"{key}.toml"
        _move_city(file, portal_port, ports)
        _change(file, changes)
    loaded = load_installation(folder)
    assert not loaded.problems, loaded.problems
    return Written(folder, loaded.installation, {str(city.key): city for city in loaded.cities})


def _listeners(portal_port: int, ports: Iterator[int]) -> dict[str, dict[str, Any]]:
    return {
        "portal": {"listen": f"{HOST}:{portal_port}", "metrics_listen": f"{HOST}:{next(ports)}"},
        "radius": {"metrics_listen": f"{HOST}:{next(ports)}"},
        "monitor": {"metrics_listen": f"{HOST}:{next(ports)}"},
    }


def _change(file: Path, changes: dict[str, dict[str, Any]]) -> None:
    data = tomllib.loads(file.read_text())
    for table, values in changes.items():
        data.setdefault(table, {}).update(values)
    file.write_text(to_toml(data))


def _move_city(file: Path, portal_port: int, ports: Iterator[int]) -> None:
    """Every address and port of one city's file, seed included."""
    data = tomllib.loads(file.read_text())
    for name in ("url", "staff_url"):
        data["portal"][name] = f"{data['portal'][name].rpartition(':')[0]}:{portal_port}"
    data["radius"] |= {"auth_port": next(ports), "acct_port": next(ports)}
    block = _free_block()
    for number, point in enumerate(data["seed"]["access_points"], start=1):
        point |= {"address": f"{block}.{number}", "port": next(ports)}
    for number, nas in enumerate(data["seed"]["nases"], start=201):
        address = f"{block}.{number}"
        nas |= {"address": address, "login_url": f"http://{address}:{next(ports)}", "coa_port": next(ports)}
    file.write_text(to_toml(data))


# Free places ------------------------------------------------------------------------------------------


def _free_ports() -> Iterator[int]:
    """Ports free for TCP and UDP on every address, none twice, below those that the kernel gives to clients."""
    for port in random.SystemRandom().sample(range(10_000, 32_000), 1_000):
        if _is_free(port, socket.SOCK_STREAM) and _is_free(port, socket.SOCK_DGRAM):
            yield port


def _is_free(port: int, kind: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def _free_block() -> str:
    """Three octets away from the shipped cities' addresses: one of 40,000, so that two tests do not meet."""
    chance = random.SystemRandom()
    return f"127.{chance.randint(64, 223)}.{chance.randint(1, 254)}"


# Writing TOML -----------------------------------------------------------------------------------------


def to_toml(data: dict[str, Any], prefix: str = "") -> str:
    """As much of TOML as our files use: scalars, lists, tables and lists of tables. Comments are lost."""
    tables = {key: value for key, value in data.items() if isinstance(value, dict) and value}
    arrays = {key: value for key, value in data.items() if _is_tables(value)}
    scalars = {key: value for key, value in data.items() if key not in tables and key not in arrays}
    lines = [f"{key} = {_value(value)}" for key, value in scalars.items()]
    for key, value in tables.items():
        lines += ["", f"[{prefix}{key}]", to_toml(value, f"{prefix}{key}.")]
    for key, entries in arrays.items():
        for entry in entries:
            lines += ["", f"[[{prefix}{key}]]", to_toml(entry, f"{prefix}{key}.")]
    return "\n".join(lines)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)
