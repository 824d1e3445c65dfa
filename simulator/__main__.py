"""`python -m simulator TOWN.json`: run the whole town until SIGTERM or SIGINT.

Exit 0 after the last Stop is out, 2 where TOWN.json is wrong or a port is taken (one line says which).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from hotspot.errors import ConfigError
from simulator.runtime import running
from simulator.town import Town, load

REPORT_SECONDS = 60.0

log = logging.getLogger("simulator")


def main(arguments: list[str] | None = None) -> int:
    """Parse, load, run."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A town in a box for Kogge.")
    parser.add_argument("town", type=Path, help="TOWN.json, as docs/simulator.md describes it")
    parser.add_argument("--no-residents", action="store_true", help="access points and NASes only")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        asyncio.run(_run(load(options.town), residents=not options.no_residents))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # before the handlers were in place
        return 0
    return 0


async def _run(town: Town, *, residents: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with running(town, residents=residents) as runtime:
        log.info("simulator: ready")
        while not stopped.is_set():
            try:
                await asyncio.wait_for(stopped.wait(), REPORT_SECONDS)
            except TimeoutError:
                for key, nas in runtime.nases.items():
                    log.info("simulator: %s: %d devices online", key, nas.online)
    log.info("simulator: ended")


if __name__ == "__main__":
    sys.exit(main())
