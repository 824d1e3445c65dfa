"""Work that comes round every few seconds on a thread of its own, until it is stopped; a round that fails is logged."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod

from store.store import Unavailable

log = logging.getLogger(__name__)


class Rounds(ABC):
    """A round every `pause_s` seconds from `start` to `stop`. `place` says in the log whose work it is."""

    def __init__(self, name: str, place: str, *, pause_s: float) -> None:
        self._place = place
        self._pause_s = pause_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def round(self) -> None:
        """What comes round. May raise: the next one tries again."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Begin to end; returns at once."""
        self._stopping.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the round that runs."""
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.wait(self._pause_s):
            try:
                self.round()
            except Unavailable as error:
                log.warning("%s: the database is away (%s)", self._place, type(error).__name__)
            except Exception:  # ours to mend
                log.exception("%s: a round failed", self._place)
