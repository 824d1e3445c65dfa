"""Accounts in the store: found by a keyed hash, gone without a trace of whose they were."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select

from hotspot.plan import Way
from service.cities import City
from store import accounts, schema
from store.store import Connection
from tests.conftest import NOW
from tests.support.rows import add_device, add_plan, all_rows

ADDRESS = "hanna.lind@example.org"
ISSUER, SUBJECT = "https://login.library.example", "person-4711"
DAY = timedelta(days=1)


def register(conn: Connection, city: City, address: str = ADDRESS, **changes: Any) -> int:
    values = {"password_hash": "$argon2id$1", "language": "de", "now": NOW} | changes
    account_id = accounts.register(conn, city.store.keys, address, **values)
    assert account_id is not None
    return account_id


def grant_with(city: City, account_id: int, **changes: Any) -> int:
    values: dict[str, Any] = {
        "device_id": add_device(city.store, "02-00-5E-10-00-0A", now=NOW),
        "plan_id": add_plan(city.store, Way.ACCOUNT),
        "account_id": account_id,
        "terms_id": 1,
        "way": "account",
        "granted_at": NOW,
        "until_at": NOW + DAY,
        "remember_until": NOW + DAY,
        "remembered": True,
    }
    with city.store.write() as conn:
        return int(
            conn.execute(insert(schema.grant).values(values | changes).returning(schema.grant.c.id)).scalar_one()
        )


def grant_of(conn: Connection, grant_id: int) -> Any:
    return conn.execute(select(schema.grant).where(schema.grant.c.id == grant_id)).one()


def test_an_account_is_found_by_its_address_which_nobody_reads(city: City) -> None:
    with city.store.write() as conn:
        account_id = register(conn, city)
        found = accounts.find(conn, city.store.keys, ADDRESS)
    assert found is not None and found.id == account_id and found.confirmed_at is None
    assert found.address(city.store.keys) == ADDRESS
    stored = repr(all_rows(city.store)["account"])
    assert "hanna" not in stored and "example" not in stored
    with city.store.read() as conn:
        assert accounts.find(conn, city.store.keys, "another@example.org") is None


def test_an_address_is_registered_once(city: City) -> None:
    with city.store.write() as conn:
        first = register(conn, city)
        second = accounts.register(conn, city.store.keys, ADDRESS, password_hash="$argon2id$2", language="en", now=NOW)
        assert second is None
        accounts.register_anew(conn, first, password_hash="$argon2id$3", language="en", now=NOW + DAY)
        found = accounts.by_id(conn, first)
        assert found is not None and found.password_hash == "$argon2id$3" and found.created_at == NOW + DAY
        accounts.confirm(conn, first, now=NOW)
        accounts.register_anew(conn, first, password_hash="$argon2id$4", language="de", now=NOW)
        found = accounts.by_id(conn, first)
        assert found is not None and found.password_hash == "$argon2id$3"


def test_a_subject_has_one_account_at_its_issuer(city: City) -> None:
    def of(issuer: str, subject: str) -> int:
        with city.store.write() as conn:
            return accounts.of_subject(conn, city.store.keys, issuer, subject, language="de", now=NOW)

    assert of(ISSUER, SUBJECT) == of(ISSUER, SUBJECT)
    assert len({of(ISSUER, SUBJECT), of(ISSUER, "another"), of("https://another.example", SUBJECT)}) == 3


def test_a_new_password_ends_the_remembering_and_no_session(city: City) -> None:
    with city.store.write() as conn:
        account_id = register(conn, city)
    grant_id = grant_with(city, account_id)
    with city.store.write() as conn:
        accounts.set_password(conn, account_id, "$argon2id$2")
        grant = grant_of(conn, grant_id)
    assert not grant.remembered and grant.remember_until is None and grant.ended_at is None
    assert grant.account_id == account_id


def test_deleting_leaves_grants_that_are_over_and_nobodys(city: City) -> None:
    with city.store.write() as conn:
        account_id = register(conn, city)
    grant_id, earlier = grant_with(city, account_id), NOW - DAY
    with city.store.write() as conn:
        values = {each: getattr(grant_of(conn, grant_id), each) for each in ("device_id", "plan_id", "terms_id")}
        values |= {"way": "account", "granted_at": earlier, "until_at": NOW, "ended_at": earlier}
        old = conn.execute(
            insert(schema.grant).values(account_id=account_id, **values).returning(schema.grant.c.id)
        ).scalar_one()
        assert accounts.delete(conn, account_id, now=NOW)
        assert not accounts.delete(conn, account_id, now=NOW)
        ended, before = grant_of(conn, grant_id), grant_of(conn, old)
    assert ended.account_id is None and ended.ended_at == NOW and not ended.remembered
    assert before.account_id is None and before.ended_at == earlier
    assert all_rows(city.store)["account"] == []


def test_what_nobody_confirmed_or_used_is_purged(city: City) -> None:
    with city.store.write() as conn:
        kept = register(conn, city, "kept@example.org")
        accounts.confirm(conn, kept, now=NOW)
        accounts.note_use(conn, kept, language="de", now=NOW - 10 * DAY)
        unused = register(conn, city, "unused@example.org", now=NOW - 400 * DAY)
        accounts.confirm(conn, unused, now=NOW - 400 * DAY)
        register(conn, city, "unconfirmed@example.org", now=NOW - 2 * DAY)
        waiting = register(conn, city, "waiting@example.org", now=NOW - DAY / 2)
    with city.store.write() as conn:
        gone = accounts.purge(conn, unconfirmed_since=NOW - DAY, unused_since=NOW - 365 * DAY, now=NOW)
        left = conn.execute(select(schema.account.c.id)).scalars().all()
    assert gone == 2 and set(left) == {kept, waiting}
