"""`kogge nas`: a city's RADIUS clients listed, shown, added, changed and removed; many at once: `ops.nas_file`.

RADIUS reads its clients every second: what is done here takes effect by itself, and in this city only.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from config.model import CityConfig
from hotspot.errors import ConfigError
from hotspot.nas import FIELDS, SECRET_OCTETS, SECRETS, NasEntry, as_texts, make_secret, read_entry
from hotspot.products import PRODUCTS
from ops.command import at, city_key, city_of, plainly
from ops.faults import faults_plainly
from ops.screen import nas_table
from service.cities import City
from service.snippets import portal_address, snippet
from store import nases
from store.nases import COMMAND_LINE, Nas
from store.store import Connection

PRODUCT_HELP = f"One of: {', '.join(PRODUCTS)}."

_OPTIONS: dict[str, str] = {
    "site": "The place's key.",
    "product": PRODUCT_HELP,
    "address": "Address or network that its packets come from.",
    "nas_identifier": "What it calls itself.",
    "login_url": "Where the portal sends residents to log in.",
    "coa_port": "Where it listens for Disconnect and CoA.",
    "require_message_authenticator": "yes, no, or auto: once seen, always.",
    "limit_proxy_state": "yes: no Proxy-State without Message-Authenticator.",
    "octets_swapped": "yes: it counts the client's view.",
    "handoff": "How residents are handed over to it; usually the product's own.",
    "walled_garden": "Further hosts that are reached before log-in.",
    "secret_file": "A file with the RADIUS secret, - for standard input.",
    "uam_secret_file": "A file with the UAM secret, or a controller's name:password or API key; - for standard input.",
}


def entry_options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for each field of a NAS but its name. Secrets come from files: a command line is seen by others."""
    for name, summary in reversed(_OPTIONS.items()):
        kind = click.File("r") if name.endswith("_file") else str
        metavar = "FILE" if name.endswith("_file") else "TEXT"
        command = click.option(f"--{name.replace('_', '-')}", name, type=kind, metavar=metavar, help=summary)(command)
    return command


@click.group("nas")
def command() -> None:
    """Add, change, remove and show RADIUS clients (NASes).

    A change takes effect within two seconds, without a restart.
    """


# Looking ------------------------------------------------------------------------------------------------


@command.command("list")
@city_key
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts; without secrets.")
@at
def list_nases(city: str, as_json: bool, folder: Path) -> None:
    """The city's NASes."""
    with plainly(), city_of(folder, city) as opened, opened.store.read() as conn:
        if as_json:
            entries = nases.entries(conn, opened.store.keys)
            document = {"city": city, "nases": [_document(key, entry) for key, entry in entries.items()]}
            click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        else:
            Console().print(nas_table(nases.nases(conn, opened.store.keys)), soft_wrap=True)


def _document(nas_id: int, entry: NasEntry) -> dict[str, Any]:
    return {"id": nas_id} | {name: getattr(entry, name) for name in FIELDS if name not in SECRETS}


@command.command("show")
@city_key
@click.argument("name")
@at
def show(city: str, name: str, folder: Path) -> None:
    """What to type into a NAS, its secrets included."""
    with plainly(), city_of(folder, city) as opened:
        with opened.store.read() as conn:
            found = _named(conn, opened, name)
        _print_values(opened.config, found)
        click.echo("")
        _print_snippet(opened.config, found)


def _named(conn: Connection, city: City, name: str) -> Nas:
    found = nases.by_name(conn, city.store.keys, name)
    if found is None:
        raise ConfigError(f"{city.key} has no NAS {name!r}; see `kogge nas list {city.key}`")
    return found


def _print_values(config: CityConfig, nas: Nas) -> None:
    lines = {
        "Address": nas.address,
        "Log-in address": nas.login_url or "none",
        "NAS-Identifier": nas.nas_identifier,
        "RADIUS server": str(config.radius.listen),
        "Authentication port": config.radius.auth_port,
        "Accounting port": config.radius.acct_port,
        "RADIUS secret": nas.secret.decode(),
        "Portal (UAM server)": portal_address(config, nas),
        "UAM secret": nas.uam_secret.decode(),
        "CoA port of the NAS": nas.coa_port,
        "Interim interval (s)": config.radius.interim_seconds,
        "Message-Authenticator": nas.require_message_authenticator,
    }
    for label, value in lines.items():
        click.echo(f"{label + ':':24}{value}")


