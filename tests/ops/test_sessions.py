"""`kogge sessions`: what is listed, how it reads on a terminal and in a pipe, and the document for scripts."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import signal
import sqlite3
import struct
import subprocess
import termios
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import IO
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console
from sqlalchemy import select, update

from hotspot.values import MacAddress, Octets
from ops.session_screen import WIDE, Listing, Rates, document, listing_screen, live_screen, state_of
from ops.sessions import Wish, read
from ops.supervisor import kogge as kogge_command
from service.cities import City, open_city
from store import bssids
from store.schema import access_point
from store.schema import nas as nas_table
from store.sessions import Place, SessionView
from store.store import Store
from tests.conftest import NOW
from tests.ops.conftest import Kogge
from tests.support.installation import Written
from tests.support.rows import MINUTE, add_device, add_session

BERLIN = ZoneInfo("Europe/Berlin")
MAC = "02-00-5E-10-00-0A"
ALL = Wish(Place(), 100)


def view(**changes: object) -> SessionView:
    """An open session of ten minutes."""
    values: dict[str, object] = {
        "id": 7,
        "device_id": 1,
        "nas_name": "rostock-gateway",
        "site_key": "neuer-markt",
        "site_name": "Neuer Markt",
        "plan_name": "Kostenlos",
        "ssid": "Rostock-WLAN",
        "started_at": NOW - 10 * MINUTE,
        "updated_at": NOW - MINUTE,
        "ended_at": None,
        "seconds": 540,
        "octets": Octets(1_500_000, 20_000),
        "terminate_cause": None,
        "estimated": False,
        "disconnect": None,
        "error_cause": None,
    }
    return SessionView(**(values | changes))  # type: ignore[arg-type]


def listing(*views: SessionView, is_open: int | None = None) -> Listing:
    return Listing("rostock", BERLIN, NOW, NOW - 60 * MINUTE, len(views) if is_open is None else is_open, 0, views)


def printed(screen: object, width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(screen)
    return out.getvalue()


# Which sessions, on both databases -------------------------------------------------------------------


def fill(store: Store, *, now: datetime) -> dict[str, int]:
    """Sessions of five devices, by what they are."""
    devices = [add_device(store, f"02-00-5E-10-00-0{digit}", now=now) for digit in range(5)]
    octets = {"segment_down": 5_000_000_000, "finished_down": 1, "segment_up": 7}
    return {
        "old": add_session(store, devices[0], started_at=now - 300 * MINUTE, ended_at=now - 61 * MINUTE),
        "long": add_session(store, devices[1], started_at=now - 200 * MINUTE, **octets),
        "ended": add_session(
            store, devices[2], started_at=now - 90 * MINUTE, ended_at=now - 59 * MINUTE, terminate_cause="Idle-Timeout"
        ),
        "new": add_session(store, devices[3], started_at=now - 2 * MINUTE),
        "first": add_session(store, devices[4], started_at=now - 250 * MINUTE),
    }


def test_open_ones_and_those_that_ended_within_the_hour_are_listed_newest_first(city: City) -> None:
    ids = fill(city.store, now=NOW)
    found = read(city, ALL, now=NOW)
    assert [each.id for each in found.sessions] == [ids[name] for name in ("new", "ended", "long", "first")]
    assert (found.is_open, found.ended) == (3, 1)
    assert found.sessions[2].octets == Octets(5_000_000_001, 7)


def test_a_limit_keeps_the_newest_and_the_counts(city: City) -> None:
    ids = fill(city.store, now=NOW)
    found = read(city, Wish(Place(), 1), now=NOW)
    assert [each.id for each in found.sessions] == [ids["new"]]
    assert (found.is_open, found.ended) == (3, 1)
    assert "3 older ones are not shown." in printed(listing_screen(found, width=80), 80)


@pytest.mark.parametrize(
    ("place", "count"),
    [
        (Place("rostock-gateway"), 3),
        (Place(site_key="neuer-markt"), 3),
        (Place("rostock-gateway", "neuer-markt"), 3),
        (Place("nowhere"), 0),
        (Place("rostock-gateway", "nowhere"), 0),
    ],
)
def test_a_nas_and_a_site_narrow_the_list_and_its_counts(place: Place, count: int, city: City) -> None:
    fill(city.store, now=NOW)
    found = read(city, Wish(place, 100), now=NOW)
    assert found.is_open == len([each for each in found.sessions if each.ended_at is None]) == count


# How it reads ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, WIDE, 120])
def test_a_line_stays_a_line_and_fits(width: int) -> None:
    views = [
        view(id=1_000_000, nas_name="a-gateway-with-a-very-long-name-indeed", site_name="Am Alten Hafen " * 4),
        view(disconnect="unanswered", started_at=NOW - timedelta(days=3)),
    ]
    for screen in (
        listing_screen(listing(*views), width=width),
        live_screen(listing(*views), Rates(), width=width, rows=9),
    ):
        lines = printed(screen, width).splitlines()
        assert len([line for line in lines if re.match(r" *(1000000|7) ", line)]) == 2
        assert max(len(line.rstrip()) for line in lines) <= width
        assert any("1000000" in line and "a-gateway" in line and "online" in line for line in lines)


def test_site_and_plan_are_for_wide_terminals() -> None:
    narrow, wide = (printed(listing_screen(listing(view()), width=width), width) for width in (WIDE - 1, WIDE))
    assert "Kostenlos" in wide and "Neuer Markt" in wide
    assert "Kostenlos" not in narrow and "Neuer Markt" not in narrow and "rostock-gateway" in narrow


def test_times_are_the_citys_own() -> None:
    text = printed(listing_screen(listing(view(), view(id=8, started_at=NOW - timedelta(days=2))), width=80), 80)
    assert "rostock, 2026-11-23 13:00:00 CET: 2 open, 0 ended within the hour" in text
    assert re.search(r" 7  12:50 ", text) and re.search(r" 8  11-21 13:00 ", text)


def test_nobody_is_said() -> None:
    assert "No sessions." in printed(listing_screen(listing(), width=80), 80)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "online"),
        ({"disconnect": "acked"}, "disconnect acked"),
        ({"ended_at": NOW, "terminate_cause": "User-Request", "disconnect": "confirmed"}, "User-Request"),
        ({"ended_at": NOW, "terminate_cause": "Lost-Carrier", "estimated": True}, "~Lost-Carrier"),
        ({"ended_at": NOW}, "ended"),
    ],
)
def test_the_state_of_a_session(changes: dict[str, object], said: str) -> None:
    assert state_of(view(**changes)) == said


# Rates ------------------------------------------------------------------------------------------------


def test_a_rate_takes_two_records() -> None:
    rates = Rates()
    rates.feed([view()])
    assert rates.of(7) is None and rates.total() is None
    rates.feed([view()])
    assert rates.of(7) is None, "the NAS said nothing new"
    rates.feed([view(updated_at=NOW, octets=Octets(1_500_000 + 60_000_000, 20_000 + 600_000))])
    rate = rates.of(7)
    assert rate is not None and (rate.down, rate.up) == (8_000_000, 80_000)
    text = printed(live_screen(listing(view()), rates, width=80, rows=5), 80)
    assert "8.0 Mbit/s down, 80.0 kbit/s up; measured: 1" in text and re.search(r" 8000 +80 +online", text)


def test_a_rate_stays_until_the_next_record_and_goes_with_its_session() -> None:
    rates = Rates()
    for updated_at in (NOW, NOW + MINUTE, NOW + MINUTE):
        rates.feed([view(updated_at=updated_at)])
    assert rates.of(7) is not None
    rates.feed([view(updated_at=NOW + 2 * MINUTE, ended_at=NOW + 2 * MINUTE)])
    assert rates.of(7) is None and rates.total() is None


def test_a_live_screen_is_as_long_as_asked() -> None:
    views = [view(id=number) for number in range(20)]
    text = printed(live_screen(listing(*views), Rates(), width=80, rows=4), 80)
    assert text.count("online") == 4 and "16 older ones are not shown." in text


# The command -----------------------------------------------------------------------------------------


@pytest.fixture
def lively(made: Written) -> Written:
    """An installation whose Rostock has sessions now."""
    city = open_city(made.installation, made.cities["rostock"], now=datetime.now(UTC))
    fill(city.store, now=datetime.now(UTC))
    with city.store.write() as conn:
        conn.execute(update(nas_table).values(name="a-gateway-with-quite-a-long-name-at-the-harbour"))
    city.store.close()
    return made


def test_in_a_pipe_nothing_is_cut_and_no_device_is_named(lively: Written, kogge: Kogge) -> None:
    result = kogge("sessions", "rostock", "--dir", lively.path)
    assert result.exit_code == 0
    assert result.stdout.count("a-gateway-with-quite-a-long-name-at-the-harbour  Neuer Markt") == 4
    assert "3 open, 1 ended within the hour" in result.stdout and "Idle-Timeout" in result.stdout
    assert not re.search("([0-9a-f]{2}[:-]){5}", result.stdout, re.IGNORECASE)
    assert "02005e" not in result.stdout.lower()


def test_the_document_for_scripts(lively: Written, kogge: Kogge) -> None:
    result = kogge("sessions", "rostock", "--json", "--dir", lively.path)
    said = json.loads(result.stdout)
    assert {name: type(value) for name, value in said.items()} == {
        "city": str, "at": str, "ended_since": str, "open": int, "ended": int, "sessions": list,
    }  # fmt: skip
    assert (said["city"], said["open"], said["ended"]) == ("rostock", 3, 1)
    long = said["sessions"][2]
    assert set(long) == {
        "id", "nas", "site", "ssid", "plan", "started_at", "heard_at", "ended_at", "seconds", "octets_down",
        "octets_up", "end_cause", "end_estimated", "disconnect", "disconnect_error_cause", "access_point",
        "access_point_site",
    }  # fmt: skip
    assert (long["octets_down"], long["octets_up"]) == (5_000_000_001, 7)
    assert datetime.fromisoformat(long["started_at"]).tzinfo == UTC and long["ended_at"] is None
    assert said["sessions"][1]["end_cause"] == "Idle-Timeout"
    assert "02005e" not in re.sub("[-:.]", "", result.stdout).lower()


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (("--nas", "nowhere"), 2, "rostock has no NAS 'nowhere'; see `kogge nas list rostock`"),
        (("--site", "nowhere"), 2, "rostock has no site 'nowhere'; there are "),
        (("--live", "--json"), 2, "--json is one document"),
        (("--limit", "0"), 2, "0 is not in the range"),
        (("--site", "neuer-markt"), 0, ""),
    ],
)
def test_options(options: tuple[str, ...], status: int, said: str, lively: Written, kogge: Kogge) -> None:
    result = kogge("sessions", "rostock", *options, "--dir", lively.path)
    assert result.exit_code == status and said in result.stderr


def test_a_database_of_another_revision_is_said(lively: Written, kogge: Kogge) -> None:
    change(lively, "UPDATE alembic_version SET version_num = '0001'")
    result = kogge("sessions", "rostock", "--dir", lively.path)
    assert result.exit_code == 2 and "kogge migrate" in result.stderr


def test_a_session_is_at_the_access_point_that_sends_its_bssid(city: City) -> None:
    with city.store.write() as conn:
        points = {row.name: row.id for row in conn.execute(select(access_point.c.id, access_point.c.name))}
        bssids.note(conn, {points["stadthafen-1"]: [MacAddress.parse(MAC)]}, now=NOW)
    device = add_device(city.store, "02-00-5E-10-00-0B", now=NOW)
    told = {
        "02:00:5e:10:00:0a": "stadthafen-1",
        "02005E10000A": "stadthafen-1",
        "02-00-5E-00-00-01": None,
        "wlan0": None,
    }
    numbers = {
        add_session(city.store, device, started_at=NOW - n * MINUTE, acct_session_id=str(n), bssid=bssid): name
        for n, (bssid, name) in enumerate(told.items())
    }
    found = read(city, ALL, now=NOW)
    assert {each["id"]: each["access_point"] for each in document(found)["sessions"]} == numbers
    said = printed(listing_screen(found, width=140), 140)
    assert said.count("stadthafen-1") == 2 and said.count("Stadthafen") == 2, "the access point's place, not the NAS's"
    assert "Access point" not in printed(listing_screen(listing(view()), width=140), 140)


# Live ------------------------------------------------------------------------------------------------


def live_command(written: Written) -> list[str]:
    return kogge_command("sessions", "rostock", "--live", "--dir", str(written.path))


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_live_in_a_pipe_is_one_table_below_another(ending: signal.Signals, lively: Written) -> None:
    with subprocess.Popen(live_command(lively), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = ""
        while seen.count("Session") < 2:
            seen += process.stdout.readline()
        process.send_signal(ending)
        seen += process.stdout.read()
        assert process.wait(20) == 0
    assert "\x1b" not in seen and seen.count("3 open, 1 ended") >= 2


def test_live_on_a_terminal_stays_in_place_and_fits(lively: Written) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 8, 80, 0, 0))
    sized = ("LINES", "COLUMNS")  # pytest-xdist sets them, and they outdo the terminal
    environment = {name: value for name, value in os.environ.items() if name not in sized} | {"TERM": "xterm"}
    with subprocess.Popen(live_command(lively), stdout=theirs, stdin=theirs, env=environment) as process:
        os.close(theirs)
        seen = ""
        while seen.count("older ones are not shown") < 2:  # a reading's last line
            seen += os.read(ours, 65_536).decode()
        process.send_signal(signal.SIGINT)
        seen += read_rest(ours)
        assert process.wait(20) == 0
    assert "\x1b[1A" in seen, "the second reading is written over the first"
    assert seen.rstrip().endswith("\x1b[?25h"), "the cursor is back"


def read_rest(descriptor: int) -> str:
    found = b""
    while True:
        try:
            piece = os.read(descriptor, 65_536)
        except OSError:  # EIO: the other end is closed
            piece = b""
        if not piece:
            os.close(descriptor)
            return found.decode()
        found += piece


def test_live_goes_on_while_the_database_gives_no_answer(lively: Written) -> None:
    with subprocess.Popen(live_command(lively), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "3 open" in process.stdout.readline()
        change(lively, "ALTER TABLE plan RENAME TO plan_away")
        wait_for("still trying", process.stdout)
        change(lively, "ALTER TABLE plan_away RENAME TO plan")
        wait_for("3 open", process.stdout)
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(20) == 0


def change(written: Written, statement: str) -> None:
    with closing(sqlite3.connect(written.database("rostock"))) as conn, conn:
        conn.execute(statement)


def wait_for(text: str, stream: IO[str]) -> None:
    """Read on until a line holds `text`."""
    for line in stream:
        if text in line:
            return
    pytest.fail(f"it ended without {text!r}")
