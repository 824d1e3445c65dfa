"""What every benchmark prints: a table for people, and one line a figure for whatever compares runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Say = Callable[[str], None]
"""Tells a person how far the benchmark is."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `name` is dotted, lower case and never changes its meaning; `unit` says how to read it."""

    name: str
    value: float
    unit: str

    def line(self) -> str:
        """`result NAME VALUE UNIT`: rates whole, everything else with three digits that matter."""
        text = f"{self.value:.0f}" if self.value >= 1_000 else f"{self.value:.3g}"
        return f"result {self.name} {text} {self.unit}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns under their headings: the first to the left, the others (numbers) to the right."""
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    others = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
    return "  ".join((first, *others)).rstrip()


def print_figures(figures: Iterable[Figure]) -> None:
    """The lines for machines, last on standard output."""
    print()
    for figure in figures:
        print(figure.line(), flush=True)


def progress() -> Say:
    """What a person reads meanwhile, each line with the seconds since this call."""
    begun = time.monotonic()
    return lambda text: print(f"{time.monotonic() - begun:5.0f} s  {text}", flush=True)
