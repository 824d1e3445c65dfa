"""What the pages ask of the database again and again, and what changes rarely: kept until anything in it changes.

Never stale: the database is asked for its version first (`store.version`), once a request, and an answer is kept for
one version only. A city whose accounting writes all the time reads its terms as often as it is written to, as before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from flask import g

from store.store import Connection, Store

KEPT_MAX = 1_000
"""Answers that are kept; NASes and languages are fewer. One more, and all are forgotten."""

Answer = TypeVar("Answer")


class Memo:
    """One city's."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._version: object = None
        self._kept: dict[Hashable, Any] = {}

    def get(self, key: Hashable, read: Callable[[Connection], Answer]) -> Answer:
        """The answer to `read`, which depends on nothing but `key` and the database. Belongs into a request."""
        version = self._version_now()
        with self._lock:
            if version == self._version and key in self._kept:
                found: Answer = self._kept[key]
                return found
        with self._store.read() as conn:
            answer = read(conn)
        self._keep(key, answer, version)
        return answer

    def _version_now(self) -> object:
        """As it was when this request first asked: all that one page shows is of one age, or newer."""
        if "version" not in g:
            g.version = self._store.version()
        return g.version

    def _keep(self, key: Hashable, answer: Any, version: object) -> None:
        """Under the version that was seen before reading: where it changed meanwhile, the next request reads again."""
        with self._lock:
            if version != self._version or len(self._kept) >= KEPT_MAX:
                self._kept = {}
                self._version = version
            self._kept[key] = answer
