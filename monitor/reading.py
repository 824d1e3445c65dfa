"""What a device told to a reading. Pure: scalars and rows go in, one vendor-neutral `ApReading` comes out.

Nothing is believed: a value of the wrong type or out of its range is left out (None), never shown and never zero.
A radio that is off is left out whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hotspot.fleet import ApReading, Member, PollFailure, RadioReading, SsidReading
from monitor.counters import NOTHING, Counted, Reset, Uptime, went_on
from monitor.host import cpu_ratio, interfaces, memory_ratio
from monitor.layout import Layout
from monitor.oids import Oid, Value
from monitor.on_air import OnAir, bssids, radios, ssids
from monitor.plan import Parts, Plan, Tally
from monitor.profile import Profile, Table
from monitor.rows import Row, converted, extended, gone_rows, not_believed
from monitor.session import SnmpError
from monitor.walk import Walked

AGENT = "agent_uptime"
UPTIMES = ("uptime_ticks", "host_uptime", AGENT)
"""Uptimes in hundredths of a second, the best first; one in seconds comes before them all."""

_EMPTY = OnAir()


@dataclass(frozen=True, slots=True)
class Memory:
    """What the next reading needs to know of this one."""

    seconds: float = 0.0
    uptimes: Mapping[str, Uptime] = field(default_factory=dict)
    members: Mapping[str, float] = field(default_factory=dict)
    """How long each access point behind a controller had been up."""

    counted: Mapping[str, Counted] = field(default_factory=dict)
    tally: Tally | None = None
    """The same counters where a plan kept them."""

    def by_table(self) -> Mapping[str, Counted]:
        return self.counted if self.tally is None else self.tally.plan.counted(self.tally)


@dataclass(frozen=True, slots=True)
class Told:
    """What one poll brought: scalars in the order of the profile's, tables by name."""

    scalars: Sequence[Value]
    tables: Mapping[str, Walked]


@dataclass(frozen=True, slots=True)
class Interpreted:
    """A reading, what to remember for the next one, and whether the device restarted in between."""

    reading: ApReading
    memory: Memory
    restarted: bool


def interpret(profile: Profile, told: Told, *, memory: Memory, now: datetime) -> Interpreted:
    """What the device told. SnmpError (malformed) where it told neither what it is nor how long it is up."""
    dropped: set[str] = set()
    scalar = _scalars(profile, told.scalars, dropped)
    if scalar.get("object_id") is None and scalar.get(AGENT) is None:
        raise SnmpError(PollFailure.MALFORMED, "neither sysObjectID nor sysUpTime")
    tables = [(table, *converted(table, told.tables[table.name], dropped)) for table in _there(profile, told)]
    rows = _by_kind(tables)
    scalar = _completed(scalar, rows.get("device", ()))
    uptime = _uptime(scalar, memory, now)
    ups = _member_uptimes(rows["aps"]) if profile.controller else {}
    reset = Reset(
        uptime.restarted,
        {key for key, seconds in ups.items() if seconds < memory.members.get(key, 0.0)},
        uptime.agent_restarted,
    )
    before = memory.by_table()
    counted = {
        table.name: extended(table, part, indexes, before.get(table.name, NOTHING), reset)
        for table, part, indexes in tables
        if table.counters
    }
    scopes = _scopes(profile, rows, tables, counted)
    members = _members(profile, rows["aps"], scopes, now) if profile.controller else ()
    reading = _device(scalar, _parts(profile, rows, scopes.get(None, _EMPTY)), uptime.seconds, members, dropped, now)
    return Interpreted(reading, Memory(uptime.told, uptime.ticks, ups, counted), uptime.restarted)


