"""The tables of a UniFi access point's SNMP agent as rows (OID, type, value), sorted by OID.

Written from RFC 1213 and 2863 (interfaces), RFC 2790 (host resources) and Ubiquiti's UniFi MIB; types and indexes as
a real UAP-nanoHD has them. It knows no octets and no protocol.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from enum import StrEnum

from simulator.life import PointLife
from simulator.town import TownAccessPoint

Oid = tuple[int, ...]


class Kind(StrEnum):
    """SMIv2 types of values."""

    INTEGER = "integer"
    OCTETS = "octets"
    OID = "oid"
    ADDRESS = "address"
    COUNTER32 = "counter32"
    COUNTER64 = "counter64"
    GAUGE = "gauge"
    TICKS = "ticks"


Value = int | bytes | Oid
Row = tuple[Oid, Kind, Value]
Cells = dict[int, tuple[Kind, Value]]

MODEL, FIRMWARE = "UAP-nanoHD", "6.6.55"
SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
INTERFACES: Oid = (1, 3, 6, 1, 2, 1, 2)
IF_ENTRY: Oid = (*INTERFACES, 2, 1)
IFX_ENTRY: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
HOST: Oid = (1, 3, 6, 1, 2, 1, 25)
STORAGE: Oid = (*HOST, 2, 3, 1)
PROCESSOR: Oid = (*HOST, 3, 3, 1)
ENTERPRISES: Oid = (1, 3, 6, 1, 4, 1)
UBIQUITI: Oid = (*ENTERPRISES, 41112)
RADIO: Oid = (*UBIQUITI, 1, 6, 1, 1, 1)
VAP: Oid = (*UBIQUITI, 1, 6, 1, 2, 1)
AP_SYSTEM: Oid = (*UBIQUITI, 1, 6, 3)
MEMORY: Oid = (*ENTERPRISES, 10002, 1, 1, 1, 1)

RADIO_NAMES = (b"ng", b"na")
INTERFACE_NAMES = ("ra", "rai")
FIRST_PROCESSOR = 196_608
COUNTER32_RANGE, COUNTER64_RANGE = 1 << 32, 1 << 64
ETHERNET, LOOPBACK = 6, 24
UP, TRUE, FALSE = 1, 1, 2


def rows(point: TownAccessPoint, life: PointLife) -> list[Row]:
    """All rows of this access point at that moment."""
    parts: tuple[Callable[[TownAccessPoint, PointLife], Iterator[Row]], ...] = (
        _system,
        _interfaces,
        _host,
        _radios,
        _vaps,
        _ap_system,
    )
    return sorted(row for part in parts for row in part(point, life))


def mac_of(point: TownAccessPoint, number: int = 0) -> bytes:
    """A stable, locally administered address of the access point's n-th interface."""
    digest = hashlib.blake2b(f"{point.name}/{point.address}/{point.port}".encode(), digest_size=4).digest()
    return bytes((0x02, *digest, number & 0xFF))


def _text(text: str) -> tuple[Kind, Value]:
    return Kind.OCTETS, text.encode()


def _number(value: int) -> tuple[Kind, Value]:
    return Kind.INTEGER, value


def _counter32(value: int) -> tuple[Kind, Value]:
    return Kind.COUNTER32, value % COUNTER32_RANGE


def _counter64(value: int) -> tuple[Kind, Value]:
    return Kind.COUNTER64, value % COUNTER64_RANGE


def _ticks(seconds: float) -> tuple[Kind, Value]:
    return Kind.TICKS, int(seconds * 100) % COUNTER32_RANGE


def _cells(entry: Oid, index: int, columns: Cells) -> Iterator[Row]:
    for column, (kind, value) in columns.items():
        yield (*entry, column, index), kind, value


def _system(point: TownAccessPoint, life: PointLife) -> Iterator[Row]:
    yield from _cells(
        SYSTEM,
        0,
        {
            1: _text(f"{MODEL} {FIRMWARE}"),
            2: (Kind.OID, UBIQUITI),
            3: _ticks(life.uptime_seconds),
            4: _text(""),
            5: _text(point.name),
            6: _text(""),
            7: _number(72),
        },
    )


