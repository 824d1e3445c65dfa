"""`python -m monitor PATH [--city KEY]`: the monitor process, one thread a city. Everything is made here, once."""

from __future__ import annotations

import argparse
import gc
import random
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from monitor import profiles
from monitor.city import CityMonitor
from monitor.session import Engine
from service import processes
from service.cities import City

COLLECTOR_THRESHOLDS = (20_000, 20, 1_000)
"""Python's own (700, 10, 10) looks through everything again and again while a city's readings arrive: with ten thousand
access points a full look stops all polls for 0.5 s, 2 s on a busy machine. What polls leave behind is freed by its
references, and the few cycles that exceptions make by the young collections."""


def run(installation_path: Path, only: Sequence[str] = (), engine: str = Engine.FAST) -> int:
    """Serve the installation's cities, or those in `only`, until SIGTERM. Returns the exit status."""
    gc.set_threshold(*COLLECTOR_THRESHOLDS)
    loaded = profiles.load()

    def start(city: City) -> CityMonitor:
        part = CityMonitor(city, loaded, clock=lambda: datetime.now(UTC), dice=random.Random(), engine=Engine(engine))
        part.start()
        return part

    return processes.run(
        installation_path,
        only,
        name="monitor",
        metrics_listen=lambda installation: installation.monitor.metrics_listen,
        start=start,
    )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="monitor", description="Poll access points and serve their metrics.")
    parser.add_argument("path", type=Path, help="kogge.toml or its folder")
    parser.add_argument("--city", action="append", default=[], metavar="KEY", help="only this city (repeatable)")
    parser.add_argument(
        "--engine", choices=list(Engine), default=Engine.FAST, help="what asks over SNMPv2c (default: fast)"
    )
    arguments = parser.parse_args()
    return run(arguments.path, arguments.city, arguments.engine)


if __name__ == "__main__":
    sys.exit(main())
