"""Job leases: two schedulers on one city run each job once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete

from store.rows import insert_for
from store.schema import job_lease


def take(conn: Connection, job: str, *, holder: str, lease_seconds: float, now: datetime) -> bool:
    """Take or renew a job's lease; False while another holder's still runs. Needs `write()`."""
    until = now + timedelta(seconds=lease_seconds)
    values = {"holder": holder, "until_at": until}
    statement = insert_for(conn, job_lease).values(job=job, **values)
    statement = statement.on_conflict_do_update(
        index_elements=["job"],
        set_=values,
        where=(job_lease.c.until_at <= now) | (job_lease.c.holder == holder),
    )
    return conn.execute(statement.returning(job_lease.c.job)).first() is not None


def release(conn: Connection, job: str, *, holder: str) -> None:
    """Give a lease back, if it is the holder's. Needs `write()`."""
    conn.execute(delete(job_lease).where(job_lease.c.job == job, job_lease.c.holder == holder))
