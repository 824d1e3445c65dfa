"""`kogge account`: what a city does with a resident's account when a letter asks for it (GDPR Art. 17)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from hotspot.accounts import parse_address
from hotspot.errors import ConfigError
from ops.command import at, city_key, city_of, plainly
from service.cities import City
from store import accounts, audit


@click.group("account")
def command() -> None:
    """Accounts of residents."""


@command.command("delete")
@city_key
@click.argument("address", metavar="ADDRESS")
@at
def delete(city: str, address: str, folder: Path) -> None:
    """Delete the account of an e-mail address.

    At once and for good: address and password go, devices that are online with it go offline, and what they used is
    nobody's from then on. Nothing asks back; make sure that the letter is the holder's.
    """
    with plainly(), city_of(folder, city) as opened:
        number = _delete(opened, address, now=datetime.now(UTC))
        click.echo(f"{opened.key}: account {number} is deleted.")


def _delete(city: City, typed: str, *, now: datetime) -> int:
    """The number of the account that was deleted; its address stands nowhere any more. ConfigError: there is none."""
    address = parse_address(typed)
    if address is None:
        raise ConfigError(f"{typed!r} is not an e-mail address such as name@example.org")
    with city.store.write() as conn:
        found = accounts.find(conn, city.store.keys, address)
        if found is None:
            raise ConfigError(f"{city.key}: nobody has an account with this address")
        accounts.delete(conn, found.id, now=now)
        audit.add(conn, now=now, action="account.delete", subject=f"account {found.id}", by="operator")
    return found.id
