"""What must happen in a city though nobody asks: ending and closing sessions, deleting what retention says.

The job list is a table. A job works in one transaction with its lease, so that two schedulers on one city run it once
an interval, and a job that fails gives its lease back. What takes long to find is read before that transaction. No job
decides for how long data is kept: the city's file does.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hotspot.accounts import MAILS_WINDOW, UNCONFIRMED
from hotspot.codes import DAY
from hotspot.forgetting import cut
from monitor import certificates, spent
from monitor.instruments import JOB_RESULTS, Instruments
from service.cities import City
from store import (
    accounting,
    accounts,
    ap_events,
    ap_history,
    awaited,
    bssids,
    codes,
    forgetting,
    guesses,
    jobs,
    messages,
    residents,
    self_test,
    staff,
    unaccounted,
    watch,
)
from store.store import Connection, Unavailable

log = logging.getLogger(__name__)

LEASE_SHARE = 0.9
"""Share of the interval that a lease lasts: whoever runs first keeps the others away until nearly the next run."""

TICKET_GRACE = timedelta(days=1)
"""How long an expired ticket stays: the accounting of a session that began with it may still name it."""

DONE, ELSEWHERE, FAILED = JOB_RESULTS

Work = Callable[[City, Connection, datetime], int]
Look = Callable[[City, Instruments, datetime], Work]


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of housekeeping, run every `interval_s` seconds. `work` returns how many rows it changed.

    `look`, where there is one, reads beforehand and gives the work.
    """

    name: str
    interval_s: int
    work: Work | None = None
    look: Look | None = None

    def prepare(self, city: City, instruments: Instruments, now: datetime) -> Work:
        work = self.look(city, instruments, now) if self.look is not None else self.work
        assert work is not None, f"{self.name} has neither work nor look"
        return work


def _stale_sessions(city: City, conn: Connection, now: datetime) -> int:
    return accounting.close_stale(conn, interim_seconds=city.config.radius.interim_seconds, now=now)


def _unaccounted_sessions(city: City, conn: Connection, now: datetime) -> int:
    return unaccounted.go_on_all(conn, now=now, zone=city.zone)


def _awaited(_city: City, conn: Connection, now: datetime) -> int:
    return awaited.purge(conn, now=now)


def _tickets(_city: City, conn: Connection, now: datetime) -> int:
    return residents.purge_tickets(conn, expired_before=now - TICKET_GRACE)


def _guesses(city: City, conn: Connection, now: datetime) -> int:
    limits = city.config.limits
    window = timedelta(minutes=max(limits.login_window_minutes, limits.voucher_window_minutes))
    return guesses.purge(conn, before=now - max(window, MAILS_WINDOW))


def _accounts(city: City, conn: Connection, now: datetime) -> int:
    unused_since = now - timedelta(days=city.config.limits.account_days)
    return accounts.purge(conn, unconfirmed_since=now - UNCONFIRMED, unused_since=unused_since, now=now)


def _staff_sessions(_city: City, conn: Connection, now: datetime) -> int:
    return staff.purge_sessions(conn, now=now)


def _decisions(city: City, conn: Connection, now: datetime) -> int:
    return accounting.purge_decisions(conn, before=now - timedelta(days=city.config.limits.decision_log_days))


def _sessions(city: City, conn: Connection, now: datetime) -> int:
    today = now.astimezone(city.zone).date()
    return accounting.purge_sessions(conn, before=today - timedelta(days=city.config.limits.session_days))


def _devices(city: City, conn: Connection, now: datetime) -> int:
    return residents.purge_devices(conn, unseen_since=now - timedelta(days=city.config.limits.session_days))


FORGOTTEN_MAX = 20
"""Devices of one run of forgetting, so that its transaction is short; the next run goes on."""


def _forget_devices(city: City, conn: Connection, now: datetime) -> int:
    """Wishes to be forgotten that had to wait: for midnight, or for a session's end."""
    done = 0
    for device_id, asked_at in forgetting.waiting(conn, limit=FORGOTTEN_MAX):
        wish = cut(asked_at, now=now, zone=city.zone)
        step = forgetting.forget(conn, device_id, wish, now=now, zone=city.zone, random_octets=os.urandom)
        done += not step.waits
    return done


