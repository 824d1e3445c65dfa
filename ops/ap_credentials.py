"""`kogge ap credential`: SNMP credentials that are kept for a network, to find and to open access points with."""

from __future__ import annotations

import json
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from hotspot.discovery import Network
from hotspot.errors import ConfigError, InputError
from ops.ap_words import credential_options, given_credential, now_, option_of
from ops.command import at, city_key, city_of, plainly
from ops.faults import faults_plainly
from ops.screen import credential_table
from ops.words import iso
from store import snmp_credentials
from store.nases import COMMAND_LINE


@click.group("credential")
def command() -> None:
    """Keep SNMP credentials for networks.

    `kogge ap discover` tries those of its network in the order of the list. An access point that is added or imported
    without one gets the first that is kept for its address.
    """


@command.command("add")
@city_key
@click.argument("name")
@click.option("--network", required=True, metavar="NETWORK", help="Where it is tried, such as 10.2.1.0/24.")
@credential_options
@at
def add(city: str, name: str, network: str, folder: Path, **given: Any) -> None:
    """Keep a credential for a network.

    Without a file it asks for the secret.

    \b
    kogge ap credential add rostock harbour --network 10.2.1.0/24 --community-file community.txt
    kogge ap credential add rostock town-hall --network 10.2.2.0/24 --user kogge
    """
    with plainly(), city_of(folder, city) as opened, faults_plainly(option_of):
        where = _network(network)
        secret_given = any(given[name] is not None for name in given if name != "user")
        credential = given_credential(given, prompt=not secret_given)
        assert credential is not None, "a prompt gives one"
        with opened.store.write() as conn:
            keys = opened.store.keys
            snmp_credentials.add(conn, keys, name, where, credential, author=COMMAND_LINE, now=now_())
    click.echo(f"Kept {name} for {where}. Look there: kogge ap discover {city} {where}")


def _network(said: str) -> Network:
    try:
        return ip_network(said.strip(), strict=True)
    except ValueError as error:
        raise InputError(f"--network: {error}; one is written such as 10.2.1.0/24") from None


@command.command("list")
@city_key
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts; without secrets.")
@at
def list_credentials(city: str, as_json: bool, folder: Path) -> None:
    """List the kept credentials, without their secrets.

    In the order in which they are tried.
    """
    with plainly(), city_of(folder, city) as opened:
        with opened.store.read() as conn:
            found = snmp_credentials.candidates(conn, opened.store.keys)
        if as_json:
            rows = [
                {
                    "name": each.name,
                    "network": str(each.network),
                    "version": each.credential.version,
                    "created_at": iso(each.created_at),
                }
                for each in found
            ]
            click.echo(json.dumps({"city": city, "credentials": rows}, indent=2, ensure_ascii=False))
        else:
            Console().print(credential_table(found), soft_wrap=True)


@command.command("remove")
@city_key
@click.argument("name")
@at
def remove(city: str, name: str, folder: Path) -> None:
    """Forget a kept credential.

    Access points that have it keep it.
    """
    with plainly(), city_of(folder, city) as opened, opened.store.write() as conn:
        if not snmp_credentials.remove(conn, name, author=COMMAND_LINE, now=now_()):
            raise ConfigError(f"{city} keeps no credential {name!r}; see `kogge ap credential list {city}`")
    click.echo(f"Forgot {name}; access points that have it keep it.")
