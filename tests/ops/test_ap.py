"""`kogge ap`: what an operator types to see, add, move, rename and retire access points."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from sqlalchemy import insert, select, update

from hotspot.ap_events import ApEvent, Kind
from hotspot.fleet import ApHealth, ApReading, Band, PointKind, PollFailure, RadioReading, SsidReading
from hotspot.values import MacAddress, Octets
from ops.ap import look_at, read
from ops.ap_detail import detail_document, detail_screen
from ops.ap_screen import fleet_document, fleet_screen
from ops.cli import main
from service.cities import City, open_city
from store import ap_events, ap_list, audit, points, watch
from store.ap_list import State, Wanted
from store.health import save_healths
from store.nases import COMMAND_LINE
from store.schema import access_point, access_point_bssid, site
from tests.support.installation import Written
from tests.support.rows import add_device, add_session

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
BSSID = MacAddress.parse("02-00-5E-10-00-0A")
RADIO = RadioReading("ng", Band.GHZ_2_4, 6, 12, 0.92, 17, Octets(5_000_000, 1_000_000), 20, -91)
READING = ApReading(NOW, "roof", "U6", "6.5", 90_000, 0.25, 0.5, (RADIO,), (SsidReading("Rostock", 12),))


def run(made: Written, *words: object, text: str = "") -> Result:
    command = ["ap", *map(str, words), "--dir", str(made.path)]
    return CliRunner().invoke(main, command, input=text, catch_exceptions=False)


def ids(city: City) -> dict[str, int]:
    with city.store.read() as conn:
        return {row.name: row.id for row in conn.execute(select(access_point.c.id, access_point.c.name))}


def note(city: City, name: str, result: ApReading | PollFailure, *, since: datetime = NOW) -> None:
    """What a poll found."""
    up = isinstance(result, ApReading)
    reading, failure = (result, None) if isinstance(result, ApReading) else (None, result)
    with city.store.write() as conn:
        save_healths(conn, {ids(city)[name]: ApHealth(up, NOW, since, since, failure, reading)})
        watch.beat(conn, now=NOW, gap=timedelta(minutes=3))


def add_member(city: City, controller: str) -> None:
    """An access point called `behind`, behind that one."""
    with city.store.write() as conn:
        place = conn.execute(select(site.c.id).limit(1)).scalar_one()
        values = {"name": "behind", "kind": PointKind.MEMBER.value, "site_id": place, "member_key": "aa"}
        values |= {"address": "", "port": 0, "snmp_version": "", "snmp_sealed": b"", "created_at": NOW}
        conn.execute(insert(access_point).values(values | {"controller_id": ids(city)[controller]}))


def drawn(screen: object, width: int = 80) -> str:
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(screen)
    return captured.get()


# Seen ---------------------------------------------------------------------------------------------------


def test_what_is_down_stands_first_and_everything_fits_80_columns(city: City) -> None:
    note(city, "neuer-markt-1", READING)
    note(city, "stadthafen-2", PollFailure.TIMEOUT)
    found = read(city, Wanted(), limit=100, now=NOW)
    said = drawn(fleet_screen(found, width=80)).splitlines()
    assert max(map(len, said)) <= 80, said
    assert said[0].startswith("rostock, 2026-11-25 10:00:00 CET: 1 up, 1 down, 4 unknown")
    rows = [line.split() for line in said if re.match("[a-z]+-[a-z]*-?[0-9]", line)]
    assert rows[0][0] == "stadthafen-2" and "down: timeout" in " ".join(rows[0])
    assert rows[-1][0] == "neuer-markt-1" and rows[-1][-1] == "12", "clients"
    assert "Nobody polls" not in "".join(said)
    later = read(city, Wanted(), limit=100, now=NOW + timedelta(hours=1))
    assert "Nobody polls" in drawn(fleet_screen(later, width=80))


def test_a_member_is_unknown_while_its_controller_is_silent(city: City) -> None:
    note(city, "neuer-markt-1", PollFailure.TIMEOUT)
    with city.store.write() as conn:
        place = conn.execute(select(site.c.id).limit(1)).scalar_one()
        columns: dict[str, Any] = {"name": "behind", "kind": PointKind.MEMBER.value, "address": "", "port": 0}
        columns |= {
            "site_id": place,
            "controller_id": ids(city)["neuer-markt-1"],
            "member_key": "aa",
            "created_at": NOW,
        }
        conn.execute(insert(access_point).values(snmp_version="", snmp_sealed=b"", **columns))
    note(city, "behind", READING)
    (point,) = read(city, Wanted(text="behind"), limit=10, now=NOW).points
    assert point.state is State.UNKNOWN
    said = drawn(detail_screen(look_at(city, "behind", secrets=True, now=NOW)), width=200)
    assert "controller silent" in said and "See the controller." in said and "SNMP version" not in said


def test_one_is_shown_whole(city: City) -> None:
    point_id, day = ids(city)["stadthafen-1"], timedelta(days=1)
    with city.store.write() as conn:
        watch.beat(conn, now=NOW - 10 * day, gap=20 * day)
        watch.beat(conn, now=NOW, gap=20 * day)
        conn.execute(update(access_point).values(created_at=NOW - 10 * day))
    note(city, "stadthafen-1", READING, since=NOW - 10 * day)
    with city.store.write() as conn:
        events = [
            ApEvent(point_id, NOW - 10 * day, Kind.UP),
            ApEvent(point_id, NOW - 2 * day, Kind.DOWN),
            ApEvent(point_id, NOW - 1 * day, Kind.UP),
            ApEvent(point_id, NOW - timedelta(hours=1), Kind.CHANNEL, "6", "11", "ng"),
        ]
        ap_events.add(conn, events)
        row = {"bssid": str(BSSID), "access_point_id": point_id, "seen_at": NOW}
        conn.execute(insert(access_point_bssid).values(row))
    device = add_device(city.store, "02-00-5E-10-00-0B", now=NOW)
    number = add_session(city.store, device, started_at=NOW, bssid="02:00:5e:10:00:0a")
    detail = look_at(city, "stadthafen-1", secrets=False, now=NOW)
    said = drawn(detail_screen(detail), width=100)
    for words in ("U6", "6.5", "25:00 h", "25 %", "2.4 GHz", "92 %", "-91 dBm", "Rostock", "channel ng: 6 → 11"):
        assert words in said, said
    assert re.search(r"Last 7 days: +85\.7 % of the time that was watched, down 24:00 h", said), said
    assert re.search(rf"Sessions there now: +1; the newest: {number}", said), said
    assert "(shown with --secrets)" in said
    document = detail_document(detail)
    assert document["last_7_days"] == {"up_seconds": 518_400, "down_seconds": 86_400, "not_watched_seconds": 0}
    assert document["sessions"] == [number]
    assert [each["kind"] for each in document["events"]] == ["channel", "up", "down", "up"]
    assert "community" not in json.dumps(document)


def test_one_that_is_down_says_what_to_do(city: City) -> None:
    note(city, "stadthafen-1", PollFailure.AUTHENTICATION)
    said = drawn(detail_screen(look_at(city, "stadthafen-1", secrets=False, now=NOW)), width=200)
    assert "down: authentication since 10:00" in said and "Compare user and passwords" in said


def test_the_document_keeps_its_names(city: City) -> None:
    note(city, "stadthafen-1", READING)
    document = json.loads(json.dumps(fleet_document(read(city, Wanted(state="up"), limit=9, now=NOW))))
    assert set(document) == {"city", "at", "monitor_sees", "counts", "access_points"}
    (point,) = document["access_points"]
    assert (point["name"], point["site"], point["state"], point["since"]) == (
        "stadthafen-1",
        "stadthafen",
        "up",
        "2026-11-25T09:00:00Z",
    )
    assert point["reading"]["radios"][0]["utilisation_ratio"] == 0.92


def test_the_list_is_filtered(made: Written) -> None:
    document = json.loads(run(made, "list", "rostock", "--site", "stadthafen", "--json").stdout)
    assert [each["site"] for each in document["access_points"]] == ["stadthafen"] * 2
    assert "No access points." in run(made, "list", "rostock", "--state", "up").stdout
    said = run(made, "list", "rostock", "--search", "WARNEMUENDE-1").stdout
    assert "warnemuende-1" in said and "warnemuende-2" not in said
    assert "5 more are not shown; --limit shows more." in run(made, "list", "rostock", "--limit", 1).stdout
    wrong = run(made, "list", "rostock", "--site", "strand")
    assert wrong.exit_code == 2 and "rostock has no site 'strand'; there are" in wrong.stderr


def test_secrets_are_shown_only_where_asked_for_and_that_is_noted(made: Written) -> None:
    point = made.cities["rostock"].seed.access_points[0]
    hidden = run(made, "show", "rostock", point.name)
    shown = run(made, "show", "rostock", point.name, "--secrets")
    community = re.search(r"Community: +(\S{24})", shown.stdout)
    assert community and community[1] not in hidden.stdout
    assert run(made, "show", "rostock", point.name, "--secrets", "--json").exit_code == 2
    assert [each["action"] for each in log(made)] == ["ap.secrets"]


def log(made: Written) -> list[dict[str, Any]]:
    city = open_city(made.installation, made.cities["rostock"], now=datetime.now(UTC))
    with city.store.read() as conn:
        entries = audit.entries(conn, limit=50)
    city.store.close()
    return [
        {"action": each.action, "subject": each.subject} | each.detail
        for each in reversed(entries)
        if each.action.startswith(("ap.", "snmp_"))
    ]


def test_events_go_back_as_far_as_asked(city: City, made: Written) -> None:
    assert "Nothing happened within 12h." in run(made, "events", "rostock", "--since", "12h").stdout
    wrong = run(made, "events", "rostock", "--since", "yesterday")
    assert wrong.exit_code == 2 and "--since: 'yesterday' is no age such as 90m, 12h or 7d" in wrong.stderr
    run(made, "retire", "rostock", "stadthafen-1", "--yes")
    for words in ((), ("stadthafen-1",)):
        document = json.loads(run(made, "events", "rostock", *words, "--json").stdout)
        assert [(each["access_point"], each["kind"]) for each in document["events"]] == [("stadthafen-1", "retired")]
    assert "stadthafen-1 retired" in run(made, "events", "rostock").stdout


def test_watch_goes_on_until_it_is_ended(made: Written) -> None:
    program = str(Path(sys.executable).parent / "kogge")
    command = [program, "ap", "watch", "rostock", "--dir", str(made.path), "--site", "stadthafen"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "stadthafen-1" in "".join(lines) + rest


# Changed ------------------------------------------------------------------------------------------------


def test_add_move_rename_retire(made: Written, tmp_path: Path) -> None:
    (tmp_path / "community").write_text("only-us\n")
    given = ("--site", "stadthafen", "--address", "10.9.0.1", "--community-file", tmp_path / "community")
    added = run(made, "add", "rostock", "kran", *given)
    assert added.exit_code == 0 and "kogge ap poll rostock kran" in added.stdout, added.output
    twice = run(made, "add", "rostock", "kran-2", *given)
    assert twice.exit_code == 2 and "10.9.0.1 port 161 is polled already, as kran" in twice.stderr
    assert run(made, "move", "rostock", "kran", "neuer-markt").exit_code == 0
    nowhere = run(made, "move", "rostock", "kran", "strand")
    assert nowhere.exit_code == 2 and "there is no site strand; sites are: " in nowhere.stderr
    taken = run(made, "rename", "rostock", "kran", "stadthafen-1")
    assert taken.exit_code == 2 and "another access point is called stadthafen-1" in taken.stderr
    assert run(made, "rename", "rostock", "kran", "x" * 61).exit_code == 2
    assert run(made, "rename", "rostock", "kran", "portalkran").exit_code == 0
    document = json.loads(run(made, "show", "rostock", "portalkran", "--json").stdout)
    assert (document["site"], document["address"], document["snmp_version"]) == ("neuer-markt", "10.9.0.1", "v2c")
    assert run(made, "retire", "rostock", "portalkran", text="n\n").exit_code == 1
    assert run(made, "retire", "rostock", "portalkran", text="y\n").exit_code == 0
    assert run(made, "retire", "rostock", "portalkran", "--yes").exit_code == 2, "it is retired"
    listed = json.loads(run(made, "list", "rostock", "--state", "retired", "--json").stdout)
    assert [each["name"] for each in listed["access_points"]] == ["portalkran"]
    assert run(made, "add", "rostock", "portalkran", *given).exit_code == 0, "its name and address may be used again"
    noted = [each["action"] for each in log(made)]
    assert noted == ["ap.add", "ap.move", "ap.rename", "ap.retire", "ap.add"]
    assert "only-us" not in json.dumps(log(made))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--address", "10.9.0"), "--address: 10.9.0 is no address of one device"),
        (("--port", "0"), "--port: Write a number from 1 to 65535."),
        (("--site", "strand"), "--site: There is no site strand. Sites are: "),
        (("--user", "kogge"), "--auth-password-file: This is needed."),
        ((), "--community-file: None is given, and none is kept for 10.9.0.1"),
    ],
)
def test_what_will_not_do_is_said_by_option(options: tuple[str, ...], said: str, made: Written) -> None:
    given = dict([("--site", "stadthafen"), ("--address", "10.9.0.1"), *zip(options[::2], options[1::2], strict=True)])
    result = run(made, "add", "rostock", "kran", *(word for pair in given.items() for word in pair))
    assert result.exit_code == 2 and said in result.stderr


def test_passwords_can_be_typed(made: Written) -> None:
    given = ("--site", "stadthafen", "--address", "10.9.0.1", "--user", "kogge", "--prompt")
    added = run(made, "add", "rostock", "kran", *given, text="auth-secret\npriv-secret\n")
    assert added.exit_code == 0 and "auth-secret" not in added.output
    shown = run(made, "show", "rostock", "kran", "--secrets").stdout
    assert "auth-secret" in shown and "priv-secret" in shown


def test_credentials_are_kept_for_a_network(made: Written) -> None:
    first = ("credential", "add", "rostock", "harbour", "--network", "10.9.0.0/24")
    assert run(made, *first, text="only-us\n").exit_code == 0
    twice = run(made, *first, "--community-file", "-", text="only-us\n")
    assert twice.exit_code == 2 and "another credential is called harbour" in twice.stderr
    bits = run(made, "credential", "add", "rostock", "other", "--network", "10.9.0.1/24", text="x\n")
    assert bits.exit_code == 2 and "--network: 10.9.0.1/24 has host bits set" in bits.stderr
    listed = run(made, "credential", "list", "rostock")
    assert "harbour" in listed.stdout and "10.9.0.0/24" in listed.stdout and "only-us" not in listed.output
    document = json.loads(run(made, "credential", "list", "rostock", "--json").stdout)
    assert [each["name"] for each in document["credentials"]] == ["harbour"]
    assert run(made, "add", "rostock", "kran", "--site", "stadthafen", "--address", "10.9.0.1").exit_code == 0
    assert "only-us" in run(made, "show", "rostock", "kran", "--secrets").stdout
    assert run(made, "credential", "remove", "rostock", "harbour").exit_code == 0
    gone = run(made, "credential", "remove", "rostock", "harbour")
    assert gone.exit_code == 2 and "keeps no credential 'harbour'" in gone.stderr
    assert "only-us" not in json.dumps(log(made))


def test_a_retired_controller_takes_those_behind_it_along(city: City) -> None:
    with city.store.write() as conn:
        place = conn.execute(select(site.c.id).limit(1)).scalar_one()
        values = {"name": "behind", "kind": "member", "address": "", "port": 0, "site_id": place, "member_key": "aa"}
        values |= {
            "controller_id": ids(city)["stadthafen-1"],
            "created_at": NOW,
            "snmp_version": "",
            "snmp_sealed": b"",
        }
        conn.execute(insert(access_point).values(values))
        point = points.by_name(conn, "stadthafen-1")
        assert point is not None and ap_list.members(conn, point.id) == 1
        assert points.retire(conn, point, author=COMMAND_LINE, now=NOW) == 2
        assert points.retire(conn, point, author=COMMAND_LINE, now=NOW) == 0
        assert ap_list.counts(conn, Wanted())[State.RETIRED] == 2
