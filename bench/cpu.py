"""CPU time of processes, from /proc: their own, that of all below them, and of children that have ended meanwhile."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class _Process:
    """One line of /proc/PID/stat. `ticks`: user and system time, its own and that of the children it has reaped."""

    id: int
    parent: int
    ticks: int


def cpu_seconds(roots: Collection[int]) -> float:
    """CPU seconds that these processes and all below them have used; the difference of two calls is the measure."""
    processes = list(_processes())
    family = set(roots)
    while grown := {each.id for each in processes if each.parent in family} - family:
        family |= grown
    return sum(each.ticks for each in processes if each.id in family) / _TICKS_A_SECOND


def _processes() -> Iterator[_Process]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "stat").read_text()
            except OSError:  # it has ended since
                continue
            fields = text.rpartition(")")[2].split()  # the name before it may hold spaces; the state is fields[0]
            yield _Process(int(folder.name), int(fields[1]), sum(map(int, fields[11:15])))
