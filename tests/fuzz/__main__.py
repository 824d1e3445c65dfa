"""`make fuzz`: a real server under fuzzed packets for ten minutes. A failure writes what was sent last."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import traceback
from pathlib import Path

from tests.fuzz.campaign import Campaign
from tests.system.radius_load import Load

ARTEFACTS = Path("artefacts")
RESIDENTS = 400


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz ARGS=", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.seconds:.0f} s", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="kogge-fuzz-") as folder,
        Load.prepare(Path(folder), residents=RESIDENTS) as load,
        load.server() as process,
    ):
        campaign = Campaign(load, process, options.seed)
        try:
            print(campaign.run(options.seconds))
        except AssertionError:
            traceback.print_exc()
            print(load.log.read_text()[-5000:])
            print(f"the last packets: {keep(campaign.recent, options.seed)}; those that broke it belong in the corpus")
            print(f"again: make fuzz ARGS='--seed {options.seed}'")
            return 1
    return 0


def keep(recent: list[bytes], seed: int) -> Path:
    """Each packet in a line, as the corpus's files hold them."""
    ARTEFACTS.mkdir(exist_ok=True)
    file = ARTEFACTS / f"fuzz-{seed}.hex"
    file.write_text("\n".join(packet.hex() for packet in recent) + "\n")
    return file


if __name__ == "__main__":
    sys.exit(main())
