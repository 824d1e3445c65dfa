"""The city's RADIUS clients as the database has them now: read each second, taken over where anything has changed.

A change takes effect within `REFRESH_SECONDS` and a batch. The rows are read and compared (0.5 ms for 100 NASes) and
not a mark of change: every writer would have to move it, and SQLite's `data_version` moves with each batch of ours.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from radius.metrics import RadiusMetrics
from radius.peers import Peers
from service.cities import City
from store import fleet, self_test
from store.fleet import Nas

log = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0
"""How often the list is read again."""

SECRET_LENGTH_ADVISED = 12
"""Octets; shorter secrets are named in the log (RADIUS.md: warned about below that)."""


class Roster:
    """Keeps one city's `Peers` up to date, and names the NASes whose entry asks for trouble, each once."""

    def __init__(self, city: City, peers: Peers, metrics: RadiusMetrics) -> None:
        self._city = city
        self._peers = peers
        self._metrics = metrics
        self._rows: Sequence[Any] | None = None
        self._warned: set[tuple[str, str]] = set()

    def refresh(self) -> None:
        """Take over what has changed. ConfigError where a secret cannot be opened; then the old list stays."""
        with self._city.store.read() as conn:
            rows = fleet.sealed_nases(conn, hidden=self_test.IDENTIFIER)
        if rows == self._rows:
            return
        nases = fleet.unsealed(self._city.store.keys, rows)
        self._peers.replace(nases)
        self._rows = rows
        self._metrics.clients.set(sum(row.removed_at is None for row in rows))
        self._warn(nases)

    def _warn(self, nases: Iterable[Nas]) -> None:
        warnings = {(nas.name, trouble) for nas in nases for trouble in _troubles(nas, self._peers)}
        for name, trouble in sorted(warnings - self._warned):
            log.warning("%s: NAS %s %s", self._city.key, name, trouble)
        self._warned = warnings


def _troubles(nas: Nas, peers: Peers) -> list[str]:
    """Ends of sentences that begin with the NAS."""
    troubles = []
    if len(nas.secret) < SECRET_LENGTH_ADVISED:
        troubles.append("has a secret of under 12 characters; give it a longer one, here and there")
    if nas in peers.unreadable:
        troubles.append("is not heard: its address is neither an address nor a network such as 10.1.0.0/24; correct it")
    return troubles
