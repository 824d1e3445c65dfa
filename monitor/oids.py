"""Object identifiers and values as plain Python: what crosses from the SNMP library into the rest of the room."""

from __future__ import annotations

from collections.abc import Mapping

Oid = tuple[int, ...]


class Counter32(int):
    """A counter that wraps at 2**32 (RFC 2578 section 7.1.6); Counter64 is a plain int."""


Value = int | bytes | Oid | None
"""Numbers, octets, object identifiers; None where the agent has no such object or its tables end."""

Varbind = tuple[Oid, Value]
Values = Mapping[Oid, Value]

COMPONENTS_MAX = 128
"""Sub-identifiers an object identifier may have (RFC 2578 section 3.5)."""


def parse(text: str) -> Oid:
    """`1.3.6.1` as numbers. ValueError where it is none."""
    parts = text.split(".")
    if not (2 <= len(parts) <= COMPONENTS_MAX and all(part.isascii() and part.isdigit() for part in parts)):
        raise ValueError(f"{text!r} is not an object identifier such as `1.3.6.1.2.1.1.3.0`")
    return tuple(map(int, parts))


def under(oid: Oid, prefix: Oid) -> bool:
    """Whether `oid` stands in the subtree of `prefix`."""
    return oid[: len(prefix)] == prefix


def spelled(oid: Oid) -> str:
    """`1.3.6.1`."""
    return ".".join(map(str, oid))
