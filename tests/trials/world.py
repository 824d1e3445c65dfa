"""One trial: two cities, the same devices in both, a bad network, and at the end the audit of both databases."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.model import CityConfig
from hotspot.values import MacAddress
from radius.intake import Port
from tests.trials.audit import audit, refusals
from tests.trials.life import Life, Resident
from tests.trials.nas import Send
from tests.trials.oracle import Oracle
from tests.trials.server import Server
from tests.trials.timeline import Network, Timeline
from tests.trials.town import Town, load_config, open_town

CITIES = ("rostock", "wismar")
EVENING = datetime(2026, 10, 24, 19, 30, tzinfo=UTC)
"""Local midnight is at 22:00; the day that follows has 25 hours in the cities' zone."""

STAYS_A_DEVICE = 5
ASTRAY = 0.01
"""Share of the requests that the other city's server gets too."""

TURN_SECONDS = (0.5, 2.0, 6.0)
"""How long a server takes to come round, so how large its batches are; one of these a trial."""


@dataclass(frozen=True)
class Place:
    """Where a city of a trial lives: a migrated, empty database, and its keys."""

    config: CityConfig
    url: str
    key_folder: Path


@dataclass(frozen=True)
class Trial:
    """A city on trial."""

    town: Town
    server: Server
    life: Life
    oracle: Oracle


def run(seed: int, stays: int, places: Sequence[Place]) -> Counter[str]:
    """Run one trial to its end and audit it; what happened, by name. AssertionError where a promise was broken."""
    chance = random.Random(seed)
    timeline = Timeline(EVENING + timedelta(seconds=chance.randrange(7200)))
    network = Network(timeline, random.Random(chance.random()))
    share = stays // len(places)
    devices = max(4, share // STAYS_A_DEVICE)
    trials = [_trial(place, timeline, network, chance, devices=devices, stays=share) for place in places]
    try:
        for trial, other in zip(trials, reversed(trials), strict=True):
            _connect(trial, other, network, chance)
        for trial in trials:
            trial.life.begin(_residents(trial.town, devices))
        timeline.run()
        return _tally(trials, network)
    finally:
        for trial in trials:
            trial.town.city.store.close()


def _trial(
    place: Place, timeline: Timeline, network: Network, chance: random.Random, *, devices: int, stays: int
) -> Trial:
    own = random.Random(chance.random())
    town = open_town(place.config, place.url, place.key_folder, timeline, own, devices=devices)
    oracle = Oracle(timeline, town.city.zone)
    life = Life(town, oracle, timeline, own, stays=stays)
    by_address = {nas.address: nas for nas in town.nases}
    server = Server(
        town.city,
        timeline,
        network,
        own,
        turn_seconds=chance.choice(TURN_SECONDS),
        committed=life.check,
        back=lambda reply, source: by_address[source[0]].hear(reply, source[1]),
    )
    return Trial(town, server, life, oracle)


def _connect(trial: Trial, other: Trial, network: Network, chance: random.Random) -> None:
    """Requests go to their city's server, and now and then to the other's as well."""

    def delivery(port: Port) -> Send:
        def deliver(datagram: bytes, source: tuple[str, int]) -> None:
            trial.server.receive(port, datagram, source)
            if chance.random() < ASTRAY and other is not trial:
                other.server.receive(port, datagram, source)

        return deliver

    for nas in trial.town.nases:
        nas.network = network
        nas.deliver = {port.value: delivery(port) for port in Port}


def _residents(town: Town, count: int) -> list[Resident]:
    codes = list(town.vouchers)
    return [
        Resident(
            MacAddress(bytes((2, 0, 0)) + number.to_bytes(3, "big")), codes[number % len(codes)] if codes else None
        )
        for number in range(count)
    ]


def _tally(trials: Sequence[Trial], network: Network) -> Counter[str]:
    found = Counter({"lost": network.lost, "doubled": network.doubled})
    for trial in trials:
        audit(trial.town, trial.oracle)
        found += trial.server.counts + trial.life.counts + trial.oracle.counts + refusals(trial.town)
        found["stays"] += len(trial.oracle.stays)
    return found


def places(folder: Path, migrated: Path, key_folder: Path) -> list[Place]:
    """SQLite files for one trial, copied from a migrated, empty one."""
    made = []
    for key in CITIES:
        file = folder / f"{key}.db"
        file.write_bytes(migrated.read_bytes())
        made.append(Place(load_config(key), f"sqlite:///{file}", key_folder))
    return made
