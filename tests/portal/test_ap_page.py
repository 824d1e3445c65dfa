"""One access point's page: identity, state, who is there, what happened, availability, charts and their tables."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from sqlalchemy import insert, update
from werkzeug.test import TestResponse

from hotspot.fleet import ApHealth, ApReading, PointKind, PollFailure
from hotspot.roles import Role
from store import fleet, schema
from store.health import save_healths
from tests.portal.hands import NOW, Door, Seat, add_session, words
from tests.support.aps import BSSID, enliven

PATH = "/staff/access-points/1"


@pytest.fixture
def admin(door: Door) -> Seat:
    return door.member(Role.ADMIN)


def section(page: TestResponse, heading: str) -> str:
    """What stands under a heading."""
    return re.sub("<[^>]*>", " ", page.text.split(f">{heading}</h2>")[1].split("<h2")[0])


def test_what_it_is_and_how_it_does(door: Door, admin: Seat) -> None:
    enliven(door.city, now=NOW)
    page = admin.get(PATH)
    told = words(page)
    for fact in ("U6-LR", "6.6.77", "127.2.1.1, port 1161", "24 %", "61 %", "51 °C", "for 9 days", "Neuer Markt"):
        assert fact in told
    radios = section(page, "Radios")
    for fact in ("2.4 GHz", "20 MHz", "41 %", "-91 dBm", "20 dBm", "48 GB", "80 MHz"):
        assert fact in radios
    assert "198 GB" in section(page, "Networks")
    assert "eth0" in page.text
    secrets = [point.credential.community for point in points(door)]
    assert not any(secret and secret in page.text for secret in secrets)


def points(door: Door) -> list[fleet.AccessPoint]:
    with door.city.store.read() as conn:
        return fleet.access_points(conn, door.city.store.keys)


def test_old_measurements_are_not_shown_as_if_they_were_now(door: Door, admin: Seat) -> None:
    enliven(door.city, now=NOW)
    with door.city.store.write() as conn:
        save_healths(conn, {1: ApHealth(False, NOW, NOW, NOW, PollFailure.AUTHENTICATION, None)})
    page = admin.get(PATH)
    assert "down : refuses our credentials" in words(page)
    assert "Radios" not in words(page) and "51 °C" not in page.text
    assert "U6-LR" in page.text, "what it is stays known"


def test_who_is_there_by_whatever_spelling_of_its_bssid(door: Door, admin: Seat) -> None:
    enliven(door.city, now=NOW)
    session_id = add_session(door.city)
    assert "None whose NAS" in section(admin.get(PATH), "Sessions there now")
    for spelling in (str(BSSID), "02:00:5e:aa:00:01", "0200.5EAA.0001", "02005eaa0001"):
        with door.city.store.write() as conn:
            here = update(schema.session).where(schema.session.c.id == session_id)
            conn.execute(here.values(bssid=spelling, ended_at=None))
        assert "Rostock-WLAN" in section(admin.get(PATH), "Sessions there now")
        assert "None whose NAS" in section(admin.get("/staff/access-points/2"), "Sessions there now")
    with door.city.store.write() as conn:
        conn.execute(update(schema.session).values(ended_at=NOW))
    assert "None whose NAS" in section(admin.get(PATH), "Sessions there now")


def test_what_happened_newest_first(door: Door, admin: Seat) -> None:
    enliven(door.city, now=NOW)
    happened = section(admin.get(PATH), "What happened")
    order = ["restarted", "up", "down", "other channel", "rai0", "36", "44", "other firmware", "6.6.55", "6.6.77"]
    places = [happened.index(word) for word in order]
    assert places == sorted(places)


def test_availability_tells_down_from_not_looked(door: Door, admin: Seat) -> None:
    """Of 7 days six were watched, less 90 minutes down."""
    enliven(door.city, now=NOW)
    told = " ".join(section(admin.get(PATH), "Availability").split())
    assert "7 days 98.96 % down 1 hour 30 minutes not looked 24 hours" in told
    assert "30 days 98.96 % down 1 hour 30 minutes not looked 2 days" in told, "before its first entry nobody knows"


def test_one_that_never_was_polled_has_a_page(admin: Seat) -> None:
    page = admin.get("/staff/access-points/6")
    assert "not polled yet" in words(page) and "Nothing was measured in this time." in words(page)
    assert "Nothing yet." in words(page)


# Charts -------------------------------------------------------------------------------------------------


def test_charts_have_gaps_bands_titles_and_tables(door: Door, admin: Seat) -> None:
    enliven(door.city, now=NOW)
    page = admin.get(PATH)
    titles = re.findall(r"<figcaption>([^<]*)</figcaption>", page.text)
    assert titles == ["Clients", "Channel utilisation (%)", "Throughput (Mbit/s)", "Processor and memory (%)"]
    clients = page.text.split("<figure")[1]
    lines = re.findall(r'<g class="line l(\d)">(.*?)</g>', clients.split("</svg>")[0])
    assert [(number, pieces.count("<polyline")) for number, pieces in lines] == [("0", 3), ("1", 3)]
    assert (clients.count('<rect class="down"'), clients.count('<rect class="blind"')) == (1, 1)
    assert '<title id="clients-title">Clients, last day</title>' in clients
    assert 'aria-labelledby="clients-title clients-desc"' in clients and "Latest, ra0 (2.4 GHz): 5." in clients
    rows = [re.sub("<[^>]*>", " ", row).split() for row in clients.split("<tbody>")[1].split("<tr>")[1:]]
    assert len(rows) == 24
    assert ["the", "monitor", "did", "not", "look"] in [row[1:] for row in rows]
    assert ["down"] in [row[1:] for row in rows]


def test_the_week_is_another_look(door: Door, admin: Seat) -> None:
    enliven(door.city, now=NOW)
    page = admin.get(f"{PATH}?days=7")
    assert "Means of 35 minutes." in words(page) and "Clients, last week" in words(page)
    assert "Wed 18" in page.text
    assert admin.get(f"{PATH}?days=9999").status_code == 200


def test_before_it_was_there_nobody_had_to_look(door: Door, admin: Seat) -> None:
    enliven(door.city, now=NOW)
    with door.city.store.write() as conn:
        conn.execute(update(schema.access_point).values(created_at=NOW - timedelta(hours=19)))
    (band,) = re.findall(r'<rect class="blind" x="([\d.]*)"', admin.get(PATH).text.split("<figure")[1])
    assert float(band) == pytest.approx(40 + 272 * 5 / 24, abs=1.5), "from when it was there, not two hours earlier"


def test_a_device_without_radios_has_its_own_total(door: Door, admin: Seat) -> None:
    enliven(door.city, now=NOW)
    with door.city.store.write() as conn:
        save_healths(conn, {2: ApHealth(True, NOW, NOW, NOW, None, ApReading(at=NOW, clients_told=5))})
    page = admin.get("/staff/access-points/2")
    assert "Clients 5" in words(page) and "Radios" not in words(page)


def test_a_week_of_a_poll_a_minute_is_drawn_quickly(door: Door, admin: Seat) -> None:
    """A tenth of a second here; the bound is for a machine that does other things besides."""
    enliven(door.city, now=NOW, step=timedelta(minutes=1))
    spans = []
    for _ in range(3):
        began = time.perf_counter()
        assert admin.get(f"{PATH}?days=7").status_code == 200
        spans.append(time.perf_counter() - began)
    assert min(spans) < 3


# Controllers and others -----------------------------------------------------------------------------------


def test_a_controller_leads_to_those_behind_it_and_back(door: Door, admin: Seat) -> None:
    table = schema.access_point
    with door.city.store.write() as conn:
        conn.execute(update(table).where(table.c.id == 1).values(kind=PointKind.CONTROLLER.value))
        behind = {"kind": PointKind.MEMBER.value, "controller_id": 1, "member_key": "00:11", "address": ""}
        conn.execute(update(table).where(table.c.id == 2).values(**behind))
        save_healths(conn, {1: ApHealth(False, NOW, NOW, None, PollFailure.TIMEOUT, None)})
        save_healths(conn, {2: ApHealth(True, NOW, NOW, NOW, None, ApReading(at=NOW, firmware="9.9"))})
    assert '<a href="/staff/access-points?controller=1">1</a>' in admin.get(PATH).text
    member = admin.get("/staff/access-points/2")
    assert "unknown : its controller does not answer" in words(member)
    assert "00:11" in member.text and '<a href="/staff/access-points/1">neuer-markt-1</a>' in member.text


@pytest.mark.parametrize("number", ["0", "999", "9223372036854775808", "x", "-1"])
def test_an_access_point_of_nothing_is_no_page(admin: Seat, number: str) -> None:
    assert admin.get(f"/staff/access-points/{number}").status_code == 404


def test_the_page_says_when_the_monitor_is_blind(door: Door, admin: Seat) -> None:
    with door.city.store.write() as conn:
        began = NOW - timedelta(hours=2)
        conn.execute(insert(schema.monitor_watch).values(began_at=began, last_at=NOW - timedelta(hours=1)))
    assert "The monitor has not looked since 23 Nov 2026, 12:00." in words(admin.get(PATH))
