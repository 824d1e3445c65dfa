"""`python -m monitor PATH [--city KEY]`: the composition root of the monitor. Everything is made here, once."""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from config.load import load_installation
from hotspot.errors import ConfigError
from monitor import metrics, profiles
from monitor.board import Board
from monitor.instruments import Instruments
from monitor.poller import Poller, Settings
from monitor.profiles import Profiles
from monitor.records import Records
from monitor.schedule import Housekeeper
from service import cities as service_cities
from service import exposition, logs
from service.cities import City, Opened

log = logging.getLogger("monitor")

EXIT_OK, EXIT_CONFIG = 0, 2


def run(installation_path: Path, only: Sequence[str] = ()) -> int:
    """Serve until SIGTERM or SIGINT. 0 after a clean stop, 2 where nothing could be served (said on stderr)."""
    try:
        installation = load_installation(installation_path).installation
        logs.configure(installation.log.level, installation.log.format)
        opened = service_cities.open_cities(installation_path, only)
        if not opened.cities:
            raise ConfigError("no city could be opened; see the messages above")
        return _serve(opened, profiles.load())
    except ConfigError as error:
        print(f"monitor: {error}", file=sys.stderr)
        return EXIT_CONFIG


def _serve(opened: Opened, loaded: Profiles) -> int:
    instruments = [(city, Instruments(city.registry)) for city in opened.cities]
    housekeeper = Housekeeper(instruments, _now)
    try:
        asyncio.run(_run(opened, instruments, housekeeper, loaded))
    finally:
        for city in opened.cities:
            city.store.close()
    return EXIT_OK


async def _run(
    opened: Opened, instruments: list[tuple[City, Instruments]], housekeeper: Housekeeper, loaded: Profiles
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    pollers = [_poller(city, counts, loaded) for city, counts in instruments]
    tasks: list[asyncio.Task[None]] = []
    listen = opened.installation.monitor.metrics_listen
    listener = exposition.serve(listen, opened.cities, lambda: bool(tasks) and not any(map(asyncio.Task.done, tasks)))
    try:
        tasks += [asyncio.create_task(poller.run()) for poller in pollers]
        for task in tasks:
            task.add_done_callback(_complain)
        housekeeper.start()
        log.info("ready: %s on http://%s", ", ".join(city.key for city in opened.cities), listen)
        await stop.wait()
        log.info("stopping")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(housekeeper.stop)
        await asyncio.to_thread(listener.close)


def _poller(city: City, counts: Instruments, loaded: Profiles) -> Poller:
    monitor = city.config.monitor
    settings = Settings(monitor.poll_interval_s, monitor.timeout_s, monitor.retries, monitor.max_in_flight)
    board = Board()
    metrics.register(city.registry, city.key, board)
    return Poller(
        city.key,
        settings,
        records=Records(city.store),
        board=board,
        instruments=counts,
        profiles=loaded,
        clock=_now,
        dice=random.Random(),
    )


def _complain(task: asyncio.Task[None]) -> None:
    """A poller ends only when cancelled; anything else is ours to mend, and /healthz says so."""
    if not task.cancelled() and task.exception() is not None:
        log.error("a poller ended", exc_info=task.exception())


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="monitor", description="Poll access points and serve their metrics.")
    parser.add_argument("path", type=Path, help="kogge.toml or its folder")
    parser.add_argument("--city", action="append", default=[], metavar="KEY", help="only this city (repeatable)")
    arguments = parser.parse_args()
    return run(arguments.path, arguments.city)


if __name__ == "__main__":
    sys.exit(main())
