"""Being in a network namespace: this process's threads keep theirs, the one that enters it takes its children along."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

CLONE_NEWNET = 0x40000000
RUN = Path("/run/netns")


@contextlib.contextmanager
def entered(name: str) -> Iterator[None]:
    """This thread, and every process that it starts, is in the namespace until the block ends. Needs root."""
    with Path("/proc/thread-self/ns/net").open() as home, (RUN / name).open() as there:
        _set(there.fileno())
        try:
            yield
        finally:
            _set(home.fileno())


def _set(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextlib.contextmanager
def another(name: str, *, resolver: str) -> Iterator[list[str]]:
    """One more namespace, whose programs ask this resolver; yields the words that run a command in it."""
    folder = Path("/etc/netns") / name
    folder.mkdir(parents=True)
    (folder / "resolv.conf").write_text(f"nameserver {resolver}\n")
    subprocess.run(["ip", "netns", "add", name], check=True, timeout=20)
    try:
        yield ["ip", "netns", "exec", name]
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True, timeout=20)
        shutil.rmtree(folder)
        with contextlib.suppress(OSError):  # another test's is in there
            folder.parent.rmdir()
