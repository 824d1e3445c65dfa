"""How a table's index names things: `ap:6 radio:1` says that six sub-identifiers name the access point, one its radio.

Compiled once a table. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hotspot.values import MacAddress
from monitor.oids import Oid
from monitor.words import text

NAMES = ("ap", "radio", "ssid", "bssid")
SKIP = "skip"
BSSID = "bssid"
LENGTH_PREFIXED = "len"
OCTETS_OF_MAC = 6


@dataclass(frozen=True, slots=True)
class Names:
    """What a row is about; None where the index does not say."""

    ap: str | None = None
    radio: str | None = None
    ssid: str | None = None
    bssid: MacAddress | None = None


@dataclass(frozen=True, slots=True)
class Naming:
    """Which names an index gives, and the function that gives them: None where it is not of the described form."""

    named: frozenset[str]
    names: Callable[[Oid], Names | None]


_NO_NAMES = Names()
NOBODY = Naming(frozenset(), lambda _index: _NO_NAMES)
"""Of a table without `index`."""


@dataclass(frozen=True, slots=True)
class _Part:
    """`count` sub-identifiers, 0 for all that are left, None where the first says how many."""

    name: str
    count: int | None


def compiled(form: str) -> Naming:
    """The naming of `form`; ValueError says what is wrong."""
    parts = tuple(_part(word, last) for word, last in _with_last(form.split()))
    named = [part.name for part in parts if part.name != SKIP]
    if not named or len(set(named)) < len(named):
        raise ValueError(f"{form!r} must name at least one of {', '.join(NAMES)}, each once")
    return Naming(frozenset(named), lambda index: _names(parts, index))


def _with_last(words: Sequence[str]) -> list[tuple[str, bool]]:
    return [(word, at == len(words)) for at, word in enumerate(words, 1)]


def _part(word: str, last: bool) -> _Part:
    name, _, count = word.partition(":")
    if name not in (*NAMES, SKIP):
        raise ValueError(f"{word!r} names {name!r}; valid are {', '.join((*NAMES, SKIP))}")
    if count == LENGTH_PREFIXED:
        return _Part(name, None)
    if not count:
        if not last:
            raise ValueError(f"{word!r} takes the rest of the index, so it must be the last; else write {word}:N")
        return _Part(name, 0)
    if not (count.isascii() and count.isdigit() and 0 < int(count) <= 128):
        raise ValueError(f"{word!r}: after the colon stands a number from 1 to 128, or {LENGTH_PREFIXED}")
    return _Part(name, int(count))


def _names(parts: tuple[_Part, ...], index: Oid) -> Names | None:
    found: dict[str, str] = {}
    bssid: MacAddress | None = None
    rest = index
    for part in parts:
        count = part.count
        if count is None:
            if not rest:
                return None
            count, rest = rest[0], rest[1:]
        elif count == 0:
            count = len(rest)
        taken, rest = rest[:count], rest[count:]
        if len(taken) < count or not taken:
            return None
        if part.name == BSSID:
            bssid = _mac(taken)
        elif part.name != SKIP:
            found[part.name] = spelled(taken, as_text=part.count is None)
    return None if rest else Names(**found, bssid=bssid)


def _mac(taken: Oid) -> MacAddress | None:
    return MacAddress(bytes(taken)) if len(taken) == OCTETS_OF_MAC and max(taken) < 256 else None


def spelled(taken: Oid, *, as_text: bool) -> str:
    """Text where it is one, a MAC address where it may be one, else the numbers with dots."""
    octets = bytes(taken) if max(taken) < 256 else b""
    if as_text and _is_text(octets):
        return text(octets)
    if len(octets) == OCTETS_OF_MAC:
        return octets.hex(":")
    return ".".join(map(str, taken))


def _is_text(octets: bytes) -> bool:
    try:
        return bool(octets.strip()) and octets.decode().isprintable()
    except UnicodeDecodeError:
        return False
