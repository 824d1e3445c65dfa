"""Several services as child processes: started in order, restarted when they die, ended in reverse order.

A child that ends with status 2 said why it cannot start; then there is nothing to restart, and everything ends.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from service.processes import FAILED

log = logging.getLogger(__name__)

RESTART_SECONDS = (1, 2, 4, 8, 15, 30)
"""Pauses before a restart; the last one is kept."""

STEADY_SECONDS = 60
"""After running so long, a child's restarts count from the beginning again."""

READY_SECONDS = 60.0
"""How long a child with a `ready` check may take to answer for the first time."""

DRAIN_SECONDS = 15.0
"""How long a child may take to end before it is killed."""

TICK_SECONDS = 0.2

_PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass
class Child:
    """One program. `log_file` None: its messages go where ours go. `ready` None: the next one starts at once."""

    name: str
    command: Sequence[str]
    log_file: Path | None = None
    ready: Callable[[], bool] | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    failures: int = field(default=0, init=False)
    started_at: float = field(default=0.0, init=False)
    restart_at: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Begin; it ends with us even if we are killed."""
        out: IO[bytes] | None = self.log_file.open("ab") if self.log_file else None
        self.process = subprocess.Popen(
            self.command, stdout=out, stderr=out, start_new_session=True, preexec_fn=partial(_die_with, os.getpid())
        )
        self.started_at = time.monotonic()
        if out is not None:
            out.close()

    @property
    def where_to_look(self) -> str:
        return f"; see {self.log_file}" if self.log_file else ""


Said = Callable[[Child], None]


def _die_with(parent: int) -> None:
    """In the child, before the program: SIGTERM when the parent ends, also if it has ended just now."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def kogge(*arguments: str) -> list[str]:
    """The command line of one of our own subcommands, whatever the PATH."""
    return [sys.executable, "-m", "ops.cli", *arguments]


def supervise(
    children: Sequence[Child],
    stopping: threading.Event,
    *,
    starting: Said = lambda _: None,
    started: Callable[[], None] = lambda: None,
) -> int:
    """Run the children until `stopping`, or until one cannot start. Ends them last to first. Returns the status.

    `starting` is told of each child as it is started, `started` once when all of them are ready.
    """
    status = 0
    try:
        if not _start_all(children, stopping, starting):
            return FAILED
        if not stopping.is_set():
            started()
        while not stopping.wait(TICK_SECONDS):
            if _any_failed(children):
                status = FAILED
                break
    finally:
        end(children)
    return status


def _start_all(children: Sequence[Child], stopping: threading.Event, starting: Said) -> bool:
    """Each after the one before it is ready. False where one cannot start; an interruption is no failure."""
    for number, child in enumerate(children, start=1):
        if stopping.is_set():
            break
        starting(child)
        child.start()
        if not _wait_until_ready(child, children[:number], stopping):
            return False
    return True


def _wait_until_ready(child: Child, running: Sequence[Child], stopping: threading.Event) -> bool:
    """Bounded, and interrupted by `stopping`; meanwhile what died is restarted."""
    until = time.monotonic() + READY_SECONDS
    while child.ready is not None and not stopping.is_set() and not child.ready():
        if _any_failed(running):
            return False
        if time.monotonic() > until:
            log.error("%s does not answer after %.0f s%s", child.name, READY_SECONDS, child.where_to_look)
            return False
        stopping.wait(TICK_SECONDS)
    return True


def _any_failed(children: Sequence[Child]) -> bool:
    return any(_look_after(child, time.monotonic()) == FAILED for child in children)


def _look_after(child: Child, now: float) -> int | None:
    """Restart a child that died; its exit status where it says that it cannot start."""
    if child.process is None:
        if now >= child.restart_at:
            child.start()
        return None
    status = child.process.poll()
    if status is None:
        return None
    if status == FAILED:
        log.error("%s cannot start%s", child.name, child.where_to_look)
        return FAILED
    if now - child.started_at > STEADY_SECONDS:
        child.failures = 0
    pause = RESTART_SECONDS[min(child.failures, len(RESTART_SECONDS) - 1)]
    child.failures += 1
    child.process, child.restart_at = None, now + pause
    log.warning("%s ended with status %s; restarting in %s s", child.name, status, pause)
    return None


def end(children: Sequence[Child]) -> None:
    """SIGTERM, one after the other from the last; SIGKILL for what does not end in time."""
    for child in reversed(children):
        process = child.process
        if process is None or process.poll() is not None:
            continue
        process.terminate()
        try:
            process.wait(DRAIN_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("%s did not end within %s s and is killed", child.name, DRAIN_SECONDS)
            process.kill()
            process.wait()
