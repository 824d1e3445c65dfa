"""What RADIUS asks before a decision, for a whole batch at once, and what it notes afterwards.

Every function takes many and asks once: the cost of a batch is a handful of prepared statements, whatever its size.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from hotspot.access import DayUse, Facts, Grant, Holder, Holding, Ticket, VoucherState
from hotspot.facts import Known, Running, facts_of_running
from hotspot.plan import Counting, Plan, Way
from hotspot.values import MacAddress, Octets, local_day
from store import bulk
from store.keys import KeyRing
from store.residents import ask_devices
from store.schema import decision
from store.types import instant_of, microseconds


@dataclass(frozen=True, slots=True)
class Noted:
    """One decision for the log; `reason` None is an Accept. `station_hash` finds a device that the city knows not."""

    nas_id: int
    device_id: int | None
    grant_id: int | None
    proof: str
    reason: str | None
    station_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Which wrong guesses matter: those after `since`, of buckets with at least `count` of them."""

    since: datetime
    count: int


def gather(
    conn: Connection,
    keys: KeyRing,
    *,
    names: Collection[str],
    macs: Collection[MacAddress],
    remembered: Collection[MacAddress],
    today: date,
    pending_since: datetime,
    guesses: Window,
    now: datetime,
) -> Known:
    """Everything that decisions about these tickets and devices need.

    `remembered`: those of `macs` that log in by their MAC address. `pending_since`: see PENDING_SECONDS.
    """
    with bulk.together(conn):
        found = ask_devices(conn, keys, macs, now=now)
        redeemed = _TICKETS.ask(conn, names)
        plans, versions = bulk.ask(conn, _PLANS), bulk.ask(conn, _TERMS_VERSION)
        guessed = bulk.ask(conn, _GUESSES, microseconds(guesses.since), guesses.count)
        devices = found()
        tickets, grants = _tickets(redeemed())
        by_device = _remembered(conn, {devices[mac] for mac in remembered if mac in devices})
        held = [*grants.values(), *by_device.values()]
        quotas = _ask_quotas(conn, set(devices.values()), held, today, now)
        online = _ask_online(conn, {each.holder for each in held if each.holder is not None}, pending_since)
        return Known(
            devices=devices,
            tickets=tickets,
            grants=grants,
            remembered=by_device,
            plans=_plans_of(tuple(map(tuple, plans()))),
            blocked=quotas.blocked(),
            used_today=quotas.used_today(),
            vouchers=quotas.vouchers(),
            online=online(),
            terms_version=int(versions()[0][0]),
            guesses={bytes(bucket): count for bucket, count in guessed()},
        )


def gather_running(
    conn: Connection, session_ids: Collection[int], *, now: datetime, zone: ZoneInfo
) -> dict[int, Facts]:
    """The facts of these sessions, by id; those that ended or belong to no grant are absent."""
    running = {row[0]: _running_of(row, now) for row in _RUNNING.rows(conn, session_ids)}
    with bulk.together(conn):
        plans = bulk.ask(conn, _PLANS)
        held = _GRANTS.ask(conn, {each.grant_id for each in running.values()})
        grants = {row[0]: _grant_of(row) for row in held()}
        devices = {each.device_id for each in running.values()}
        quotas = _ask_quotas(conn, devices, grants.values(), local_day(now, zone), now)
        known = Known(
            grants=grants,
            plans=_plans_of(tuple(map(tuple, plans()))),
            blocked=quotas.blocked(),
            used_today=quotas.used_today(),
            vouchers=quotas.vouchers(),
        )
    return {id_: facts_of_running(known, each, now=now, zone=zone) for id_, each in running.items()}


_RUNNING = bulk.Keyed(
    "SELECT s.id, s.device_id, s.grant_id, i.opening_hours, s.started_at, s.updated_at"
    " FROM session s JOIN nas n ON n.id = s.nas_id JOIN site i ON i.id = n.site_id"
    " WHERE s.ended_at IS NULL AND s.grant_id IS NOT NULL AND s.id {keys}",
    "bigint",
)


def _running_of(row: bulk.Row, now: datetime) -> Running:
    at = microseconds(now)
    return Running(
        device_id=row[1],
        grant_id=row[2],
        opening_hours=row[3],
        seconds_online=max(0, at - row[4]) // 1_000_000,
        unreported_seconds=max(0, at - row[5]) // 1_000_000,
    )


# Grants and tickets -------------------------------------------------------------------------------

