"""Plans: whatever a device says, a plan gives exactly what the general way gives, or leaves it to that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import profiles
from monitor.host import worth_asking
from monitor.layout import Layout
from monitor.oids import Counter32, Oid, Value, parse
from monitor.plan import PLANS_MAX, Plan, Plans
from monitor.profile import Profile
from monitor.reading import Memory, Told, by_plan, interpret
from monitor.session import SnmpError
from tests.monitor.test_controllers import hostile
from tests.monitor.test_reading import INTERFACES, NETWORKS, RADIOS, SYSTEM, values, vap
from tests.monitor.told import told

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ALL = profiles.load()
UNIFI = ALL.choose(parse("1.3.6.1.4.1.41112.1.6"), "")
SAID = values(SYSTEM, INTERFACES, RADIOS, NETWORKS, {"1.3.6.1.2.1.25.1.1.0": 500_000})
UPTIMES = (parse("1.3.6.1.2.1.1.3.0"), parse("1.3.6.1.2.1.25.1.1.0"))


def laid_out(profile: Profile, said: dict[Oid, Value]) -> Layout:
    found = told(profile, said)
    tables = {table.name: worth_asking(profile, table, found.tables[table.name]) for table in profile.tables}
    return ALL.layouts.of(profile, found.scalars, tables)


LAYOUT = laid_out(UNIFI, SAID)


def instances(layout: Layout, said: dict[Oid, Value]) -> list[Value]:
    return [said[oid] for oid in layout.oids]


def made(said: dict[Oid, Value]) -> Plan:
    plan = Plans().make(UNIFI, LAYOUT, instances(LAYOUT, said))
    assert plan is not None
    return plan


PLAN = made(SAID)
changes = st.one_of(hostile.filter(lambda value: value is not None), st.integers(0, 150), st.just(b"ng"))
steps = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(LAYOUT.oids), changes, max_size=4),
        st.dictionaries(st.sampled_from(LAYOUT.oids), st.integers(-50, 2**31), max_size=8),
    ),
    max_size=5,
)


@settings(max_examples=300)
@given(steps)
def test_a_plan_gives_what_the_general_way_gives(polls: list[tuple[dict[Oid, Value], dict[Oid, int]]]) -> None:
    said, general, planned, own = dict(SAID), Memory(), Memory(), PLAN
    for number, (changed, counted) in enumerate(polls, 1):
        now = NOW + timedelta(minutes=number)
        for oid, more in counted.items():
            value = said[oid]
            if isinstance(value, int):
                said[oid] = Counter32((value + more) % 2**32) if isinstance(value, Counter32) else value + more
        said |= changed
        said |= {oid: value + 6_000 for oid in UPTIMES if isinstance(value := said[oid], int)}
        asked = instances(LAYOUT, said)
        usual = Told(*LAYOUT.read(asked))
        try:
            expected = interpret(UNIFI, usual, memory=general, now=now)
        except SnmpError:
            said = dict(SAID)
            continue
        if own.fixed(asked) != own.expected:
            own = made(said)
        quick = by_plan(UNIFI, own, LAYOUT, asked, memory=planned, now=now)
        found = quick or interpret(UNIFI, usual, memory=planned, now=now)
        assert found.reading == expected.reading
        general, planned = expected.memory, found.memory


def test_a_plan_serves_an_ordinary_device_from_its_second_poll_on() -> None:
    asked = instances(LAYOUT, SAID)
    first = interpret(UNIFI, Told(*LAYOUT.read(asked)), memory=Memory(), now=NOW)
    assert by_plan(UNIFI, PLAN, LAYOUT, asked, memory=first.memory, now=NOW) is not None


def test_wrapped_counters_go_on_by_plan() -> None:
    column = parse("1.3.6.1.4.1.41112.1.6.1.2.1.10.3")
    memory, ways, shown = Memory(), [], []
    for number in range(4):
        now, raw = NOW + timedelta(minutes=number), (2**32 - 150 + 100 * number) % 2**32
        said = SAID | {column: Counter32(raw)} | {oid: int(str(SAID[oid])) + 6_000 * number for oid in UPTIMES}
        asked = instances(LAYOUT, said)
        quick = by_plan(UNIFI, PLAN, LAYOUT, asked, memory=memory, now=now)
        found = quick or interpret(UNIFI, Told(*LAYOUT.read(asked)), memory=memory, now=now)
        memory = found.memory
        ways.append(quick is not None)
        octets = found.reading.radios[1].octets
        assert octets is not None
        shown.append(octets.up)
    assert ways == [False, True, False, True]
    assert shown == [2**32 - 150 + 100 * number for number in range(4)]


@pytest.mark.parametrize(
    "changed",
    [
        values(vap(1, "Anders", "ng", 4, 6)),
        values({"1.3.6.1.4.1.41112.1.6.1.2.1.22.1": 2}),
        values({"1.3.6.1.4.1.41112.1.6.1.2.1.4.1": 0}),
        values({"1.3.6.1.4.1.41112.1.6.1.2.1.8.1": 5_000}),
        values({"1.3.6.1.2.1.2.2.1.8.2": 2}),
        values({"1.3.6.1.2.1.25.1.1.0": 7}),
    ],
    ids=["renamed", "off", "channel 0", "impossible", "interface down", "restarted"],
)
def test_what_a_plan_was_not_made_for_is_left_to_the_general_way(changed: dict[Oid, Value]) -> None:
    first = interpret(UNIFI, Told(*LAYOUT.read(instances(LAYOUT, SAID))), memory=Memory(), now=NOW)
    asked = instances(LAYOUT, SAID | changed)
    assert by_plan(UNIFI, PLAN, LAYOUT, asked, memory=first.memory, now=NOW) is None


def test_a_layout_keeps_a_few_plans() -> None:
    plans = Plans()
    said = [SAID | values(vap(1, f"Netz {number}", "ng", 4, 6)) for number in range(PLANS_MAX + 1)]
    for each in said:
        assert plans.make(UNIFI, LAYOUT, instances(LAYOUT, each)) is not None
    assert plans.fitting(instances(LAYOUT, said[0])) is None
    assert plans.fitting(instances(LAYOUT, said[1])) is not None


def test_a_controller_has_no_plan() -> None:
    controller = next(profile for profile in ALL.vendors if profile.controller)
    assert Plans().make(controller, LAYOUT, instances(LAYOUT, SAID)) is None
