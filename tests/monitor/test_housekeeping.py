"""Jobs under leases: two schedulers on one city run each job once."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from prometheus_client import CollectorRegistry

from hotspot.accounts import MAILS_WINDOW
from monitor.housekeeping import JOBS, Job, run, run_quietly
from monitor.instruments import Instruments
from monitor.schedule import Housekeeper
from service.cities import City
from store import guesses
from tests.conftest import NOW


def counted(registry: CollectorRegistry, job: str, result: str) -> float:
    return registry.get_sample_value("kogge_monitor_jobs_total", {"task": job, "result": result}) or 0.0


def test_every_job_runs_on_an_empty_city(city: City) -> None:
    instruments = Instruments(city.registry)
    assert {job.name: run(job, city, instruments, holder="a", now=NOW) for job in JOBS} == {job.name: 0 for job in JOBS}
    assert len({job.name for job in JOBS}) == len(JOBS)


def test_two_holders_run_a_job_once_an_interval(city: City) -> None:
    instruments, job = Instruments(city.registry), JOBS[0]
    assert run(job, city, instruments, holder="a", now=NOW) == 0
    assert run(job, city, instruments, holder="b", now=NOW) is None
    assert run(job, city, instruments, holder="b", now=NOW + timedelta(seconds=job.interval_s / 2)) is None
    assert run(job, city, instruments, holder="b", now=NOW + timedelta(seconds=job.interval_s)) == 0
    assert counted(city.registry, job.name, "done") == 2 and counted(city.registry, job.name, "elsewhere") == 2


def test_a_job_that_fails_gives_its_lease_back(city: City) -> None:
    instruments = Instruments(city.registry)

    def broken(_city: City, _conn: Any, _now: Any) -> int:
        raise RuntimeError("a fault")

    run_quietly(Job("job", 60, broken), city, instruments, holder="a", now=NOW)
    assert counted(city.registry, "job", "failed") == 1
    assert run(Job("job", 60, lambda *_: 3), city, instruments, holder="b", now=NOW) == 3
    assert city.registry.get_sample_value("kogge_monitor_job_rows_total", {"task": "job"}) == 3


def test_guesses_go_when_no_window_counts_them(city: City) -> None:
    limits = city.config.limits
    window = max(timedelta(minutes=max(limits.login_window_minutes, limits.voucher_window_minutes)), MAILS_WINDOW)
    bucket = guesses.bucket(city.store.keys, "login", "hanse")
    with city.store.write() as conn:
        guesses.note(conn, bucket, now=NOW - window - timedelta(seconds=1))
        guesses.note(conn, bucket, now=NOW - window + timedelta(seconds=1))
    job = next(job for job in JOBS if job.name == "purge-guesses")
    assert run(job, city, Instruments(city.registry), holder="a", now=NOW) == 1


def test_two_schedulers_at_the_same_time(city: City) -> None:
    ran: list[int] = []

    def work(_city: City, _conn: Any, _now: Any) -> int:
        ran.append(1)
        return 1

    instruments = Instruments(city.registry)
    pair = [
        Housekeeper(city, instruments, lambda: NOW, jobs=[Job("job", 60, work)], first_run_s=0.0, holder=name)
        for name in ("a", "b")
    ]
    for housekeeper in pair:
        housekeeper.start()
    end = time.monotonic() + 20
    while counted(city.registry, "job", "done") + counted(city.registry, "job", "elsewhere") < 2:
        assert time.monotonic() < end
        time.sleep(0.02)
    for housekeeper in pair:
        housekeeper.pause()
        housekeeper.stop()
    assert ran == [1]
