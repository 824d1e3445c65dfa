"""SNMP's octets by hand (BER, X.690; RFC 3417 section 8): questions as datagrams, answers as plain values. Pure.

Everything that comes in is hostile: each length is checked against what holds it, integers, names and counts have
limits, nothing is recursive, and whatever is wrong is a `BerError`. What pysnmp does for any message this does for
the few that SNMPv2c polls and traps need, at a sixtieth of the time.

Not minimal lengths are read (net-snmp writes them), indefinite ones are not (RFC 3417 section 8 forbids them).
Unsigned types are read unsigned whatever bit leads: there are agents that leave out the zero octet before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from monitor.oids import COMPONENTS_MAX, Counter32, Oid, Value, Varbind

GET, GET_NEXT, RESPONSE, GET_BULK, INFORM, TRAP = 0xA0, 0xA1, 0xA2, 0xA5, 0xA6, 0xA7
"""Tags of protocol data units (RFC 3416 section 3)."""

VERSION_2C, VERSION_3 = 1, 3

INTEGER, OCTETS, NULL, OBJECT_ID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30

SUB_IDENTIFIER_MAX = 2**32 - 1
"""RFC 2578 section 3.5."""

INTEGER_BEYOND = 2**31
LENGTH_OCTETS_MAX = 4
COMMUNITY_OCTETS_MAX = 255

REQUEST_ID_MIN, REQUEST_ID_MAX = 2**24, 2**31 - 1
"""Ids of our questions: those that take four octets, so that only they change when a question is repeated."""

NAMES_KEPT, NAME_OCTETS_KEPT = 32_768, 64
"""Object identifiers that are remembered by their octets, over all cities: a large controller has some 20,000, of 30
octets. Longer ones are read anew each time, so that hostile agents fill 60 MB with them and not 400."""

QUESTIONS_KEPT = 512
"""Lists of object identifiers that are remembered as octets: some ten a kind of device."""


class BerError(ValueError):
    """Octets that are no message, or none that we accept."""


# Writing ---------------------------------------------------------------------------------------------


def request(kind: int, community: bytes, oids: Sequence[Oid], request_id: int, repetitions: int = 0) -> bytes:
    """A GET, GETNEXT or GETBULK with no non-repeaters. `request_id` from REQUEST_ID_MIN to REQUEST_ID_MAX."""
    after = _after_the_id(tuple(oids), repetitions)
    pdu = bytes((kind,)) + _length(6 + len(after)) + bytes((INTEGER, 4))
    start = _VERSION + _tlv(OCTETS, community) + pdu
    head = bytes((SEQUENCE,)) + _length(len(start) + 4 + len(after))
    return head + start + request_id.to_bytes(4, "big") + after


@lru_cache(QUESTIONS_KEPT)
def _after_the_id(oids: tuple[Oid, ...], repetitions: int) -> bytes:
    """The rest of a question, which is the same whenever it is asked again, and of whom."""
    names = b"".join(_tlv(SEQUENCE, _tlv(OBJECT_ID, _name_octets(oid)) + bytes((NULL, 0))) for oid in oids)
    return _integer(0) + _integer(repetitions) + _tlv(SEQUENCE, names)


def _tlv(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + _length(len(content)) + content


def _length(octets: int) -> bytes:
    if octets < 0x80:
        return bytes((octets,))
    long = octets.to_bytes((octets.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(long),)) + long


def _integer(value: int) -> bytes:
    return _tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


_VERSION = _integer(VERSION_2C)


def _name_octets(oid: Oid) -> bytes:
    """X.690 section 8.19. ValueError where there is no such object identifier."""
    if not 2 <= len(oid) <= COMPONENTS_MAX or oid[0] > 2 or (oid[0] < 2 and oid[1] > 39) or min(oid) < 0:
        raise ValueError(f"{oid} is no object identifier")
    return b"".join(map(_sub_identifier, (40 * oid[0] + oid[1], *oid[2:])))


def _sub_identifier(number: int) -> bytes:
    septets = [number & 0x7F]
    while number := number >> 7:
        septets.append(0x80 | number & 0x7F)
    return bytes(reversed(septets))


# Reading ---------------------------------------------------------------------------------------------


class Message(NamedTuple):
    """An SNMPv2c message up to its varbinds, which stand in its octets from `start` to `end`."""

    community: bytes
    kind: int
    kind_at: int
    request_id: int
    status: int
    start: int
    end: int


def message(data: bytes) -> Message:
    """BerError where `data` is no SNMPv2c message, or more than one."""
    try:
        at, end = _open(data, 0, SEQUENCE, len(data))
        version, at = _small(data, at, end)
        if version != VERSION_2C or end != len(data):
            raise BerError("another version than SNMPv2c, or octets after the message")
        at, stop = _open(data, at, OCTETS, end)
        community = data[at:stop]
        kind, kind_at = data[stop], stop
        at, stop = _open(data, stop, kind, end)
        request_id, at = _small(data, at, stop)
        status, at = _small(data, at, stop)
        _index, at = _small(data, at, stop)
        start, within = _open(data, at, SEQUENCE, stop)
    except IndexError:
        raise BerError("cut off") from None
    if not stop == within == end or len(community) > COMMUNITY_OCTETS_MAX:
        raise BerError("lengths that contradict each other")
    return Message(community, kind, kind_at, request_id, status, start, end)


class UserMessage(NamedTuple):
    """Who an SNMPv3 message says it is from, which nothing proves yet (RFC 3414 section 2.4)."""

    engine_id: bytes
    user: bytes


def version(data: bytes) -> int:
    """Which SNMP a message is of. BerError where it is none."""
    try:
        at, end = _open(data, 0, SEQUENCE, len(data))
        return _small(data, at, end)[0]
    except IndexError:
        raise BerError("cut off") from None


def user_message(data: bytes) -> UserMessage:
    """BerError where `data` is no SNMPv3 message with parameters of the user-based security model."""
    try:
        at, end = _open(data, 0, SEQUENCE, len(data))
        number, at = _small(data, at, end)
        if number != VERSION_3 or end != len(data):
            raise BerError("another version than SNMPv3, or octets after the message")
        _header, at = _open(data, at, SEQUENCE, end)
        at, stop = _open(data, at, OCTETS, end)
        at, stop = _open(data, at, SEQUENCE, stop)
        at, after = _open(data, at, OCTETS, stop)
        engine_id = data[at:after]
        _boots, at = _small(data, after, stop)
        _time, at = _small(data, at, stop)
        at, after = _open(data, at, OCTETS, stop)
        return UserMessage(engine_id, data[at:after])
    except IndexError:
        raise BerError("cut off") from None


def acknowledgement(inform: bytes, message: Message) -> bytes:
    """The response to an InformRequest: the same but for the tag (RFC 3416 section 4.2.7)."""
    return inform[: message.kind_at] + bytes((RESPONSE,)) + inform[message.kind_at + 1 :]


def varbinds(data: bytes, start: int, end: int, most: int) -> list[Varbind]:
    """The names and values between two places in a message. BerError, also where there are more than `most`."""
    found: list[Varbind] = []
    take, known_name, readers = found.append, _known_name, _READ  # looked up once: this loop is what a poll costs
    at = start
    try:
        while at < end:
            length = data[at + 1]
            if data[at] != SEQUENCE:
                raise BerError("a varbind that is no sequence")
            at += 2
            if length > 127:
                length, at = _long(data, at, length)
            stop = at + length
            length = data[at + 1]
            if data[at] != OBJECT_ID or stop > end:
                raise BerError("a varbind without a name, or longer than its list")
            at += 2
            if length > 127:
                length, at = _long(data, at, length)
            split = at + length
            octets = data[at:split]
            name = known_name(octets) if length <= NAME_OCTETS_KEPT else _name(octets)
            tag, length = data[split], data[split + 1]
            at = split + 2
            if length > 127:
                length, at = _long(data, at, length)
            if at + length != stop:
                raise BerError("a value that does not end where its varbind does")
            take((name, readers[tag](data[at:stop])))
            at = stop
            if len(found) > most:
                raise BerError(f"more than {most} varbinds")
    except IndexError:
        raise BerError("cut off") from None
    except KeyError as unknown:
        raise BerError(f"a value of unknown type {unknown}") from None
    return found


def _open(data: bytes, at: int, tag: int, end: int) -> tuple[int, int]:
    """Where the content of what stands at `at` begins and ends."""
    length = data[at + 1]
    if data[at] != tag:
        raise BerError(f"type {data[at]:#x} where {tag:#x} belongs")
    at += 2
    if length > 127:
        length, at = _long(data, at, length)
    if at + length > end:
        raise BerError("longer than what holds it")
    return at, at + length


def _long(data: bytes, at: int, first: int) -> tuple[int, int]:
    """A length in several octets (X.690 section 8.1.3.5), and where it ends."""
    count = first & 0x7F
    if not 0 < count <= LENGTH_OCTETS_MAX:
        raise BerError("an indefinite or absurd length")
    return int.from_bytes(data[at : at + count], "big"), at + count


def _small(data: bytes, at: int, end: int) -> tuple[int, int]:
    """An integer of the message's own, and where it ends."""
    at, stop = _open(data, at, INTEGER, end)
    return _integer32(data[at:stop]), stop


