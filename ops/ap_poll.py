"""`kogge ap poll` and `kogge ap discover`: what an operator types; what goes over the wire: `ops.ap_asking`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import click

from monitor.session import Engine
from ops.command import at, city_key, city_of, plainly

NO_ANSWER = 1
"""Exit status; 0 where it answered, 2 for the operator's error."""

engine = click.option(
    "--engine",
    type=click.Choice([each.value for each in Engine]),
    default=Engine.FAST.value,
    show_default=True,
    help="What asks over SNMPv2c.",
)


@click.command("poll")
@city_key
@click.argument("name")
@click.option("--trace", is_flag=True, help="Show every question with its answer's size and duration.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts.")
@engine
@at
def poll(city: str, name: str, trace: bool, as_json: bool, engine: str, folder: Path) -> None:
    """Ask an access point now and show what it answers.

    As the monitor asks, with the profiles and the credential that the monitor uses, from this machine and this moment.
    Nothing is kept. Exit status 0 where it answered, 1 where it did not, which says why and what to do.
    """
    asking = import_module("ops.ap_asking")  # here: a look at the list need not wait for pysnmp
    with plainly(), city_of(folder, city) as opened:
        if not asking.poll_now(opened, name, engine=Engine(engine), trace=trace, as_json=as_json):
            sys.exit(NO_ANSWER)


@click.command("discover")
@city_key
@click.argument("network")
@click.option("--port", type=click.IntRange(1, 65_535), default=161, show_default=True, help="Where they answer.")
@click.option("--add", is_flag=True, help="Add what is new and follow what has moved, without asking.")
@click.option("--site", metavar="KEY", help="The place at which those that are new stand.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts.")
@engine
@at
def discover(
    city: str, network: str, port: int, add: bool, site: str | None, as_json: bool, engine: str, folder: Path
) -> None:
    """Look for access points in a network, and add them.

    NETWORK must be within monitor.discover_networks of the city's file and have at most 4,096 addresses. Each address
    is asked with every credential that is kept for it, at no more than 200 packets a second. Ctrl-C ends the search and
    keeps what was found. Nothing is added before all has been shown. Exit status 0 where something was found, else 1.

    \b
    kogge ap credential add rostock harbour --network 10.2.1.0/24
    kogge ap discover rostock 10.2.1.0/24
    kogge ap discover rostock 10.2.1.0/24 --add --site stadthafen
    """
    if add and as_json and not site:
        raise click.UsageError("--add needs --site where nobody can be asked")
    searching = import_module("ops.ap_searching")
    with plainly(), city_of(folder, city) as opened:
        wish = searching.Wish(network, port, add, site, as_json, Engine(engine))
        if not searching.discover(opened, wish):
            sys.exit(NO_ANSWER)
