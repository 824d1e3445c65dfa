"""One poll of one device: ask, walk, interpret. Knows no schedule, no store and no metric.

Where the instances of a device are known, they are fetched by plain GETs; its tables are walked again every
`WALK_EVERY` polls, after a restart, and when an instance is gone. Rows that come and go are walked at every poll.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zlib import crc32

from hotspot.fleet import ApReading, PollFailure
from monitor.host import worth_asking
from monitor.layout import Layout
from monitor.oids import Oid, Value, spelled, under
from monitor.plan import Plan
from monitor.profile import Profile
from monitor.profiles import Profiles
from monitor.reading import Interpreted, Memory, Told, by_plan, interpret
from monitor.session import Session, SnmpError, Target
from monitor.snmp import Client
from monitor.walk import Appetite, Walked, get, walk
from monitor.words import prose

WALK_EVERY = 10
"""Polls of which one walks the tables again: that late a new interface or network appears."""

MISSES_MAX = 3
"""Times that a device may not have what it had just before, until it is walked for good."""

Identity = tuple[Value, Value]
"""sysObjectID and sysDescr."""


@dataclass(slots=True)
class Device:
    """What is remembered of a device between polls."""

    profile: Profile | None = None
    identity: Identity = (None, None)
    appetite: Appetite = field(default_factory=Appetite)
    memory: Memory = field(default_factory=Memory)
    layout: Layout | None = None
    plan: Plan | None = None
    planned: bool = False
    """Whether a plan was made since the last walk: one that never fits is not made at every poll."""

    polls_until_walk: int = 0
    misses: int = 0


async def probe(client: Client, target: Target, profiles: Profiles) -> None:
    """The cheapest question there is. SnmpError where it gets no answer."""
    async with client.open(target) as session:
        await get(session, [profiles.common.scalar("agent_uptime")], Appetite())


async def poll(client: Client, target: Target, device: Device, profiles: Profiles, *, now: datetime) -> ApReading:
    """Read everything that the device's profile names. SnmpError; the device's memory then stays as it was."""
    async with client.open(target) as session:
        known = await _known(session, device)
        if known is None:
            profile, told = await _all(session, device, profiles, spread=_spread(target))
    if known is None:
        interpreted = interpret(profile, told, memory=device.memory, now=now)
    else:
        interpreted = _by_layout(device, profiles, *known, now=now)
    device.memory = interpreted.memory
    device.appetite.digested()
    if interpreted.restarted:
        device.layout = None
    return interpreted.reading


def _spread(target: Target) -> int:
    """A number by which the walks of many devices are spread over time."""
    return crc32(target.address.encode()) + target.port


# Known instances ----------------------------------------------------------------------------------------


async def _known(session: Session, device: Device) -> tuple[Sequence[Value], Mapping[str, Walked]] | None:
    """The values of the device's layout, and its moving tables; None where it must be walked again."""
    profile, layout = device.profile, device.layout
    if profile is None or layout is None or device.polls_until_walk <= 0:
        return None
    device.polls_until_walk -= 1
    values = await _instances(session, layout, device.appetite)
    if None in values or _identity(profile, layout.scalars((*values, None))) != device.identity:
        device.layout = None
        device.misses += 1
        return None
    device.misses = 0
    return values, await _walked(session, profile, device.appetite, moving=True)


def _by_layout(
    device: Device, profiles: Profiles, values: Sequence[Value], moving: Mapping[str, Walked], *, now: datetime
) -> Interpreted:
    """By a plan where there is one for these names, else the general way. A plan is made once after each walk."""
    profile, layout = device.profile, device.layout
    assert profile is not None and layout is not None
    if device.plan is None or device.plan.fixed(values) != device.plan.expected:
        plans = profiles.plans_of(layout)
        device.plan = plans.fitting(values)
        if device.plan is None and not device.planned:
            device.plan, device.planned = plans.make(profile, layout, values), True
    if device.plan is not None:
        interpreted = by_plan(profile, device.plan, layout, values, memory=device.memory, now=now)
        if interpreted is not None:
            return interpreted
    scalars, tables = layout.read(values)
    return interpret(profile, Told(scalars, {**tables, **moving}), memory=device.memory, now=now)


