"""CPU time and memory of processes and of all below them, from /proc."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class _Process:
    """One line of /proc/PID/stat. `ticks`: user and system time, its own and that of the children it has reaped."""

    id: int
    parent: int
    ticks: int
    resident_pages: int


def cpu_seconds(roots: Collection[int]) -> float:
    """CPU seconds that these processes, all below them and children that have ended have used. A difference counts."""
    return sum(each.ticks for each in _family(roots)) / _TICKS_A_SECOND


def resident_kb(roots: Collection[int]) -> int:
    """Resident memory (RSS) of these processes and all below them, in KiB; pages that they share count for each."""
    return sum(each.resident_pages for each in _family(roots)) * _PAGE_BYTES // 1024


def _family(roots: Collection[int]) -> list[_Process]:
    processes = list(_processes())
    family = set(roots)
    while grown := {each.id for each in processes if each.parent in family} - family:
        family |= grown
    return [each for each in processes if each.id in family]


def _processes() -> Iterator[_Process]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "stat").read_text()
            except OSError:  # it has ended since
                continue
            fields = text.rpartition(")")[2].split()  # the name before it may hold spaces; the state is fields[0]
            yield _Process(int(folder.name), int(fields[1]), sum(map(int, fields[11:15])), int(fields[21]))
