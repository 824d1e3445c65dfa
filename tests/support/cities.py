"""Cities for tests: the shipped files, on stores and ports of the test's own."""

from __future__ import annotations

import socket
from datetime import datetime
from pathlib import Path
from typing import Any

from config.load import load_city
from config.model import CityConfig
from ops.seeding import import_seed
from service.cities import City
from store.store import Store

CITIES = Path(__file__).parents[2] / "config" / "cities"


def free_udp_port(host: str = "127.0.0.1") -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def city_config(key: str, **sections: dict[str, Any]) -> CityConfig:
    """The shipped file with free RADIUS ports; `sections` change single keys, as in `radius={"auth_port": 1}`."""
    config = load_city(CITIES / f"{key}.toml")
    changes = {"radius": {"auth_port": free_udp_port(), "acct_port": free_udp_port()}} | sections
    changed = {name: getattr(config, name).model_copy(update=values) for name, values in changes.items()}
    return config.model_copy(update=changed)


def make_city(key: str, store: Store, *, now: datetime, **sections: dict[str, Any]) -> City:
    """A seeded city on an empty store."""
    config = city_config(key, **sections)
    assert import_seed(store, config.seed, now=now)
    return City(config, store)
