"""Label strings of the page, built once and kept until a name changes: six hundred thousand series share them.

A string is what stands behind the city's label, `site="rathaus",ap="rathaus-1",radio="ng",band="5"}` say. Values are
escaped as the text format and OpenMetrics 1.0 ask, which is the same: backslash, quote and line feed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hotspot.fleet import ApReading

RADIO = ("radio", "band")
SSID = ("ssid",)
INTERFACE = ("interface",)
IDENTITY = ("model", "firmware", "serial")

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """The rows of one kind: `keys` are their label values, `texts` the strings made of them, in the same order."""

    keys: tuple[Key, ...] = ()
    texts: tuple[str, ...] = ()


def pairs(names: Iterable[str], values: Iterable[str]) -> str:
    """`name="value"`, with commas between."""
    return ",".join(f'{name}="{_escape(value)}"' for name, value in zip(names, values, strict=True))


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@dataclass(frozen=True, slots=True)
class Labels:
    """One access point's. `names` are those of its `place`: site, and access point or controller."""

    names: Key
    place: Key
    own: Series
    identity: Series
    radios: Series = Series()
    ssids: Series = Series()
    interfaces: Series = Series()

    @classmethod
    def of(cls, names: Key, place: Key, identity: Key) -> Labels:
        """Of a device of which no more is known."""
        return cls(names, place, series(names, place, ((),)), series(names + IDENTITY, place, (identity,)))

    def follow(self, identity: Key, reading: ApReading | None) -> Labels:
        """Itself; or, where names differ from those read last, one that fits."""
        found: list[tuple[str, Key, tuple[Key, ...]]] = [("identity", IDENTITY, (identity,))]
        if reading is not None:
            found += [
                ("radios", RADIO, tuple([(radio.name, radio.band or "") for radio in reading.radios])),
                ("ssids", SSID, tuple([(ssid.name,) for ssid in reading.ssids])),
                ("interfaces", INTERFACE, tuple([(interface.name,) for interface in reading.interfaces])),
            ]
        changed: dict[str, Any] = {
            kind: series(self.names + names, self.place, keys)
            for kind, names, keys in found
            if keys != getattr(self, kind).keys
        }
        return replace(self, **changed) if changed else self


def series(names: Key, place: Key, keys: Sequence[Key]) -> Series:
    """Strings of `names`; the values of the first are the `place`'s, of the rest a key's."""
    texts = [pairs(names, place + key) + "}" for key in keys]
    return Series(tuple(keys), tuple(texts))
