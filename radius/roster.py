"""The city's RADIUS clients as the database has them now: read each second, taken over where anything has changed.

A change takes effect within `REFRESH_SECONDS` and a batch. The rows are read and compared (0.5 ms for 100 NASes) and
not a mark of change: every writer would have to move it, and SQLite's `data_version` moves with each batch of ours.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

from hotspot.errors import ConfigError
from radius.metrics import RadiusMetrics
from radius.peers import Peers
from service.cities import City
from store import nases, self_test
from store.nases import Nas

log = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0
"""How often the list is read again."""

SECRET_LENGTH_ADVISED = 12
"""Octets; shorter secrets are named in the log (RADIUS.md: warned about below that)."""

Warned = tuple[str, str]
"""A NAS's name, and a sentence that goes on from it."""


class Roster:
    """Keeps one city's `Peers` up to date, and names the NASes whose entry asks for trouble, each once."""

    def __init__(self, city: City, peers: Peers, metrics: RadiusMetrics) -> None:
        self._city = city
        self._peers = peers
        self._metrics = metrics
        self._known: dict[Any, Nas | ConfigError] = {}
        self._names: dict[int, str] = {}
        self._warned: set[tuple[str, str]] = set()

    def refresh(self) -> None:
        """Take over what has changed; only what has is unsealed."""
        with self._city.store.read() as conn:
            rows = nases.sealed_nases(conn, hidden=self_test.IDENTIFIER)
        if rows == list(self._known):
            return
        self._known = {row: self._known[row] if row in self._known else self._unseal(row) for row in rows}
        readable = [nas for nas in self._known.values() if isinstance(nas, Nas)]
        self._peers.replace(readable)
        self._metrics.clients.set(sum(row.removed_at is None for row in rows))
        self._names = {row.id: row.name for row in rows if row.removed_at is None}
        self._metrics.set_nases(set(self._names.values()))
        self._warn([*_broken(self._known), *_short(readable), *_unreadable(self._peers)])

    def name_of(self, nas_id: int | None) -> str | None:
        """The name of a registered NAS; None of one that is removed or hidden."""
        return self._names.get(nas_id) if nas_id is not None else None

    def _unseal(self, row: Any) -> Nas | ConfigError:
        try:
            return nases.unsealed(self._city.store.keys, row)
        except ConfigError as error:  # of this one; the others are to be heard
            return error

    def _warn(self, warnings: Iterable[Warned]) -> None:
        now = set(warnings)
        for name, trouble in sorted(now - self._warned):
            log.warning("%s: NAS %s %s", self._city.key, name, trouble)
        self._warned = now


def _broken(known: dict[Any, Nas | ConfigError]) -> Iterator[Warned]:
    for row, error in known.items():
        if isinstance(error, ConfigError):
            yield row.name, f"is not heard: {error}"


def _short(nases: Iterable[Nas]) -> Iterator[Warned]:
    for nas in nases:
        if len(nas.secret) < SECRET_LENGTH_ADVISED:
            yield (
                nas.name,
                f"has a secret of under {SECRET_LENGTH_ADVISED} characters; give it a longer one, here and there",
            )


def _unreadable(peers: Peers) -> Iterator[Warned]:
    for nas in peers.unreadable:
        trouble = "is not heard: its address is neither an address nor a network such as 10.1.0.0/24; correct it"
        yield nas.name, trouble
