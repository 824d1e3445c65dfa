"""What is stored about a device: shown whole, taken along, and deleted so that figures stand and nobody is in them."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from hotspot.values import MacAddress, Month
from monitor import housekeeping
from store import accounting, audit, forgetting, guesses, my_data, reports, residents, schema
from store.schema import metadata
from tests.portal.hands import NOW, PHONE, Door, Phone, add_session, form, words
from tests.portal.online import change, end, go_online, radius_accepts
from tests.support.rows import all_rows

OTHER = MacAddress.parse("02-00-5E-10-00-0B")
DAY = timedelta(days=1)


def rows(door: Door, table: Any, **where: Any) -> list[Any]:
    query = select(table).order_by(*table.primary_key.columns)
    for name, value in where.items():
        query = query.where(table.c[name] == value)
    with door.city.store.read() as conn:
        return list(conn.execute(query))


def device_of(door: Door, mac: MacAddress = PHONE) -> int | None:
    with door.city.store.read() as conn:
        return residents.find_device(conn, door.city.store.keys, mac, now=door.clock())


def figures(door: Door) -> list[Any]:
    """What the council reads of the last weeks."""
    month = Month.of(door.clock().date())
    with door.city.store.read() as conn:
        return reports.day_counts(conn, month.previous().first_day, month.last_day)


def delete(phone: Phone, token: str | None = None) -> Any:
    page = phone.get(f"/my-data/delete?visit={token or phone.token()}")
    return phone.send("/my-data/delete", form(page, "delete"))


def housekeep(door: Door) -> None:
    with door.city.store.write() as conn:
        housekeeping._forget_devices(door.city, conn, door.clock())


@pytest.fixture
def past(door: Door, phone: Phone) -> int:
    """Two sessions and a log-in on each of the last three days, one of today that is over; returns the device's id."""
    today = door.clock.now
    for days in (3, 2, 1):
        door.clock.now = today - days * DAY
        phone.accept()
        grant_id = radius_accepts(door)
        for n in range(2):
            at = door.clock() + timedelta(hours=n)
            ended_at = at + timedelta(minutes=10)
            add_session(
                door.city,
                started_at=at,
                ended_at=ended_at,
                grant_id=grant_id,
                name=f"s-{days}-{n}",
                cause="User-Request",
            )
    door.clock.now = today
    session_id = go_online(door, phone, name="today")
    door.clock.forward(minutes=20)
    end(door, session_id, door.clock())
    found = device_of(door)
    assert found is not None
    return found


# Reading --------------------------------------------------------------------------------------------------


def test_it_shows_everything_and_how_long_it_is_kept(door: Door, phone: Phone, past: int) -> None:
    with door.city.store.write() as conn:
        guesses.note(conn, guesses.bucket(door.city.store.keys, guesses.BY_DEVICE, str(PHONE)), now=door.clock())
        conn.execute(
            insert(schema.decision).values(
                decided_at=NOW, nas_id=1, device_id=past, grant_id=None, proof="mac", reason="not_remembered"
            )
        )
    page = words(phone.get(f"/my-data?visit={phone.token()}"))
    for said in (
        "Connections (7)",
        "Kept for 90 days.",
        "Neuer Markt",
        "received 5 MB, sent 0.4 MB",
        "address 10.1.0.2",
        "Days (4)",
        "Log-ins (4)",
        "Kostenlos",
        "Accepted terms of use (4)",
        "version 1",
        "Questions of the hotspots (1)",
        "Kept for 14 days.",
        "Please accept the terms of use once more.",
        "Wrong codes: 1.",
    ):
        assert said in page, said
    assert door.sample("kogge_portal_my_data_total", result="seen") == 1


def test_the_file_has_all_of_it(door: Door, phone: Phone, past: int) -> None:
    answer = phone.get(f"/my-data.json?visit={phone.token()}")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data-rostock.json"'
    document = json.loads(answer.get_data())
    assert document["mac_address"] == str(PHONE)
    assert document["kept_days"] == {"sessions": 90, "decisions": 14, "accounts": 365}
    assert len(document["sessions"]) == 7 and len(document["grants"]) == 4 and not any(document["left_out"].values())
    assert datetime.fromisoformat(document["sessions"][0]["started_at"]) == NOW
    assert set(document) >= set(my_data.KINDS)


def test_others_are_in_neither(door: Door, phone: Phone, past: int) -> None:
    other = door.phone(OTHER)
    page = other.get(f"/my-data?visit={other.token()}")
    assert "Nothing is stored about this device." in page.text and "Neuer Markt" not in page.text
    document = json.loads(other.get(f"/my-data.json?visit={other.token()}").get_data())
    assert document["mac_address"] == str(OTHER) and "sessions" not in document


