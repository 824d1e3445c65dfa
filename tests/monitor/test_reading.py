"""Varbinds to readings: goldens written from the MIBs, and a device that says anything at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot.fleet import ApReading, Band, InterfaceReading, PollFailure, RadioReading, SsidReading
from hotspot.values import Octets
from monitor import on_air, profiles, words
from monitor.oids import Counter32, Oid, Value, parse
from monitor.profile import Profile
from monitor.reading import Interpreted, Memory, interpret
from monitor.session import SnmpError
from monitor.words import text
from tests.monitor.told import told

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PROFILES = profiles.load()
UNIFI = PROFILES.choose(parse("1.3.6.1.4.1.41112.1.6"), "")

IF, IFX = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
RADIO, VAP = "1.3.6.1.4.1.41112.1.6.1.1.1", "1.3.6.1.4.1.41112.1.6.1.2.1"

SYSTEM: dict[str, Value] = {
    "1.3.6.1.2.1.1.1.0": b"UAP-AC-Pro 6.6.77.15402",
    "1.3.6.1.2.1.1.2.0": parse("1.3.6.1.4.1.8072.3.2.10"),
    "1.3.6.1.2.1.1.3.0": 360_000,
    "1.3.6.1.2.1.1.5.0": b"Rathaus 1",
    "1.3.6.1.4.1.41112.1.6.3.3.0": b"UAP-AC-Pro-Gen2",
    "1.3.6.1.4.1.41112.1.6.3.6.0": b"6.6.77.15402",
    "1.3.6.1.4.1.10002.1.1.1.1.1.0": 100_000,
    "1.3.6.1.4.1.10002.1.1.1.1.2.0": 25_000,
    "1.3.6.1.2.1.25.3.3.1.2.1": 10,
    "1.3.6.1.2.1.25.3.3.1.2.2": 30,
}
INTERFACES: dict[str, Value] = {
    f"{IF}.8.1": 1,
    f"{IFX}.1.1": b"lo",
    f"{IFX}.6.1": 5,
    f"{IF}.8.2": 1,
    f"{IF}.14.2": Counter32(7),
    f"{IFX}.1.2": b"eth0",
    f"{IFX}.6.2": 2**40,
    f"{IFX}.10.2": 2**41,
    f"{IF}.8.3": 2,
    f"{IFX}.1.3": b"eth1",
    f"{IFX}.6.3": 0,
    f"{IFX}.10.3": 0,
}


def vap(index: int, ssid: str, radio: str, clients: int, channel: int, **more: Value) -> dict[str, Value]:
    """One row of unifiVapTable."""
    row: dict[int, Value] = {4: channel, 6: ssid.encode(), 8: clients, 9: radio.encode(), 21: 20, 22: 1}
    row |= {int(column.removeprefix("c")): value for column, value in more.items()}
    return {f"{VAP}.{column}.{index}": value for column, value in row.items()}


RADIOS: dict[str, Value] = {
    f"{RADIO}.3.1": b"ng",
    f"{RADIO}.3.2": b"na",
    f"{RADIO}.6.1": 42,
    f"{RADIO}.6.2": 7,
}
NETWORKS: dict[str, Value] = (
    vap(1, "Rostock frei", "ng", 4, 6, c10=Counter32(100), c16=Counter32(1_000))
    | vap(2, "Verwaltung", "ng", 1, 6, c10=Counter32(10), c16=Counter32(50))
    | vap(3, "Rostock frei", "na", 14, 100, c10=Counter32(7), c16=Counter32(70))
)


def values(*parts: dict[str, Value]) -> dict[Oid, Value]:
    return {parse(oid): value for part in parts for oid, value in part.items()}


def read(*parts: dict[str, Value], memory: Memory | None = None) -> ApReading:
    return interpreted(UNIFI, values(*parts), memory=memory).reading


def interpreted(profile: Profile, said: dict[Oid, Value], memory: Memory | None = None) -> Interpreted:
    return interpret(profile, told(profile, said), memory=memory or Memory(), now=NOW)


def test_a_unifi_access_point() -> None:
    assert read(SYSTEM, INTERFACES, RADIOS, NETWORKS) == ApReading(
        at=NOW,
        system_name="Rathaus 1",
        model="UAP-AC-Pro-Gen2",
        firmware="6.6.77.15402",
        uptime_seconds=3_600.0,
        cpu_ratio=0.2,
        memory_ratio=0.75,
        radios=(
            RadioReading("ng", Band.GHZ_2_4, 6, 5, 0.42, 20, Octets(1_050, 110)),
            RadioReading("na", Band.GHZ_5, 100, 14, 0.07, 20, Octets(70, 7)),
        ),
        ssids=(SsidReading("Rostock frei", 18, Octets(1_070, 107)), SsidReading("Verwaltung", 1, Octets(50, 10))),
        interfaces=(InterfaceReading("eth0", True, 2**40, 2**41, 7),),
    )


def test_a_device_of_no_known_vendor_tells_what_every_agent_tells() -> None:
    host: dict[str, Value] = {
        "1.3.6.1.2.1.1.1.0": b"Linux gateway",
        "1.3.6.1.2.1.1.3.0": 100,
        "1.3.6.1.2.1.25.1.1.0": 500_000,
        "1.3.6.1.2.1.25.2.3.1.2.1": parse("1.3.6.1.2.1.25.2.1.2"),
        "1.3.6.1.2.1.25.2.3.1.5.1": 1_000,
        "1.3.6.1.2.1.25.2.3.1.6.1": 400,
    }
    found = interpreted(PROFILES.common, values(host, INTERFACES)).reading
    assert (found.model, found.uptime_seconds, found.memory_ratio) == ("Linux", 5_000.0, 0.4)
    assert found.radios == () and found.clients is None


def test_networks_that_are_off_are_left_out() -> None:
    off = vap(4, "Aus", "6e", 3, 37, c22=2) | vap(5, "Kanal 0", "6e", 3, 0)
    found = read(SYSTEM, RADIOS, NETWORKS, off)
    assert [radio.name for radio in found.radios] == ["ng", "na"]
    assert "Aus" not in [ssid.name for ssid in found.ssids]


@pytest.mark.parametrize(
    ("column", "value", "field"),
    [
        (8, -1, "clients"),
        (8, 5_000, "clients"),
        (8, b"4", "clients"),
        (4, 388, "channel"),
        (4, b"53S", "channel"),
        (21, 50, "tx_power_dbm"),
        (21, -99, "tx_power_dbm"),
        (10, -5, "octets"),
        (10, None, "octets"),
    ],
)
def test_a_value_out_of_its_range_is_unknown_and_not_zero(column: int, value: Value, field: str) -> None:
    row = vap(1, "Rostock frei", "na", 4, 100, c10=1, c16=1) | {f"{VAP}.{column}.1": value}
    (radio,) = read(SYSTEM, row).radios
    assert getattr(radio, field) is None


def test_a_device_hotter_than_possible_and_fuller_than_full_tells_nothing() -> None:
    crooked: dict[str, Value] = {
        "1.3.6.1.2.1.25.3.3.1.2.1": 5_000,
        "1.3.6.1.2.1.25.3.3.1.2.2": -1,
        "1.3.6.1.4.1.10002.1.1.1.1.2.0": 100_001,
        f"{RADIO}.6.1": 101,
    }
    found = read(SYSTEM, RADIOS, NETWORKS, crooked)
    assert found.cpu_ratio is None and found.memory_ratio is None
    assert found.radios[0].utilisation_ratio is None


def test_a_wrapped_counter_goes_on() -> None:
    first = interpreted(UNIFI, values(SYSTEM, vap(1, "x", "na", 1, 36, c10=Counter32(2**32 - 10), c16=1)))
    later: dict[str, Value] = {"1.3.6.1.2.1.1.3.0": 366_000}
    row = vap(1, "x", "na", 1, 36, c10=Counter32(90), c16=1)
    octets = read(SYSTEM, later, row, memory=first.memory).radios[0].octets
    assert octets == Octets(1, 2**32 + 90)


def test_an_agent_that_tells_neither_what_it_is_nor_its_uptime_is_malformed() -> None:
    with pytest.raises(SnmpError) as refused:
        read({"1.3.6.1.2.1.1.1.0": b"hello"})
    assert refused.value.failure is PollFailure.MALFORMED


def test_text_is_printable_and_short() -> None:
    assert text(b"Caf\xc3\xa9\x00\x1b[31m\n\xff") == "Café[31m"
    assert len(text(b"x" * 10_000)) == words.TEXT_MAX
    assert text(7) == "" and text(None) == ""


hostile = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**64 - 1),
    st.integers(0, 2**32 - 1).map(Counter32),
    st.binary(max_size=300),
    st.lists(st.integers(0, 2**32 - 1), max_size=20).map(tuple),
)
PLACES = sorted(values(SYSTEM, INTERFACES, RADIOS, NETWORKS))


@given(st.dictionaries(st.sampled_from(PLACES), hostile))
def test_whatever_a_device_says_gives_a_sane_reading_or_malformed(said: dict[Oid, Value]) -> None:
    try:
        found = interpreted(UNIFI, values(SYSTEM, NETWORKS) | said).reading
    except SnmpError:
        return
    for ratio in (found.cpu_ratio, found.memory_ratio, *(radio.utilisation_ratio for radio in found.radios)):
        assert ratio is None or 0 <= ratio <= 1
    for radio in found.radios:
        assert radio.name.isprintable() and (radio.clients or 0) >= 0
        assert radio.channel is None or radio.channel in words.CHANNELS
    assert len({radio.name for radio in found.radios}) == len(found.radios) <= on_air.RADIOS_MAX
    assert all(ssid.name and (ssid.clients or 0) >= 0 for ssid in found.ssids)
    assert len({each.name for each in found.interfaces}) == len(found.interfaces)


@given(st.dictionaries(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=15).map(tuple), hostile))
def test_cells_that_nobody_asked_for_are_ignored(said: dict[Oid, Value]) -> None:
    asked = {column.oid for part in (UNIFI, *UNIFI.tables) for column in getattr(part, "columns", UNIFI.scalars)}
    stray = {oid: value for oid, value in said.items() if not any(oid[: len(known)] == known for known in asked)}
    sane = values(SYSTEM, NETWORKS)
    assert interpreted(UNIFI, sane | stray) == interpreted(UNIFI, sane)
