"""Starts a town and ends it: the one place where agents, NASes and residents come together."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from hotspot.errors import ConfigError
from simulator.agents import Agent
from simulator.life import Population
from simulator.nas import Nas
from simulator.residents import Residents
from simulator.town import Town, TownCity


@dataclass(frozen=True, slots=True)
class TownRuntime:
    """A running town: its NASes by city, its agents by access point, its residents by city."""

    nases: dict[str, Nas]
    agents: dict[tuple[str, str], Agent]
    residents: dict[str, Residents]


@asynccontextmanager
async def running(town: Town, *, residents: bool = True, agents: bool = True) -> AsyncIterator[TownRuntime]:
    """The town, from "all listeners are bound" to "all Stops are out". ConfigError names a port that is taken."""
    runtime = TownRuntime({}, {}, {})
    try:
        for city in town.cities:
            if agents:
                await _start_agents(town, city, runtime)
            await _start_nas(town, city, runtime)
        for city in town.cities if residents else ():
            people = Residents(runtime.nases[city.key], city.residents, random.Random(f"{town.seed}/{city.key}"))
            runtime.residents[city.key] = people
            people.start()
        yield runtime
    finally:
        for group in (runtime.residents, runtime.nases, runtime.agents):
            await asyncio.gather(*(each.close() for each in group.values()))


async def _start_agents(town: Town, city: TownCity, runtime: TownRuntime) -> None:
    population = Population(town.seed, city.key, [(point.ssids, point.fails) for point in city.access_points])
    for number, point in enumerate(city.access_points):
        agent = Agent(point, population, number)
        try:
            await agent.start()
        except OSError as error:
            raise _taken(f"access point {point.name}", f"{point.address}:{point.port}", error) from error
        runtime.agents[city.key, point.name] = agent


async def _start_nas(town: Town, city: TownCity, runtime: TownRuntime) -> None:
    # The clock is part of the seed: two runs of a demo shall not be the same devices with yesterday's quotas used up.
    nas = Nas(city.nas, city.portal_url, random.Random(f"{town.seed}/{city.key}/{time.time_ns()}"))
    try:
        await nas.start()
    except OSError as error:
        where = f"{city.nas.listen} (HTTP) and port {city.nas.coa_port} (Disconnect)"
        raise _taken(f"NAS {city.nas.name}", where, error) from error
    runtime.nases[city.key] = nas


def _taken(who: str, where: str, error: OSError) -> ConfigError:
    return ConfigError(f"simulator: {who} cannot listen on {where}: {error.strerror or error}")