_GRANT = (
    "g.id, g.device_id, g.plan_id, g.way, g.voucher_id, g.terms_id,"
    " (SELECT x.version FROM terms x WHERE x.id = g.terms_id),"
    " g.granted_at, g.until_at, g.remember_until, g.remembered, g.ended_at, g.language, g.account_id, g.extensions"
)
_GRANTS = bulk.Keyed(f"SELECT {_GRANT} FROM grant_ g WHERE g.id {{keys}}", "bigint")
_TICKETS = bulk.Keyed(
    f"SELECT {_GRANT}, t.name, t.device_id, t.issued_at, t.expires_at"
    " FROM ticket t JOIN grant_ g ON g.id = t.grant_id WHERE t.name {keys}",
    "text",
)
_REMEMBERED = bulk.Keyed(f"SELECT {_GRANT} FROM grant_ g WHERE g.remembered AND g.device_id {{keys}}", "bigint")


def _tickets(rows: list[bulk.Row]) -> tuple[dict[str, Ticket], dict[int, Grant]]:
    tickets = {row[-4]: Ticket(row[-4], row[0], row[-3], instant_of(row[-2]), instant_of(row[-1])) for row in rows}
    return tickets, {row[0]: _grant_of(row) for row in rows}


def _remembered(conn: Connection, device_ids: Collection[int]) -> dict[int, Grant]:
    grants = sorted(map(_grant_of, _REMEMBERED.rows(conn, device_ids)), key=lambda each: each.granted_at)
    return {each.device_id: each for each in grants}  # a later one overwrites an earlier one


def _grant_of(row: bulk.Row) -> Grant:
    """From a row that begins with `_GRANT`."""
    return Grant(
        row[0],
        row[1],
        row[2],
        Way(row[3]),
        row[4],
        row[5],
        row[6],
        instant_of(row[7]),
        instant_of(row[8]),
        None if row[9] is None else instant_of(row[9]),
        bool(row[10]),
        None if row[11] is None else instant_of(row[11]),
        row[12],
        row[13],
        row[14],
    )


# Plans and quotas -----------------------------------------------------------------------------------

_PLAN_FIELDS = tuple(each.name for each in fields(Plan))
_PLANS = f"SELECT {', '.join(_PLAN_FIELDS)} FROM plan ORDER BY id"


@lru_cache(maxsize=64)  # a city's plans change once a month, and every batch asks
def _plans_of(rows: tuple[bulk.Row, ...]) -> Mapping[int, Plan]:
    plans = {}
    for row in rows:
        values = dict(zip(_PLAN_FIELDS, row, strict=True))
        values |= {"way": Way(values["way"]), "voucher_counts": Counting(values["voucher_counts"])}
        plans[values["id"]] = Plan(**values)
    return plans


_BLOCKED = bulk.Keyed(
    "SELECT device_id FROM block WHERE from_at <= %s AND (until_at IS NULL OR until_at > %s) AND device_id {keys}",
    "bigint",
)
_USED = bulk.Keyed(
    "SELECT device_id, seconds, octets_down, octets_up FROM usage_daily WHERE day = %s AND device_id {keys}", "bigint"
)
_VOUCHERS = bulk.Keyed(
    "SELECT v.id, b.valid_minutes, v.revoked_at,"
    " (SELECT CAST(sum(u.seconds) AS bigint) FROM voucher_usage_daily u WHERE u.voucher_id = v.id),"
    " d.seconds, d.octets_down, d.octets_up"
    " FROM voucher v JOIN voucher_batch b ON b.id = v.batch_id"
    " LEFT JOIN voucher_usage_daily d ON d.voucher_id = v.id AND d.day = %s WHERE v.id {keys}",
    "bigint",
)


@dataclass(frozen=True, slots=True)
class _Quotas:
    """What was asked about devices and the vouchers of their grants."""

    _blocked: bulk.Rows
    _used: bulk.Rows
    _vouchers: bulk.Rows

    def blocked(self) -> frozenset[int]:
        return frozenset(row[0] for row in self._blocked())

    def used_today(self) -> dict[int, DayUse]:
        return {row[0]: DayUse(row[1], Octets(row[2], row[3])) for row in self._used()}

    def vouchers(self) -> dict[int, VoucherState]:
        return {row[0]: _voucher_of(*row) for row in self._vouchers()}


