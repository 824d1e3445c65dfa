"""`make bench`: every benchmark, one after the other; the `result` lines of all of them stand in the output."""

from __future__ import annotations

import sys

from bench import monitor, portal, radius

BENCHES = (radius, portal, monitor)


def main() -> int:
    """The first failure's status, 0 where all ran."""
    statuses = [bench.main([]) for bench in BENCHES]
    return next((status for status in statuses if status), 0)


if __name__ == "__main__":
    sys.exit(main())
