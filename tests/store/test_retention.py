"""What retention deletes, and what it leaves."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text

from hotspot.values import MacAddress
from service.cities import City
from store import access, accounting, residents
from store.access import Noted

OLD = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOW = OLD + timedelta(days=100)
BEFORE = NOW - timedelta(days=90)


def a_device(city: City, octet: int, *, seen: datetime) -> int:
    """A device that accepted the terms, was decided upon and holds a grant."""
    with city.store.write() as conn:
        device_id = residents.note_device(conn, city.store.keys, MacAddress(bytes((2, 0, 0, 0, 0, octet))), now=seen)
        terms = residents.current_terms(conn)[0]
        residents.record_acceptance(conn, device_id=device_id, seen=terms, now=seen)
        grant_id = residents.add_grant(
            conn,
            device_id=device_id,
            plan_id=residents.plans(conn)[0].id,
            terms_id=terms.id,
            way="tap",
            granted_at=seen,
            until_at=seen + timedelta(hours=1),
        )
        access.note_decisions(conn, [Noted(1, device_id, grant_id, "ticket", None)], now=seen)
    return device_id


def add_session(city: City, device_id: int, day: date, *, ended: bool) -> None:
    with city.store.write() as conn:
        conn.execute(
            text(
                "INSERT INTO session (device_id, nas_id, acct_session_id, user_name, local_day, started_at, updated_at,"
                " start_seen, seconds, segment_down, segment_up, finished_down, finished_up, ended_at, estimated)"
                " VALUES (:device, 1, :name, 'u', :day, 0, 0, :no, 0, 0, 0, 0, 0, :ended, :no)"
            ),
            {
                "device": device_id,
                "name": f"s{device_id}",
                "day": day.isoformat() if conn.dialect.name == "sqlite" else day,
                "ended": 1 if ended else None,
                "no": False,
            },
        )


def count(city: City, table: str) -> int:
    with city.store.read() as conn:
        return int(conn.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_a_device_long_unseen_goes_with_all_that_is_its(city: City) -> None:
    a_device(city, 1, seen=OLD)
    recent = a_device(city, 2, seen=NOW)
    with city.store.write() as conn:
        assert residents.purge_devices(conn, unseen_since=BEFORE) == 1
        assert residents.purge_devices(conn, unseen_since=BEFORE) == 0
        assert residents.latest_grant(conn, recent) is not None
    assert [count(city, table) for table in ("device", "acceptance", "grant_", "decision")] == [1, 1, 1, 1]


def test_a_device_stays_as_long_as_a_session_of_it_does(city: City) -> None:
    device_id = a_device(city, 1, seen=OLD)
    add_session(city, device_id, OLD.date(), ended=True)
    with city.store.write() as conn:
        assert residents.purge_devices(conn, unseen_since=BEFORE) == 0
        assert accounting.purge_sessions(conn, before=BEFORE.date()) == 1
        assert residents.purge_devices(conn, unseen_since=BEFORE) == 1


def test_an_open_or_young_session_is_kept(city: City) -> None:
    add_session(city, a_device(city, 1, seen=OLD), OLD.date(), ended=False)
    add_session(city, a_device(city, 2, seen=NOW), NOW.date(), ended=True)
    with city.store.write() as conn:
        assert accounting.purge_sessions(conn, before=BEFORE.date()) == 0
    assert count(city, "session") == 2