def _codes(_city: City, conn: Connection, now: datetime) -> int:
    return codes.purge(conn, expired_before=now, created_before=now - DAY)


def _messages(_city: City, conn: Connection, now: datetime) -> int:
    """Those of a kind that the city sends no more wait for no sender: they are forgotten here."""
    late = sum(messages.give_up_expired(conn, kind, now=now) for kind in messages.Kind)
    return late + messages.purge(conn, before=now - DAY)


def _test_traces(city: City, conn: Connection, now: datetime) -> int:
    return self_test.end(conn, city.store.keys, holder="housekeeping", now=now)


DELETED_MAX = 2_000
"""Rows of one run of each of these, so that its transaction is short. Ten thousand access points make as many hours an
hour: a run a minute keeps up with ten times that."""

BSSIDS_OF_RETIRED = timedelta(days=30)
"""So long the sessions of an access point that was retired still find it."""


def _access_point_hours(city: City, conn: Connection, now: datetime) -> int:
    days = city.config.limits.access_point_history_days
    return ap_history.delete_before(conn, now - timedelta(days=days), limit=DELETED_MAX)


def _access_point_events(city: City, conn: Connection, now: datetime) -> int:
    days = city.config.limits.access_point_event_days
    return ap_events.delete_before(conn, now - timedelta(days=days), limit=DELETED_MAX)


def _watches(city: City, conn: Connection, now: datetime) -> int:
    days = city.config.limits.access_point_event_days
    return watch.delete_before(conn, now - timedelta(days=days), limit=DELETED_MAX)


def _retired_bssids(_city: City, conn: Connection, now: datetime) -> int:
    return bssids.purge_retired(conn, retired_before=now - BSSIDS_OF_RETIRED)


JOBS: tuple[Job, ...] = (
    Job("account-for-sessions", 30, _unaccounted_sessions),
    Job("close-stale-sessions", 60, _stale_sessions),
    Job("end-spent-sessions", 15, look=spent.look),
    Job("forget-devices", 60, _forget_devices),
    Job("look-at-certificates", 3600, look=certificates.look),
    Job("purge-access-point-events", 60, _access_point_events),
    Job("purge-access-point-hours", 60, _access_point_hours),
    Job("purge-accounts", 600, _accounts),
    Job("purge-bssids", 600, _retired_bssids),
    Job("purge-awaited", 600, _awaited),
    Job("purge-codes", 600, _codes),
    Job("purge-decisions", 300, _decisions),
    Job("purge-devices", 300, _devices),
    Job("purge-guesses", 600, _guesses),
    Job("purge-messages", 600, _messages),
    Job("purge-sessions", 600, _sessions),
    Job("purge-staff-sessions", 600, _staff_sessions),
    Job("purge-test-traces", 300, _test_traces),
    Job("purge-tickets", 600, _tickets),
    Job("purge-watches", 600, _watches),
)


def run(job: Job, city: City, instruments: Instruments, *, holder: str, now: datetime) -> int | None:
    """Run a job if its lease is free. Rows changed, None where another holder has it. Raises what the job raises."""
    work = job.prepare(city, instruments, now)
    with city.store.write() as conn:
        lease = job.interval_s * LEASE_SHARE
        mine = jobs.take(conn, job.name, holder=holder, lease_seconds=lease, now=now)
        rows = work(city, conn, now) if mine else None
    instruments.jobs.labels(job.name, ELSEWHERE if rows is None else DONE).inc()
    instruments.job_rows.labels(job.name).inc(rows or 0)
    return rows


def run_quietly(job: Job, city: City, instruments: Instruments, *, holder: str, now: datetime) -> None:
    """As `run`, for the scheduler: a failure is counted and logged, and the next interval tries again."""
    try:
        rows = run(job, city, instruments, holder=holder, now=now)
    except Unavailable as error:
        instruments.jobs.labels(job.name, FAILED).inc()
        log.warning("%s: %s: the database is away (%s)", city.key, job.name, type(error).__name__)
    except Exception:
        instruments.jobs.labels(job.name, FAILED).inc()
        log.exception("%s: %s failed", city.key, job.name)
    else:
        if rows:
            log.info("%s: %s: %d rows", city.key, job.name, rows)
