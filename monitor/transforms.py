"""Transforms: the named steps that a profile may put between a told value and a reading, as one table.

Each takes a value and gives one; what it cannot work with becomes None, "not told". Pure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence

from hotspot.fleet import Band
from monitor.words import Told, prose, text

Step = Callable[[Told], Told]
Maps = Mapping[str, Mapping[str, int | float | str]]

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
OCTETS_OF_MAC = 6
LAST_CHANNEL_2_4 = 14
CHANNELS_OF_5_AND_6 = range(149, 178)
HUGE = 2**70
"""No agent tells such a number, and there is nothing to compute with it."""

OCTETS_SEARCHED = 256
"""Of a text in which a number or an expression is looked for."""


def _on_number(step: Callable[[int | float], int | float | None]) -> Step:
    return lambda value: step(value) if isinstance(value, int | float) and -HUGE < value < HUGE else None


def _first_number(value: Told) -> Told:
    """`3.7` of "3.7 %", 53 of "53S"; a number stays what it is."""
    if not isinstance(value, bytes):
        return value if isinstance(value, int | float) else None
    found = _NUMBER.search(value[:OCTETS_SEARCHED].decode("ascii", "replace"))
    if found is None:
        return None
    return float(found[0]) if "." in found[0] else int(found[0])


def channel_of_frequency(mhz: int | float) -> int | None:
    """IEEE 802.11 annex E: channel centre = start + 5 MHz x number; 0 stays 0, the radio is off."""
    whole = round(mhz)
    if whole == 2484:
        return 14
    for low, high, start in ((2412, 2472, 2407), (4915, 4980, 4000), (5000, 5925, 5000), (5945, 7125, 5950)):
        if low <= whole <= high:
            return (whole - start) // 5
    return 2 if whole == 5935 else 0 if whole == 0 else None


def band_of_frequency(mhz: int | float) -> Band | None:
    """The band of a channel's centre."""
    for band, low, high in ((Band.GHZ_2_4, 2400, 2500), (Band.GHZ_5, 4900, 5925), (Band.GHZ_6, 5926, 7125)):
        if low <= mhz <= high:
            return band
    return None


def band_of_channel(channel: int) -> Band | None:
    """Of the number alone: 6 GHz has odd ones only (802.11ax, 27.3.23.2), and 5 GHz has odd ones from 149 to 177."""
    if channel <= LAST_CHANNEL_2_4:
        return Band.GHZ_2_4
    if channel % 2 == 0:
        return Band.GHZ_5
    return None if channel in CHANNELS_OF_5_AND_6 else Band.GHZ_6


def _frequency(channel: int | float) -> int | None:
    """The centre in MHz of a 2.4 or 5 GHz channel: 6 GHz shares its numbers, and a profile must not use this there."""
    whole = round(channel)
    if whole == 14:
        return 2484
    if 1 <= whole <= 13:
        return 2407 + 5 * whole
    return 5000 + 5 * whole if 32 <= whole <= 177 else 0 if whole == 0 else None


def _dbm(milliwatt: int | float) -> float | None:
    return 10 * math.log10(milliwatt) if 0 < milliwatt < math.inf else None


def _as_text(value: Told) -> Told:
    return str(value).encode() if isinstance(value, int | float) else value if isinstance(value, bytes) else None


def _mac(value: Told) -> Told:
    """Six octets as `02:00:5e:10:00:0a`, which is how an index of six numbers is spelled."""
    return value.hex(":").encode() if isinstance(value, bytes) and len(value) == OCTETS_OF_MAC else None


PLAIN: Mapping[str, Step] = {
    "negate": _on_number(lambda value: -value),
    "first number": _first_number,
    "channel from frequency": _on_number(channel_of_frequency),
    "frequency from channel": _on_number(_frequency),
    "dbm from milliwatt": _on_number(_dbm),
    "text": _as_text,
    "mac": _mac,
}
"""Transforms without an argument."""


def _times(by: int | float) -> Step:
    return _on_number(lambda value: value * by)


def _divide(by: int | float) -> Step:
    if by == 0:
        raise ValueError("by zero")
    return _on_number(lambda value: value / by)


NUMBERED: Mapping[str, Callable[[int | float], Step]] = {
    "minus": lambda by: _on_number(lambda value: value - by),
    "plus": lambda by: _on_number(lambda value: value + by),
    "times": _times,
    "divide": _divide,
    "mask": lambda bits: lambda value: value & int(bits) if isinstance(value, int) else None,
    "unless": lambda by: lambda value: None if value == by else value,
}
"""Transforms with a number: `minus 256`, `mask 255`; `unless 0` is for a value that means "I do not know"."""


def _mapped(table: Mapping[str, int | float | str]) -> Step:
    def step(value: Told) -> Told:
        found = table.get(text(value) if isinstance(value, bytes) else str(value))
        return found.encode() if isinstance(found, str) else found

    return step


def _found(expression: str) -> Step:
    pattern = re.compile(expression)
    if pattern.groups != 1:
        raise ValueError("the expression needs one group in parentheses: what to take")

    def step(value: Told) -> Told:
        found = pattern.search(prose(value)) if isinstance(value, bytes) else None
        return found[1].encode() if found is not None and found[1] is not None else None

    return step


VALID = (*PLAIN, *(f"{name} N" for name in NUMBERED), "map NAME", "find EXPRESSION")


def compiled(names: Sequence[str], maps: Maps) -> Step | None:
    """The steps one after the other; None for none. ValueError says which is wrong and what is valid."""
    steps = tuple(_step(name, maps) for name in names)
    if len(steps) < 2:
        return steps[0] if steps else None

    def run(value: Told) -> Told:
        for step in steps:
            value = step(value)
        return value

    return run


def _step(name: str, maps: Maps) -> Step:
    if not isinstance(name, str):
        raise ValueError(f"a transform is a text, not {name!r}")
    if name in PLAIN:
        return PLAIN[name]
    word, _, argument = name.partition(" ")
    try:
        if word in NUMBERED:
            return NUMBERED[word](_argument(argument))
        if word == "find":
            return _found(argument)
    except (ValueError, re.error) as error:
        raise ValueError(f"transform {name!r}: {error}") from None
    if word == "map":
        if argument not in maps:
            raise ValueError(
                f"transform {name!r}: there is no [maps.{argument}]; there are {', '.join(maps) or 'none'}"
            )
        return _mapped(maps[argument])
    raise ValueError(f"unknown transform {name!r}; valid are {', '.join(VALID)}")


def _argument(text: str) -> int | float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("the number must be finite")
    return int(number) if number.is_integer() else number