def test_nothing_that_points_at_a_device_is_left_out() -> None:
    pointing = {table.name for table in metadata.sorted_tables if "device_id" in table.c}
    shown = {"acceptance", "grant_", "session", "usage_daily", "decision", "one_time_code", "block", "awaited"}
    assert pointing == shown | {"ticket"}, "a new kind belongs into `store.my_data` and `store.forgetting`"


# Deleting -------------------------------------------------------------------------------------------------


def test_the_first_page_says_what_goes_and_deletes_nothing(door: Door, phone: Phone, past: int) -> None:
    before = all_rows(door.city.store)
    page = words(phone.get(f"/my-data/delete?visit={phone.token()}"))
    assert "Until midnight" in page and "A block by the staff stays until it ends." in page
    assert all_rows(door.city.store) == before


def test_sessions_are_unlinked_at_once_and_the_figures_stand(door: Door, phone: Phone, past: int) -> None:
    before = figures(door)
    assert [day.sessions for day in before] == [2, 2, 2, 1]
    page = delete(phone)
    assert page.status_code == 200 and "belong to nobody any more" in page.text
    assert figures(door) == before
    assert rows(door, schema.session, device_id=past) == []
    for session in rows(door, schema.session):
        assert (session.grant_id, session.user_name, session.framed_ip, session.framed_ipv6) == (None, "", "", "")
    owners = {session.device_id: session.local_day for session in rows(door, schema.session)}
    assert len(owners) == 4 == len(set(owners.values())), "a device for each day, and none for two"
    with door.city.store.read() as conn:
        assert residents.macs_of(conn, door.city.store.keys, owners) == {}
    for table in (schema.acceptance, schema.decision, schema.ticket):
        assert rows(door, table, device_id=past) == []
    assert Counter(grant.device_id for grant in rows(door, schema.grant))[past] == 1, "today's counts until midnight"
    assert all(grant.ended_at and not grant.remembered for grant in rows(door, schema.grant))


def test_today_s_use_counts_until_midnight_and_then_goes(door: Door, phone: Phone, past: int) -> None:
    before = figures(door)
    delete(phone)
    (used,) = rows(door, schema.usage_daily, device_id=past)
    assert used.day == NOW.date(), "one tap must not begin the day anew"
    housekeep(door)
    assert device_of(door) == past and rows(door, schema.device, id=past)[0].forget_at is not None
    assert "You asked on" in phone.get(f"/my-data?visit={phone.token()}").text
    door.clock.now = datetime(2026, 11, 23, 23, 1, tzinfo=NOW.tzinfo)
    housekeep(door)
    assert device_of(door) is None and rows(door, schema.device, id=past) == []
    assert figures(door) == before
    hashes = [bytes(device.mac_hash) for device in rows(door, schema.device)]
    assert len(set(hashes)) == len(hashes) and all(len(each) == 32 for each in hashes)


def test_a_session_that_runs_is_ended_and_goes_with_its_stop(door: Door, phone: Phone, past: int) -> None:
    running = go_online(door, phone, name="running")
    page = delete(phone)
    assert "Your connection is being ended." in page.text and form(page, "leave")
    (order,) = rows(door, schema.outbox)
    assert (order.session_id, order.kind, order.reason) == (running, "disconnect", "resident")
    assert [session.id for session in rows(door, schema.session, device_id=past)] == [running]
    door.clock.forward(days=1)
    housekeep(door)
    assert device_of(door) == past, "its Stop has not come"
    end(door, running, door.clock())
    housekeep(door)
    assert device_of(door) is None and rows(door, schema.session, device_id=past) == []


def test_who_comes_back_keeps_what_came_after_the_wish(door: Door, phone: Phone, past: int) -> None:
    delete(phone)
    door.clock.forward(minutes=5)
    asked_at = rows(door, schema.device, id=past)[0].forget_at
    session_id = go_online(door, phone, name="after")
    door.clock.forward(days=1)
    housekeep(door)
    (device,) = rows(door, schema.device, id=past)
    assert device.forget_at is None and device.first_seen_at == asked_at
    assert [session.id for session in rows(door, schema.session, device_id=past)] == [session_id]
    assert len(rows(door, schema.grant, device_id=past)) == len(rows(door, schema.acceptance, device_id=past)) == 1


def test_a_block_stays(door: Door, phone: Phone, past: int) -> None:
    staff_id = door.add_member("blocker")
    with door.city.store.write() as conn:
        for until in (None, NOW - DAY):
            conn.execute(
                insert(schema.block).values(
                    device_id=past, reason="spam", from_at=NOW - 2 * DAY, until_at=until, created_by=staff_id
                )
            )
    delete(phone)
    door.clock.forward(days=1)
    housekeep(door)
    assert device_of(door) == past
    assert [block.until_at for block in rows(door, schema.block)] == [None]
    assert "spam" in phone.get(f"/my-data?visit={phone.token()}").text


