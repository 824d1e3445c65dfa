"""What came in from where: sums, an order, few rows, and no NAS pushed out by strangers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from service.cities import City
from store import arrivals, fleet
from store.arrivals import ARRIVALS_KEPT, ARRIVALS_MAX, STRANGERS_MAX, Arrival
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


def test_the_newest_stay_and_strangers_push_no_nas_out(city: City) -> None:
    of_nas = [replace(STRANGER, source=f"10.0.0.{n}", verdict="ok", nas_id=1) for n in range(100)]
    note(city.store, *of_nas)
    for second in range(1, 5):
        at = NOON + timedelta(seconds=second)
        crowd = [replace(STRANGER, source=f"192.0.{second}.{n}", first_at=at, last_at=at) for n in range(100)]
        note(city.store, *crowd)
    kept = recent(city.store)
    strangers = [each for each in kept if each.nas_id is None]
    assert len(kept) == len(of_nas) + STRANGERS_MAX <= ARRIVALS_MAX
    assert min(each.last_at for each in strangers) == NOON + timedelta(seconds=3)
    late = NOON + timedelta(minutes=1)
    note(city.store, *(replace(STRANGER, source=f"10.1.{n}.1", nas_id=1, last_at=late) for n in range(ARRIVALS_MAX)))
    assert [each.last_at for each in recent(city.store)] == [late] * ARRIVALS_MAX


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
        nas = next(each for each in fleet.nases(conn, city.store.keys) if each.id == 1)
    assert nas.message_authenticator_at == learned
