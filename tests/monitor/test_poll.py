"""Polls: known instances are fetched and not walked, until the device is another one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, cast

import pytest

from hotspot.fleet import ApReading, PollFailure
from monitor.oids import Counter32, Oid, Value, parse
from monitor.poll import MISSES_MAX, WALK_EVERY, Device, poll
from monitor.profiles import Profiles
from monitor.session import SnmpError, Target, TooBigError
from store.fleet import SnmpCredential
from tests.monitor.pretended import Agent, Client
from tests.monitor.test_reading import INTERFACES, NETWORKS, RADIOS, SYSTEM, values, vap

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TARGET = Target("192.0.2.1", 161, SnmpCredential("v2c", community="x"), 1.0, 0)
UPTIME = parse("1.3.6.1.2.1.1.3.0")
DESCRIPTION = parse("1.3.6.1.2.1.1.1.0")
UNIFI = values(SYSTEM, INTERFACES, RADIOS, NETWORKS)


class Watched:
    """An agent that is polled every minute."""

    def __init__(self, profiles: Profiles, said: dict[Oid, Value], **more: Any) -> None:
        self.agent = Agent(said, **more)
        self.said = dict(said)
        self.device = Device()
        self._profiles = profiles
        self._polls = 0

    def poll(self, **changes: Value) -> ApReading:
        """The reading after these changes; `x1_3_6_1` names an instance, None removes it."""
        self._polls += 1
        self.said[UPTIME] = cast(int, self.said[UPTIME]) + 6_000
        for name, value in changes.items():
            self.said[parse(name[1:].replace("_", "."))] = value
        self.said = {oid: value for oid, value in self.said.items() if value is not None}
        self.agent.become(self.said)
        self.agent.gets = self.agent.bulks = 0
        client: Any = Client(self.agent)
        now = NOW + timedelta(minutes=self._polls)
        return asyncio.run(poll(client, TARGET, self.device, self._profiles, now=now))

    def settle(self) -> None:
        """Polls until the next one does not walk, and several after it do not."""
        self.poll()
        self.device.polls_until_walk = WALK_EVERY


def test_a_known_device_is_asked_once_and_not_walked(all_profiles: Profiles) -> None:
    watched = Watched(all_profiles, UNIFI)
    walked = watched.poll()
    assert watched.agent.bulks > 0
    watched.device.polls_until_walk = WALK_EVERY
    again = watched.poll()
    assert (watched.agent.gets, watched.agent.bulks) == (1, 0)
    assert again.radios == walked.radios and again.interfaces == walked.interfaces and again.ssids == walked.ssids


def test_its_tables_are_walked_again_after_a_while(all_profiles: Profiles) -> None:
    watched = Watched(all_profiles, UNIFI)
    watched.poll()
    walks = 0
    for _ in range(3 * WALK_EVERY):
        watched.poll()
        walks += watched.agent.bulks > 0
    assert walks == 3


def test_a_new_network_is_seen_at_the_next_walk(all_profiles: Profiles) -> None:
    watched = Watched(all_profiles, UNIFI)
    watched.settle()
    watched.said |= values(vap(9, "Neu", "na", 3, 100))
    assert "Neu" not in {ssid.name for ssid in watched.poll().ssids}
    watched.device.polls_until_walk = 0
    assert "Neu" in {ssid.name for ssid in watched.poll().ssids}


def test_a_plan_is_only_used_for_the_instances_it_was_made_for(all_profiles: Profiles) -> None:
    watched = Watched(all_profiles, UNIFI)
    watched.settle()
    watched.poll()
    assert watched.device.plan is not None
    for changes in (values(vap(2, "Dazwischen", "na", 9, 100)), dict.fromkeys(values(vap(1, "", "", 0, 0)))):
        watched.said |= changes
        watched.device.polls_until_walk = 0
        walked = watched.poll()
        watched.device.polls_until_walk = WALK_EVERY
        planned = watched.poll()
        assert (planned.ssids, planned.radios) == (walked.ssids, walked.radios)
        assert watched.device.plan is not None


def test_a_network_that_is_gone_is_gone_at_once(all_profiles: Profiles) -> None:
    watched = Watched(all_profiles, UNIFI)
    watched.settle()
    watched.said = {oid: value for oid, value in watched.said.items() if oid not in values(vap(2, "", "", 0, 0))}
    assert [ssid.name for ssid in watched.poll().ssids] == ["Rostock frei"]
    assert watched.agent.bulks > 0


def test_after_a_restart_everything_is_walked(all_profiles: Profiles) -> None:
    watched = Watched(all_profiles, UNIFI)
    watched.settle()
    watched.poll(x1_3_6_1_2_1_1_3_0=100)
    assert watched.device.layout is None
    watched.poll()
    assert watched.agent.bulks > 0


def test_another_firmware_is_another_choice(all_profiles: Profiles) -> None:
    watched = Watched(all_profiles, UNIFI)
    watched.settle()
    assert watched.device.profile is not None and watched.device.profile.name == "unifi"
    watched.poll(x1_3_6_1_2_1_1_1_0=b"Linux gateway 6.1")
    assert watched.device.profile is all_profiles.common


def test_an_agent_that_forgets_what_it_told_is_walked_for_good(all_profiles: Profiles) -> None:
    class Forgetful(Agent):
        async def get(self, oids: Any) -> Any:
            return [(oid, None if len(oids) > 20 else value) for oid, value in await super().get(oids)]

    watched = Watched(all_profiles, UNIFI)
    watched.agent = Forgetful(UNIFI)
    for _ in range(2 * MISSES_MAX):
        assert watched.poll().radios
    assert watched.device.layout is None and watched.device.misses == MISSES_MAX


def test_counters_go_on_over_gets_and_walks(all_profiles: Profiles) -> None:
    column = "x1_3_6_1_4_1_41112_1_6_1_2_1_10_3"
    watched = Watched(all_profiles, UNIFI)
    shown = []
    for poll_number in range(2 * WALK_EVERY):
        raw = Counter32((2**32 - 500 + 100 * poll_number) % 2**32)
        octets = watched.poll(**{column: raw}).radios[1].octets
        assert octets is not None
        shown.append(octets.up)
    assert [later - earlier for earlier, later in pairwise(shown)] == [100] * (len(shown) - 1)


def test_portions_that_the_device_stomachs_are_remembered(all_profiles: Profiles) -> None:
    def refuse(varbinds: int) -> None:
        if varbinds > 16:
            raise TooBigError(PollFailure.MALFORMED, "too big")

    watched = Watched(all_profiles, UNIFI, refuse=refuse)
    watched.settle()
    watched.agent.asked.clear()
    assert watched.poll().radios
    assert max(watched.agent.asked) <= 16 and watched.agent.bulks == 0


def test_a_poll_that_fails_changes_nothing(all_profiles: Profiles) -> None:
    watched = Watched(all_profiles, UNIFI)
    watched.settle()
    memory = watched.device.memory

    class Silent(Agent):
        async def get(self, oids: Any) -> Any:
            raise SnmpError(PollFailure.TIMEOUT, "no answer")

    speaking, watched.agent = watched.agent, Silent({})
    with pytest.raises(SnmpError):
        watched.poll()
    assert watched.device.memory is memory
    watched.agent = speaking
    assert watched.poll().radios


def test_devices_of_one_shape_share_their_layout(all_profiles: Profiles) -> None:
    first, second = Watched(all_profiles, UNIFI), Watched(all_profiles, UNIFI | {DESCRIPTION: b"UAP-AC-Pro 7"})
    first.poll()
    second.poll()
    assert first.device.layout is not None and first.device.layout is second.device.layout


# Choosing ---------------------------------------------------------------------------------------------


def test_a_probe_is_asked_only_where_the_rest_fits(all_profiles: Profiles) -> None:
    object_id = parse("1.3.6.1.4.1.14988.1")
    assert all_profiles.probes(object_id, "RouterOS")
    assert not all_profiles.probes(parse("1.3.6.1.4.1.41112.1.6"), "")


def test_a_device_is_chosen_by_what_it_has(all_profiles: Profiles) -> None:
    common: dict[Oid, Value] = {
        DESCRIPTION: b"RouterOS CCR2004",
        parse("1.3.6.1.2.1.1.2.0"): parse("1.3.6.1.4.1.14988.1"),
        UPTIME: 100,
    }
    cap = {parse(f"1.3.6.1.4.1.14988.1.1.1.11.1.{column}.7"): value for column, value in ((2, b"cap-1"), (3, b"Run"))}
    controller, plain = Watched(all_profiles, common | cap), Watched(all_profiles, common)
    assert [(member.key, member.up) for member in controller.poll().members] == [("cap-1", True)]
    assert plain.poll().members == ()
    assert plain.device.profile is not None and plain.device.profile.name == "mikrotik"
