"""One poll of one access point: ask, walk, interpret. Knows no schedule, no store and no metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hotspot.fleet import ApReading, PollFailure
from monitor.counters import Memory
from monitor.oids import Oid, Value
from monitor.profile import Profile
from monitor.profiles import Profiles
from monitor.reading import interpret, text
from monitor.session import Session, SnmpError, Target
from monitor.snmp import Client
from monitor.walk import Appetite, table_values


@dataclass(slots=True)
class Device:
    """What is remembered of a device between polls."""

    profile: Profile | None = None
    appetite: Appetite = field(default_factory=Appetite)
    memory: Memory = field(default_factory=Memory)


async def probe(client: Client, target: Target, profiles: Profiles) -> None:
    """The cheapest question there is. SnmpError where it gets no answer."""
    async with client.open(target) as session:
        await _get(session, [profiles.common.scalar("agent_uptime")])


async def poll(client: Client, target: Target, device: Device, profiles: Profiles, *, now: datetime) -> ApReading:
    """Read everything that the device's profile names. SnmpError; the device's memory then stays as it was."""
    async with client.open(target) as session:
        profile, values = await _identify(session, device.profile or profiles.common, profiles)
        for table in profile.tables:
            values |= await table_values(session, table, device.appetite)
    interpreted = interpret(profile, values, memory=device.memory, now=now)
    device.profile, device.memory = profile, interpreted.memory
    return interpreted.reading


async def _identify(session: Session, profile: Profile, profiles: Profiles) -> tuple[Profile, dict[Oid, Value]]:
    """The profile that fits what the device says it is, and the profile's scalars."""
    values = await _get(session, [column.oid for column in profile.scalars])
    object_id, description = (values.get(profiles.common.scalar(word)) for word in ("object_id", "description"))
    fitting = profiles.choose(object_id if isinstance(object_id, tuple) else (), text(description))
    missing = [column.oid for column in fitting.scalars if column.oid not in values]
    return fitting, values | (await _get(session, missing) if missing else {})


async def _get(session: Session, oids: Sequence[Oid]) -> dict[Oid, Value]:
    varbinds = await session.get(oids)
    if [oid for oid, _ in varbinds] != list(oids):
        raise SnmpError(PollFailure.MALFORMED, "an answer to other objects than asked for")
    return dict(varbinds)
