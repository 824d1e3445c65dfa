"""What the commands of `kogge ap` share: which access point is meant, its credential's options, how a fault is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from hotspot.ap_entry import SECRETS, CredentialWords, read_credential
from hotspot.errors import ConfigError
from service.cities import City
from store import points
from store.fleet import SnmpCredential
from store.points import Point
from store.store import Connection

_OPTIONS: dict[str, tuple[Any, str, str]] = {
    "community_file": (click.File("r"), "FILE", "SNMPv2c: a file with the community, - for standard input."),
    "user": (str, "TEXT", "SNMPv3: the user (authPriv, SHA-256, AES-128)."),
    "auth_password_file": (click.File("r"), "FILE", "SNMPv3: a file with the authentication password."),
    "priv_password_file": (click.File("r"), "FILE", "SNMPv3: a file with the privacy password."),
}

_PROMPTS = {"community": "Community", "auth_password": "Authentication password", "priv_password": "Privacy password"}


def credential_options(command: Callable[..., None]) -> Callable[..., None]:
    """Secrets come from files or a prompt: a command line is seen by others."""
    for name, (kind, metavar, summary) in reversed(_OPTIONS.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, type=kind, metavar=metavar, help=summary)(command)
    return command


def given_credential(given: Mapping[str, Any], *, prompt: bool) -> SnmpCredential | None:
    """The one that the options give, or with `prompt` the one that is typed; None where there is neither."""
    texts = {
        name.removesuffix("_file"): value.read().strip() if name.endswith("_file") else value
        for name, value in given.items()
        if value is not None
    }
    if prompt:
        wanted = ("auth_password", "priv_password") if texts.get("user") else ("community",)
        texts |= {name: click.prompt(_PROMPTS[name], hide_input=True) for name in wanted if not texts.get(name)}
    if not texts:
        return None
    return stored(read_credential(texts))


def stored(words: CredentialWords) -> SnmpCredential:
    return SnmpCredential(**asdict(words))


def named(conn: Connection, city: City, name: str) -> Point:
    """The access point of that name; ConfigError where the city has none in service."""
    found = points.by_name(conn, name)
    if found is None:
        raise ConfigError(f"{city.key} has no access point {name!r}; see `kogge ap list {city.key}`")
    return found


def option_of(field: str) -> str:
    """As the commands call it."""
    if field in ("name", "new_name"):
        return field.upper()
    suffix = "-file" if field in SECRETS and field != "user" else ""
    return f"--{field.replace('_', '-')}{suffix}"


def now_() -> datetime:
    return datetime.now(UTC)