def _ask_quotas(
    conn: Connection, device_ids: Collection[int], grants: Iterable[Grant], today: date, now: datetime
) -> _Quotas:
    at, day = microseconds(now), today.isoformat()
    voucher_ids = {each.voucher_id for each in grants if each.voucher_id is not None}
    return _Quotas(
        _BLOCKED.ask(conn, device_ids, at, at),
        _USED.ask(conn, device_ids, day),
        _VOUCHERS.ask(conn, voucher_ids, day),
    )


def _voucher_of(
    id_: int,
    minutes: int,
    revoked_at: int | None,
    used: int | None,
    seconds: int | None,
    down: int | None,
    up: int | None,
) -> VoucherState:
    today = DayUse(seconds or 0, Octets(down or 0, up or 0))
    return VoucherState(id_, minutes * 60, used or 0, today, revoked_at is not None)


_CLOCK_SLACK = 5_000_000
"""Microseconds by which a NAS may date a session before the Accept that it began with. Older ones are earlier stays."""

_ONLINE = {
    holding: bulk.Keyed(
        f"SELECT g.{column}, g.device_id FROM grant_ g WHERE"
        " (EXISTS"
        " (SELECT 1 FROM session s WHERE s.device_id = g.device_id AND s.ended_at IS NULL AND s.grant_id = g.id)"
        " OR (g.accepted_at > %s AND NOT EXISTS"
        " (SELECT 1 FROM session s WHERE s.device_id = g.device_id AND s.grant_id = g.id"
        f" AND s.started_at > g.accepted_at - {_CLOCK_SLACK})))"
        f" AND g.{column} {{keys}}",
        "bigint",
    )
    for holding, column in ((Holding.VOUCHER, "voucher_id"), (Holding.ACCOUNT, "account_id"))
}
"""A statement for each kind of holder; one that no grant of the batch has is not sent."""


def _ask_online(
    conn: Connection, holders: Collection[Holder], pending_since: datetime
) -> Callable[[], dict[Holder, set[int]]]:
    """Their devices with an open session, or accepted so lately that the Start is still on its way."""
    since = microseconds(pending_since)
    asked = {
        holding: query.ask(conn, {id_ for kind, id_ in holders if kind is holding}, since)
        for holding, query in _ONLINE.items()
    }

    def found() -> dict[Holder, set[int]]:
        online: dict[Holder, set[int]] = {}
        for holding, rows in asked.items():
            for id_, device_id in rows():
                online.setdefault((holding, id_), set()).add(device_id)
        return online

    return found


_TERMS_VERSION = "SELECT coalesce(max(version), 0) FROM terms"
_GUESSES = "SELECT bucket, count(*) FROM guess WHERE at > %s GROUP BY bucket HAVING count(*) >= %s"


# What is noted ----------------------------------------------------------------------------------------

_LOG = bulk.insert(decision, ("decided_at", "nas_id", "device_id", "grant_id", "proof", "reason", "station_hash"))
_ACCEPTED = bulk.Keyed("UPDATE grant_ SET accepted_at = %s, extensions = 0 WHERE id {keys}", "bigint")


def note_decisions(conn: Connection, noted: Sequence[Noted], *, now: datetime) -> None:
    """The decision log, and when each grant was last accepted. Needs `write()`."""
    accepted = {each.grant_id for each in noted if each.reason is None and each.grant_id is not None}
    with bulk.together(conn):
        log_decisions(conn, noted, now=now)
        note_accepted(conn, accepted, now=now)


def log_decisions(conn: Connection, noted: Sequence[Noted], *, now: datetime) -> None:
    """The decision log alone: about a device that nothing has shown to be the one that it says. Needs `write()`."""
    at = microseconds(now)
    _LOG.run(conn, [(at, n.nas_id, n.device_id, n.grant_id, n.proof, n.reason, n.station_hash) for n in noted])


def note_accepted(conn: Connection, grant_ids: Collection[int], *, now: datetime) -> None:
    """These grants' own devices were let on: whoever was given the grant speaks for its device. Needs `write()`."""
    _ACCEPTED.run(conn, grant_ids, microseconds(now))


_REMEMBER = bulk.Keyed(
    "UPDATE grant_ SET remembered = true WHERE accepted_at IS NOT NULL AND ended_at IS NULL"
    " AND remember_until IS NOT NULL AND NOT remembered AND id {keys}",
    "bigint",
)


def remember(conn: Connection, grant_ids: Collection[int]) -> None:
    """These grants' sessions started: their devices may come back without the page, where the plan allows it."""
    _REMEMBER.run(conn, grant_ids)
