"""Access points with life in them, as rows: a fleet as a week of polls leaves it, for pages and their pictures."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update

from hotspot.ap_events import ApEvent, Kind
from hotspot.ap_history import Point, RadioPoint
from hotspot.fleet import ApHealth, ApReading, Band, InterfaceReading, PollFailure, RadioReading, SsidReading
from hotspot.values import MacAddress, Octets
from service.cities import City
from store import ap_events, ap_history, schema
from store.health import save_healths
from store.store import Connection

BSSID = MacAddress.parse("02-00-5E-AA-00-01")
MINUTE = timedelta(minutes=1)


def reading(at: datetime) -> ApReading:
    """Of a busy access point with two radios."""
    return ApReading(
        at=at,
        system_name="neuer-markt-1",
        model="U6-LR",
        firmware="6.6.77",
        serial="74ACB9000001",
        uptime_seconds=9 * 86_400.0,
        cpu_ratio=0.237,
        memory_ratio=0.61,
        temperature_celsius=51.0,
        radios=(
            RadioReading("ra0", Band.GHZ_2_4, 11, 4, 0.41, 20, Octets(48_000_000_000, 6_000_000_000), 20, -91),
            RadioReading("rai0", Band.GHZ_5, 44, 9, 0.18, 23, Octets(150_000_000_000, 21_000_000_000), 80, -97),
        ),
        ssids=(SsidReading("Rostock-WLAN", 13, Octets(198_000_000_000, 27_000_000_000)),),
        interfaces=(
            InterfaceReading("eth0", True, 27_000_000_000, 199_000_000_000, 0),
            InterfaceReading("eth1", False, 0, 0, 0),
        ),
    )


def polls(
    since: datetime,
    until: datetime,
    *,
    down: tuple[datetime, datetime],
    blind: tuple[datetime, datetime],
    step: timedelta,
) -> list[Point]:
    """One a `step`, busier by day; down in one stretch, not looked at in another."""
    found, octets_down, octets_up, at, minutes = [], 0, 0, since, step / MINUTE
    while at < until:
        crowd = max(0.0, math.sin((at.hour * 60 + at.minute - 360) / 1440 * 2 * math.pi)) ** 0.7
        octets_down, octets_up = octets_down + int(9e7 * crowd * minutes), octets_up + int(1.2e7 * crowd * minutes)
        if not blind[0] <= at < blind[1]:
            if down[0] <= at < down[1]:
                found.append(Point(at, up=False))
            else:
                noise = 0.08 * math.sin(at.timestamp() / 500)
                radios = (
                    RadioPoint("ra0", round(5 * crowd), 11, 0.15 + 0.4 * crowd + noise, -91),
                    RadioPoint("rai0", round(14 * crowd + noise), 44, 0.05 + 0.25 * crowd + noise / 2, -97),
                )
                clients = sum(radio.clients or 0 for radio in radios)
                found.append(
                    Point(at, True, clients, 0.1 + 0.3 * crowd, 0.6 + noise / 5, octets_down, octets_up, radios)
                )
        at += step
    return found


def enliven(city: City, *, now: datetime, step: timedelta = 5 * MINUTE) -> None:
    """Rostock's six: one with a week of history, one down for hours, one since a minute, one new, the rest up."""
    with city.store.write() as conn:
        ids = dict(conn.execute(select(schema.access_point.c.name, schema.access_point.c.id)).all())
        conn.execute(update(schema.access_point).values(created_at=now - timedelta(days=40)))
        conn.execute(insert(schema.monitor_watch).values(began_at=now - timedelta(days=6), last_at=now))
        for name in ("neuer-markt-1", "neuer-markt-2", "warnemuende-1"):
            well = ApHealth(True, now, now - timedelta(days=9), now, None, reading(now))
            save_healths(conn, {ids[name]: well})
        for name, ago in (("stadthafen-1", timedelta(hours=30)), ("stadthafen-2", timedelta(minutes=1))):
            gone = ApHealth(False, now, now - ago, now - ago, PollFailure.TIMEOUT, None)
            save_healths(conn, {ids[name]: gone})
        _history(conn, ids["neuer-markt-1"], now, step)
        conn.execute(insert(schema.access_point_bssid).values(bssid=str(BSSID), access_point_id=1, seen_at=now))


def _history(conn: Connection, point_id: int, now: datetime, step: timedelta) -> None:
    down = (now - timedelta(hours=9), now - timedelta(hours=7, minutes=30))
    blind = (now - timedelta(hours=20), now - timedelta(hours=18))
    points = polls(now - timedelta(days=8), now, down=down, blind=blind, step=step)
    hours: dict[datetime, list[Point]] = {}
    for point in points:
        hours.setdefault(point.at.replace(minute=0, second=0, microsecond=0), []).append(point)
    for hour, kept in hours.items():
        ap_history.save(conn, point_id, hour, kept)
    ap_events.add(
        conn,
        [
            ApEvent(point_id, now - timedelta(days=8), Kind.UP),
            ApEvent(point_id, now - timedelta(days=5), Kind.FIRMWARE, before="6.6.55", after="6.6.77"),
            ApEvent(point_id, now - timedelta(days=2), Kind.CHANNEL, before="36", after="44", radio="rai0"),
            ApEvent(point_id, down[0], Kind.DOWN),
            ApEvent(point_id, down[1], Kind.UP),
            ApEvent(point_id, down[1], Kind.REBOOT),
        ],
    )
