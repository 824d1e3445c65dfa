"""An access point's polls as few bytes, and back. Pure: no SQL, no clock.

A pack is a run of chunks, each with its length before it, so that packs are joined by writing one after the other
(`store.ap_history` appends a few minutes' polls to the row of the hour). A chunk tells column by column, each value as
its difference from the last one told: the polls of a quiet access point differ in little, so most take one octet.

    chunk  = length, FORMAT, polls, radios, each radio's name (length, UTF-8), then for each poll its values
    values = for each word of POINT, then for each radio whether it is there and each word of RADIO
    value  = 0 where it is not told, else 1 + zigzag(difference)

All numbers are LEB128 (DWARF 5 section 7.6). Times are whole seconds after the hour, ratios are per mille.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from hotspot.ap_history import Point, RadioPoint

FORMAT = 1
PER_MILLE = 1000
RADIOS_MAX = 16
"""Radio names of a chunk; further ones are not kept."""

_SECOND = timedelta(seconds=1)
_TOLD = 1
_POINT_WORDS = 7
_RADIO_WORDS = 5


def pack(hour: datetime, points: Sequence[Point]) -> bytes:
    """One chunk. Points may stand a little outside of the hour."""
    names = list(dict.fromkeys(radio.radio for point in points for radio in point.radios))[:RADIOS_MAX]
    body = bytearray((FORMAT,))
    _write(body, len(points))
    _write(body, len(names))
    for name in names:
        octets = name.encode()
        _write(body, len(octets))
        body += octets
    last = [0] * (_POINT_WORDS + _RADIO_WORDS * len(names))
    for point in points:
        for at, value in enumerate(_numbers(hour, point, names)):
            if value is None:
                body.append(0)
                continue
            change = value - last[at]
            last[at] = value
            _write(body, 1 + (change << 1 if change >= 0 else (-change << 1) - 1))
    packed = bytearray()
    _write(packed, len(body))
    return bytes(packed + body)


def unpack(hour: datetime, packed: bytes) -> list[Point]:
    """Every chunk's points, by time, each time once. ValueError where it is none of ours."""
    found: dict[datetime, Point] = {}
    position = 0
    while position < len(packed):
        length, position = _read(packed, position)
        if position + length > len(packed):
            raise ValueError("a chunk of polls ends early")
        for point in _chunk(hour, packed[position : position + length]):
            found[point.at] = point
        position += length
    return sorted(found.values(), key=lambda point: point.at)


def _chunk(hour: datetime, body: bytes) -> Iterator[Point]:
    if body[:1] != bytes((FORMAT,)):
        raise ValueError("a chunk of polls of another format")
    polls, position = _read(body, 1)
    count, position = _read(body, position)
    names = []
    for _ in range(count):
        length, position = _read(body, position)
        names.append(body[position : position + length].decode())
        position += length
    last = [0] * (_POINT_WORDS + _RADIO_WORDS * count)
    for _ in range(polls):
        values: list[int | None] = []
        for at in range(len(last)):
            raw, position = _read(body, position)
            if raw:
                last[at] += (raw - 1) >> 1 if raw & 1 else -(raw >> 1)
            values.append(last[at] if raw else None)
        yield _point(hour, names, values)


# Points and numbers ---------------------------------------------------------------------------------------


def _numbers(hour: datetime, point: Point, names: Sequence[str]) -> list[int | None]:
    numbers = [
        (point.at - hour) // _SECOND,
        int(point.up),
        point.clients,
        _per_mille(point.cpu_ratio),
        _per_mille(point.memory_ratio),
        point.octets_down,
        point.octets_up,
    ]
    radios = {radio.radio: radio for radio in point.radios}
    for name in names:
        radio = radios.get(name)
        if radio is None:
            numbers += (None,) * _RADIO_WORDS
        else:
            ratio = _per_mille(radio.utilisation_ratio)
            numbers += (_TOLD, radio.clients, radio.channel, ratio, radio.noise_dbm)
    return numbers


def _point(hour: datetime, names: Sequence[str], values: Sequence[int | None]) -> Point:
    seconds, up, clients, cpu, memory, down, sent = values[:_POINT_WORDS]
    radios = []
    for at, name in enumerate(names):
        start = _POINT_WORDS + at * _RADIO_WORDS
        told, radio_clients, channel, utilisation, noise = values[start : start + _RADIO_WORDS]
        if told:
            radios.append(RadioPoint(name, radio_clients, channel, _ratio(utilisation), noise))
    at_time = hour + (seconds or 0) * _SECOND
    return Point(at_time, bool(up), clients, _ratio(cpu), _ratio(memory), down, sent, tuple(radios))


def _per_mille(ratio: float | None) -> int | None:
    return None if ratio is None else round(ratio * PER_MILLE)


def _ratio(per_mille: int | None) -> float | None:
    return None if per_mille is None else per_mille / PER_MILLE


# LEB128 ---------------------------------------------------------------------------------------------------


def _write(into: bytearray, number: int) -> None:
    while number > 0x7F:
        into.append(number & 0x7F | 0x80)
        number >>= 7
    into.append(number)


def _read(packed: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if position >= len(packed):
            raise ValueError("a number ends early")
        octet = packed[position]
        position += 1
        number |= (octet & 0x7F) << shift
        if octet < 0x80:
            return number, position
        shift += 7
