"""The life of a service process: open the cities, start each one's part, serve metrics, end on SIGTERM.

One city's part that cannot start is named and left out; the process ends with status 2 only when none could.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from config.load import load_installation
from config.model import Installation
from hotspot.errors import ConfigError
from service import exposition, logs, targets
from service.cities import City, open_cities

log = logging.getLogger(__name__)

DRAIN_SECONDS = 10.0
"""How long the parts may take to finish what they have begun."""

LOOK_UP_SECONDS = 1.0
"""How often the main thread wakes: the kernel may hand a signal to another thread, and Python runs its handler only
once the main thread runs. Seen here: a service that slept on after SIGTERM."""

FAILED = 2
"""Exit status when there is nothing to serve; 0 after a signal."""


class Part(Protocol):
    """One city's running part."""

    def stop(self) -> None:
        """Begin to end; must return at once."""

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end."""


def run(
    path: Path,
    only: Sequence[str],
    *,
    name: str,
    metrics_listen: Callable[[Installation], str],
    start: Callable[[City], Part],
) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit status."""
    logs.configure("info", "text")
    stopping = stop_event()
    try:
        settings = load_installation(path).installation.log
        logs.configure(settings.level, settings.format)
        opened = open_cities(path, only)
    except ConfigError as error:
        log.error("%s", error)
        return FAILED
    parts, serving = _start_all(opened.cities, start)
    try:
        if not parts:
            log.error("%s: no city could be started", name)
            return FAILED
        listener = exposition.serve(
            metrics_listen(opened.installation), serving, listens=targets.listens(opened.installation)
        )
        log.info("%s: ready: %s", name, ", ".join(city.key for city in serving))
        while not stopping.wait(LOOK_UP_SECONDS):
            pass
        log.info("%s: ending", name)
        listener.close()
    except ConfigError as error:
        log.error("%s", error)
        return FAILED
    finally:
        _end_all(parts, opened.cities)
    return 0


def stop_event() -> threading.Event:
    """An event that SIGTERM and SIGINT set. Only the main thread may ask for one."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def _start_all(cities: Sequence[City], start: Callable[[City], Part]) -> tuple[list[Part], list[City]]:
    parts: list[Part] = []
    serving: list[City] = []
    for city in cities:
        try:
            parts.append(start(city))
            serving.append(city)
        except ConfigError as error:
            log.error("%s", error)
    return parts, serving


def _end_all(parts: Sequence[Part], cities: Sequence[City]) -> None:
    for part in parts:
        part.stop()
    for part in parts:
        part.join(DRAIN_SECONDS)
    for city in cities:
        city.store.close()
