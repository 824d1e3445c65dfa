"""The small values that every room speaks in: parsed once at the edge, trusted inside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NewType
from zoneinfo import ZoneInfo

from hotspot.errors import InputError

CityKey = NewType("CityKey", str)

_HEX_MAC = re.compile(r"[0-9A-Fa-f]{12}")
_SEPARATORS = str.maketrans("", "", "-:. ")
MAC_TEXT_MAX = 32
"""Longest text in which a MAC address is looked for; longer ones are not MAC addresses."""


class MacSpelling(StrEnum):
    """The ways in which NASes write a MAC address as User-Name (RFC 3580 section 3.21 wants the first).

    Quads are four digits at a time, with dots (Cisco) or hyphens (Huawei, H3C); halves are two sixes (HP, Aruba).
    """

    HYPHEN_UPPER = "hyphen-upper"
    HYPHEN_LOWER = "hyphen-lower"
    COLON_UPPER = "colon-upper"
    COLON_LOWER = "colon-lower"
    PLAIN_UPPER = "plain-upper"
    PLAIN_LOWER = "plain-lower"
    DOTTED_UPPER = "dotted-upper"
    DOTTED_LOWER = "dotted-lower"
    QUADS_UPPER = "quads-upper"
    QUADS_LOWER = "quads-lower"
    HALVES_UPPER = "halves-upper"
    HALVES_LOWER = "halves-lower"
    SPACED_UPPER = "spaced-upper"
    SPACED_LOWER = "spaced-lower"


_JOIN = {
    "hyphen": ("-", 2),
    "colon": (":", 2),
    "plain": ("", 12),
    "dotted": (".", 4),
    "quads": ("-", 4),
    "halves": ("-", 6),
    "spaced": (" ", 2),
}
_DIGITS_TO_X = str.maketrans(dict.fromkeys("0123456789ABCDEFabcdef", "x"))
_STYLES = {joiner.join(["x" * width] * (12 // width)): style for style, (joiner, width) in _JOIN.items()}
"""Each style by its shape: `xx-xx-xx-xx-xx-xx`."""


@dataclass(frozen=True, slots=True, order=True)
class MacAddress:
    """A 48-bit MAC address. Its repr hides the last half: addresses are personal data and logs are read."""

    octets: bytes

    def __post_init__(self) -> None:
        if len(self.octets) != 6:
            raise InputError("a MAC address has six octets")

    @classmethod
    def parse(cls, text: str) -> MacAddress:
        """Read any common spelling (02-00-.., 02:00:.., 0200.5E10.., 0200-5E10.., 02005E-..); InputError otherwise."""
        bare = text.translate(_SEPARATORS) if len(text) <= MAC_TEXT_MAX else ""
        if not _HEX_MAC.fullmatch(bare):
            raise InputError("not a MAC address; write it like 02-00-5E-10-00-0A")
        return cls(bytes.fromhex(bare))

    def spelled(self, spelling: MacSpelling) -> str:
        """The address as that NAS writes it."""
        style, _, case = spelling.value.partition("-")
        joiner, width = _JOIN[style]
        digits = self.octets.hex()
        text = joiner.join(digits[i : i + width] for i in range(0, 12, width))
        return text.upper() if case == "upper" else text

    def __str__(self) -> str:
        return self.spelled(MacSpelling.HYPHEN_UPPER)

    def __repr__(self) -> str:
        return f"MacAddress({str(self)[:8]}-…)"


def mac_spelling(text: str) -> MacSpelling | None:
    """Which spelling `text` is of a MAC address, or None where it is not one in a known spelling."""
    style = _STYLES.get(text.translate(_DIGITS_TO_X)) if len(text) <= MAC_TEXT_MAX else None
    if style is None or "x" in text:
        return None
    if text == text.upper():
        return MacSpelling(f"{style}-upper")
    return MacSpelling(f"{style}-lower") if text == text.lower() else None


@dataclass(frozen=True, slots=True)
class Octets:
    """Traffic as the resident sees it: `down` towards the device, `up` from it. Exact, 64 bits and more."""

    down: int = 0
    up: int = 0

    @property
    def total(self) -> int:
        return self.down + self.up

    def __add__(self, other: Octets) -> Octets:
        return Octets(self.down + other.down, self.up + other.up)

    def __sub__(self, other: Octets) -> Octets:
        return Octets(self.down - other.down, self.up - other.up)


NO_OCTETS = Octets()
"""No traffic yet."""


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """The calendar day of an instant in the city's zone; quotas and figures count in these."""
    return at.astimezone(zone).date()


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day. Days have 23 to 25 hours; the instant is aware, in `zone`."""
    return datetime.combine(day, time(), tzinfo=zone)


@lru_cache(maxsize=16)  # a batch asks with one time for all of its requests
def seconds_to_day_end(at: datetime, zone: ZoneInfo) -> int:
    """Whole seconds until the city's next local midnight, correct on days when the clocks change."""
    midnight = day_start(local_day(at, zone) + timedelta(days=1), zone)
    return max(0, int(midnight.timestamp() - at.timestamp()))


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month in a city's zone, the official's usual period."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read `2026-11`; InputError otherwise."""
        match = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", text)
        if not match:
            raise InputError(f"not a month: {text[:20]!r}; write it like 2026-11")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Month:
        return cls(day.year, day.month)

    @property
    def first_day(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last_day(self) -> date:
        return self.next().first_day - timedelta(days=1)

    def next(self) -> Month:
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def previous(self) -> Month:
        return Month.of(self.first_day - timedelta(days=1))

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"
