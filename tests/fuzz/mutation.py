"""Packets that no NAS should send: from a corpus and from sound packets, by seeded mutation.

Half of what is mutated is signed again with the right secret, so that it comes past the authenticators into the
reading of attributes, the decision and the database; the rest tries the framing and the authenticators.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.trials.packets import Attribute, md5, sign

CORPUS = Path(__file__).with_name("corpus")
PACKET_OCTETS_MAX = 4096
DATAGRAM_OCTETS_MAX = 6000
ACCOUNTING_REQUEST, STATUS_SERVER = 4, 12

SIGNED_AGAIN = 0.6
KINDS = (1, 2, 3, 4, 6, 8, 25, 26, 30, 31, 32, 33, 40, 41, 42, 43, 44, 46, 49, 52, 53, 55, 60, 79, 80, 89, 95, 97, 168)
"""Attribute types that somebody reads; others come by chance."""

TEXTS = (
    b"",
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"x\r\n2026-11-25T00:00:00Z ERROR radius.server: forged",
    b"\x1b[2J",
    b"'; DROP TABLE session; --",
    b"{{7*7}}%s%n",
    "٣²Ⅷ".encode(),
    b"kogge:99999999999999999999",
    b"kogge:-1",
    b"02-00-5E-10-00-0A" * 12,
)
NUMBERS = (0, 1, 2, 7, 255, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def corpus() -> list[bytes]:
    """The packets in `corpus/*.hex`; lines that begin with # say what they are."""
    return [bytes.fromhex("".join(_hex_lines(file))) for file in sorted(CORPUS.glob("*.hex"))]


def _hex_lines(file: Path) -> list[str]:
    return [line for line in file.read_text().splitlines() if not line.startswith("#")]


class Mutator:
    """Gives packets without end; the same seed and bases give the same ones."""

    def __init__(self, seed: int, bases: Sequence[bytes], secret: bytes) -> None:
        self._chance = random.Random(seed)
        self._bases = [base for base in bases if len(base) >= 20]
        self._secret = secret

    def next(self) -> bytes:
        chance = self._chance
        packet = chance.choice(self._bases)
        for _ in range(chance.choice((0, 1, 1, 2, 4))):
            packet = chance.choice(MUTATIONS)(packet, chance)
        if chance.random() < SIGNED_AGAIN:
            packet = signed(packet, chance, self._secret)
        if chance.random() < 0.1:
            packet = chance.choice(DAMAGES)(packet, chance)
        return packet[:DATAGRAM_OCTETS_MAX]


def signed(packet: bytes, chance: random.Random, secret: bytes) -> bytes:
    """The packet with an identifier and authenticators of its own, as far as its framing lets them be computed."""
    if len(packet) < 20:
        return packet
    code, identifier = packet[0], chance.randrange(256)
    packet = bytes((code, identifier)) + packet[2:]
    if code == ACCOUNTING_REQUEST:
        return packet[:4] + md5(packet[:4] + bytes(16) + packet[20:] + secret) + packet[20:]
    attributes = _attributes(packet)
    if not attributes or attributes[0][0] != 80:
        return packet[:4] + chance.randbytes(16) + packet[20:]
    return sign(code, identifier, chance.randbytes(16), [(80, bytes(16)), *attributes[1:]], secret)


def _attributes(packet: bytes) -> list[Attribute]:
    """As far as they can be read; the rest is lost."""
    found: list[Attribute] = []
    at = 20
    while at + 2 <= len(packet) and packet[at + 1] >= 2:
        found.append((packet[at], packet[at + 2 : at + packet[at + 1]]))
        at += packet[at + 1]
    return found


def _packet(packet: bytes, attributes: Sequence[Attribute]) -> bytes:
    body = b"".join(bytes((kind, len(value) + 2)) + value for kind, value in attributes)[: PACKET_OCTETS_MAX - 20]
    return packet[:2] + (20 + len(body)).to_bytes(2, "big") + packet[4:20].ljust(16, b"\0") + body