def by_plan(
    profile: Profile, plan: Plan, layout: Layout, values: Sequence[Value], *, memory: Memory, now: datetime
) -> Interpreted | None:
    """The same, out of the layout's values by a plan made for them; None where `interpret` has to do it."""
    cells = plan.cells(values)
    if cells is None:
        return None
    dropped = set(plan.dropped)
    scalar = _scalars(profile, layout.scalars((*values, None)), dropped)
    uptime = _uptime(scalar, memory, now)
    if uptime.restarted or uptime.agent_restarted:
        return None
    tally = memory.tally
    if tally is None or tally.plan is not plan:
        tally = plan.before(memory.by_table())
    tally = plan.tally(cells, tally)
    if tally is None:
        return None
    reading = _device(scalar, plan.parts(cells), uptime.seconds, (), dropped, now)
    return Interpreted(reading, Memory(uptime.told, uptime.ticks, tally=tally), restarted=False)


def _parts(profile: Profile, rows: Mapping[str, list[Row]], on_air: OnAir) -> Parts:
    return Parts(
        radios(profile, on_air),
        ssids(profile, on_air),
        interfaces(profile, rows["interfaces"]),
        bssids(on_air),
        rows["processors"],
        rows["storage"],
    )


def _there(profile: Profile, told: Told) -> list[Table]:
    return [table for table in profile.tables if table.name in told.tables]


def _scalars(profile: Profile, values: Sequence[Value], dropped: set[str]) -> Row:
    cells = [column.convert(value) for column, value in zip(profile.scalars, values, strict=True)]
    if cells.count(None) != list(values).count(None):
        dropped.update(not_believed(profile.scalars, values, cells))
    return {column.word: cell for column, cell in zip(profile.scalars, cells, strict=True)}


def _completed(scalar: Row, rows: Sequence[Row]) -> Row:
    """What the device tells of itself in a table; the first row counts, a scalar before it."""
    for row in rows:
        scalar |= {word: value for word, value in row.items() if scalar.get(word) is None}
    return scalar


_Converted = Sequence[tuple[Table, list[Row], tuple[Oid, ...]]]


def _by_kind(tables: _Converted) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {kind: [] for kind in ("interfaces", "processors", "storage", "aps")}
    for table, part, _ in tables:
        rows.setdefault(table.kind, []).extend(part)
    return rows


# Time ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Up:
    seconds: float | None
    told: float
    ticks: Mapping[str, Uptime]
    restarted: bool
    agent_restarted: bool


def _uptime(scalar: Row, memory: Memory, now: datetime) -> _Up:
    """The host's uptime where it tells it, else the agent's. Counters of a device that tells none never wrapped."""
    word = next((word for word in UPTIMES if scalar.get(word)), AGENT)
    ticks: dict[str, Uptime] = {}
    fell: dict[str, bool] = {}
    for each in dict.fromkeys((word, AGENT)):
        value = scalar.get(each)
        if value is not None:
            went = went_on(memory.uptimes.get(each), value, now)
            fell[each] = went is None
            ticks[each] = went or Uptime(value, 0, now)
    seconds = scalar.get("uptime_seconds")
    if seconds is not None:
        return _Up(seconds, seconds, ticks, seconds < memory.seconds, fell.get(AGENT, False))
    if word not in ticks:
        return _Up(None, 0.0, ticks, False, True)
    return _Up(ticks[word].seconds, 0.0, ticks, fell[word], fell.get(AGENT, False))


def _own_uptime(row: Row) -> float | None:
    seconds, ticks = row.get("uptime_seconds"), row.get("uptime_ticks")
    return seconds if seconds is not None else None if ticks is None else ticks / 100


def _member_uptimes(aps: Sequence[Row]) -> dict[str, float]:
    told = ((row.get("ap"), _own_uptime(row)) for row in aps)
    return {key: seconds for key, seconds in told if key is not None and seconds is not None}


# Readings -----------------------------------------------------------------------------------------------


