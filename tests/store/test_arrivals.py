"""What came in from where: sums, an order, few rows, and no NAS pushed out by strangers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from service.cities import City
from store import arrivals, nases
from store.arrivals import ARRIVALS_KEPT, ARRIVALS_MAX, OF_ONE_NAS_MAX, STRANGERS_MAX, Arrival
from store.store import Store

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
STRANGER = Arrival("198.51.100.7", "auth", "who", "unknown_client", None, 1, NOON, NOON)


def note(store: Store, *noted: Arrival) -> None:
    with store.write() as conn:
        arrivals.note_many(conn, noted)


def recent(store: Store, *, since: datetime = NOON - timedelta(days=365), limit: int = 1_000) -> list[Arrival]:
    with store.read() as conn:
        return arrivals.recent(conn, since=since, limit=limit)


def test_packets_add_up_and_the_last_time_moves(city_store: Store) -> None:
    later = NOON + timedelta(seconds=5)
    note(city_store)
    note(city_store, STRANGER, replace(STRANGER, port="acct"))
    note(city_store, replace(STRANGER, packets=4, first_at=later, last_at=later))
    assert recent(city_store) == [replace(STRANGER, packets=5, last_at=later), replace(STRANGER, port="acct")]
    assert recent(city_store, limit=1) == [replace(STRANGER, packets=5, last_at=later)]
    assert recent(city_store, since=later) == [replace(STRANGER, packets=5, last_at=later)]


def crowd(second: int, **changes: object) -> list[Arrival]:
    """A hundred arrivals of that second, from as many addresses."""
    at = NOON + timedelta(seconds=second)
    base = replace(STRANGER, first_at=at, last_at=at, **changes)
    return [replace(base, source=f"192.0.{second}.{number}") for number in range(100)]


def nas_ids(city: City, count: int) -> list[int]:
    with city.store.write() as conn:
        return [
            nases.add_nas(
                conn,
                city.store.keys,
                secret=b"",
                uam_secret=b"",
                site_id=1,
                name=f"nas {number}",
                nas_identifier=f"nas-{number}",
                address=f"10.0.0.{number}",
                product="standard",
                login_url="",
                coa_port=0,
                require_message_authenticator="yes",
                octets_swapped=False,
                created_at=NOON,
            )
            for number in range(count)
        ]


def test_a_flood_pushes_no_nas_out(city: City) -> None:
    """Neither one from random addresses, nor one from random addresses of a NAS's network."""
    quiet = [replace(STRANGER, source=f"10.0.0.{n}", verdict="ok", nas_id=n) for n in nas_ids(city, 90)]
    note(city.store, *quiet)
    for second in range(1, 5):
        note(city.store, *crowd(second))
        note(city.store, *crowd(second, nas_id=1, verdict="bad_message_authenticator"))
    kept = recent(city.store)
    assert {each for each in kept if each.verdict == "ok"} == set(quiet)
    assert Counter(each.verdict for each in kept) == {
        "ok": len(quiet),
        "unknown_client": STRANGERS_MAX,
        "bad_message_authenticator": OF_ONE_NAS_MAX,
    }
    assert min(each.last_at for each in kept if each.verdict == "unknown_client") == NOON + timedelta(seconds=3)


def test_only_the_newest_stay(city: City) -> None:
    ids = nas_ids(city, 20)
    for second, nas_id in enumerate(ids):
        note(city.store, *crowd(second, nas_id=nas_id))
    kept = recent(city.store)
    assert len(kept) == ARRIVALS_MAX
    assert Counter(each.nas_id for each in kept) == dict.fromkeys(ids[-8:], OF_ONE_NAS_MAX)


def test_old_ones_go(city_store: Store) -> None:
    note(city_store, STRANGER)
    later = NOON + ARRIVALS_KEPT + timedelta(seconds=1)
    note(city_store, replace(STRANGER, source="192.0.2.1", first_at=later, last_at=later))
    assert [each.source for each in recent(city_store)] == ["192.0.2.1"]


def test_a_nas_that_is_gone_breaks_nothing_and_a_removed_one_is_not_shown(city: City) -> None:
    note(city.store, replace(STRANGER, nas_id=987_654), replace(STRANGER, source="10.0.0.1", nas_id=1))
    assert {each.nas_id for each in recent(city.store)} == {None, 1}
    with city.store.write() as conn:
        conn.execute(text("UPDATE nas SET removed_at = 1 WHERE id = 1"))
    assert [each.nas_id for each in recent(city.store)] == [None]


@pytest.mark.parametrize(("setting", "learned"), [("auto", NOON), ("yes", None), ("no", None)])
def test_learning_is_for_auto_and_keeps_its_first_time(city: City, setting: str, learned: datetime | None) -> None:
    with city.store.write() as conn:
        conn.execute(text("UPDATE nas SET require_message_authenticator = :to"), {"to": setting})
        arrivals.learn_message_authenticator(conn, {1}, now=NOON)
        arrivals.learn_message_authenticator(conn, {1}, now=NOON + timedelta(hours=1))
        arrivals.learn_message_authenticator(conn, set(), now=NOON)
        nas = next(each for each in nases.nases(conn, city.store.keys) if each.id == 1)
    assert nas.message_authenticator_at == learned
