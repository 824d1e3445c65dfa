"""A search for access points from the command line: shown as it goes, then what was found, then added where wanted."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from typing import Any

import click

from hotspot.ap_entry import PointEntry
from hotspot.discovery import Known, Network, parse_network, suggested_name
from hotspot.errors import ConfigError
from monitor import profiles
from monitor.discovery import Hit, Plan, Search, candidates_for
from monitor.session import Engine
from monitor.snmp import Client
from ops.ap_words import now_, option_of
from ops.faults import faults_plainly
from ops.screen import found_table
from ops.sessions import terminal
from service.cities import City
from store import discoveries, nases, points, snmp_credentials
from store.nases import COMMAND_LINE
from store.store import Connection

TICK_S = 0.2
"""Between two looks at how far the search is."""


@dataclass(frozen=True, slots=True)
class Wish:
    """As it was typed."""

    network: str
    port: int
    add: bool
    site: str | None
    as_json: bool
    engine: Engine


@dataclass(frozen=True, slots=True)
class Seen:
    """A hit, and the access point that it is already."""

    hit: Hit
    known: Known | None


def discover(city: City, wish: Wish) -> bool:
    """Search, show, add; whether something was found. ConfigError where it may not be searched there."""
    with faults_plainly(option_of):
        network = parse_network(wish.network, allowed=city.config.monitor.discover_networks)
        plan = _plan(city, network, wish.port)
        _require_site(city, wish.site)
    search, stopped = asyncio.run(_run(plan, wish.engine))
    with city.store.read() as conn:
        register = discoveries.register(conn)
    hits = sorted(search.hits, key=lambda hit: ip_address(hit.found.address))
    results = [Seen(hit, register.look_up(hit.found)) for hit in hits]
    if not wish.as_json:
        _show(search, results, stopped=stopped)
    added = add_all(city, results, wish)
    if wish.as_json:
        click.echo(json.dumps(_document(city, search, results, stopped, added), indent=2, ensure_ascii=False))
    return bool(results)


def _plan(city: City, network: Network, port: int) -> Plan:
    with city.store.read() as conn:
        kept = snmp_credentials.candidates(conn, city.store.keys)
    candidates = candidates_for(network, kept)
    if not candidates:
        raise ConfigError(
            f"{city.key} keeps no SNMP credential for {network}; "
            f"keep one: kogge ap credential add {city.key} NAME --network {network}"
        )
    monitor = city.config.monitor
    return Plan(network, port, candidates, monitor.timeout_s, monitor.retries, monitor.max_in_flight)


def _require_site(city: City, site: str | None) -> None:
    with city.store.read() as conn:
        known = nases.sites(conn)
    if site is not None and site not in known:
        raise ConfigError(f"--site: there is no site {site!r}; there are {', '.join(sorted(known))}")


async def _run(plan: Plan, engine: Engine) -> tuple[Search, bool]:
    """The search, and whether Ctrl-C ended it."""
    client, search = Client(engine), Search(plan)
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(search.run(client, profiles.load(), clock=now_))
    loop.add_signal_handler(signal.SIGINT, running.cancel)
    try:
        with _progress(len(plan.questions())) as show:
            while not running.done():
                await asyncio.wait([running], timeout=TICK_S)
                show(search.asked)
        await asyncio.gather(running, return_exceptions=True)
        if not running.cancelled():
            running.result()
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        await client.close()
    return search, running.cancelled()


@contextmanager
def _progress(questions: int) -> Iterator[Callable[[int], None]]:
    """What to call with how many were put so far; a bar on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _asked: None
        return
    with click.progressbar(length=questions, label="Asking", file=sys.stderr) as bar:
        yield lambda asked: bar.update(asked - bar.pos)


# Shown --------------------------------------------------------------------------------------------------


def _show(search: Search, results: list[Seen], *, stopped: bool) -> None:
    console = terminal()
    plan = search.plan
    if stopped:
        click.echo(f"Ended before its time: {search.asked} of {len(plan.questions())} questions were put.", err=True)
    if results:
        console.print(found_table((each.hit.found, each.known) for each in results), soft_wrap=True)
    else:
        tried = ", ".join(each.name for each in plan.candidates)
        console.print(f"Nobody answered in {plan.network} at port {plan.port} to: {tried}.")
    for address, failure in search.refused.items():
        console.print(f"{address} speaks SNMP, but answers to none of the credentials ({failure.value}).")


def _document(city: City, search: Search, results: list[Seen], stopped: bool, added: dict[str, str]) -> dict[str, Any]:
    return {
        "city": city.key,
        "network": str(search.plan.network),
        "port": search.plan.port,
        "complete": not stopped,
        "found": [_found(each, added) for each in results],
        "refused": {address: failure.value for address, failure in search.refused.items()},
    }


def _found(each: Seen, added: dict[str, str]) -> dict[str, Any]:
    found = asdict(each.hit.found)
    del found["bssids"]
    known = None if each.known is None else {"name": each.known.name, "moved": each.known.moved}
    return found | {"kind": each.hit.found.kind.value, "known": known, "added_as": added.get(each.hit.found.address)}


# Added --------------------------------------------------------------------------------------------------


def add_all(city: City, results: list[Seen], wish: Wish) -> dict[str, str]:
    """All that is new and all that has moved, in one transaction. Names by address; empty where nobody wants it."""
    new = [each for each in results if each.known is None]
    moved = [each for each in results if each.known is not None and each.known.moved]
    if not (new or moved) or not (wish.add or _agreed(wish, len(new), len(moved))):
        return {}
    site = wish.site
    if new and site is None:
        site = click.prompt("At which site do they stand (its key)")
        _require_site(city, site)
    with faults_plainly(option_of), city.store.write() as conn:
        done = {each.hit.found.address: _follow(conn, city, each) for each in moved}
        names = set(points.names(conn).values())
        for each in new:
            found = each.hit.found
            entry = PointEntry(suggested_name(found, names), site or "", found.address, found.port, found.kind)
            points.add(conn, city.store.keys, entry, each.hit.credential, author=COMMAND_LINE, now=now_())
            names.add(entry.name)
            done[found.address] = entry.name
    if not wish.as_json:
        click.echo(f"{len(new)} added, {len(moved)} followed; they are polled within seconds.")
    return done


def _agreed(wish: Wish, new: int, moved: int) -> bool:
    if wish.as_json or not sys.stdin.isatty():
        return False
    parts = ([f"add {new} new"] if new else []) + ([f"follow {moved} that moved"] if moved else [])
    return click.confirm(f"Shall I {' and '.join(parts)}?")


def _follow(conn: Connection, city: City, each: Seen) -> str:
    assert each.known is not None
    found, keys = each.hit.found, city.store.keys
    points.follow(conn, keys, each.known, found, each.hit.credential, author=COMMAND_LINE, now=now_())
    return each.known.name
