"""Our services as processes of their own, as an operator starts them."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ops.supervisor import kogge
from tests.support.installation import Written

READY_SECONDS = 30.0
END_SECONDS = 20.0


@dataclass(frozen=True)
class Answer:
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: str


def http_get(listen: str, path: str, *, host: str = "", **headers: str) -> Answer:
    """One request; `host` is the Host header."""
    address, _, port = listen.rpartition(":")
    connection = http.client.HTTPConnection(address, int(port), timeout=10)
    try:
        connection.request("GET", path, headers=({"Host": host} if host else {}) | headers)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read().decode())
    finally:
        connection.close()


@contextlib.contextmanager
def service(written: Written, name: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`kogge NAME`, from its first answer until SIGTERM has ended it with status 0."""
    log = written.path / f"{name}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(kogge(name, str(written.path), *options), stdout=out, stderr=out)
    try:
        _await(process, _health_address(written, name), log)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        status = process.wait(END_SECONDS)
    assert status == 0, f"{name} ended with {status}:\n{log.read_text()[-2000:]}"


def _health_address(written: Written, name: str) -> str:
    section = getattr(written.installation, name)
    return str(section.listen if name == "portal" else section.metrics_listen)


def _await(process: subprocess.Popen[bytes], listen: str, log: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError):
            if http_get(listen, "/healthz").status == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"{os.fsdecode(str(process.args))} does not answer:\n{log.read_text()[-2000:]}")
