"""What the commands of `kogge` share: their arguments, the city that they speak of, and how a fault is said.

A command's file imports from here, and `ops.cli` imports the command's file. Nothing here prints a result.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from hotspot.errors import ConfigError
from ops import installation as installations
from service.cities import City, open_city, open_store
from service.processes import FAILED
from store.store import Store, Unavailable

folder = click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path())
only = click.option("--city", "only", metavar="KEY", multiple=True, help="Only this city; may be given again.")
at = click.option(
    "--dir", "folder", metavar="DIR", type=click.Path(path_type=Path), default=Path(), help="The installation."
)
city_key = click.argument("city", metavar="CITY")


@contextmanager
def plainly() -> Iterator[None]:
    """An operator's fault is a sentence and status 2, never a traceback."""
    try:
        yield
    except ConfigError as error:
        click.echo(str(error), err=True)
    except Unavailable as error:
        click.echo(f"the database does not answer ({str(error.__cause__ or error).splitlines()[0]})", err=True)
    else:
        return
    sys.exit(FAILED)


@contextmanager
def store_of(folder: Path, key: str) -> Iterator[Store]:
    """A city's store, whatever its revision. ConfigError where there is no such city."""
    installation, (config,) = installations.select_cities(folder, [key])
    store = open_store(installation, config, now=datetime.now(UTC))
    try:
        yield store
    finally:
        store.close()


@contextmanager
def city_of(folder: Path, key: str) -> Iterator[City]:
    """A city whose database answers and is of this version; ConfigError otherwise."""
    installation, (config,) = installations.select_cities(folder, [key])
    city = open_city(installation, config, now=datetime.now(UTC))
    try:
        yield city
    finally:
        city.store.close()
