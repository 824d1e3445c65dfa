"""Which months an official may open, and which days they have: the city's calendar, not the machine's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from hotspot.roles import Role
from hotspot.values import local_day
from service.cities import City
from store import audit
from tests.portal.hands import Clock, Door, Seat
from tests.portal.months import crowd, in_chart, in_csv, on_page

LAST_MOMENT = datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC)
"""Of October in the cities, which is an hour longer than 31 days."""


@pytest.fixture
def city(quick_city: City) -> City:
    return quick_city


@pytest.fixture
def official(door: Door) -> Seat:
    return door.member(Role.OFFICIAL)


@pytest.mark.parametrize("month", ["2026-12", "2027-01", "2027-11", "2099-12"])
@pytest.mark.parametrize("ending", ["", ".csv"])
def test_the_future_is_not_a_page(door: Door, official: Seat, month: str, ending: str) -> None:
    assert official.get(f"/report/{month}{ending}").status_code == 404
    with door.city.store.read() as conn:
        assert "report" not in {entry.action.partition(".")[0] for entry in audit.entries(conn, limit=100)}


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "2026-1", "1999-12", "x", "2026-10-01", "2026-10.csv.csv"])
def test_what_is_no_month_is_no_page(official: Seat, month: str) -> None:
    assert official.get(f"/report/{month}").status_code == 404


def test_the_month_under_way_ends_today(official: Seat, city: City) -> None:
    crowd(city, date(2026, 11, 23), 9, sessions=9)
    assert official.get("/report").location == "/report/2026-11"
    rows = on_page(official, "2026-11")
    assert len(rows) == 23
    assert rows == in_csv(official, "2026-11")[1:]
    assert in_chart(official, 30, "2026-11")[23] == pytest.approx(9, abs=0.05)
    page = official.get("/report/2026-11").text
    assert 'href="/report/2026-10"' in page
    assert 'href="/report/2026-12"' not in page
    assert 'href="/report/2026-11"' in official.get("/report/2026-10").text


@pytest.mark.parametrize(
    ("moment", "month"),
    [
        (LAST_MOMENT, "2026-10"),
        (LAST_MOMENT + timedelta(seconds=1), "2026-11"),
        (datetime(2026, 3, 31, 21, 59, 59, tzinfo=UTC), "2026-03"),
        (datetime(2026, 3, 31, 22, 0, 0, tzinfo=UTC), "2026-04"),
        (datetime(2026, 12, 31, 23, 0, 0, tzinfo=UTC), "2027-01"),
    ],
    ids=str,
)
def test_months_change_at_the_city_s_midnight(door: Door, clock: Clock, moment: datetime, month: str) -> None:
    clock.now = moment
    official = door.member(Role.OFFICIAL)
    assert official.get("/report").location == f"/report/{month}"
    today = local_day(moment, door.city.zone)
    assert [row[0] for row in on_page(official, month)] == [f"{month}-{n:02d}" for n in range(1, today.day + 1)]


@pytest.mark.parametrize(("month", "days"), [("2026-03", 31), ("2026-10", 31), ("2026-02", 28), ("2024-02", 29)])
def test_every_day_stands_there_once(official: Seat, month: str, days: int) -> None:
    """Also in the months whose clocks change."""
    assert [row[0] for row in on_page(official, month)] == [f"{month}-{n:02d}" for n in range(1, days + 1)]
    assert [row[0] for row in in_csv(official, month)[1:]] == [row[0] for row in on_page(official, month)]
