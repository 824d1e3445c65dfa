"""Starting what is measured: as a process of its own, on a core of its own, and knowing when it is ready."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.packets import is_genuine, status_server

REPOSITORY = Path(__file__).parents[1]
READY_SECONDS = 30.0
END_SECONDS = 15.0


class NotReady(Exception):
    """The server ended or never answered; its log's last lines are the message."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a RADIUS server listens on loopback, and the secret it shares with the generator."""

    auth_port: int
    acct_port: int
    secret: bytes


@dataclass(frozen=True, slots=True)
class Cores:
    """A core for the server and one for the generator; the same one on a machine that has no second."""

    server: int
    generator: int

    @classmethod
    def choose(cls) -> Cores:
        allowed = sorted(os.sched_getaffinity(0))
        return cls(allowed[0], allowed[1] if len(allowed) > 1 else allowed[0])


def free_ports(count: int) -> list[int]:
    """UDP ports on loopback that nobody listens on."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


@contextlib.contextmanager
def running(command: Sequence[str], place: Place, cores: Cores, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A RADIUS server on the server's core, from its first answers until it has ended on SIGTERM."""
    with pinned(command, cores, log) as process:
        for port in (place.auth_port, place.acct_port):
            await_ready(process, port, place.secret, log)
        yield process


@contextlib.contextmanager
def pinned(
    command: Sequence[str], cores: Cores, log: Path, *, account: str | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The command as a process on the server's core, ended on the way out. `account`: as whom; None: as us."""
    process = _start(command, cores, log, account)
    try:
        yield process
    finally:
        _end(process)


def _start(command: Sequence[str], cores: Cores, log: Path, account: str | None) -> subprocess.Popen[bytes]:
    """A child inherits the affinity that we have at that moment, all its threads and children included."""
    os.sched_setaffinity(0, {cores.server})
    try:
        with log.open("ab") as output:
            return subprocess.Popen(
                command,
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=account,
                group=account,
                extra_groups=None if account is None else (),
            )
    finally:
        os.sched_setaffinity(0, {cores.generator})


def await_ready(process: subprocess.Popen[bytes], port: int, secret: bytes, log: Path) -> None:
    """Ask until the server answers. NotReady after `READY_SECONDS`, or when the process has ended."""
    deadline = time.monotonic() + READY_SECONDS
    identifier = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("127.0.0.1", port))
        probe.settimeout(0.1)
        while time.monotonic() < deadline and process.poll() is None:
            request = status_server(identifier := (identifier + 1) % 256, secret)
            try:
                probe.send(request)
                if is_genuine(probe.recv(4096), request, secret):
                    return
            except TimeoutError:
                continue
            except OSError:  # nobody listens yet
                time.sleep(0.05)
    raise NotReady(f"{process.args!r} does not answer on port {port}:\n{last_lines(log)}")


def last_lines(log: Path, count: int = 5) -> str:
    """What a process said last."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