async def _instances(session: Session, layout: Layout, appetite: Appetite) -> list[Value]:
    try:
        return await get(session, layout.oids, appetite)
    except SnmpError as error:
        if error.failure is not PollFailure.MALFORMED:
            raise
        return [None] * len(layout.oids)  # an agent that errs over one instance may still be walked


def _identity(profile: Profile, scalars: Sequence[Value]) -> Identity:
    object_id, description = profile.identity_at
    return scalars[object_id], scalars[description]


# Everything ---------------------------------------------------------------------------------------------


async def _all(session: Session, device: Device, profiles: Profiles, *, spread: int) -> tuple[Profile, Told]:
    """Scalars and tables, walked. `spread` is any number: it spreads the walks of many devices over time."""
    profile, scalars = await _scalars(session, device, profiles)
    tables = await _walked(session, profile, device.appetite)
    if _identity(profile, scalars) != device.identity:
        device.misses = 0
    first = device.polls_until_walk == 0 and device.layout is None
    device.identity = _identity(profile, scalars)
    if profile is not device.profile:
        device.profile, device.memory = profile, Memory()
    lasting = {table.name: worth_asking(profile, table, tables[table.name]) for table in profile.tables}
    layout = profiles.layouts.of(profile, scalars, lasting) if device.misses < MISSES_MAX else None
    if layout is not device.layout:
        device.layout, device.plan = layout, None
    device.polls_until_walk = spread % WALK_EVERY if first else WALK_EVERY - 1
    device.planned = False
    return profile, Told(scalars, lasting)


async def _scalars(session: Session, device: Device, profiles: Profiles) -> tuple[Profile, tuple[Value, ...]]:
    """The profile that fits what the device says it is, and the profile's scalars."""
    asked = device.profile or profiles.common
    oids = list(dict.fromkeys(column.oid for column in asked.scalars))
    values = dict(zip(oids, await get(session, oids, device.appetite), strict=True))
    profile = asked
    identity = _identity(asked, [values[column.oid] for column in asked.scalars])
    if device.profile is None or identity != device.identity:
        profile = await _choose(session, identity, profiles)
    missing = list(dict.fromkeys(column.oid for column in profile.scalars if column.oid not in values))
    if missing:
        values |= zip(missing, await get(session, missing, device.appetite), strict=True)
    return profile, tuple(values[column.oid] for column in profile.scalars)


async def _choose(session: Session, identity: Identity, profiles: Profiles) -> Profile:
    object_id = identity[0] if isinstance(identity[0], tuple) else ()
    description = prose(identity[1])
    answers: dict[Oid, str] = {}
    for subtree in profiles.probes(object_id, description):
        found = await _first_under(session, subtree)
        if found is not None:
            answers[subtree] = found
    return profiles.choose(object_id, description, answers)


async def _first_under(session: Session, subtree: Oid) -> str | None:
    """The first value at or under an object identifier, as text; None where there is nothing."""
    for oid, value in (*await session.get([subtree]), *(await session.bulk([subtree], 1))[:1]):
        if value is not None and under(oid, subtree):
            if isinstance(value, bytes):
                return prose(value)
            return spelled(value) if isinstance(value, tuple) else str(value)
    return None


async def _walked(session: Session, profile: Profile, appetite: Appetite, *, moving: bool = False) -> dict[str, Walked]:
    """All tables, or only the moving ones. SnmpError where one fails: a part of them is no reading."""
    tables: dict[str, Walked] = {}
    for table in profile.tables:
        if table.moving or not moving:
            tables[table.name] = await walk(session, table, appetite)
            if table.kind == "aps" and tables[table.name].cut:
                raise SnmpError(PollFailure.MALFORMED, f"more than {table.rows_max} access points behind it")
    return tables
