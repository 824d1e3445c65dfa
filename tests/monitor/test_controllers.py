"""Controllers: one reading for each access point in their tables, and nobody is lost because a table was cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot.fleet import ApReading, Band, Member, PollFailure
from hotspot.values import Octets
from monitor import profiles
from monitor.oids import Counter32, Oid, Value, parse
from monitor.poll import Device, poll
from monitor.profile import Profile
from monitor.profile_file import read
from monitor.profiles import FOLDER, Profiles
from monitor.reading import Memory, interpret
from monitor.session import SnmpError, Target
from store.fleet import SnmpCredential
from tests.monitor.pretended import Agent, Client
from tests.monitor.told import told

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TARGET = Target("192.0.2.1", 161, SnmpCredential("v2c", community="x"), 1.0, 0)
BASE = "1.3.6.1.4.1.99999"

PROFILE = f"""
name = "ac"
kind = "controller"
[[match]]
object_id = "{BASE}"
[bands]
1 = "2.4"
2 = "5"
[scalars]
clients = "{BASE}.1.0"
[tables.aps]
index = "ap:6"
name = "{BASE}.2.1"
up = {{ oid = "{BASE}.2.2", up = [1, "run"] }}
uptime_seconds = "{BASE}.2.3"
cpu_percent = "{BASE}.2.4"
clients = "{BASE}.2.5"
[tables.radios]
index = "ap:6 radio:1"
band = "{BASE}.3.1"
channel = {{ oid = "{BASE}.3.2", transform = "mask 255" }}
noise_dbm = {{ oid = "{BASE}.3.3", transform = "negate" }}
clients = "{BASE}.3.4"
octets_in = "{BASE}.3.5"
octets_out = "{BASE}.3.6"
[tables.networks]
index = "ap:6 radio:1 skip:1"
ssid = "{BASE}.4.1"
clients = "{BASE}.4.2"
[tables.networks-all]
index = "ssid:len"
clients = "{BASE}.5.1"
"""


@pytest.fixture(scope="module")
def controllers(tmp_path_factory: pytest.TempPathFactory) -> Profiles:
    folder: Path = tmp_path_factory.mktemp("profiles")
    (folder / "common.toml").write_bytes((FOLDER / "common.toml").read_bytes())
    (folder / "ac.toml").write_text(PROFILE)
    return profiles.load(folder)


@pytest.fixture(scope="module")
def ac(controllers: Profiles) -> Profile:
    return controllers.vendors[0]


SYSTEM: dict[Oid, Value] = {
    parse("1.3.6.1.2.1.1.1.0"): b"Controller",
    parse("1.3.6.1.2.1.1.2.0"): parse(f"{BASE}.7"),
    parse("1.3.6.1.2.1.1.3.0"): 360_000,
    parse(f"{BASE}.1.0"): 5_000,
}


def cells(table: int, index: Oid, *row: Value) -> dict[Oid, Value]:
    entry = parse(f"{BASE}.{table}")
    return {(*entry, column, *index): value for column, value in enumerate(row, 1) if value is not None}


def ap(number: int, up: Value = 1, uptime: int = 1_000) -> dict[Oid, Value]:
    """An access point with two radios that carry one network."""
    mac = (2, 0, 0, 0, number // 256, number % 256)
    rows = cells(2, mac, f"ap-{number}".encode(), up, uptime, 12, 7)
    for radio, (band, channel) in enumerate(((1, 6), (2, 388))):
        rows |= cells(3, (*mac, radio), band, channel, 95, 3 + radio, Counter32(100), Counter32(200))
        rows |= cells(4, (*mac, radio, 1), b"Stadt", 3 + radio)
    return rows


def reading(profile: Profile, *parts: dict[Oid, Value], memory: Memory | None = None) -> ApReading:
    return both(profile, *parts, memory=memory)[0]


def both(profile: Profile, *parts: dict[Oid, Value], memory: Memory | None = None) -> tuple[ApReading, Memory]:
    said = {oid: value for part in (SYSTEM, *parts) for oid, value in part.items()}
    found = interpret(profile, told(profile, said), memory=memory or Memory(), now=NOW)
    return found.reading, found.memory


def test_each_access_point_of_the_table_has_a_reading(ac: Profile) -> None:
    found = reading(ac, ap(1), ap(2), cells(5, (5, *b"Stadt"), 14))
    assert [member.key for member in found.members] == ["02:00:00:00:00:01", "02:00:00:00:00:02"]
    first = found.members[0].reading
    assert (first.system_name, first.uptime_seconds, first.cpu_ratio, first.clients) == ("ap-1", 1_000, 0.12, 7)
    assert [(radio.name, radio.band, radio.channel) for radio in first.radios] == [
        ("0", Band.GHZ_2_4, 6),
        ("1", Band.GHZ_5, 132),
    ]
    assert {radio.noise_dbm for radio in first.radios} == {-95} and first.radios[0].octets == Octets(200, 100)
    assert [(ssid.name, ssid.clients) for ssid in first.ssids] == [("Stadt", 7)]
    assert found.radios == () and found.clients == 5_000
    assert [(ssid.name, ssid.clients) for ssid in found.ssids] == [("Stadt", 14)]


@pytest.mark.parametrize(("told_up", "up"), [(1, True), (b"run", True), (2, False), (b"idle", False)])
def test_what_means_up_is_the_profiles(ac: Profile, told_up: Value, up: bool) -> None:
    (member,) = reading(ac, ap(1, told_up)).members
    assert member.up is up
    assert bool(member.reading.radios) is up and member.reading.system_name == "ap-1"


def test_a_row_without_its_access_point_is_nobodys(ac: Profile) -> None:
    stray = {oid: value for oid, value in ap(2).items() if oid[: len(parse(f"{BASE}.2"))] != parse(f"{BASE}.2")}
    assert [member.key[-1] for member in reading(ac, ap(1), stray).members] == ["1"]


def test_counters_of_one_that_restarted_start_anew_and_the_others_go_on(ac: Profile) -> None:
    def octets(number: int, value: int) -> dict[Oid, Value]:
        return cells(3, (2, 0, 0, 0, 0, number, 0), None, None, None, None, Counter32(value))

    near, past = 2**32 - 10, 5
    _, memory = both(ac, ap(1), ap(2), octets(1, near), octets(2, near))
    after = reading(ac, ap(1, uptime=3), ap(2, uptime=1_060), octets(1, past), octets(2, past), memory=memory)
    ups = [member.reading.radios[0].octets for member in after.members]
    assert ups == [Octets(200, past), Octets(200, 2**32 + past)]


def test_without_a_total_of_its_own_clients_are_those_of_its_access_points(ac: Profile) -> None:
    assert reading(ac, ap(1), ap(2), {parse(f"{BASE}.1.0"): -1}).clients == 14


# Over a session ---------------------------------------------------------------------------------------


def ask(controllers: Profiles, agent: Agent, device: Device | None = None) -> ApReading:
    client: Any = Client(agent)
    return asyncio.run(poll(client, TARGET, device or Device(), controllers, now=NOW))


def fleet(count: int) -> dict[Oid, Value]:
    return {oid: value for number in range(count) for oid, value in ap(number).items()} | SYSTEM


def test_a_large_table_is_read_whole(controllers: Profiles) -> None:
    found = ask(controllers, Agent(fleet(700)))
    assert len(found.members) == 700 and sum(len(member.reading.radios) for member in found.members) == 1_400


def test_who_leaves_the_table_is_gone_at_the_next_poll(controllers: Profiles) -> None:
    agent, device = Agent(fleet(3)), Device()
    ask(controllers, agent, device)
    agent.become(fleet(2))
    assert len(ask(controllers, agent, device).members) == 2


def test_a_table_that_stops_in_the_middle_is_no_reading(controllers: Profiles) -> None:
    class Breaks(Agent):
        async def bulk(self, oids: Any, repetitions: int) -> Any:
            if self.bulks >= 12:
                raise SnmpError(PollFailure.TIMEOUT, "no answer")
            return await super().bulk(oids, repetitions)

    with pytest.raises(SnmpError) as failed:
        ask(controllers, Breaks(fleet(700)))
    assert failed.value.failure is PollFailure.TIMEOUT


def test_a_table_beyond_the_limit_is_an_error_and_not_a_loss(controllers: Profiles, ac: Profile) -> None:
    tables = tuple(replace(table, rows_max=50) for table in ac.tables)
    small = Profiles(controllers.common, (replace(ac, tables=tables),))
    with pytest.raises(SnmpError, match="more than 50 access points"):
        ask(small, Agent(fleet(51)))
    assert ask(small, Agent(fleet(50))).dropped == ("networks rows", "radios rows")


# Whatever it says -------------------------------------------------------------------------------------

hostile = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**64 - 1),
    st.integers(0, 2**32 - 1).map(Counter32),
    st.binary(max_size=80),
    st.lists(st.integers(0, 2**32 - 1), max_size=8).map(tuple),
)
PLACES = sorted({**ap(1), **ap(2), **cells(5, (5, *b"Stadt"), 14)})


@given(st.lists(st.dictionaries(st.sampled_from(PLACES), hostile, max_size=12), max_size=4))
def test_whatever_a_controller_says_gives_sane_readings(ac: Profile, polls: list[dict[Oid, Value]]) -> None:
    memory = Memory()
    for said in polls:
        found, memory = both(ac, ap(1), ap(2), said, memory=memory)
        assert len({member.key for member in found.members}) == len(found.members)
        for reading in (found, *(member.reading for member in found.members)):
            sane(reading)


def sane(reading: ApReading) -> None:
    assert len({radio.name for radio in reading.radios}) == len(reading.radios)
    for radio in reading.radios:
        assert radio.channel is None or 1 <= radio.channel <= 233
        assert radio.noise_dbm is None or -120 <= radio.noise_dbm <= -20
        assert radio.octets is None or min(radio.octets.down, radio.octets.up) >= 0
        assert (radio.clients or 0) in range(8_193)
    assert all(ssid.name.isprintable() for ssid in reading.ssids)
    assert reading.cpu_ratio is None or 0 <= reading.cpu_ratio <= 1


VENDORS = list(profiles.load().vendors)


def everywhere(profile: Profile) -> Iterator[Oid]:
    """A place for each column, with an index that its table may have, and one that it may not."""
    for table in profile.tables:
        for column in table.columns:
            for index in ((1,), (1, 1), (2, 0, 0, 0, 0, 1), (2, 0, 0, 0, 0, 1, 1), (3, 65, 66, 67), (1, 1, 65, 2, 3)):
                yield (*column.oid, *index)


@given(st.data())
@pytest.mark.parametrize("profile", VENDORS, ids=lambda profile: profile.name)
def test_whatever_is_said_to_any_profile_gives_a_reading(profile: Profile, data: st.DataObject) -> None:
    places = [*everywhere(profile), *(column.oid for column in profile.scalars)]
    said = data.draw(st.dictionaries(st.sampled_from(places), hostile, max_size=40))
    found = interpret(profile, told(profile, SYSTEM | said | {parse("1.3.6.1.2.1.1.3.0"): 5}), memory=Memory(), now=NOW)
    for each in (found.reading, *(member.reading for member in found.reading.members)):
        sane(each)


def test_only_a_controller_has_access_points_behind_it(tmp_path: Path) -> None:
    file = tmp_path / "ac.toml"
    file.write_text(PROFILE.replace('kind = "controller"', ""))
    with pytest.raises(Exception, match=r"tables\.aps: only a controller"):
        read(file, profiles.load().common)


def test_a_member_has_the_time_of_its_reading(ac: Profile) -> None:
    assert all(isinstance(member, Member) and member.reading.at == NOW for member in reading(ac, ap(1)).members)
