"""Opening cities: the only place where config, keys, database and registry of a city come together.

One broken city is named and left out; the others open. Nothing here creates keys or migrates.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, disable_created_metrics

from config.load import load_installation
from config.model import CityConfig, Installation
from config.secrets import read_secret
from hotspot.errors import ConfigError
from hotspot.values import CityKey
from store import keys, migrate
from store.store import Store, Unusable

log = logging.getLogger(__name__)

disable_created_metrics()  # type: ignore[no-untyped-call]  # `_created` series double the page and tell nothing we do not know


@dataclass(frozen=True)
class City:
    """One city as an object graph. Whoever holds it reaches this city and no other."""

    config: CityConfig
    store: Store
    registry: CollectorRegistry = field(default_factory=lambda: CollectorRegistry(auto_describe=True))

    @property
    def key(self) -> CityKey:
        return self.config.key

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.config.time_zone)

    def __repr__(self) -> str:
        return f"City({self.key})"


@dataclass(frozen=True)
class Opened:
    """What could be opened. `problems` are sentences for the log and the operator."""

    installation: Installation
    cities: tuple[City, ...]
    problems: tuple[str, ...]


def key_folder(installation: Installation, config: CityConfig) -> Path:
    """Where a city's keys stand."""
    return installation.data_dir / config.key / "keys"


def database_url(installation: Installation, config: CityConfig) -> str:
    """The city's own database: by URL, or an SQLite file beside its keys."""
    return config.database.url or f"sqlite:///{installation.data_dir / config.key / 'kogge.db'}"


def open_store(installation: Installation, config: CityConfig, *, now: datetime) -> Store:
    """The city's store, whatever its revision. ConfigError where keys or password are missing."""
    ring = keys.load(key_folder(installation, config), now=now)
    secret = config.database.password_file
    password = read_secret(secret) if secret else None
    return Store.open(database_url(installation, config), ring, password=password)


def open_city(installation: Installation, config: CityConfig, *, now: datetime) -> City:
    """A city ready to serve. ConfigError where the database is away or of another revision, or a secret is missing."""
    if config.oidc is not None and config.oidc.client_secret_file is not None:
        read_secret(config.oidc.client_secret_file)  # each sign-in reads it; one that is missing is told now
    if config.monitor.prometheus_token_file is not None:
        read_secret(config.monitor.prometheus_token_file)  # each page of charts reads it
    store = open_store(installation, config, now=now)
    try:
        migrate.require_current(store.engine)
    except Unusable as error:
        store.close()
        raise ConfigError(f"the database does not answer ({str(error.__cause__ or error).splitlines()[0]})") from None
    except ConfigError:
        store.close()
        raise
    return City(config, store)


def open_cities(path: Path, only: Sequence[str] = ()) -> Opened:
    """Every city of the installation, or those named in `only`; what is broken is named and left out."""
    loaded = load_installation(path)
    problems = [str(problem) for problem in loaded.problems]
    known = {config.key for config in loaded.cities}
    problems += [
        f"--city {key}: no such city; there are {', '.join(sorted(known))}" for key in only if key not in known
    ]
    cities: list[City] = []
    for config in loaded.cities:
        if only and config.key not in only:
            continue
        try:
            cities.append(open_city(loaded.installation, config, now=datetime.now(UTC)))
        except ConfigError as error:
            problems.append(f"{config.key}: {error}")
    for problem in problems:
        log.error("%s", problem)
    return Opened(loaded.installation, tuple(cities), tuple(problems))