def test_a_voucher_s_place_stays_taken(door: Door, phone: Phone, past: int) -> None:
    """Or one code would let on any number of devices, one after another."""
    batch = {"plan_id": 1, "label": "x", "valid_minutes": 10_000, "redeem_until": NOW + DAY, "created_at": NOW}
    staff_id = door.add_member("desk")
    with door.city.store.write() as conn:
        batch_id = conn.execute(
            insert(schema.voucher_batch).values(**batch, created_by=staff_id).returning(schema.voucher_batch.c.id)
        ).scalar_one()
        conn.execute(
            insert(schema.voucher).values(
                batch_id=batch_id, code_hash=b"h", code_sealed=b"s", first_used_at=NOW, until_at=NOW + 5 * DAY
            )
        )
    for grant in rows(door, schema.grant):
        change(door, schema.grant, grant.id, voucher_id=1)
    delete(phone)
    door.clock.forward(days=1)
    housekeep(door)
    holders = [grant.device_id for grant in rows(door, schema.grant, voucher_id=1)]
    assert len(holders) == 1 and holders[0] != past


def test_other_devices_are_untouched(door: Door, phone: Phone, past: int) -> None:
    other = door.phone(OTHER)
    go_online(door, other, name="other")
    other_id = device_of(door, OTHER)
    before = [rows(door, table, device_id=other_id) for table in (schema.session, schema.grant, schema.usage_daily)]
    delete(phone)
    after = [rows(door, table, device_id=other_id) for table in (schema.session, schema.grant, schema.usage_daily)]
    assert after == before and all(before)


def test_it_is_noted_without_saying_whose_it_was(door: Door, phone: Phone, past: int) -> None:
    delete(phone)
    with door.city.store.read() as conn:
        (entry,) = [each for each in audit.entries(conn, limit=9) if each.action == "my_data.deleted"]
    assert (entry.subject, entry.login, entry.detail) == ("a resident's device", None, {"days": 4, "sessions": 7})


def test_an_old_link_shows_but_does_not_delete(door: Door, phone: Phone, past: int) -> None:
    token = phone.token()
    door.clock.forward(minutes=61)
    page = phone.get(f"/my-data/delete?visit={token}")
    assert 'id="delete"' not in page.text and f'href="{door.nas.login_url}/"' in page.text
    before = all_rows(door.city.store)
    assert "more than an hour ago" in phone.send("/my-data/delete", {"visit": token}).text
    assert all_rows(door.city.store) == before
    assert phone.get(f"/my-data?visit={token}").status_code == 200


def test_an_unknown_device_has_nothing_to_delete(door: Door, phone: Phone) -> None:
    assert "belong to nobody" in delete(phone).text
    assert door.count(schema.device) == 0 and door.count(schema.audit) == 0


def test_ten_thousand_sessions_of_a_year(door: Door, phone: Phone) -> None:
    phone.accept()
    device_id = device_of(door)
    columns = {"device_id": device_id, "nas_id": 1, "user_name": "t", "start_seen": True, "estimated": False}
    columns |= dict.fromkeys(("seconds", "segment_down", "segment_up", "finished_down", "finished_up"), 1)
    year = [NOW - timedelta(minutes=50 * n) for n in range(10_000)]
    with door.city.store.write() as conn:
        conn.execute(
            insert(schema.session),
            [
                columns
                | {
                    "acct_session_id": f"s{n}",
                    "started_at": at,
                    "updated_at": at,
                    "ended_at": at,
                    "local_day": at.date(),
                }
                for n, at in enumerate(year)
            ],
        )
    began = time.monotonic()
    page = phone.get(f"/my-data?visit={phone.token()}")
    assert "The newest 20 of 10,000; the file has all." in words(page) and len(page.text) < 20_000
    document = json.loads(phone.get(f"/my-data.json?visit={phone.token()}").get_data())
    assert len(document["sessions"]) == 10_000
    delete(phone)
    assert time.monotonic() - began < 20
    assert rows(door, schema.session, device_id=device_id) == []
    days = {at.date() for at in year}
    assert len({session.device_id for session in rows(door, schema.session)}) == len(days) > forgetting.DAYS_MAX


def test_a_late_stop_still_finds_its_session(door: Door, phone: Phone, past: int) -> None:
    """Sent once more, it would otherwise begin a session, and with it know the device anew."""
    delete(phone)
    door.clock.forward(days=1)
    housekeep(door)
    with door.city.store.read() as conn:
        (found,) = accounting.load_many(conn, [(door.nas.id, "today")]).values()
    assert found.device_id != past and found.totals.seconds == 600
