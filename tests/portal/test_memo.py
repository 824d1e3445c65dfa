"""What pages keep of the database: never older than the database is, whoever changed it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from portal import memo
from portal.memo import Memo
from service.cities import City
from store import nases, schema
from store.store import Store
from tests.portal.hands import Door, Phone, words


@pytest.fixture
def elsewhere(city: City) -> Iterator[Store]:
    """Another process's hand on the same database."""
    url = city.store.engine.url.render_as_string(hide_password=False)
    store = Store.open(url, city.store.keys)
    yield store
    store.close()


def rename(store: Store, name: str) -> None:
    with store.write() as conn:
        conn.execute(update(schema.site).values(name=name))


@pytest.fixture
def asked(city: City) -> Callable[[], tuple[str, int]]:
    """In a request of its own: the name of the NAS's site by a memo, and how often the database was read so far."""
    app, kept, reads = Flask(__name__), Memo(city.store), [0]

    def read(conn: Any) -> str:
        reads[0] += 1
        return nases.nases(conn, city.store.keys)[0].site_name

    def ask() -> tuple[str, int]:
        with app.test_request_context():
            return kept.get("site", read), reads[0]

    return ask


def test_it_is_read_once_and_again_when_anything_was_committed(
    city: City, elsewhere: Store, asked: Callable[[], tuple[str, int]]
) -> None:
    first = asked()
    assert (first, asked(), asked()) == ((first[0], 1), (first[0], 1), (first[0], 1))
    rename(city.store, "Here")
    assert [asked(), asked()] == [("Here", 2), ("Here", 2)]
    rename(elsewhere, "There")
    assert [asked(), asked()] == [("There", 3), ("There", 3)]


def test_a_database_s_version_is_that_of_its_content(city: City, elsewhere: Store) -> None:
    seen = city.store.version()
    assert city.store.version() == seen
    for store in (city.store, elsewhere, city.store):
        rename(store, f"after {seen}")
        assert city.store.version() != seen
        seen = city.store.version()


def test_answers_are_kept_up_to_a_limit(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memo, "KEPT_MAX", 3)
    app, kept = Flask(__name__), Memo(city.store)
    with app.test_request_context():
        for number in range(10):
            assert kept.get(number, lambda _, number=number: number * 2) == number * 2  # type: ignore[misc]
            assert len(kept._kept) <= 3
        assert kept.get(9, lambda _: pytest.fail("it is kept")) == 18


def test_a_page_shows_what_was_changed_a_moment_ago(door: Door, phone: Phone, elsewhere: Store) -> None:
    assert phone.arrive().status_code == 200
    with elsewhere.write() as conn:
        conn.execute(update(schema.terms).values(title="A title of just now"))
    assert "A title of just now" in words(phone.arrive())
    with elsewhere.write() as conn:
        conn.execute(update(schema.nas).values(nas_identifier="renamed"))
    assert phone.get(phone.redirect(nasid="rostock-gw-0001")).status_code == 400