def _print_snippet(config: CityConfig, nas: Nas) -> None:
    made = snippet(config, nas)
    click.echo(f"{PRODUCTS[nas.product].name}. {made.where}\n\n{made.config}\n")
    click.echo(f"Walled garden (what a device must reach before it is logged in):\n\n{made.walled_garden}")


# Changing -----------------------------------------------------------------------------------------------


@command.command("add")
@city_key
@click.argument("name")
@entry_options
@at
def add(city: str, name: str, folder: Path, **given: Any) -> None:
    """Register a NAS and print what to type into it.

    Site, product and address are needed. NAME is its NAS-Identifier where that is left out; secrets are made. A
    network such as 192.0.2.0/24 or 0.0.0.0/0 is for NASes whose address changes; the NAS-Identifier tells them apart.

    \b
    kogge nas add rostock hafen --site neuer-markt --product mikrotik --address 192.0.2.7 --login-url http://10.5.50.1
    """
    with plainly(), city_of(folder, city) as opened:
        texts = {"name": name, "nas_identifier": name} | _texts(given)
        with opened.store.write() as conn, faults_plainly(option_of):
            entry = read_entry(texts, sites=nases.sites(conn)).with_secrets(secrets.token_bytes)
            nases.add(conn, opened.store.keys, entry, author=COMMAND_LINE, now=_now())
            found = _named(conn, opened, name)
        click.echo(f"Added {name}; RADIUS knows it within two seconds.\n")
        _print_snippet(opened.config, found)


@command.command("change")
@city_key
@click.argument("name")
@click.option("--name", "new_name", metavar="TEXT", help="A new name.")
@entry_options
@click.option("--new-secret", is_flag=True, help="Make a new RADIUS secret.")
@click.option("--new-uam-secret", is_flag=True, help="Make a new UAM secret.")
@at
def change(
    city: str, name: str, new_name: str | None, new_secret: bool, new_uam_secret: bool, folder: Path, **given: Any
) -> None:
    """Change a NAS: what is left out stays as it is."""
    with plainly(), city_of(folder, city) as opened, opened.store.write() as conn, faults_plainly(option_of):
        found = _named(conn, opened, name)
        before = as_texts(nases.entries(conn, opened.store.keys)[found.id])
        kept = {field: text for field, text in before.items() if field not in SECRETS}
        entry = read_entry(kept | _texts({"name": new_name, **given}), sites=nases.sites(conn))
        if new_secret:
            entry = replace(entry, secret=make_secret(secrets.token_bytes(SECRET_OCTETS)))
        if new_uam_secret:
            entry = replace(entry, uam_secret=entry.with_secrets(secrets.token_bytes).uam_secret)
        changed = nases.change(conn, opened.store.keys, found.id, entry, author=COMMAND_LINE, now=_now()) or []
    said = f"changed {', '.join(changed)}; see `kogge nas show {city} {entry.name}`" if changed else "nothing to change"
    click.echo(f"{entry.name}: {said}")


@command.command("remove")
@city_key
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@at
def remove(city: str, name: str, yes: bool, folder: Path) -> None:
    """Remove a NAS; its past sessions stay.

    It is met with silence from then on. Its open sessions are closed as estimated; who is online there stays so
    until the NAS ends it by itself.
    """
    with plainly(), city_of(folder, city) as opened:
        with opened.store.read() as conn:
            found = _named(conn, opened, name)
            online = nases.open_sessions(conn, found.id)
        if not yes:
            click.confirm(f"{name}: {online} sessions are open there. Remove it?", abort=True)
        with opened.store.write() as conn:
            nases.remove(conn, found.id, author=COMMAND_LINE, now=_now())
        click.echo(f"Removed {name}; {online} open sessions closed.")


def _now() -> datetime:
    return datetime.now(UTC)


def option_of(field: str) -> str:
    """As the commands call it."""
    if field == "name":
        return "NAME"
    return f"--{field.replace('_', '-')}{'-file' if field in SECRETS else ''}"


def _texts(given: Mapping[str, Any]) -> dict[str, str]:
    """The options that were given, as a NAS's fields."""
    texts = {name: value for name, value in given.items() if value is not None}
    return {
        name.removesuffix("_file"): value.read().strip() if name.endswith("_file") else value
        for name, value in texts.items()
    }
