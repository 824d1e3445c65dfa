"""Faults by field: what a form, a command and a file say of the same bad input, in the words that each reader needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hotspot.errors import InputError


@dataclass(frozen=True, slots=True)
class Fault:
    """A field that will not do. `sentence` is a text that pages translate; `values` go into its places."""

    field: str
    sentence: str
    values: Mapping[str, str | int]

    def __str__(self) -> str:
        return f"{self.field}: {self.said}"

    @property
    def said(self) -> str:
        """In English, without its field."""
        return self.sentence % self.values


class FaultsError(InputError):
    """All that is wrong with what a person said, at once."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults
