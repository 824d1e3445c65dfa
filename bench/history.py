"""A city's past: closed sessions by the million, with the devices, grants, usage and decisions that they left behind.

Made by the database itself from a series of numbers, with the indexes of the schema built afterwards. A device comes
every four days, stays on a grant for four visits, and each visit is a session and a day's usage; the decision log is
kept for a shorter time, so it holds one visit in six.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, DropIndex

from bench.databases import Database
from bench.ours import NASES, OurServer, device_address
from hotspot.plan import Way
from store import bulk, residents
from store.schema import decision, device, grant, session, usage_daily
from store.types import microseconds

VISITS = 20
"""Sessions a device, of which the last is a day ago."""

VISIT_EVERY = timedelta(days=4)
VISITS_A_GRANT = 4
VISITS_A_DECISION = 6
ROWS_A_COMMIT = 10_000

OCTETS_A_SESSION = 700
"""What one takes on the disk with all that belongs to it, at most, for a look at the free space beforehand."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs from one database to the other. `ddl`: SQLAlchemy's. `numbers`: a table with a column i from 0."""

    ddl: Any
    before: str
    numbers: str
    session_id: str
    day: str
    after: str


DIALECTS = {
    "sqlite": Dialect(
        ddl=sqlite.dialect(),
        # No journal: if filling fails there is nothing to keep. The server opens the file as it always does.
        before="PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-500000; BEGIN;",
        numbers="(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})"
        " SELECT i FROM n) AS n",
        session_id="printf('%014x', i)",
        day="date(({at}) / 1000000, 'unixepoch')",
        after="PRAGMA journal_mode=WAL",
    ),
    "pg": Dialect(
        ddl=postgresql.dialect(),  # type: ignore[no-untyped-call]
        # The rows refer to what exists: the look at every foreign key would take most of the time.
        before="SET session_replication_role = replica; SET maintenance_work_mem = '1GB'; BEGIN;",
        numbers="generate_series(0::bigint, {count} - 1) AS n(i)",
        session_id="lpad(to_hex(i), 14, '0')",
        day="(timestamp 'epoch' + ({at}) * interval '1 microsecond')::date",
        after="VACUUM ANALYZE",  # what autovacuum does within a minute or two
    ),
}
"""By the key of `bench.databases`."""


@dataclass(frozen=True, slots=True)
class History:
    """How much there is of what."""

    sessions: int

    @property
    def devices(self) -> int:
        return max(1, self.sessions // VISITS)

    @property
    def octets(self) -> int:
        """On the disk, at most."""
        return self.sessions * OCTETS_A_SESSION

    def write(self, server: OurServer, database: Database, *, now: datetime) -> None:
        """Into a city that is empty but for its seed."""
        with server.opened() as city, city.store.read() as conn:
            plan_id, terms_id = residents.plans(conn, Way.TAP)[0].id, residents.current_terms(conn)[0].id
        self._add_devices(server, now=now)
        dialect = DIALECTS[database.key]
        texts = _Texts(dialect, self, plan_id, terms_id, microseconds(now))
        database.script(server.database_name, "\n".join(texts.all()))
        database.script(server.database_name, dialect.after)

    def _add_devices(self, server: OurServer, *, now: datetime) -> None:
        """With the hashes by which RADIUS finds them; their sealed addresses nobody opens."""
        at = microseconds(now - VISITS * VISIT_EVERY)
        columns = ("mac_hash", "mac_sealed", "key_period", "first_seen_at", "last_seen_at")
        with server.opened() as city:
            period, insert = city.store.keys.current_period(now), bulk.insert(device, columns)
            for start in range(0, self.devices, ROWS_A_COMMIT):
                numbers = range(start, min(self.devices, start + ROWS_A_COMMIT))
                hashes = (period.hash(device_address(number)) for number in numbers)
                with city.store.write() as conn:
                    insert.run(conn, [(each, os.urandom(34), period.name, at, at) for each in hashes])


@dataclass(frozen=True, slots=True)
class _Texts:
    """The statements. Row i of the sessions is visit i / devices of device i % devices; ids begin with 1."""

    dialect: Dialect
    history: History
    plan_id: int
    terms_id: int
    now_us: int

    def all(self) -> Iterator[str]:
        """In order, as one script."""
        yield self.dialect.before
        for table, insert in (
            (grant, self._grants()),
            (session, self._sessions()),
            (usage_daily, self._usage()),
            (decision, self._decisions()),
        ):
            yield from _without_indexes(table, insert, self.dialect.ddl)
        yield "COMMIT;"

    def _at(self, visits: str) -> str:
        """When the device of row i came for the n-th time, in microseconds: the devices of a day one after another."""
        devices, every = self.history.devices, VISIT_EVERY // timedelta(microseconds=1)
        first = self.now_us - VISITS * every
        return f"{first} + ({visits}) * {every} + (i % {devices}) * {every // 2 // devices}"

    def _rows(self, count: int) -> str:
        return f"FROM {self.dialect.numbers.format(count=count)}"

    def _grants(self) -> str:
        devices = self.history.devices
        at = self._at(f"i / {devices} * {VISITS_A_GRANT}")
        until = VISITS_A_GRANT * VISIT_EVERY // timedelta(microseconds=1)
        return (
            "INSERT INTO grant_ (device_id, plan_id, terms_id, way, granted_at, until_at, accepted_at)"
            f" SELECT 1 + i % {devices}, {self.plan_id}, {self.terms_id}, 'tap', {at}, {at} + {until}, {at}"
            f" {self._rows(devices * -(-VISITS // VISITS_A_GRANT))}"
        )

    def _sessions(self) -> str:
        devices, at, minutes = self.history.devices, self._at(f"i / {self.history.devices}"), 60_000_000
        grant_id = f"1 + i / {devices * VISITS_A_GRANT} * {devices} + i % {devices}"
        return (
            "INSERT INTO session (device_id, grant_id, nas_id, acct_session_id, user_name, ssid, bssid, framed_ip,"
            " nas_address, local_day, started_at, updated_at, start_seen, seconds, segment_down, segment_up,"
            " finished_down, finished_up, ended_at, terminate_cause, estimated)"
            f" SELECT 1 + i % {devices}, {grant_id}, 1 + i % {NASES}, {self.dialect.session_id}, 'k-history', 'Bench',"
            f" '02:00:5e:00:00:01', '10.0.0.1', '127.0.0.1', {self.dialect.day.format(at=at)}, {at},"
            f" {at} + 40 * {minutes}, true, 2400, 50000000 + i % 1000, 5000000 + i % 100, 0, 0, {at} + 40 * {minutes},"
            f" 'User-Request', false {self._rows(self.history.sessions)}"
        )

    def _usage(self) -> str:
        devices, at = self.history.devices, self._at(f"i / {self.history.devices}")
        return (
            "INSERT INTO usage_daily (device_id, day, seconds, octets_down, octets_up)"
            f" SELECT 1 + i % {devices}, {self.dialect.day.format(at=at)}, 2400, 50000000, 5000000"
            f" {self._rows(self.history.sessions)}"
        )

    def _decisions(self) -> str:
        devices = self.history.devices
        at = self._at(f"{VISITS} - {VISITS / VISITS_A_DECISION:.0f} + i / {devices}")
        return (
            "INSERT INTO decision (decided_at, nas_id, device_id, grant_id, proof)"
            f" SELECT {at}, 1 + i % {NASES}, 1 + i % {devices}, 1 + i % {devices}, 'ticket'"
            f" {self._rows(self.history.sessions // VISITS_A_DECISION)}"
        )


def _without_indexes(table: Table, insert: str, ddl: Any) -> Iterator[str]:
    """The rows first, then each index at once, sorted."""
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    yield from (f"{DropIndex(index).compile(dialect=ddl)};" for index in indexes)
    yield f"{insert};"
    yield from (f"{CreateIndex(index).compile(dialect=ddl)};" for index in indexes)
