"""The only door to APScheduler: runs each city's job list on background threads. What a job does is not known here."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from monitor.housekeeping import JOBS, Job, run_quietly
from monitor.instruments import Instruments
from service.cities import City

THREADS_PER_CITY = 1
"""A city's jobs run one after the other, on its own thread: a hanging database delays no other city."""

FIRST_RUN_S = 5.0
"""Seconds after the start at which the first jobs run; the others follow one a second."""


def holder() -> str:
    """Who holds a lease: this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Housekeeper:
    """Runs the jobs of these cities from `start` to `stop`."""

    def __init__(
        self, cities: Iterable[tuple[City, Instruments]], clock: Callable[[], datetime], jobs: Iterable[Job] = JOBS
    ) -> None:
        self._scheduler = BackgroundScheduler(timezone=UTC)
        for city, instruments in cities:
            self._scheduler.add_executor(ThreadPoolExecutor(THREADS_PER_CITY), alias=city.key)
            for at, job in enumerate(jobs):
                self._add(city, instruments, job, clock, timedelta(seconds=FIRST_RUN_S + at))

    def _add(
        self, city: City, instruments: Instruments, job: Job, clock: Callable[[], datetime], wait: timedelta
    ) -> None:
        def work() -> None:
            run_quietly(job, city, instruments, holder=holder(), now=clock())

        self._scheduler.add_job(
            work,
            IntervalTrigger(seconds=job.interval_s, timezone=UTC),
            id=f"{city.key} {job.name}",
            executor=city.key,
            next_run_time=datetime.now(UTC) + wait,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        """Waits for the jobs that run."""
        self._scheduler.shutdown(wait=True)
