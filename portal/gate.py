"""The gate before one city's pages: a city may hold its share of the process's threads and no more.

A request waits at the gate while others of its city come and go. Once nothing moves, or the database is known to be
away, it is turned away at once: waiting would hold a thread that another city needs (docs/adr/0016).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from prometheus_client import Counter

from portal.dispatch import Environ, StartResponse, WsgiApp

PATIENCE_SECONDS = 0.5
"""So long nothing may move behind a full gate before it counts as stuck; a page takes a few milliseconds."""

WAIT_SECONDS = 5.0
"""No request waits longer, however much moves."""


def share(threads: int, cities: int) -> int:
    """How many of a process's threads one city may hold: all where it is alone, else half."""
    return threads if cities == 1 else max(1, threads // 2)


class Gate:
    """WSGI around one city's application. `refuse` answers who is turned away, without any database."""

    def __init__(
        self,
        app: WsgiApp,
        refuse: WsgiApp,
        turned_away: Counter,
        *,
        places: int,
        is_away: Callable[[], bool],
    ) -> None:
        self.app = app
        self._refuse = refuse
        self._places = places
        self._is_away = is_away
        self._inside = 0
        self._moved_at = 0.0
        self._moved = threading.Condition()
        self._turned_away = turned_away

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        refusal = "away" if self._is_away() else None if self._enter() else "stuck"
        if refusal is not None:
            self._turned_away.labels(refusal).inc()
            return self._refuse(environ, start_response)
        try:
            return self.app(environ, start_response)
        finally:
            self._leave()

    def _enter(self) -> bool:
        until = time.monotonic() + WAIT_SECONDS
        with self._moved:
            while self._inside >= self._places:
                left = min(until, self._moved_at + PATIENCE_SECONDS) - time.monotonic()
                if left <= 0:
                    return False
                self._moved.wait(left)
            self._inside += 1
            self._moved_at = time.monotonic()
        return True

    def _leave(self) -> None:
        with self._moved:
            self._inside -= 1
            self._moved_at = time.monotonic()
            self._moved.notify()
