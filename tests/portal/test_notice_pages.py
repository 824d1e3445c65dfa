"""The staff's page of notices: from the form to the residents' pages, and back by a button."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hotspot.notices import OPEN_MAX
from hotspot.roles import Role
from store import audit, notices, schema
from tests.portal.hands import Door, Phone, Seat, words


@pytest.fixture
def admin(door: Door) -> Seat:
    return door.member(Role.ADMIN)


def test_a_notice_is_shown_at_once_and_ended_by_a_button(door: Door, admin: Seat, phone: Phone) -> None:
    assert admin.send("/staff/notices", {"text_de": "Störung", "text_en": "Outage"}).status_code == 303
    assert "Outage" in words(phone.arrive())
    page = admin.get("/staff/notices")
    assert "Outage" in words(page) and "the whole city" in words(page)
    assert admin.send("/staff/notices/1/end").status_code == 303
    assert "Outage" not in words(phone.arrive())
    assert admin.send("/staff/notices/1/end").status_code == 404
    with door.city.store.read() as conn:
        assert [entry.action for entry in audit.entries(conn, limit=2)] == ["notice.end", "notice.add"]


def test_its_times_are_the_city_s(door: Door, admin: Seat) -> None:
    fields = {"text_de": "x", "from_at": "2026-11-25T08:00", "until_at": "2026-11-25T18:30", "site": "1"}
    assert admin.send("/staff/notices", fields).status_code == 303
    with door.city.store.read() as conn:
        (one,) = notices.some_notices(conn, limit=9)
    assert (one.from_at, one.until_at) == (
        datetime(2026, 11, 25, 7, tzinfo=UTC),
        datetime(2026, 11, 25, 17, 30, tzinfo=UTC),
    )
    assert one.site_id == 1


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"text_en": "only English"},
        {"text_de": "x" * 501},
        {"text_de": "x", "until_at": "2026-01-01T00:00"},
        {"text_de": "x", "from_at": "soon"},
        {"text_de": "x", "from_at": "2026-11-25T08:00", "until_at": "2026-11-25T08:00"},
    ],
)
def test_what_will_not_do_is_said_and_kept_in_the_form(door: Door, admin: Seat, fields: dict[str, str]) -> None:
    answer = admin.send("/staff/notices", fields)
    assert answer.status_code == 422
    assert "A notice has a text in Deutsch" in words(answer)
    assert door.count(schema.notice) == 0


def test_a_place_that_is_none_has_no_notice(admin: Seat) -> None:
    assert admin.send("/staff/notices", {"text_de": "x", "site": "999"}).status_code == 404


def test_a_city_has_so_many_and_no_more(door: Door, admin: Seat) -> None:
    for _ in range(OPEN_MAX):
        assert admin.send("/staff/notices", {"text_de": "x"}).status_code == 303
    assert admin.send("/staff/notices", {"text_de": "x"}).status_code == 422
    assert admin.send("/staff/notices/1/end").status_code == 303
    assert admin.send("/staff/notices", {"text_de": "x"}).status_code == 303
