"""Tables of the terminal: columns as data, cut to the width that there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

Row = TypeVar("Row")
Around = TypeVar("Around")


@dataclass(frozen=True)
class Column(Generic[Row, Around]):
    """`flexible`: a narrow terminal cuts it short. `wide`: it stands there only where there is room."""

    header: str
    cell: Callable[[Row, Around], str | Text]
    right: bool = False
    flexible: bool = False
    wide: bool = False


def table_of(columns: Sequence[Column[Row, Around]], rows: Iterable[Row], around: Around) -> Table:
    """The rows under these columns; `around` is what a cell needs besides its row."""
    table = Table(box=SIMPLE, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column.header, justify="right" if column.right else "left", no_wrap=not column.flexible)
    for row in rows:
        table.add_row(*(_cut(column.cell(row, around)) for column in columns))
    return table


def _cut(cell: str | Text) -> Text:
    text = Text(cell) if isinstance(cell, str) else cell
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
