"""`kogge ap import` and `kogge ap export`: many access points at once, as a CSV file."""

from __future__ import annotations

import os
from pathlib import Path

import click

from hotspot.ap_entry import PointEntry
from hotspot.ap_file import TEMPLATE, Here, PointFile, read_file, write_file
from hotspot.errors import ConfigError
from ops.ap_words import now_, option_of
from ops.command import at, city_key, city_of, plainly
from ops.csv_input import progress, read_text
from ops.faults import faults_plainly
from service.cities import City
from store import points, snmp_credentials
from store.nases import COMMAND_LINE
from store.points import Changes
from store.snmp_credentials import Candidate


@click.command("import", epilog=f"\b\nThe header; all but the first three columns may be left out:\n{TEMPLATE}")
@city_key
@click.argument("file", metavar="FILE.csv", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what is wrong, or what would be done.")
@at
def import_file(city: str, file: Path, dry_run: bool, folder: Path) -> None:
    """Add and change the access points of a CSV file.

    All of them, or none. UTF-8, with a header; commas or semicolons; at most 10,000 lines. A line whose name the city
    has changes that access point. Every bad line is named with its column and what would be right. Where no credential
    is given, one that is there stays as it is, and a new one gets the first that is kept for its network.
    """
    with plainly(), city_of(folder, city) as opened, faults_plainly(option_of, f"{file.name}: "):
        with opened.store.read() as conn:
            kept = snmp_credentials.candidates(conn, opened.store.keys)
            here = points.here(conn, [each.network for each in kept])
        read = _parse(read_text(file), here, file)
        changes = _plan(opened, read.entries, kept)
        if not dry_run:
            with opened.store.write() as conn:
                points.apply(conn, changes, author=COMMAND_LINE, now=now_())
    done = f"{len(changes.added)} added, {len(changes.changed)} changed, {changes.unchanged} as they were"
    click.echo(f"{file.name}: {done}{'; only tried, nothing was done' if dry_run else ''}")


def _parse(text: str, here: Here, file: Path) -> PointFile:
    with progress(text.count("\n"), "Reading") as tick:
        read = read_file(text, here=here, tick=tick)
    if read.bad:
        lines = [f"{file.name}: {place}" for place in read.bad]
        raise ConfigError("\n".join([*lines, f"{file.name}: nothing was imported"]))
    return read


def _plan(city: City, entries: tuple[PointEntry, ...], kept: list[Candidate]) -> Changes:
    with progress(len(entries), "Comparing") as tick, city.store.read() as conn:
        names = points.here(conn, []).points
        wanted = ((entry, snmp_credentials.of_import(kept, entry, there=entry.name in names)) for entry in entries)
        return points.plan(conn, city.store.keys, wanted, now=now_(), tick=tick)


@click.command("export")
@city_key
@click.argument("file", metavar="[FILE]", type=click.Path(path_type=Path), required=False)
@click.option("--secrets", "with_secrets", is_flag=True, help="With the secrets. Mind where the file goes.")
@at
def export(city: str, file: Path | None, with_secrets: bool, folder: Path) -> None:
    """Write the access points as CSV.

    As `kogge ap import` reads it. To FILE, which must not be there yet, or to standard output. Those behind a
    controller are left out: it tells of them.
    """
    with plainly(), city_of(folder, city) as opened:
        with opened.store.read() as conn:
            found = points.entries(conn, opened.store.keys)
        if with_secrets:
            with opened.store.write() as conn:
                points.note_secrets_shown(conn, subject="access points", author=COMMAND_LINE, now=now_())
        text = write_file(found, secrets=with_secrets)
        if file is None:
            click.echo(text, nl=False)
        else:
            _write(file, text)
            click.echo(f"{file}: {len(found)} access points")


def _write(file: Path, text: str) -> None:
    """For its owner alone, and never over another file."""
    try:
        with open(file, "x", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
            out.write(text)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written ({error.strerror})") from None