def _value(chance: random.Random) -> bytes:
    return chance.choice(
        (
            chance.randbytes(chance.randrange(254)),
            chance.choice(TEXTS)[:253],
            chance.choice(NUMBERS).to_bytes(4, "big"),
            bytes(chance.choice((0, 1, 3, 4, 5, 15, 16, 17, 253))),
            b"%02X-%02X-5E-10-00-%02X" % tuple(chance.randbytes(3)),
        )
    )


def _kind(chance: random.Random) -> int:
    return chance.choice(KINDS) if chance.random() < 0.8 else chance.randrange(256)


# Mutations of attributes ------------------------------------------------------------------------------

Mutation = Callable[[bytes, random.Random], bytes]


def _replace(packet: bytes, chance: random.Random) -> bytes:
    attributes = _attributes(packet)
    if attributes:
        at = chance.randrange(len(attributes))
        attributes[at] = attributes[at][0], _value(chance)
    return _packet(packet, attributes)


def _retype(packet: bytes, chance: random.Random) -> bytes:
    attributes = _attributes(packet)
    if attributes:
        at = chance.randrange(len(attributes))
        attributes[at] = _kind(chance), attributes[at][1]
    return _packet(packet, attributes)


def _insert(packet: bytes, chance: random.Random) -> bytes:
    attributes = _attributes(packet)
    attributes.insert(chance.randrange(len(attributes) + 1), (_kind(chance), _value(chance)))
    return _packet(packet, attributes)


def _multiply(packet: bytes, chance: random.Random) -> bytes:
    attributes = _attributes(packet)
    if attributes:
        attributes += [chance.choice(attributes)] * chance.choice((1, 2, 9, 10, 11, 200, 1000))
    return _packet(packet, attributes)


def _remove(packet: bytes, chance: random.Random) -> bytes:
    attributes = _attributes(packet)
    if attributes:
        del attributes[chance.randrange(len(attributes))]
    return _packet(packet, attributes)


def _shuffle(packet: bytes, chance: random.Random) -> bytes:
    attributes = _attributes(packet)
    chance.shuffle(attributes)
    return _packet(packet, attributes)


def _recode(packet: bytes, chance: random.Random) -> bytes:
    return bytes((chance.choice((0, 1, 2, 4, 5, 11, 12, 40, 43, 255)),)) + packet[1:]


# Damage to octets -------------------------------------------------------------------------------------


def _flip(packet: bytes, chance: random.Random) -> bytes:
    octets = bytearray(packet)
    for _ in range(chance.choice((1, 1, 8))):
        if octets:
            octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)
    return bytes(octets)


def _cut(packet: bytes, chance: random.Random) -> bytes:
    return packet[: chance.randrange(len(packet) + 1)]


def _lengthen(packet: bytes, chance: random.Random) -> bytes:
    return packet + chance.randbytes(chance.choice((1, 2, 20, 4096)))


def _lie_length(packet: bytes, chance: random.Random) -> bytes:
    """The Length field claims something else; what is there stays."""
    claimed = chance.choice((0, 19, 20, 21, len(packet) - 1, len(packet) + 1, 4095, 4096, 4097, 0xFFFF)) & 0xFFFF
    return packet[:2] + claimed.to_bytes(2, "big") + packet[4:]


def _lie_attribute(packet: bytes, chance: random.Random) -> bytes:
    """One attribute's length claims something else."""
    octets, at = bytearray(packet), 20
    for _ in range(chance.randrange(4)):
        if at + 1 < len(octets) and at + octets[at + 1] + 1 < len(octets) and octets[at + 1] > 1:
            at += octets[at + 1]
    if at + 1 < len(octets):
        octets[at + 1] = chance.choice((0, 1, 2, 3, 254, 255, (octets[at + 1] + 1) & 0xFF))
    return bytes(octets)


DAMAGES: tuple[Mutation, ...] = (_flip, _cut, _lengthen, _lie_length, _lie_attribute)
MUTATIONS: tuple[Mutation, ...] = (
    _replace,
    _replace,
    _replace,
    _retype,
    _insert,
    _insert,
    _multiply,
    _remove,
    _shuffle,
    _recode,
    _flip,
    _lie_attribute,
)
