"""The benchmark's SNMP agents: `snmp_agent.c`, compiled, on a core of its own; every address of 127/8 is one."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.servers import Cores, NotReady, free_ports, last_lines, pinned
from bench.snmp_tables import Row

SOURCE = Path(__file__).with_suffix(".c")
READY_SECONDS = 10.0


def compiled(folder: Path) -> Path:
    """The agent's program. NotReady where there is no compiler, or it fails."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise NotReady("no C compiler: install gcc")
    program = folder / "snmp_agent"
    done = subprocess.run(
        [compiler, "-O2", "-o", str(program), str(SOURCE)], capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode:
        raise NotReady(f"{SOURCE.name} does not compile:\n{done.stderr[-500:]}")
    return program


@contextlib.contextmanager
def agents(program: Path, rows: Iterable[Row], cores: Cores, folder: Path) -> Iterator[int]:
    """Agents that all tell these rows, until the end; gives their port. They run on the generator's core."""
    (port,) = free_ports(1)
    table, log = folder / f"table-{port}", folder / f"agent-{port}.log"
    table.write_text("".join(f"{row.line()}\n" for row in rows))
    with pinned([str(program), str(port), str(table)], Cores(cores.generator, cores.generator), log) as process:
        until = time.monotonic() + READY_SECONDS
        while "ready" not in log.read_text():
            if process.poll() is not None or time.monotonic() > until:
                raise NotReady(f"the agents do not start:\n{last_lines(log)}")
            time.sleep(0.02)
        yield port


def address(number: int) -> str:
    """Of the agent of that number, up to four million: 127.64.0.0 and on."""
    return f"127.{64 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
