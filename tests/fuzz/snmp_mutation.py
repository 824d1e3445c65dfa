"""Octets that no agent should send: from sound SNMP messages, by seeded mutation of lengths, tags, values and order."""

from __future__ import annotations

import random
from collections.abc import Callable

DATAGRAM_OCTETS_MAX = 65_507
LENGTHS = (
    b"\x00",
    b"\x7f",
    b"\x80",
    b"\x81\xff",
    b"\x82\xff\xff",
    b"\x84\xff\xff\xff\xff",
    b"\x88" + b"\xff" * 8,
    b"\xff",
)
TAGS = (
    0x01,
    0x02,
    0x04,
    0x05,
    0x06,
    0x30,
    0x40,
    0x41,
    0x42,
    0x43,
    0x44,
    0x46,
    0x80,
    0x81,
    0x82,
    0xA0,
    0xA2,
    0xA7,
    0xA8,
)
EDGES = (0x00, 0x01, 0x7F, 0x80, 0xFF)

Mutation = Callable[[bytes, random.Random], bytes]


def mutated(octets: bytes, chance: random.Random) -> bytes:
    """The octets after up to eight changes; now and then none, now and then far too long."""
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 8))):
        octets = chance.choice(MUTATIONS)(octets, chance) or b"\x30"
    return octets[:DATAGRAM_OCTETS_MAX]


def _flip(octets: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(octets))
    return octets[:at] + bytes((octets[at] ^ 1 << chance.randrange(8),)) + octets[at + 1 :]


def _edge(octets: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(octets))
    return octets[:at] + bytes((chance.choice(EDGES),)) + octets[at + 1 :]


def _tag(octets: bytes, chance: random.Random) -> bytes:
    """Another type where one of ours stands."""
    places = [at for at, octet in enumerate(octets) if octet in TAGS] or [0]
    at = chance.choice(places)
    return octets[:at] + bytes((chance.choice(TAGS),)) + octets[at + 1 :]


def _length(octets: bytes, chance: random.Random) -> bytes:
    """A length that lies, in as many octets as it takes."""
    places = [at + 1 for at, octet in enumerate(octets[:-1]) if octet in TAGS] or [0]
    at = chance.choice(places)
    return octets[:at] + chance.choice(LENGTHS) + octets[at + 1 :]


def _cut(octets: bytes, chance: random.Random) -> bytes:
    return octets[: chance.randrange(len(octets))]


def _drop(octets: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(octets))
    return octets[:at] + octets[at + chance.randrange(1, 20) :]


def _repeat(octets: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(octets))
    piece = octets[at : at + chance.randrange(1, 60)]
    return octets[:at] + piece * chance.choice((2, 3, 50)) + octets[at:]


def _insert(octets: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(octets) + 1)
    return octets[:at] + chance.randbytes(chance.choice((1, 4, 40, 20_000))) + octets[at:]


def _nest(octets: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(octets))
    return octets[:at] + bytes((chance.choice((0x30, 0x80, 0x06)),)) * chance.choice((3, 200, 5_000)) + octets[at:]


MUTATIONS: tuple[Mutation, ...] = (
    _flip, _flip, _flip, _edge, _edge, _tag, _tag, _length, _length, _cut, _drop, _repeat, _insert, _nest,
)  # fmt: skip
