"""Sessions that policy would not let go on: each is disconnected once, asked for again ever more rarely, then left."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, insert, select, update

from monitor import spent
from monitor.housekeeping import JOBS, run
from monitor.instruments import Instruments
from service.cities import City
from store import outbox, residents, schema
from store.outbox import Kind, State
from tests.conftest import NOW
from tests.support.rows import add_device, add_session, first_nas

JOB = next(job for job in JOBS if job.name == "end-spent-sessions")
MAC = "02-00-5E-10-00-0A"


class Town:
    """A city with sessions, and its job run at whatever time."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.instruments = Instruments(city.registry)

    def session(self, mac: str = MAC, **grant: Any) -> int:
        """An open session of a grant that runs for an hour."""
        device_id = add_device(self.city.store, mac, now=NOW)
        with self.city.store.write() as conn:
            plan = next(each for each in residents.plans(conn) if each.key == "tap")
            values = {
                "device_id": device_id,
                "plan_id": plan.id,
                "terms_id": residents.current_terms(conn)[0].id,
                "way": plan.way.value,
                "granted_at": NOW,
                "until_at": NOW + timedelta(hours=1),
            }
            grant_id = residents.add_grant(conn, **(values | grant))
        return add_session(self.city.store, device_id, started_at=NOW, grant_id=grant_id)

    def run(self, at: datetime = NOW) -> int | None:
        return run(JOB, self.city, self.instruments, holder="a", now=at)

    def orders(self) -> list[tuple[int, str, str]]:
        columns = (schema.outbox.c.session_id, schema.outbox.c.state, schema.outbox.c.reason)
        with self.city.store.read() as conn:
            return [tuple(row) for row in conn.execute(select(*columns).order_by(schema.outbox.c.id))]

    def become(self, state: State, at: datetime) -> None:
        with self.city.store.write() as conn:
            conn.execute(update(schema.outbox).values(state=state.value, changed_at=at))

    def counted(self) -> dict[str, float]:
        found = {
            state: self.city.registry.get_sample_value("kogge_monitor_spent_sessions", {"state": state})
            for state in spent.SPENT_STATES
        }
        return {state: value for state, value in found.items() if value}


@pytest.fixture
def town(city: City) -> Town:
    return Town(city)


def test_a_session_in_order_is_left_alone(town: Town) -> None:
    town.session()
    add_session(town.city.store, add_device(town.city.store, "02-00-5E-10-00-0B", now=NOW), started_at=NOW)
    assert town.run() == 0 and town.orders() == [] and town.counted() == {}


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("grant ended", "grant_ended"),
        ("grant over", "grant_expired"),
        ("blocked", "blocked"),
        ("volume", "daily_volume_used"),
        ("closed", "closed"),
    ],
)
def test_what_must_end_is_ordered_once_with_its_reason(town: Town, what: str, reason: str) -> None:
    session_id = town.session()
    with town.city.store.write() as conn:
        device_id = conn.execute(select(schema.session.c.device_id)).scalar_one()
        nas_id = first_nas(conn)
        site_of_nas = select(schema.nas.c.site_id).where(schema.nas.c.id == nas_id).scalar_subquery()
        admin = insert(schema.staff).values(login="a", name="A", role="admin", created_at=NOW)
        staff_id = conn.execute(admin.returning(schema.staff.c.id)).scalar_one()
        block = {"device_id": device_id, "reason": "spam", "from_at": NOW, "created_by": staff_id}
        used = {"device_id": device_id, "day": NOW.date(), "seconds": 1, "octets_down": 10**13, "octets_up": 0}
        changes = {
            "grant ended": update(schema.grant).values(ended_at=NOW),
            "grant over": update(schema.grant).values(until_at=NOW),
            "blocked": insert(schema.block).values(block),
            "volume": insert(schema.usage_daily).values(used),
            "closed": update(schema.site).where(schema.site.c.id == site_of_nas).values(opening_hours="Mo 05:00-06:00"),
        }
        conn.execute(changes[what])
    assert town.run() == 1
    assert town.orders() == [(session_id, "wanted", reason)] and town.counted() == {"ordered": 1}
    assert town.run(NOW + timedelta(seconds=15)) == 0, "it is under way"
    assert town.counted() == {"waiting": 1}


def test_a_session_that_does_not_end_is_asked_for_again_and_then_left(town: Town) -> None:
    town.session(until_at=NOW)
    at = NOW
    for number, pause in enumerate((*spent.ASK_AGAIN, timedelta(days=30)), start=1):
        assert town.run(at) == 1 and len(town.orders()) == number
        town.become(State.UNANSWERED, at)
        assert town.run(at + pause - timedelta(seconds=1)) == 0
        at += pause
    assert town.run(at) == 0 and town.counted() == {"given_up": 1}


def test_what_staff_wanted_counts_too(town: Town) -> None:
    session_id = town.session(ended_at=NOW)
    with town.city.store.write() as conn:
        outbox.want_disconnect(conn, session_id=session_id, requested_by=None, now=NOW)
        outbox.want(conn, Kind.COA, session_id, reason="operator", now=NOW)
    assert town.run(NOW + timedelta(minutes=1)) == 0
    assert town.run(NOW + timedelta(minutes=6)) == 0, "RADIUS is away; the order still stands"


def test_a_run_orders_no_more_than_it_may(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spent, "ORDERS_MAX", 2)
    monkeypatch.setattr(spent, "SLICE", 2)
    for number in range(5):
        town.session(f"02-00-5E-10-01-{number:02X}", until_at=NOW)
    assert [town.run(NOW + timedelta(seconds=15 * turn)) for turn in range(4)] == [2, 2, 1, 0]
    assert len(set(town.orders())) == 5 and town.counted() == {"waiting": 5}


@pytest.mark.slow
def test_ten_thousand_open_sessions_cost_little(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    """The target is one second of CPU; this machine may be busy with others."""
    first = town.session()
    with town.city.store.write() as conn:
        for table in (schema.device, schema.grant, schema.session):
            template = dict(conn.execute(select(table)).mappings().one())
            conn.execute(insert(table), [template | _another(table, template, n) for n in range(1, 10_000)])
    before = time.process_time()
    assert town.run() == 0
    seconds = time.process_time() - before
    with capsys.disabled():
        print(f" {seconds:.2f} s of CPU ", end="")
    assert first == 1 and seconds < 4


def _another(table: Table, template: dict[str, Any], number: int) -> dict[str, Any]:
    """The row of the nth device, grant or session, unlike the first one where it must be."""
    unlike = {
        "device": {"mac_hash": number.to_bytes(32, "big")},
        "grant_": {"device_id": template.get("device_id", 0) + number},
        "session": {
            "device_id": template.get("device_id", 0) + number,
            "grant_id": template.get("grant_id", 0) + number,
            "acct_session_id": f"many-{number}",
        },
    }
    return unlike[table.name] | {"id": template["id"] + number}
