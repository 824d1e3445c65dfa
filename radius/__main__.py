"""The RADIUS process: one server thread a city."""

from __future__ import annotations

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


def _start(city: City) -> CityServer:
    server = CityServer(city, clock=lambda: datetime.now(UTC), random_octets=os.urandom)
    server.start()
    return server
