"""The RADIUS process: one server thread a city."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from radius.server import CityServer
from service import processes
from service.cities import City


def run(path: Path, only: Sequence[str] = ()) -> int:
    """Serve the installation's cities, or those in `only`, until SIGTERM. Returns the exit status."""
    return processes.run(
        path,
        only,
        name="radius",
        metrics_listen=lambda installation: installation.radius.metrics_listen,
        start=_start,
    )


GARBAGE_THRESHOLD = 50_000
"""Objects made before the cyclic collector looks: packets leave no cycles, and its looking stops the batch."""


def _start(city: City) -> CityServer:
    gc.set_threshold(GARBAGE_THRESHOLD)
    gc.freeze()  # modules and settings are never garbage
    server = CityServer(city, clock=lambda: datetime.now(UTC), random_octets=os.urandom)
    server.start()
    return server