def _scopes(
    profile: Profile, rows: Mapping[str, list[Row]], tables: _Converted, counted: Mapping[str, Counted]
) -> dict[str | None, OnAir]:
    """What each access point has on air; None is the device that was asked."""
    scopes: dict[str | None, OnAir] = {None: OnAir()}
    for row in rows.get("radios", ()):
        _scope(scopes, row).radios.append(row)
    for row in rows.get("networks", ()):
        _scope(scopes, row).networks.append(row)
    for table, _, _ in tables:
        if table.kind == "networks" and counted.get(table.name, NOTHING).gone:
            for row in gone_rows(table, counted[table.name]):
                _scope(scopes, row).gone.append(row)
    for row in rows.get("associations", ()):
        _scope(scopes, row).associations.append(row)
    return scopes


def _scope(scopes: dict[str | None, OnAir], row: Row) -> OnAir:
    key = row.get("ap")
    scope = scopes.get(key)
    if scope is None:
        scope = scopes[key] = OnAir()
    return scope


def _device(
    scalar: Row,
    parts: Parts,
    uptime: float | None,
    members: tuple[Member, ...],
    dropped: set[str],
    now: datetime,
) -> ApReading:
    return ApReading(
        at=now,
        system_name=scalar.get("system_name") or "",
        model=scalar.get("model") or (scalar.get("description") or "").partition(" ")[0],
        firmware=scalar.get("firmware") or "",
        uptime_seconds=uptime,
        cpu_ratio=cpu_ratio(scalar, parts.processors),
        memory_ratio=memory_ratio(scalar, parts.storage),
        radios=parts.radios,
        ssids=parts.ssids,
        interfaces=parts.interfaces,
        serial=scalar.get("serial") or "",
        temperature_celsius=scalar.get("temperature"),
        clients_told=_clients(scalar, members, parts.radios, parts.ssids),
        bssids=parts.bssids,
        members=members,
        dropped=tuple(sorted(dropped)),
    )


def _clients(
    scalar: Row, members: Sequence[Member], own: Sequence[RadioReading], names: Sequence[SsidReading]
) -> int | None:
    """The device's own total, else the sum over those behind it; else, where no radio tells, over its networks."""
    told: int | None = scalar.get("clients")
    if told is None:
        told = _sum(member.reading.clients for member in members)
    if told is None and all(radio.clients is None for radio in own):
        told = _sum(ssid.clients for ssid in names)
    return told


def _sum(counts: Iterable[int | None]) -> int | None:
    told = [count for count in counts if count is not None]
    return sum(told) if told else None


def _members(
    profile: Profile, aps: Sequence[Row], scopes: Mapping[str | None, OnAir], now: datetime
) -> tuple[Member, ...]:
    """Every access point that the controller's table names; without such a table, those that have radios in another."""
    rows = {row["ap"]: row for row in aps if row.get("ap") is not None}
    if not profile.lists_members:
        rows = {key: {} for key in scopes if key is not None}
    return tuple(_member(profile, key, row, scopes.get(key, _EMPTY), now) for key, row in rows.items())


def _member(profile: Profile, key: str, row: Row, on_air: OnAir, now: datetime) -> Member:
    """Of one that is down only its identity is told: what the controller still remembers of it is no measurement."""
    told = row.get
    identity = ApReading(
        at=now,
        system_name=told("name") or "",
        model=told("model") or "",
        firmware=told("firmware") or "",
        serial=told("serial") or "",
    )
    if told("up") is False:
        return Member(key, False, identity)
    mac = told("mac")
    addresses = bssids(on_air)
    reading = replace(
        identity,
        uptime_seconds=_own_uptime(row),
        cpu_ratio=cpu_ratio(row),
        memory_ratio=memory_ratio(row),
        radios=radios(profile, on_air),
        ssids=ssids(profile, on_air),
        temperature_celsius=told("temperature"),
        clients_told=told("clients"),
        bssids=addresses if mac is None or mac in addresses else (mac, *addresses),
    )
    return Member(key, True, reading)
