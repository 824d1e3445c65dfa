"""The two doors: durable writes, consistent reads, one writer at a time, no MAC address in the file."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from hotspot.access import Ticket
from hotspot.fleet import ApReading, PollFailure, RadioReading, assess
from hotspot.plan import Way
from hotspot.roles import Role
from hotspot.values import MacAddress, Month
from hotspot.vouchers import make_code
from store import (
    ap_list,
    audit,
    fleet,
    guesses,
    jobs,
    nases,
    outbox,
    reports,
    residents,
    sessions,
    setup,
    staff,
    vouchers,
)
from store.ap_list import Wanted
from store.health import save_healths
from store.store import Store, Unavailable

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PHONE = MacAddress.parse("02-00-5E-10-00-0A")
PLAN = {
    "key": "voucher",
    "name": "Gast",
    "way": "voucher",
    "session_minutes": 120,
    "idle_minutes": 10,
    "daily_minutes": 0,
    "daily_megabytes": 0,
    "rate_down_kbps": 10_000,
    "rate_up_kbps": 2_000,
    "devices_max": 2,
    "remember_hours": 24,
}


def test_sqlite_is_opened_durable(city_store: Store) -> None:
    if city_store.engine.dialect.name != "sqlite":
        pytest.skip("SQLite's own settings")
    with city_store.read() as conn:
        values = {
            name: conn.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_an_error_shows_no_value(city_store: Store) -> None:
    with pytest.raises(DBAPIError) as caught, city_store.read() as conn:
        conn.execute(text("SELECT * FROM nowhere WHERE mac = :mac"), {"mac": str(PHONE)})
    assert "nowhere" in str(caught.value) and str(PHONE) not in str(caught.value)


def test_a_failed_write_leaves_nothing(city_store: Store) -> None:
    def fails() -> None:
        with city_store.write() as conn:
            setup.add_plan(conn, **PLAN)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    with city_store.read() as conn:
        assert residents.plans(conn) == []


def test_writers_wait_for_one_another(city_store: Store) -> None:
    def count_up() -> None:
        for _ in range(25):
            with city_store.write() as conn:
                conn.execute(text("UPDATE staff SET name = CAST(CAST(name AS INTEGER) + 1 AS TEXT)"))

    with city_store.write() as conn:
        staff.add(conn, login="zaehler", name="0", role=Role.DESK, now=NOW)
    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with city_store.read() as conn:
        member = staff.by_login(conn, "zaehler")
    assert member is not None and member.name == "100"


def test_a_mac_address_is_nowhere_readable(city_store: Store, tmp_path: Path) -> None:
    with city_store.write() as conn:
        device_id = residents.note_device(conn, city_store.keys, PHONE, now=NOW)
    with city_store.read() as conn:
        assert residents.mac_of(conn, city_store.keys, device_id) == PHONE
        rows = conn.execute(text("SELECT mac_hash, mac_sealed FROM device")).all()
    assert all(PHONE.octets not in bytes(column) for row in rows for column in row)
    if city_store.engine.dialect.name == "sqlite":
        file = Path(str(city_store.engine.url.database))
        raw = file.read_bytes() + file.with_name(file.name + "-wal").read_bytes()
        spellings = (PHONE.octets, str(PHONE).encode(), str(PHONE).replace("-", ":").lower().encode())
        assert not any(spelling in raw for spelling in spellings)


def test_a_device_is_one_row_over_the_months(city_store: Store) -> None:
    with city_store.write() as conn:
        first = residents.note_device(conn, city_store.keys, PHONE, now=NOW)
        again = residents.note_device(conn, city_store.keys, PHONE, now=NOW + timedelta(days=70))
        period = conn.execute(text("SELECT key_period FROM device")).scalars().all()
        unknown = residents.find_device(conn, city_store.keys, MacAddress(b"123456"), now=NOW)
    assert first == again and period == ["2027-02"] and unknown is None


def test_grants_tickets_and_blocks(city_store: Store) -> None:
    with city_store.write() as conn:
        plan_id = setup.add_plan(conn, **PLAN)
        terms_id = setup.add_terms(conn, version=1, language="de", title="AGB", body="…", now=NOW)
        device_id = residents.note_device(conn, city_store.keys, PHONE, now=NOW)
        residents.record_acceptance(conn, device_id=device_id, seen=residents.current_terms(conn)[0], now=NOW)
        grant_id = residents.add_grant(
            conn,
            device_id=device_id,
            plan_id=plan_id,
            terms_id=terms_id,
            way=Way.TAP.value,
            granted_at=NOW,
            until_at=NOW + timedelta(hours=2),
        )
        ticket = Ticket("a" * 16, grant_id, device_id, NOW, NOW + timedelta(minutes=5))
        residents.add_ticket(conn, ticket)
    with city_store.write() as conn:
        found = residents.latest_grant(conn, device_id)
        assert found is not None and (found.id, found.terms_version, found.ended_at) == (grant_id, 1, None)
        assert not residents.is_blocked(conn, device_id, now=NOW)
        assert residents.used_on(conn, device_id, NOW.date()) == (0, 0, 0)
        assert residents.end_grants(conn, device_id, now=NOW) == 1
        assert residents.purge_tickets(conn, expired_before=NOW) == 0
        assert residents.purge_tickets(conn, expired_before=NOW + timedelta(hours=1)) == 1
        ended = residents.latest_grant(conn, device_id)
    assert ended is not None and ended.ended_at == NOW


def test_a_voucher_batch_is_printed_found_and_used(city_store: Store) -> None:
    codes = [make_code(bytes(range(n, n + 10))) for n in range(3)]
    keys = city_store.keys
    with city_store.write() as conn:
        plan_id = setup.add_plan(conn, **PLAN)
        desk = staff.add(conn, login="desk", name="Desk", role=Role.DESK, now=NOW)
        batch_id = vouchers.add_batch(
            conn,
            keys,
            codes,
            plan_id=plan_id,
            label="Bücherei",
            valid_minutes=60,
            redeem_until=NOW + timedelta(days=30),
            created_by=desk,
            now=NOW,
        )
    with city_store.write() as conn:
        assert vouchers.codes_of(conn, keys, batch_id) == codes
        found = vouchers.find(conn, keys, codes[1])
        assert found is not None and found.plan.name == "Gast"
        assert vouchers.use(conn, found, now=NOW) == NOW + timedelta(hours=1)
        again = vouchers.find(conn, keys, codes[1])
        assert again is not None
        assert vouchers.use(conn, again, now=NOW + timedelta(minutes=30)) == NOW + timedelta(hours=1)
        assert vouchers.find(conn, keys, "2" * 10) is None
        batch = vouchers.batch(conn, batch_id)
        assert batch is not None and (batch.size, batch.used) == (3, 1)
        assert vouchers.batch(conn, batch_id + 1) is None and vouchers.devices_of(conn, found.id) == set()
        with pytest.raises(IntegrityError), conn.begin_nested():
            vouchers.add_batch(
                conn,
                keys,
                codes[:1],
                plan_id=plan_id,
                label="again",
                valid_minutes=1,
                redeem_until=NOW,
                created_by=desk,
                now=NOW,
            )


def test_staff_invitations_and_sessions(city_store: Store) -> None:
    later = NOW + timedelta(hours=1)
    with city_store.write() as conn:
        member_id = staff.add(conn, login="anna", name="Anna", role=Role.ADMIN, now=NOW)
        staff.add_invite(conn, staff_id=member_id, token="einladung", expires_at=later)
        assert staff.invited(conn, "einladung", now=later) is None
        assert staff.invited(conn, "andere", now=NOW) is None
        assert staff.use_invite(conn, "einladung", now=NOW)
        assert not staff.use_invite(conn, "einladung", now=NOW)
        assert staff.invited(conn, "einladung", now=NOW) is None
        staff.open_session(conn, staff_id=member_id, token="sitzung", now=NOW, expires_at=later)
        found = staff.of_session(conn, "sitzung", now=NOW)
        assert found is not None and found.role is Role.ADMIN and "anna" in repr(found)
        assert staff.of_session(conn, "sitzung", now=later) is None
        staff.set_password(conn, member_id, "$argon2id$…")
        assert staff.of_session(conn, "sitzung", now=NOW) is None
        staff.open_session(conn, staff_id=member_id, token="neu", now=NOW, expires_at=later)
        staff.close_session(conn, "neu")
        assert staff.purge_sessions(conn, now=later) == 0


def test_the_audit_log_is_read_newest_first(city_store: Store) -> None:
    with city_store.write() as conn:
        audit.add(conn, now=NOW, action="first", subject="a", count=1)
        audit.add(conn, now=NOW, action="second", subject="b")
    with city_store.read() as conn:
        entries = audit.entries(conn, limit=10)
    assert [(entry.action, entry.detail) for entry in entries] == [("second", {}), ("first", {"count": 1})]


def test_one_holder_a_job(city_store: Store) -> None:
    with city_store.write() as conn:
        take = [
            jobs.take(conn, "roll", holder=holder, lease_seconds=60, now=NOW + timedelta(seconds=after))
            for holder, after in (("a", 0), ("b", 30), ("a", 59), ("b", 100), ("b", 120))
        ]
    assert take == [True, False, True, False, True]


def test_guesses_are_counted_in_a_window_and_forgiven(city_store: Store) -> None:
    bucket = guesses.bucket(city_store.keys, "login", "anna")
    with city_store.write() as conn:
        for minute in (0, 5, 10):
            guesses.note(conn, bucket, now=NOW + timedelta(minutes=minute))
        assert guesses.count(conn, bucket, since=NOW + timedelta(minutes=1)) == 2
        assert guesses.purge(conn, before=NOW + timedelta(minutes=1)) == 1
        guesses.clear(conn, bucket)
        assert guesses.count(conn, bucket, since=NOW) == 0
    assert bucket != guesses.bucket(city_store.keys, "device", "anna")


def _site(store: Store) -> int:
    with store.write() as conn:
        return fleet.add_site(
            conn, key="markt", name="Markt", district="Mitte", kind="square", latitude=54.1, longitude=12.1
        )


def test_access_points_keep_model_but_no_reading_while_down(city_store: Store) -> None:
    keys, site_id = city_store.keys, _site(city_store)
    credential = fleet.SnmpCredential("3", user="kogge", auth_password="a" * 12, priv_password="p" * 12)
    with city_store.write() as conn:
        ap_id = fleet.add_access_point(
            conn,
            keys,
            credential=credential,
            site_id=site_id,
            name="ap1",
            address="127.1.1.1",
            port=161,
            created_at=NOW,
        )
        assert ap_list.some(conn, Wanted(), limit=9, offset=0)[0].up is None
        reading = ApReading(NOW, model="U6", firmware="6.1", radios=(RadioReading("ng", clients=4),))
        up = assess(None, reading, now=NOW)
        save_healths(conn, {ap_id: up})
        shown = ap_list.some(conn, Wanted(), limit=9, offset=0)[0]
        assert shown.up and shown.reading["clients"] == 4
        save_healths(conn, {ap_id: assess(up, PollFailure.TIMEOUT, now=NOW + timedelta(minutes=1))})
        down = ap_list.some(conn, Wanted(), limit=9, offset=0)[0]
        assert (down.up, down.reading, down.model, down.failure) == (False, {}, "U6", "timeout")
        assert down.last_success_at == NOW
        (point,) = fleet.access_points(conn, keys)
    assert point.credential == credential and point.site == "markt" and "aaaa" not in repr(point)


def test_a_nas_keeps_its_secret_sealed(city_store: Store) -> None:
    site_id = _site(city_store)
    with city_store.write() as conn:
        nases.add_nas(
            conn,
            city_store.keys,
            secret=b"radius-geheimnis",
            uam_secret=b"uam-geheimnis",
            site_id=site_id,
            name="nas1",
            nas_identifier="nas-1",
            address="127.1.0.1",
            product="coovachilli",
            login_url="http://127.1.0.1:3990",
            coa_port=3799,
            require_message_authenticator="yes",
            octets_swapped=True,
            created_at=NOW,
        )
        (nas,) = nases.nases(conn, city_store.keys)
        sealed = conn.execute(text("SELECT secret_sealed, uam_secret_sealed FROM nas")).one()
    assert nas.secret == b"radius-geheimnis" and nas.site_name == "Markt"
    assert b"geheimnis" not in bytes(sealed[0]) + bytes(sealed[1]) and "geheimnis" not in repr(nas)


def test_an_empty_city_has_nothing_to_report(city_store: Store) -> None:
    month = Month(2026, 11)
    with city_store.read() as conn:
        assert setup.is_empty(conn)
        assert reports.day_counts(conn, month.first_day, month.last_day) == []
        assert sessions.live(conn, limit=10) == [] and sessions.count_live(conn) == 0
        assert sessions.by_id(conn, 1) is None and sessions.latest_of_device(conn, 1) is None
        assert outbox.due(conn, now=NOW, limit=10, each_nas=10) == []


def test_a_database_that_is_away_says_so(city_store: Store, tmp_path: Path) -> None:
    city_store.ping()
    gone = Store.open(f"sqlite:///{tmp_path / 'none' / 'kogge.db'}", city_store.keys)
    with pytest.raises(Unavailable):
        gone.ping()
    gone.close()
