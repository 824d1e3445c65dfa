"""The only door to APScheduler: runs a city's job list on a background thread. What a job does is not known here."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from monitor.housekeeping import JOBS, Job, run_quietly
from monitor.instruments import JOB_RESULTS, Instruments
from service.cities import City

THREADS = 1
"""A city's jobs run one after the other: each is short, and SQLite has one writer."""

FIRST_RUN_S = 5.0
"""Seconds after the start at which the first job runs; the others follow one a second."""


def this_process() -> str:
    """Who holds a lease: this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Housekeeper:
    """Runs one city's jobs from `start` to `stop`."""

    def __init__(
        self,
        city: City,
        instruments: Instruments,
        clock: Callable[[], datetime],
        *,
        jobs: Iterable[Job] = JOBS,
        first_run_s: float = FIRST_RUN_S,
        holder: str | None = None,
    ) -> None:
        self._city = city
        self._instruments = instruments
        self._clock = clock
        self._holder = holder or this_process()
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(THREADS)})
        for at, job in enumerate(jobs):
            self._add(job, datetime.now(UTC) + timedelta(seconds=first_run_s + at))

    def _add(self, job: Job, first_run: datetime) -> None:
        for result in JOB_RESULTS:
            self._instruments.jobs.labels(job.name, result)

        def work() -> None:
            run_quietly(job, self._city, self._instruments, holder=self._holder, now=self._clock())

        self._scheduler.add_job(
            work,
            IntervalTrigger(seconds=job.interval_s, timezone=UTC),
            id=job.name,
            next_run_time=first_run,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )

    def start(self) -> None:
        self._scheduler.start()

    def pause(self) -> None:
        """No new runs."""
        self._scheduler.pause()

    def stop(self) -> None:
        """The end; waits for the job that runs."""
        self._scheduler.shutdown(wait=True)
