"""Real agents for the monitor's tests: Debian's snmpd, and a UDP peer that says anything (snmpsim: `simulation`)."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor import profiles
from monitor.profiles import Profiles
from monitor.session import Target
from store.fleet import SnmpCredential

READY_S = 20.0
REPOSITORY = Path(__file__).parents[2]

V2C = SnmpCredential("v2c", community="kogge-test")
V3 = SnmpCredential("v3", user="kogge", auth_password="auth-secret-1", priv_password="priv-secret-1")

SNMPD_CONF = """\
agentaddress udp:127.0.0.1:{port}
rocommunity {community} 127.0.0.1
createUser {user} SHA-256 "{auth}" AES "{priv}"
rouser {user} authpriv
master no
"""


@dataclass(frozen=True)
class Agent:
    """Where an agent listens."""

    port: int
    address: str = "127.0.0.1"

    def target(self, credential: SnmpCredential, timeout_s: float = 1.0, retries: int = 0) -> Target:
        return Target(self.address, self.port, credential, timeout_s, retries)


@pytest.fixture(scope="session")
def all_profiles() -> Profiles:
    return profiles.load()


def udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    *command: str, port: int, env: dict[str, str] | None = None, log: Path, address: str = "127.0.0.1"
) -> Iterator[Agent]:
    """A daemon that holds a UDP port, ended at the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **(env or {})})
        try:
            _await_port(process, address, port, log)
            yield Agent(port, address)
        finally:
            process.terminate()
            process.wait(10)


def _await_port(process: subprocess.Popen[bytes], address: str, port: int, log: Path) -> None:
    """A UDP port is open once it cannot be bound any more."""
    end = time.monotonic() + READY_S
    while time.monotonic() < end and process.poll() is None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                return
        time.sleep(0.05)
    raise AssertionError(f"the agent did not start: {log.read_text(errors='replace')[-2000:]}")


@pytest.fixture
def snmpd(tmp_path: Path) -> Iterator[Agent]:
    """Debian's snmpd with `V2C` and `V3`."""
    port = udp_port()
    config, state = tmp_path / "snmpd.conf", tmp_path / "snmpd"
    state.mkdir()
    values = {"user": V3.user, "auth": V3.auth_password, "priv": V3.priv_password, "community": V2C.community}
    config.write_text(SNMPD_CONF.format(port=port, **values))
    command = ("snmpd", "-f", "-Lo", "-C", "-c", str(config))
    env = {"SNMP_PERSISTENT_DIR": str(state), "MIBS": ""}
    with running(*command, port=port, env=env, log=tmp_path / "snmpd.log") as agent:
        yield agent


@pytest.fixture
def peer() -> Iterator[Callable[[Callable[[bytes], bytes | None]], Agent]]:
    """A UDP peer that answers with whatever the given function returns; None is silence."""
    sockets: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(answer: Callable[[bytes], bytes | None]) -> Agent:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        sockets.append(sock)
        thread = threading.Thread(target=_answer_all, args=(sock, answer), daemon=True)
        thread.start()
        threads.append(thread)
        return Agent(sock.getsockname()[1])

    yield start
    for sock in sockets:
        _wake(sock)
    for thread in threads:
        thread.join(5)
    for sock in sockets:
        sock.close()


_STOP = b"stop"


def _wake(sock: socket.socket) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
        waker.sendto(_STOP, sock.getsockname())


def _answer_all(sock: socket.socket, answer: Callable[[bytes], bytes | None]) -> None:
    while True:
        data, source = sock.recvfrom(65_535)
        if data == _STOP:
            return
        reply = answer(data)
        if reply is not None:
            sock.sendto(reply, source)
