"""`kogge message`: one test message through the same outbox, sender and gateway as residents' codes, and its fate."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from config.model import CityConfig
from hotspot.addresses import is_served, parse_email, parse_number
from hotspot.errors import ConfigError, InputError
from ops.command import at, city_key, city_of, plainly
from service.cities import City
from service.processes import FAILED
from store import messages
from store.messages import Fate, Kind, State

LOOK_SECONDS = 0.2

FAILURES = {
    "no_connection": "the server cannot be reached at its host and port, or fell silent",
    "connection_lost": "the server hung up",
    "tls": "TLS failed: a certificate of another name or of no known authority, or a port without TLS",
    "not_supported": "the server offers no STARTTLS, or no log-in",
    "login": "the server refused user or password",
    "ca_file": "ca_file cannot be read, or holds no certificate",
    "secret_file": "the file with the password or secret is missing, empty, or others may read it",
    messages.EXPIRED: "nobody took it in time",
}
"""What each word means to an admin; `recipient_550`, `smtp_421` and `http_403` carry the gateway's own number."""


@click.group("message")
def command() -> None:
    """Try how a city sends e-mail and text messages."""


@command.command()
@city_key
@click.argument("address", metavar="ADDRESS")
@click.option("--wait", default=60, show_default=True, type=click.IntRange(1, 600), help="Seconds to wait for it.")
@at
def test(city: str, address: str, wait: int, folder: Path) -> None:
    """Send a test message to an e-mail address or a telephone.

    It goes the way of residents' codes: written into the outbox, sent by the city's running monitor. Exit status 0
    when the gateway has taken it, else 2 with what went wrong.
    """
    with plainly(), city_of(folder, city) as opened:
        kind, recipient = _recipient(opened.config, address)
        message_id = _want(opened, kind, recipient, wait)
        fate = _await(opened, message_id, wait)
    if fate.state is State.SENT:
        click.echo(f"sent: the gateway has taken the {_NAMES[kind]}")
        return
    click.echo(f"not sent: {_why(fate)}", err=True)
    sys.exit(FAILED)


_NAMES = {Kind.EMAIL: "e-mail", Kind.SMS: "text message"}


def _recipient(config: CityConfig, address: str) -> tuple[Kind, str]:
    """Where the test goes, by what ADDRESS looks like; ConfigError where the city does not send there."""
    try:
        if "@" in address:
            kind, recipient, means = Kind.EMAIL, parse_email(address), bool(config.mail.host)
        else:
            number = parse_number(address, country_code=config.sms.country_code)
            kind, recipient, means = Kind.SMS, number, config.sms.enabled
    except InputError as error:
        raise ConfigError(f"{address!r}: {error}") from None
    if not means:
        raise ConfigError(f"{config.key} sends no {_NAMES[kind]}s: see [{_SECTIONS[kind]}] in its file")
    if kind is Kind.SMS and not is_served(recipient, config.sms.prefixes):
        raise ConfigError(f"{recipient} begins with none of sms.prefixes: {', '.join(config.sms.prefixes)}")
    return kind, recipient


_SECTIONS = {Kind.EMAIL: "mail", Kind.SMS: "sms"}


def _want(city: City, kind: Kind, recipient: str, wait: int) -> int:
    now = datetime.now(UTC)
    text = f"This is a test of the Wi-Fi of {city.config.name}. You need do nothing."
    with city.store.write() as conn:
        return messages.add(
            conn,
            city.store.keys,
            kind,
            recipient=recipient,
            subject="Test of the Wi-Fi" if kind is Kind.EMAIL else "",
            text=text + ("\n" if kind is Kind.EMAIL else ""),
            expires_at=now + timedelta(seconds=wait),
            now=now,
        )


def _await(city: City, message_id: int, wait: int) -> Fate:
    """What became of it by the end of the wait."""
    end = time.monotonic() + wait
    while True:
        with city.store.read() as conn:
            fate = messages.fate(conn, message_id)
        assert fate is not None, "the message was written a moment ago"
        if fate.state is not State.WANTED or time.monotonic() >= end:
            return fate
        time.sleep(LOOK_SECONDS)


def _why(fate: Fate) -> str:
    if not fate.attempts:
        return "nobody took it up; does `kogge monitor` run?"
    told = FAILURES.get(fate.failure, f"the gateway answered {fate.failure.rpartition('_')[2]}")
    return f"{fate.failure or 'no answer yet'}: {told} ({fate.attempts} attempts)"
