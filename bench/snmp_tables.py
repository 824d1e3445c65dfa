"""What the benchmark's agents tell: a UniFi access point of about sixty values, and a controller of 1,400 radios.

Object identifiers are those that our profiles name (UBNT-UniFi-MIB, IF-MIB, HOST-RESOURCES-MIB; HUAWEI-WLAN-*-MIB);
all values are made up. A row is an identifier, its type, its value, and by how much it grows in a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

INTEGER, OCTETS, OID, COUNTER, GAUGE, TICKS, COUNTER_64 = 2, 4, 6, 65, 66, 67, 70
"""BER tags of RFC 3416."""

NET_SNMP = bytes.fromhex("2b06010401bf0803020a")
"""1.3.6.1.4.1.8072.3.2.10 in BER: what UniFi's newer firmware calls itself."""

HUAWEI = bytes.fromhex("2b060104018f5b0201")
"""1.3.6.1.4.1.2011.2.1."""


@dataclass(frozen=True, slots=True)
class Row:
    """One instance."""

    oid: str
    tag: int
    value: int | str | bytes
    rate: int = 0

    def line(self) -> str:
        """As the agent reads it."""
        value = self.value.encode() if isinstance(self.value, str) else self.value
        return f"{self.oid} {self.tag} {value.hex() or '-' if isinstance(value, bytes) else value} {self.rate}"


def access_point(*, interfaces: int, ssids: Sequence[str]) -> list[Row]:
    """A UniFi access point with two radios and a virtual access point a radio and SSID."""
    return [
        *_system("U6-Pro 6.6.55.15189", NET_SNMP, "U6-Pro"),
        *_unifi_system(),
        *_interfaces(interfaces),
        *_unifi(ssids),
    ]


def _system(description: str, object_id: bytes, name: str) -> Iterator[Row]:
    system = "1.3.6.1.2.1.1"
    yield Row(f"{system}.1.0", OCTETS, description)
    yield Row(f"{system}.2.0", OID, object_id)
    yield Row(f"{system}.3.0", TICKS, 8_640_000, 100)
    yield Row(f"{system}.5.0", OCTETS, name)
    yield Row("1.3.6.1.2.1.25.1.1.0", TICKS, 8_700_000, 100)
    yield Row("1.3.6.1.2.1.25.3.3.1.2.196608", INTEGER, 7)


def _unifi_system() -> Iterator[Row]:
    yield Row("1.3.6.1.4.1.41112.1.6.3.3.0", OCTETS, "U6-Pro")
    yield Row("1.3.6.1.4.1.41112.1.6.3.5.0", INTEGER, 86_400)
    yield Row("1.3.6.1.4.1.41112.1.6.3.6.0", OCTETS, "6.6.55.15189")
    yield Row("1.3.6.1.4.1.10002.1.1.1.1.1.0", GAUGE, 512_000)
    yield Row("1.3.6.1.4.1.10002.1.1.1.1.2.0", GAUGE, 211_456)


def _interfaces(count: int) -> Iterator[Row]:
    plain, wide = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
    for number in range(1, count + 1):
        yield Row(f"{plain}.8.{number}", INTEGER, 1)
        yield Row(f"{plain}.14.{number}", COUNTER, 3 * number)
        yield Row(f"{wide}.1.{number}", OCTETS, f"eth{number - 1}")
        yield Row(f"{wide}.6.{number}", COUNTER_64, 10**11 * number, 250_000 * number)
        yield Row(f"{wide}.10.{number}", COUNTER_64, 10**12 * number, 1_250_000 * number)


def _unifi(ssids: Sequence[str]) -> Iterator[Row]:
    radios, networks = "1.3.6.1.4.1.41112.1.6.1.1.1", "1.3.6.1.4.1.41112.1.6.1.2.1"
    for at, (radio, channel) in enumerate((("ng", 6), ("na", 44))):
        yield Row(f"{radios}.3.{at}", OCTETS, radio)
        yield Row(f"{radios}.6.{at}", INTEGER, 30 + at)
        for which, ssid in enumerate(ssids):
            row = at * len(ssids) + which
            yield Row(f"{networks}.2.{row}", OCTETS, bytes((2, 0, 0, 0, at, which)))
            yield Row(f"{networks}.4.{row}", INTEGER, channel)
            yield Row(f"{networks}.6.{row}", OCTETS, ssid)
            yield Row(f"{networks}.8.{row}", INTEGER, 5 + row)
            yield Row(f"{networks}.9.{row}", OCTETS, radio)
            yield Row(f"{networks}.10.{row}", COUNTER, 1_000_000, 125_000)
            yield Row(f"{networks}.13.{row}", COUNTER, 7)
            yield Row(f"{networks}.16.{row}", COUNTER, 4_000_000_000, 625_000)
            yield Row(f"{networks}.18.{row}", COUNTER, 11)
            yield Row(f"{networks}.20.{row}", COUNTER, 9_000, 20)
            yield Row(f"{networks}.21.{row}", INTEGER, 20)
            yield Row(f"{networks}.22.{row}", INTEGER, 1)


def controller(access_points: int) -> list[Row]:
    """A Huawei AC; each access point behind it has two radios and one SSID."""
    rows = [*_system("Huawei AC6805 Software VRP (R) V200R021C00SPC200", HUAWEI, "ac-1")]
    joined = "1.3.6.1.4.1.2011.6.139.12.1.2"
    rows += [Row(f"{joined}.1.0", INTEGER, access_points), Row(f"{joined}.2.0", INTEGER, 12 * access_points)]
    for number in range(access_points):
        rows += _huawei_access_point(f"2.0.94.{number >> 16}.{number >> 8 & 255}.{number & 255}", number)
    return rows


def _huawei_access_point(index: str, number: int) -> Iterator[Row]:
    points = "1.3.6.1.4.1.2011.6.139.13.3.3.1"
    yield Row(f"{points}.2.{index}", OCTETS, f"2102{number:08d}")
    yield Row(f"{points}.3.{index}", OCTETS, "AirEngine5760-51")
    yield Row(f"{points}.4.{index}", OCTETS, f"ap-{number:05d}")
    yield Row(f"{points}.6.{index}", INTEGER, 8)
    yield Row(f"{points}.18.{index}", INTEGER, 86_400)
    yield Row(f"{points}.40.{index}", INTEGER, 52)
    yield Row(f"{points}.41.{index}", INTEGER, 9)
    yield Row(f"{points}.43.{index}", INTEGER, 47)
    yield Row(f"{points}.44.{index}", INTEGER, 12)
    for radio in (0, 1):
        yield from _huawei_radio(f"{index}.{radio}", radio)


def _huawei_radio(index: str, radio: int) -> Iterator[Row]:
    radios, networks = "1.3.6.1.4.1.2011.6.139.16.1.2.1", "1.3.6.1.4.1.2011.6.139.17.1.1.1"
    figures = {5: 1 + radio, 6: 1, 7: (6, 44)[radio], 9: 20, 10: 1 + radio, 24: -92, 25: 31, 40: 6}
    for column, value in figures.items():
        yield Row(f"{radios}.{column}.{index}", INTEGER, value)
    for column in (31, 36):
        yield Row(f"{radios}.{column}.{index}", COUNTER_64, 10**11, 500_000)
    for column in (49, 50):
        yield Row(f"{radios}.{column}.{index}", COUNTER, 1_000, 3)
    yield Row(f"{networks}.5.{index}.1", OCTETS, bytes((2, 0, 0, 1, radio, 1)))
    yield Row(f"{networks}.6.{index}.1", OCTETS, "Stadt frei")
