"""A month's rows, put straight into the store, and the three forms in which an official sees them, read back."""

from __future__ import annotations

import csv
import io
import os
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

from sqlalchemy import insert

from hotspot.values import NO_OCTETS, Octets
from portal.report.chart import BOTTOM, HEIGHT, LEFT, TOP, WIDTH
from service.cities import City
from store import schema
from tests.portal.hands import Seat

MONTH = "2026-10"
Row = list[str]


def crowd(
    city: City, day: date, devices: int, *, sessions: int = 0, seconds: int = 600, octets: Octets = NO_OCTETS
) -> None:
    """Devices on a day, each with its use of the day; `sessions` of them began then."""
    at = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
    use = {"day": day, "seconds": seconds, "octets_down": octets.down, "octets_up": octets.up}
    with city.store.write() as conn:
        added = insert(schema.device).returning(schema.device.c.id)
        ids = list(conn.execute(added, [_device(at) for _ in range(devices)]).scalars())
        conn.execute(insert(schema.usage_daily), [use | {"device_id": each} for each in ids])
        begun = [_session(ids[n % devices], day, at + timedelta(seconds=n)) for n in range(sessions)]
        if begun:
            conn.execute(insert(schema.session), begun)


def _device(at: datetime) -> dict[str, object]:
    sealed = {"mac_hash": os.urandom(32), "mac_sealed": b"", "key_period": "2026-10"}
    return sealed | {"first_seen_at": at, "last_seen_at": at}


def _session(device_id: int, day: date, at: datetime) -> dict[str, object]:
    counters = dict.fromkeys(("seconds", "segment_down", "segment_up", "finished_down", "finished_up"), 0)
    return counters | {
        "device_id": device_id,
        "nas_id": 1,
        "acct_session_id": os.urandom(8).hex(),
        "user_name": "ticket",
        "local_day": day,
        "started_at": at,
        "updated_at": at,
        "start_seen": True,
        "estimated": False,
    }


# Reading what an official sees ------------------------------------------------------------------------


def on_page(seat: Seat, month: str = MONTH) -> list[Row]:
    """The table's rows, without the signs that group digits."""
    body = seat.get(f"/report/{month}").text.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in body.split("</tr>")[:-1]]
    return [[unescape(cell).strip().replace(",", "").replace("·", "") for cell in row] for row in rows]


def in_csv(seat: Seat, month: str = MONTH) -> list[Row]:
    return list(csv.reader(io.StringIO(seat.get(f"/report/{month}.csv").text)))


def in_chart(seat: Seat, days: int, month: str = MONTH) -> dict[int, float]:
    """Each bar's day and value, read from its place and height and the scale's highest figure."""
    svg = seat.get(f"/report/{month}").text.partition("<svg")[2].partition("</svg>")[0]
    top = max(int(text) for text in re.findall(r'text-anchor="end">(\d+)<', svg))
    bars = re.findall(r'<rect class="bar" x="([\d.]+)" y="[\d.]+" width="[\d.]+" height="([\d.]+)"', svg)
    step, scale = (WIDTH - LEFT) / days, (HEIGHT - BOTTOM - TOP) / top
    return {round((float(x) - LEFT) / step + 1): float(height) / scale for x, height in bars}


def totals(seat: Seat, month: str = MONTH) -> dict[str, str]:
    page = seat.get(f"/report/{month}").text
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))
