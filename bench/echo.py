"""The generator's own limit: its loop against a program that only sends back what it received."""

from __future__ import annotations

import socket
import sys
import time
from dataclasses import replace
from pathlib import Path

from bench.load import Loop, Supply, Tally
from bench.rounds import WARM_SECONDS
from bench.servers import READY_SECONDS, Cores, NotReady, free_ports, pinned

_ECHO = """\
import socket, sys
echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
echo.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
echo.bind(("127.0.0.1", int(sys.argv[1])))
buffer = bytearray(4096)
while True:
    size, source = echo.recvfrom_into(buffer)
    echo.sendto(memoryview(buffer)[:size], source)
"""


def measure_echo(supply: Supply, cores: Cores, seconds: float, log: Path) -> Tally:
    """What the generator could drive at most; a server near it would have been measured too slow."""
    port = free_ports(1)[0]
    echoed = replace(supply, wanted_code=supply.requests[0][0], secret=None)
    with pinned([sys.executable, "-c", _ECHO, str(port)], cores, log):
        _await_echo(port)
        return Loop(echoed, port).run(seconds, warm_seconds=WARM_SECONDS)


def _await_echo(port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("127.0.0.1", port))
        probe.settimeout(0.1)
        while time.monotonic() < deadline:
            try:
                probe.send(b"?")
                probe.recv(16)
                return
            except OSError:  # time-out, or nobody listens yet
                time.sleep(0.02)
    raise NotReady("the echo program does not answer")