def _interfaces(point: TownAccessPoint, life: PointLife) -> Iterator[Row]:
    wired_in = sum(sum(radio.octets_out) for radio in life.radios)  # what the air is given came in by cable
    wired_out = sum(sum(radio.octets_in) for radio in life.radios)
    every = [("lo", LOOPBACK, 0, 0, 10), ("eth0", ETHERNET, wired_in, wired_out, 1000)]
    for prefix, radio, speed in zip(INTERFACE_NAMES, life.radios, (300, 1733), strict=True):
        for number, (received, sent) in enumerate(zip(radio.octets_in, radio.octets_out, strict=True)):
            every.append((f"{prefix}{number}", ETHERNET, received, sent, speed))
    every.append(("br0", ETHERNET, wired_in // 50, wired_out // 20, 1000))
    yield (*INTERFACES, 1, 0), Kind.INTEGER, len(every)
    for index, (name, kind, received, sent, speed) in enumerate(every, start=1):
        address = b"" if kind == LOOPBACK else mac_of(point, index)
        yield from _cells(IF_ENTRY, index, _interface(name, kind, address, received, sent, speed, index))
        yield from _cells(IFX_ENTRY, index, _interface_more(name, received, sent, speed))


def _interface(name: str, kind: int, address: bytes, received: int, sent: int, speed: int, index: int) -> Cells:
    return {
        1: _number(index),
        2: _text(name),
        3: _number(kind),
        4: _number(65_536 if kind == LOOPBACK else 1500),
        5: (Kind.GAUGE, speed * 1_000_000),
        6: (Kind.OCTETS, address),
        7: _number(UP),
        8: _number(UP),
        9: _ticks(0),
        10: _counter32(received),
        11: _counter32(received // 800),
        13: _counter32(0),
        14: _counter32(received // 90_000_000),
        16: _counter32(sent),
        17: _counter32(sent // 1000),
        19: _counter32(0),
        20: _counter32(0),
    }


def _interface_more(name: str, received: int, sent: int, speed: int) -> Cells:
    return {
        1: _text(name),
        6: _counter64(received),
        7: _counter64(received // 800),
        10: _counter64(sent),
        11: _counter64(sent // 1000),
        15: (Kind.GAUGE, speed),
        18: _text(""),
    }


def _host(point: TownAccessPoint, life: PointLife) -> Iterator[Row]:
    yield (*HOST, 1, 1, 0), *_ticks(life.uptime_seconds)
    used = life.memory_total_kb - life.memory_free_kb
    for index, type_, name, size, taken in (
        (1, 2, "Physical memory", life.memory_total_kb, used),
        (31, 4, "/", 32_768, 24_064),
    ):
        yield from _cells(
            STORAGE,
            index,
            {
                1: _number(index),
                2: (Kind.OID, (*HOST, 2, 1, type_)),
                3: _text(name),
                4: _number(1024),
                5: _number(size),
                6: _number(taken),
            },
        )
    for core, percent in enumerate(life.cpu_percent):
        yield from _cells(PROCESSOR, FIRST_PROCESSOR + core, {1: (Kind.OID, (0, 0)), 2: _number(percent)})


def _radios(point: TownAccessPoint, life: PointLife) -> Iterator[Row]:
    for index, radio in enumerate(life.radios, start=1):
        received, sent = sum(radio.octets_in), sum(radio.octets_out)
        rest = max(0, radio.busy_percent - radio.self_rx_percent - radio.self_tx_percent)
        yield from _cells(
            RADIO,
            index,
            {
                2: _text(f"{INTERFACE_NAMES[index - 1]}0"),
                3: (Kind.OCTETS, RADIO_NAMES[index - 1]),
                4: _counter32(received // 800),
                5: _counter32(sent // 1000),
                6: _number(radio.busy_percent),
                7: _number(radio.self_rx_percent),
                8: _number(radio.self_tx_percent),
                9: _number(rest),
            },
        )


def _vaps(point: TownAccessPoint, life: PointLife) -> Iterator[Row]:
    index = 0
    for band, radio in enumerate(life.radios):
        for number, ssid in enumerate(point.ssids):
            index += 1
            received, sent = radio.octets_in[number], radio.octets_out[number]
            columns: Cells = {
                2: (Kind.OCTETS, mac_of(point, 0x80 + index)),
                3: _number(900 - 2 * radio.busy_percent),
                4: _number(radio.channel),
                6: _text(ssid),
                7: _text(f"{INTERFACE_NAMES[band]}{number}"),
                8: _number(radio.clients[number]),
                9: (Kind.OCTETS, RADIO_NAMES[band]),
                10: _counter32(received),
                12: _counter32(received // 70_000_000),
                13: _counter32(received // 90_000_000),
                15: _counter32(received // 800),
                16: _counter32(sent),
                17: _counter32(sent // 80_000_000),
                18: _counter32(sent // 60_000_000),
                19: _counter32(sent // 1000),
                20: _counter32(sent // 12_000),
                21: _number(radio.tx_power_dbm),
                22: _number(TRUE),
                23: _text("guest" if number == 0 else "user"),
            }
            yield from _cells(VAP, index, columns)


def _ap_system(point: TownAccessPoint, life: PointLife) -> Iterator[Row]:
    octets = bytes(int(part) for part in point.address.split("."))
    for number, (kind, value) in {
        1: (Kind.ADDRESS, octets),
        2: _number(FALSE),
        3: _text(MODEL),
        4: _text("eth0"),
        5: _number(int(life.uptime_seconds)),
        6: _text(FIRMWARE),
    }.items():
        yield (*AP_SYSTEM, number, 0), kind, value
    yield (*MEMORY, 1, 0), Kind.GAUGE, life.memory_total_kb
    yield (*MEMORY, 2, 0), Kind.GAUGE, life.memory_free_kb
