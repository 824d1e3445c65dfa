"""`kogge profile`: the vendor profiles the monitor polls with, listed and checked; format: docs/profiles.md."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from monitor.profile import Profile
from monitor.profile_file import read
from monitor.profiles import COMMON, FOLDER, load
from ops.command import plainly


@click.group("profile")
def command() -> None:
    """Check and list the vendor profiles of access points."""


@command.command("check")
@click.argument("file", metavar="[FILE]", type=click.Path(path_type=Path), required=False)
def check(file: Path | None) -> None:
    """Check one profile, or all that are shipped.

    Every error names the file and the key, and says what is valid.
    """
    with plainly():
        common = read(FOLDER / f"{COMMON}.toml", None)
        for each in [file] if file else sorted(FOLDER.glob("*.toml")):
            profile = common if each == FOLDER / f"{COMMON}.toml" else read(each, common)
            click.echo(f"sound: {each}: {_reads(profile)}")
        if file is None:
            load()


def _reads(profile: Profile) -> str:
    tables = ", ".join(table.name for table in profile.tables)
    return f"{len(profile.scalars)} scalars; {tables}"


@command.command("list")
def listed() -> None:
    """List all profiles: what each is for, and which devices get it."""
    with plainly():
        profiles = load()
    table = Table("Profile", "For", "Kind", "Devices", box=None)
    for profile in (profiles.common, *profiles.vendors):
        kind = "controller" if profile.controller else "access point"
        table.add_row(profile.name, profile.title, kind, "\n".join(_rules(profile)) or "all others")
    Console().print(table)


def _rules(profile: Profile) -> list[str]:
    return [str(match) for match in profile.matches]
