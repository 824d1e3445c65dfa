"""What e-mail and text messages share: a letter, and how a gateway fails."""

from __future__ import annotations

import ssl
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from config.secrets import read_secret
from hotspot.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be sent, and to whom; text messages have no subject. Its repr shows none of it."""

    recipient: str
    subject: str
    text: str
    at: datetime

    def __repr__(self) -> str:
        return "Letter(…)"


class Failure(Exception):
    """It was not sent. `word` is for log, metric and database; it names nobody.

    `final`: another try would fail the same way. `ends_round`: so would the next letter now.
    """

    def __init__(self, word: str, *, final: bool = False, ends_round: bool = False) -> None:
        super().__init__(word)
        self.word, self.final, self.ends_round = word, final, ends_round


class Sending(Protocol):
    """An open way to a gateway."""

    def send(self, letter: Letter) -> None:
        """Raises Failure."""


class Gateway(Protocol):
    """What sends one kind of messages for one city."""

    def open(self) -> AbstractContextManager[Sending]:
        """Raises Failure where the gateway does not answer."""


def verified(ca_file: Path | None) -> ssl.SSLContext:
    """TLS that checks certificate and name: against this machine's authorities, or those of the file alone."""
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file is not None else None)
    except OSError:  # an SSLError is one
        raise Failure("ca_file") from None


def secret_of(file: Path) -> str:
    """What stands in a secret's file."""
    try:
        return read_secret(file)
    except ConfigError:
        raise Failure("secret_file") from None
