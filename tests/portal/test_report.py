"""The officials' month: page, chart and CSV tell the same figures, small groups stay hidden, each look is noted."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from hotspot.ap_events import ApEvent, Kind
from hotspot.privacy import OFFICIALS_SMALLEST_GROUP
from hotspot.roles import Role
from hotspot.values import Octets
from portal.report.table import COLUMNS
from service.cities import City
from store import ap_events, audit, schema, watch
from tests.portal.hands import Door, Seat, words
from tests.portal.months import MONTH, crowd, in_chart, in_csv, on_page, totals


@pytest.fixture
def official(door: Door) -> Seat:
    return door.member(Role.OFFICIAL)


# The figures --------------------------------------------------------------------------------------------


def test_page_csv_and_chart_tell_the_same(official: Seat, city: City) -> None:
    crowd(city, date(2026, 10, 1), 7, sessions=9, seconds=3_601, octets=Octets(1_999_999, 500_000))
    crowd(city, date(2026, 10, 24), 12, sessions=30, seconds=59, octets=Octets(2_500_000_000, 1_000_000))
    crowd(city, date(2026, 10, 25), 40, sessions=41)
    crowd(city, date(2026, 10, 31), 5, sessions=5)
    header, *lines = in_csv(official)
    assert tuple(header) == COLUMNS
    assert lines == on_page(official)
    assert [line[0] for line in lines] == [f"2026-10-{day:02d}" for day in range(1, 32)]
    assert lines[0] == ["2026-10-01", "9", "7", "420", "13", "3"], "whole minutes and megabytes of all devices"
    assert lines[1] == ["2026-10-02", "0", "0", "0", "0", "0"]
    assert lines[23] == ["2026-10-24", "30", "12", "11", "30000", "12"]
    bars = in_chart(official, 31)
    assert {day: round(value) for day, value in bars.items()} == {n: int(line[2]) for n, line in enumerate(lines, 1)}


def test_totals_are_exact(official: Seat, city: City) -> None:
    crowd(city, date(2026, 10, 1), 600, sessions=2, seconds=7_200, octets=Octets(10_000_000, 1_000_000))
    crowd(city, date(2026, 10, 2), 634, sessions=1, seconds=1_800)
    crowd(city, date(2026, 9, 30), 50, sessions=50)
    crowd(city, date(2026, 11, 1), 50, sessions=50)
    assert totals(official) == {
        "Sessions": "3",
        "Device-days": "1,234",
        "Hours online": "1,517",
        "Received by devices": "6 GB",
        "Sent by devices": "0.6 GB",
        "Busiest day": "2026-10-02",
    }
    german = words(official.get(f"/report/{MONTH}", language="de"))
    assert "WLAN im Oktober 2026" in german
    assert "Gerätetage 1.234" in german


def test_a_month_in_which_nobody_came(official: Seat) -> None:
    assert [line[1:] for line in in_csv(official)[1:]] == [["0"] * 5] * 31
    assert on_page(official) == in_csv(official)[1:]
    assert totals(official)["Device-days"] == "0"
    assert "Busiest day" not in totals(official)
    assert set(in_chart(official, 31).values()) == {0.0}


# Small groups -------------------------------------------------------------------------------------------


def test_small_groups_are_nowhere(official: Seat, city: City) -> None:
    """Four is hidden and, so that it cannot be computed from the total, the next smallest day too; five is shown."""
    assert OFFICIALS_SMALLEST_GROUP == 5
    crowd(city, date(2026, 10, 1), 4, sessions=44)
    crowd(city, date(2026, 10, 2), 5, sessions=55)
    crowd(city, date(2026, 10, 3), 6, sessions=66)
    rows = on_page(official)
    assert rows == in_csv(official)[1:]
    assert rows[0] == ["2026-10-01"] + [""] * 5
    assert rows[1] == ["2026-10-02"] + [""] * 5
    assert rows[2][:3] == ["2026-10-03", "66", "6"]
    assert not {1, 2} & set(in_chart(official, 31)), "hidden days have no bar"
    page = official.get(f"/report/{MONTH}").text
    assert page.count(">·</text>") == 2
    assert not {"44", "55"} & {cell for row in rows for cell in row}
    assert totals(official)["Device-days"] == "15"


def test_two_small_days_hide_each_other(official: Seat, city: City) -> None:
    crowd(city, date(2026, 10, 1), 1)
    crowd(city, date(2026, 10, 2), 4)
    crowd(city, date(2026, 10, 3), 5)
    assert [row[2] for row in on_page(official)[:3]] == ["", "", "5"]


def test_a_month_of_four_devices_is_not_shown_at_all(official: Seat, city: City) -> None:
    crowd(city, date(2026, 10, 7), 4, sessions=4)
    assert totals(official) == {}
    assert "Too few devices in this month: figures about fewer than 5 are not shown." in words(
        official.get(f"/report/{MONTH}")
    )
    assert on_page(official)[6] == in_csv(official)[7] == ["2026-10-07"] + [""] * 5


# The file and the log -------------------------------------------------------------------------------------


def test_the_file_is_csv_with_a_name(official: Seat) -> None:
    answer = official.get(f"/report/{MONTH}.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="rostock-2026-10.csv"'
    assert answer.data.startswith(b"day,sessions,device_days,minutes,megabytes_down,megabytes_up\r\n")


def test_each_look_is_noted(door: Door, official: Seat) -> None:
    official.get(f"/report/{MONTH}")
    official.get("/report/2026-09.csv")
    with door.city.store.read() as conn:
        csv_look, page_look = audit.entries(conn, limit=2)
    assert (page_look.login, page_look.action, page_look.subject) == ("official", "report.month", MONTH)
    assert (csv_look.login, csv_look.action, csv_look.subject) == ("official", "report.csv", "2026-09")


# Places -------------------------------------------------------------------------------------------------


def test_an_outage_and_what_nobody_watched_stand_apart(official: Seat, city: City) -> None:
    """October in Rostock has 745 hours: one more than its days have."""
    began = datetime(2026, 9, 30, 22, tzinfo=UTC)
    with city.store.write() as conn:
        point_id = conn.execute(select(schema.access_point.c.id).order_by(schema.access_point.c.id)).scalars().first()
        assert point_id is not None
        conn.execute(update(schema.access_point).values(retired_at=began))
        alone = schema.access_point.c.id == point_id
        conn.execute(update(schema.access_point).where(alone).values(retired_at=None, created_at=began))
        turns = [(0, Kind.UP), (100, Kind.DOWN), (102, Kind.UP)]
        ap_events.add(conn, [ApEvent(point_id, began + timedelta(hours=hour), kind) for hour, kind in turns])
        watch.beat(conn, now=began, gap=timedelta(0))
        watch.beat(conn, now=began + timedelta(hours=700), gap=timedelta(hours=700))
    table = official.get(f"/report/{MONTH}").text.partition('class="places"')[2].partition("</table>")[0]
    (row,) = re.findall(r"<tr>(.*?)</tr>", table.partition("<tbody>")[2], re.DOTALL)
    cells = re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
    assert cells == ["1", "99.71 %", "120", "2,700"]
    assert "Minuten unbeobachtet" in words(official.get(f"/report/{MONTH}", language="de"))