def _name(octets: bytes) -> Oid:
    """An object identifier. Empty octets are 0.0, as net-snmp reads them: there are agents that write so."""
    if not octets:
        return 0, 0
    numbers: list[int] = []
    number = 0
    for octet in octets:
        if octet == 0x80 and not number:
            raise BerError("a sub-identifier with leading zeros")
        number = number << 7 | octet & 0x7F
        if number > SUB_IDENTIFIER_MAX + 80 * (not numbers):
            raise BerError("a sub-identifier of more than 32 bits")
        if octet < 0x80:
            numbers.append(number)
            number = 0
    if octets[-1] >= 0x80 or len(numbers) >= COMPONENTS_MAX:
        raise BerError("an object identifier that is cut off or too long")
    root = min(numbers[0] // 40, 2)
    return root, numbers[0] - 40 * root, *numbers[1:]


_known_name = lru_cache(NAMES_KEPT)(_name)


def _integer32(octets: bytes) -> int:
    """One octet too many is read where the value fits: pyasn1 writes -2**31 so."""
    value = int.from_bytes(octets, "big", signed=True)
    if not 0 < len(octets) <= 5 or not -INTEGER_BEYOND <= value < INTEGER_BEYOND:
        raise BerError(f"an integer of {len(octets)} octets, or beyond 32 bits")
    return value


def _unsigned32(octets: bytes) -> int:
    if not 0 < len(octets) <= 4 and not (len(octets) == 5 and not octets[0]):
        raise BerError(f"an unsigned integer of {len(octets)} octets")
    return int.from_bytes(octets, "big")


def _counter32(octets: bytes) -> Counter32:
    return Counter32(_unsigned32(octets))


def _unsigned64(octets: bytes) -> int:
    if not 0 < len(octets) <= 8 and not (len(octets) == 9 and not octets[0]):
        raise BerError(f"an unsigned integer of {len(octets)} octets")
    return int.from_bytes(octets, "big")


def _address(octets: bytes) -> bytes:
    if len(octets) != 4:
        raise BerError("an IPv4 address that is none")
    return octets


def _octets(octets: bytes) -> bytes:
    return octets


def _known_value(octets: bytes) -> Oid:
    return _known_name(octets) if len(octets) <= NAME_OCTETS_KEPT else _name(octets)


def _nothing(octets: bytes) -> None:
    if octets:
        raise BerError("nothing, with octets")


_READ: dict[int, Callable[[bytes], Value]] = {
    INTEGER: _integer32,
    OCTETS: _octets,
    NULL: _nothing,
    OBJECT_ID: _known_value,
    0x40: _address,
    0x41: _counter32,
    0x42: _unsigned32,  # Gauge32, Unsigned32
    0x43: _unsigned32,  # TimeTicks
    0x44: _octets,  # Opaque
    0x46: _unsigned64,  # Counter64
    0x80: _nothing,  # noSuchObject
    0x81: _nothing,  # noSuchInstance
    0x82: _nothing,  # endOfMibView
}
"""Value types by tag (RFC 3416 section 3, RFC 2578 section 7.1)."""
