"""`kogge ap add`, `move`, `rename` and `retire`. The poller reads its list every few seconds: no restart is needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from hotspot.ap_entry import KINDS, PointError, check_name, fault, read_entry
from hotspot.errors import ConfigError
from hotspot.fleet import PointKind
from ops.ap_words import credential_options, given_credential, named, now_, option_of
from ops.command import at, city_key, city_of, plainly
from ops.faults import faults_plainly
from store import ap_list, points, snmp_credentials
from store.nases import COMMAND_LINE, sites


@click.command("add")
@city_key
@click.argument("name")
@click.option("--site", required=True, metavar="KEY", help="The place's key.")
@click.option("--address", required=True, metavar="TEXT", help="Its address.")
@click.option("--port", default="161", show_default=True, metavar="TEXT", help="Where it answers.")
@click.option("--kind", type=click.Choice(KINDS), default=KINDS[0], show_default=True, help="What it is.")
@credential_options
@click.option("--prompt", is_flag=True, help="Ask for the community, or with --user for the passwords.")
@at
def add(
    city: str, name: str, site: str, address: str, port: str, kind: str, prompt: bool, folder: Path, **given: Any
) -> None:
    """Add an access point or a controller.

    It is polled within seconds. Without a credential it gets the first one that is kept for its network
    (`kogge ap credential list CITY`).

    \b
    kogge ap add rostock markt-3 --site neuer-markt --address 10.2.1.9 --community-file community.txt
    """
    with plainly(), city_of(folder, city) as opened, faults_plainly(option_of):
        credential, keys = given_credential(given, prompt=prompt), opened.store.keys
        with opened.store.write() as conn:
            texts = {"name": name, "site": site, "address": address, "port": port, "kind": kind}
            entry = read_entry(texts, sites=sites(conn))
            credential = credential or snmp_credentials.of_entry(snmp_credentials.candidates(conn, keys), entry)
            points.add(conn, keys, entry, credential, author=COMMAND_LINE, now=now_())
    click.echo(f"Added {name}; it is polled within seconds. Try it: kogge ap poll {city} {name}")


@click.command("move")
@city_key
@click.argument("name")
@click.argument("site", metavar="SITE")
@at
def move(city: str, name: str, site: str, folder: Path) -> None:
    """Say that an access point stands at another place.

    SITE is the place's key. Its series in Prometheus begin anew there; events and history go along.
    """
    with plainly(), city_of(folder, city) as opened, faults_plainly(option_of):
        with opened.store.write() as conn:
            point = named(conn, opened, name)
            points.move(conn, point, site, author=COMMAND_LINE, now=now_())
        click.echo(f"{name}: moved from {point.site_key} to {site}")


@click.command("rename")
@city_key
@click.argument("name")
@click.argument("new_name", metavar="NEW_NAME")
@at
def rename(city: str, name: str, new_name: str, folder: Path) -> None:
    """Call an access point something else.

    Its series in Prometheus begin anew under the new name; events and history go along.
    """
    new_name = new_name.strip()
    with plainly(), city_of(folder, city) as opened, faults_plainly(option_of):
        wrong = check_name(new_name) if new_name else fault("name", "missing")
        if wrong is not None:
            raise PointError(replace(wrong, field="new_name"))
        with opened.store.write() as conn:
            points.rename(conn, named(conn, opened, name), new_name, author=COMMAND_LINE, now=now_())
        click.echo(f"{name} is called {new_name} now")


@click.command("retire")
@city_key
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@at
def retire(city: str, name: str, yes: bool, folder: Path) -> None:
    """Poll an access point no more.

    Its history and events stay. With a controller those behind it are retired as well. One behind a controller that
    is listed there again comes back as a new one. The name may be used again.
    """
    with plainly(), city_of(folder, city) as opened:
        with opened.store.read() as conn:
            point = named(conn, opened, name)
            behind = ap_list.members(conn, point.id)
        also = f" and {behind} access points behind it" if point.kind is PointKind.CONTROLLER else ""
        if not yes:
            click.confirm(f"Retire {name} ({point.address or point.site_key}){also}?", abort=True)
        with opened.store.write() as conn:
            retired = points.retire(conn, point, author=COMMAND_LINE, now=now_())
        if not retired:
            raise ConfigError(f"{name} was retired by somebody else meanwhile")
        click.echo(f"Retired {name}{also}.")
