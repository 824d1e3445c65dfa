"""A throwaway PostgreSQL: Debian's binaries, a folder of its own, no fsync, no password, loopback only."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def _as_server(*command: str) -> list[str]:
    """PostgreSQL refuses to run as root: then Debian's own user runs it."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else list(command)


def _children(parent: int) -> Iterator[int]:
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(status.read_text().rpartition(")")[2].split()[1]) == parent:
                yield int(status.parent.name)


@dataclass
class Postgres:
    """A running server. `database()` makes one database a test."""

    binaries: Path
    folder: Path
    port: int
    user: str
    _names: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    def start(cls) -> Postgres | None:
        """None where PostgreSQL is not installed."""
        binaries = _binaries()
        if binaries is None:
            return None
        user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        home = Path(tempfile.mkdtemp(prefix="kogge-pg-", dir="/tmp"))  # a socket's path may not be long
        if os.geteuid() == 0:
            shutil.chown(home, "postgres")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = cls(binaries, home, port, user)
        data = str(home / "data")
        server._run("initdb", "-D", data, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        server.resume()
        return server

    def resume(self) -> None:
        """Start it, at first and after `halt`."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=300 -c fsync=off"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-o", options, "-l", log, "-w", "start")

    def halt(self) -> None:
        """Stop it at once, connections and all, as a crash would; what was committed stays."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")

    def freeze(self) -> None:
        """Let it hang, connections and all: the kernel still takes what is sent to it, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        first = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        for process in (first, *_children(first)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            _as_server(str(self.binaries / program), *arguments),
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )

    def url(self, name: str) -> str:
        return f"postgresql://{self.user}@127.0.0.1:{self.port}/{name}"

    def create(self, name: str, *, like: str = "template1") -> str:
        """A new database's URL; `like` names the one whose content it begins with."""
        self._say(f'CREATE DATABASE "{name}" TEMPLATE "{like}"')
        return self.url(name)

    def _say(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as admin:
            admin.execute(statement.encode())

    @contextlib.contextmanager
    def database(self, *, like: str = "template1") -> Iterator[str]:
        """A new database's URL; it is dropped afterwards."""
        name = f"kogge_{next(self._names)}"
        yield self.create(name, like=like)
        self._say(f'DROP DATABASE "{name}" WITH (FORCE)')

    def stop(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):  # a test may have halted it
            self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)
