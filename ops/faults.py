"""What is wrong with what a person typed, as the command's own fault: each option with what would be right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hotspot.errors import ConfigError, InputError
from hotspot.faults import FaultsError


@contextmanager
def faults_plainly(option: Callable[[str], str], place: str = "") -> Iterator[None]:
    """ConfigError for InputError. `option` is what the command calls a field; `place` stands before each line."""
    try:
        yield
    except FaultsError as error:
        raise ConfigError("\n".join(f"{place}{option(each.field)}: {each.said}" for each in error.faults)) from None
    except InputError as error:
        raise ConfigError(f"{place}{error}") from None
