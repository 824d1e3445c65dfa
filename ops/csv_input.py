"""A CSV file that an operator names: read whole and as UTF-8, with progress where it has many lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from hotspot.errors import ConfigError

FILE_BYTES_MAX = 4_000_000
"""Largest CSV file: 10,000 lines of usual fields do not fill it."""

PROGRESS_ROWS = 200
"""From so many rows on, a terminal shows how far it is."""


def read_text(file: Path) -> str:
    """ConfigError where it cannot be read, is too large, or is not UTF-8."""
    try:
        octets = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror})") from None
    if len(octets) > FILE_BYTES_MAX:
        raise ConfigError(f"{file}: larger than {FILE_BYTES_MAX // 1_000_000} MB; split it")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        line = octets[: error.start].count(b"\n") + 1
        raise ConfigError(f"{file}: line {line}: not UTF-8; save it as “CSV UTF-8”") from None


@contextmanager
def progress(rows: int, label: str) -> Iterator[Callable[[], None]]:
    """What to call for each row; a bar on a terminal where there are many."""
    if rows < PROGRESS_ROWS or not sys.stderr.isatty():
        yield lambda: None
        return
    with click.progressbar(length=rows, label=label, file=sys.stderr, update_min_steps=rows // 100) as bar:
        yield lambda: bar.update(1)
