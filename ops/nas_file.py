"""`kogge nas import` and `kogge nas export`: many NASes at once, as a CSV file."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

import click

from hotspot.errors import ConfigError
from hotspot.nas import NasEntry
from hotspot.nas_file import TEMPLATE, NasFile, read_file, write_file
from ops.command import at, city_key, city_of, plainly
from ops.csv_input import progress, read_text
from ops.faults import faults_plainly
from ops.nas import option_of
from service.cities import City
from store import nases
from store.nases import COMMAND_LINE


@click.command("import", epilog=f"\b\nThe header; all but the first five columns may be left out:\n{TEMPLATE}")
@city_key
@click.argument("file", metavar="FILE.csv", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what is wrong, or how many would be added.")
@at
def import_file(city: str, file: Path, dry_run: bool, folder: Path) -> None:
    """Add the NASes of a CSV file: all of them, or none.

    UTF-8, with a header; commas or semicolons; at most 5,000 lines. Every bad line is named with its column and what
    would be right. Secrets that are left out are made: `kogge nas export --secrets` prints them.
    """
    with plainly(), city_of(folder, city) as opened, faults_plainly(option_of, f"{file.name}: "):
        read = _parse(opened, read_text(file), file)
        if not dry_run:
            _add_all(opened, read.entries)
    done = "would be added" if dry_run else "added; RADIUS knows them within two seconds"
    click.echo(f"{file.name}: {len(read.entries)} NASes {done}")


def _parse(city: City, text: str, file: Path) -> NasFile:
    with city.store.read() as conn:
        known, sites = nases.nases(conn, city.store.keys), nases.sites(conn)
    with progress(text.count("\n"), "Reading") as tick:
        read = read_file(
            text,
            sites=sites,
            names=[nas.name for nas in known],
            identifiers=[nas.nas_identifier for nas in known],
            tick=tick,
        )
    if read.bad:
        lines = [f"{file.name}: {place}" for place in read.bad]
        raise ConfigError("\n".join([*lines, f"{file.name}: nothing was added"]))
    return read


def _add_all(city: City, entries: tuple[NasEntry, ...]) -> None:
    """In one transaction: a name that somebody else took meanwhile leaves nothing behind."""
    whole = [entry.with_secrets(secrets.token_bytes) for entry in entries]
    with progress(len(whole), "Adding") as tick, city.store.write() as conn:
        for entry in whole:
            nases.add(conn, city.store.keys, entry, author=COMMAND_LINE, now=datetime.now(UTC))
            tick()


@click.command("export")
@city_key
@click.option("--secrets", "with_secrets", is_flag=True, help="With the secrets. Mind where the file goes.")
@at
def export(city: str, with_secrets: bool, folder: Path) -> None:
    """Print the city's NASes as CSV, as `kogge nas import` reads it."""
    with plainly(), city_of(folder, city) as opened:
        with opened.store.read() as conn:
            found = nases.entries(conn, opened.store.keys)
        if with_secrets:
            with opened.store.write() as conn:
                for nas_id in found:
                    nases.note_secrets_shown(conn, nas_id, author=COMMAND_LINE, now=datetime.now(UTC))
        click.echo(write_file(found.values(), secrets=with_secrets), nl=False)
