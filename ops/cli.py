"""The `kogge` command. Each subcommand parses its arguments and calls one function elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console

from config.load import check as check_files
from config.load import load_installation
from hotspot.roles import Role
from ops import (
    account,
    ap,
    ap_changes,
    ap_credentials,
    ap_file,
    ap_poll,
    capport,
    explain,
    message,
    nas,
    nas_file,
    notice,
    profile,
    radius_orders,
    radius_test,
    service_group,
    sessions,
    terms,
)
from ops import installation as installations
from ops.command import at, city_key, folder, only, plainly, store_of
from ops.supervisor import Child, kogge, supervise
from service import logs
from service.processes import FAILED, stop_event
from store.keys import KeyRing

SERVICES = ("radius", "portal", "monitor")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="kogge", prog_name="kogge")
def main() -> None:
    """Free public Wi-Fi for allied cities: captive portal, RADIUS and access-point monitoring.

    DIR is the folder with kogge.toml; without it, the current folder.
    """


# Setting up -------------------------------------------------------------------------------------------


@main.command()
@folder
def check(folder: Path) -> None:
    """Check the files: exit 0, or 2 with all that is wrong."""
    problems = check_files(folder)
    for problem in problems:
        click.echo(str(problem), err=True)
    if problems:
        sys.exit(FAILED)
    with plainly():
        keys = [city.key for city in load_installation(folder).cities]
    click.echo(f"sound: {', '.join(keys)}")


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--files", "files_only", is_flag=True, help="Only write the files, to edit them first.")
@only
def init(folder: Path, files_only: bool, only: tuple[str, ...]) -> None:
    """Make an installation: files, keys, databases, admins.

    Writes kogge.toml and the cities' files where DIR has none, makes keys and databases, imports each city's [seed]
    into its empty database, and prints a one-time link for a first admin. Running it again adds what is missing (a
    new city's file, say) and leaves the rest as it is.
    """
    with plainly():
        installations.lay_files(folder, only, say=click.echo)
        if files_only:
            click.echo(f"Edit them, then: kogge check {folder}; kogge init {folder}")
            return
        made = installations.initialise(folder, only, now=datetime.now(UTC), say=click.echo)
    for each in made:
        if each.invite:
            click.echo(f"{each.city.key}: first admin, good for {installations.INVITE_DAYS} days: {each.invite}")
    click.echo(f"Ready: kogge run {folder}")


@main.command()
@folder
@only
def migrate(folder: Path, only: tuple[str, ...]) -> None:
    """Bring databases to this version; make coming months' keys.

    Services never do either: they refuse a database of another revision and name this command.
    """
    with plainly():
        installations.migrate_all(folder, only, now=datetime.now(UTC), say=click.echo)


# Running ----------------------------------------------------------------------------------------------


@main.command()
@folder
@only
@ap_poll.engine
def run(folder: Path, only: tuple[str, ...], engine: str) -> None:
    """Run portal, RADIUS and monitor, and restart what dies.

    Three processes; SIGTERM or Ctrl-C ends them in order, each after what it has begun.
    """
    logs.configure("info", "text")
    options = [word for key in only for word in ("--city", key)]
    own = {"monitor": ("--engine", engine)}
    children = [Child(name, kogge(name, str(folder), *options, *own.get(name, ()))) for name in SERVICES]
    sys.exit(supervise(children, stop_event()))


def _serve(name: str, folder: Path, only: tuple[str, ...], *more: str) -> NoReturn:
    # Imported here: RADIUS need not carry Flask, nor a look at the NASes wait for pysnmp.
    run_service: Callable[..., int] = import_module(f"{name}.__main__").run
    sys.exit(run_service(folder, only, *more))


@main.command()
@folder
@only
def portal(folder: Path, only: tuple[str, ...]) -> None:
    """Run the portal: the pages of residents and staff."""
    _serve("portal", folder, only)


@main.group(cls=service_group.ServiceGroup)
@service_group.folder
@only
@click.pass_context
def radius(ctx: click.Context, folder: Path, only: tuple[str, ...]) -> None:
    """Run RADIUS: authentication, accounting, Disconnect.

    Without a COMMAND it serves the installation in DIR until SIGTERM or Ctrl-C. The first word decides: a folder that
    is called like a COMMAND is written ./test.
    """
    if ctx.invoked_subcommand is None:
        _serve("radius", folder, only)


@main.command()
@folder
@only
@ap_poll.engine
def monitor(folder: Path, only: tuple[str, ...], engine: str) -> None:
    """Run the monitor: SNMP, Prometheus, scheduled jobs."""
    _serve("monitor", folder, only, engine)


@main.command()
@click.option("--fresh", is_flag=True, help="Forget the last run: new keys, databases and passwords.")
@click.option("--state", type=click.Path(path_type=Path), default=Path("var/demo"), show_default=True)
def demo(fresh: bool, state: Path) -> None:
    """Run four cities with a simulated town. Ctrl-C ends it.

    A real installation in the state folder (no root, SQLite), the services of `kogge run`, and a simulator of access
    points, NASes and residents. The state is kept between runs.
    """
    logs.configure("info", "text")
    demos = import_module("ops.demo")
    with plainly():
        sys.exit(demos.run(state, fresh=fresh, stopping=stop_event(), console=Console()))


# Looking ----------------------------------------------------------------------------------------------


@main.group()
def staff() -> None:
    """Invite staff."""


@staff.command("invite")
@city_key
@click.argument("login")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--name", default="", help="The person's name; the login where left out.")
@at
def staff_invite(city: str, login: str, role: str, name: str, folder: Path) -> None:
    """Print a one-time link with which LOGIN sets a password.

    A new LOGIN becomes a member; for a member the link replaces a forgotten password.
    """
    with plainly(), store_of(folder, city) as store:
        _, (config,) = installations.select_cities(folder, [city])
        link = installations.invite(
            store, config, login=login, name=name or login, role=Role(role), now=datetime.now(UTC)
        )
    click.echo(link)


@main.command("metrics-token")
@city_key
@at
def metrics_token(city: str, folder: Path) -> None:
    """Print the token that opens this city's metrics."""
    with plainly(), store_of(folder, city) as store:
        ring: KeyRing = store.keys
    click.echo(ring.metrics_token)


main.add_command(account.command)
for command in (ap_changes.add, ap_changes.move, ap_changes.rename, ap_changes.retire, ap_poll.poll, ap_poll.discover):
    ap.command.add_command(command)
for command in (ap_credentials.command, ap_file.import_file, ap_file.export):
    ap.command.add_command(command)
main.add_command(ap.command)
main.add_command(capport.command)
main.add_command(explain.command)
main.add_command(message.command)
for command in (nas_file.import_file, nas_file.export):
    nas.command.add_command(command)
main.add_command(nas.command)
main.add_command(sessions.command)
main.add_command(terms.command)
main.add_command(notice.command)
main.add_command(profile.command)
radius.add_command(radius_test.command)
radius.add_command(radius_orders.disconnect)
radius.add_command(radius_orders.coa)


if __name__ == "__main__":
    logging.captureWarnings(True)
    main()
