"""One-time codes in the database: found by device and hash, counted for the limits, and gone when they should be."""

from __future__ import annotations

from datetime import timedelta

from hotspot.codes import DAY
from hotspot.plan import Way
from hotspot.values import MacAddress
from monitor.housekeeping import JOBS, run
from monitor.instruments import Instruments
from service.cities import City
from store import codes, messages, residents
from store.messages import Kind
from tests.conftest import NOW

ADDRESS = "Erika@example.org"
SOON = NOW + timedelta(minutes=15)


def a_code(city: City, octet: int = 1, *, code: str = "123456", address: str = ADDRESS, way: Way = Way.EMAIL) -> int:
    """A device with a code; returns the device."""
    keys = city.store.keys
    with city.store.write() as conn:
        device_id = residents.note_device(conn, keys, MacAddress(bytes((2, 0, 0, 0, 0, octet))), now=NOW)
        told = {"recipient": address, "text": code, "expires_at": SOON, "now": NOW}
        message_id = messages.add(conn, keys, Kind.EMAIL, **told)  # type: ignore[arg-type]
        codes.add(
            conn,
            keys,
            device_id=device_id,
            way=way,
            address=address,
            code=code,
            message_id=message_id,
            expires_at=SOON,
            now=NOW,
        )
    return device_id


def test_a_code_is_found_for_its_own_device_and_way_alone(city: City) -> None:
    device, other = a_code(city), a_code(city, 2)
    with city.store.read() as conn:
        (mine,) = codes.of_device(conn, device, Way.EMAIL, now=NOW)
        (its,) = codes.of_device(conn, other, Way.EMAIL, now=NOW)
        assert not codes.of_device(conn, device, Way.SMS, now=NOW)
        assert not codes.of_device(conn, device, Way.EMAIL, now=SOON)
    keys = city.store.keys
    assert mine.code_hash in codes.hashes_of(keys, device, "123456")
    assert its.code_hash not in codes.hashes_of(keys, device, "123456"), "the same digits are another device's code"


def test_what_was_asked_is_counted_by_device_address_and_city(city: City) -> None:
    device = a_code(city)
    a_code(city, 2, address=ADDRESS.lower())
    a_code(city, 3, address="other@example.org")
    a_code(city, 1, way=Way.SMS)
    with city.store.read() as conn:
        asked = codes.asked(conn, city.store.keys, device_id=device, way=Way.EMAIL, address=ADDRESS, since=NOW - DAY)
        later = codes.asked(conn, city.store.keys, device_id=device, way=Way.EMAIL, address=ADDRESS, since=NOW)
    assert (asked.by_device, len(asked.to_address), asked.in_city) == ([NOW], 2, 3)
    assert (later.by_device, later.to_address, later.in_city) == ([], [], 0)


def test_a_wrong_guess_counts_against_the_unused_codes_of_that_device(city: City) -> None:
    device, other = a_code(city), a_code(city, 2)
    a_code(city, code="654321")
    with city.store.write() as conn:
        used = codes.of_device(conn, device, Way.EMAIL, now=NOW)[0]
        codes.use(conn, used.id, until=NOW + timedelta(days=2), now=NOW)
        codes.note_wrong(conn, device, Way.EMAIL, now=NOW)
    with city.store.read() as conn:
        mine = {each.id: each.attempts for each in codes.of_device(conn, device, Way.EMAIL, now=NOW)}
        its = [each.attempts for each in codes.of_device(conn, other, Way.EMAIL, now=NOW)]
    assert mine.pop(used.id) == 0 and list(mine.values()) == [1] and its == [0]


def test_codes_go_when_they_neither_admit_nor_count_and_messages_after_them(city: City) -> None:
    device = a_code(city)
    a_code(city, 2)
    with city.store.write() as conn:
        (code,) = codes.of_device(conn, device, Way.EMAIL, now=NOW)
        codes.use(conn, code.id, until=NOW + timedelta(days=2), now=NOW)
    jobs = {job.name: job for job in JOBS}
    instruments = Instruments(city.registry)

    def rows(name: str, after: timedelta) -> int | None:
        return run(jobs[name], city, instruments, holder="a", now=NOW + after)

    assert rows("purge-codes", DAY) == 0, "it still counts for the limits"
    assert rows("purge-messages", timedelta(minutes=15)) == 2, "both are given up, unsent"
    assert rows("purge-codes", DAY * 1.5) == 1, "the used one is good for two days"
    assert rows("purge-messages", DAY * 1.5) == 1
    assert rows("purge-codes", DAY * 3) == 1
    assert rows("purge-messages", DAY * 3) == 1


def test_a_device_goes_with_its_codes(city: City) -> None:
    a_code(city)
    with city.store.write() as conn:
        assert residents.purge_devices(conn, unseen_since=NOW + timedelta(days=1)) == 1
