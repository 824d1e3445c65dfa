"""`make bench`: every benchmark, one after the other; the `result` lines of all of them stand in the output."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from bench import growth, memory, monitor, portal, radius, weight

BENCHES = {
    "radius": radius.main,
    "growth": growth.main,
    "memory": memory.main,
    "portal": portal.main,
    "monitor": monitor.main,
    "weight": weight.main,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The first failure's status, 0 where all ran."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(BENCHES)}")
    names = parser.parse_args(arguments).names or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHES)}")
    statuses = [BENCHES[name]([]) for name in names]
    return next((status for status in statuses if status), 0)


if __name__ == "__main__":
    sys.exit(main())
