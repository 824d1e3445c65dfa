"""What a client would like best, by Accept and Accept-Encoding (RFC 9110 sections 12.4.2, 12.5.1, 12.5.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

HEADER_CHARS_MAX = 2_000
"""A longer header is read up to here."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One element of such a header. `quality` is 0 (not at all) to 1; what is no number there means not at all."""

    name: str
    parameters: Mapping[str, str]
    quality: float


def wishes(header: str) -> Iterator[Wish]:
    for element in header[:HEADER_CHARS_MAX].lower().split(","):
        name, *rest = (part.strip() for part in element.split(";"))
        given = dict(part.partition("=")[::2] for part in rest)
        parameters = {key.strip(): value.strip().strip('"') for key, value in given.items()}
        if name:
            yield Wish(name, parameters, _quality(parameters.pop("q", "1")))


def _quality(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if 0 <= number <= 1 else 0.0


def media_quality(accept: str, media_type: str, version: str) -> float:
    """How much a representation is wanted: the most specific range that fits it says so; 0 where none does.

    A range without `version` fits every version; other parameters, such as Prometheus's `escaping`, decide nothing.
    """
    ranges = {"*/*": 1, media_type.partition("/")[0] + "/*": 2, media_type: 3}
    found = [
        (ranges[wish.name], "version" in wish.parameters, wish.quality)
        for wish in wishes(accept)
        if wish.name in ranges and wish.parameters.get("version", version) == version
    ]
    return max(found, default=(0, False, 0.0))[2]


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether gzip is welcome; a header that is missing or empty asks for no coding."""
    found = {wish.name: wish.quality for wish in wishes(accept_encoding)}
    return found.get("gzip", found.get("x-gzip", found.get("*", 0.0))) > 0
