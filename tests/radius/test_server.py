"""The whole server over UDP, asked by Debian's radclient and by sockets of our own."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import time
from collections import OrderedDict
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry
from pyrad.dictionary import Dictionary
from pyrad.packet import AuthPacket
from sqlalchemy import text

from hotspot.errors import ConfigError
from hotspot.values import MacAddress, Octets
from radius.metrics import RadiusMetrics
from radius.server import CityServer
from service.cities import City
from store import nases, outbox, residents, sessions
from store.engine import open_engine
from tests.conftest import run
from tests.radius.conftest import PHONE, SECRET, Issued, add_loopback_nas, issue_ticket

radclient = pytest.mark.tool("radclient")


def ask(city: City, kind: str, attributes: str, *options: str) -> str:
    """radclient's output for one request."""
    settings = city.config.radius
    port = settings.acct_port if kind == "acct" else settings.auth_port
    done = run("radclient", "-x", "-r", "1", "-t", "3", *options, f"127.0.0.1:{port}", kind, SECRET, text=attributes)
    return done.stdout + done.stderr


def access(city: City, ticket: Issued, mac: MacAddress = PHONE, password: str | None = None) -> str:
    return ask(
        city,
        "auth",
        f'User-Name="{ticket.name}",User-Password="{password or ticket.password}",Calling-Station-Id="{mac}",'
        "Message-Authenticator=0x00",
    )


def account(city: City, kind: str, ticket: Issued, **more: object) -> str:
    values = {"Acct-Status-Type": kind, "Acct-Session-Id": "s-1", "User-Name": ticket.name} | {
        name.replace("_", "-"): value for name, value in more.items()
    }
    lines = [f'Calling-Station-Id="{PHONE}"', f'Class="kogge:{ticket.grant_id}"']
    lines += [f'{name}="{value}"' if isinstance(value, str) else f"{name}={value}" for name, value in values.items()]
    return ask(city, "acct", ",".join(lines))


@radclient
def test_a_ticket_is_redeemed_with_its_limits(radius: City) -> None:
    said = access(radius, issue_ticket(radius))
    assert "Received Access-Accept" in said
    assert int(re.findall(r"Session-Timeout = (\d+)", said)[0]) in range(3590, 3601)
    for line in ("Idle-Timeout = 900", "Acct-Interim-Interval = 60", "WISPr-Bandwidth-Max-Down = 20000000"):
        assert line in said
    assert "ChilliSpot-Max-Total-Octets = 3000000000" in said


@radclient
def test_chap_is_redeemed_too(radius: City) -> None:
    ticket = issue_ticket(radius)
    attributes = f'User-Name="{ticket.name}",CHAP-Password="{ticket.password}",Calling-Station-Id="{PHONE}"'
    assert "Received Access-Accept" in ask(radius, "auth", attributes + ",Message-Authenticator=0x00")


@radclient
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"password": "x" * 16}, "wrong_password"),
        ({"mac": MacAddress(b"other!")}, "wrong_device"),
    ],
)
def test_a_refusal_says_why(radius: City, change: dict[str, object], reason: str) -> None:
    said = access(radius, issue_ticket(radius), **change)  # type: ignore[arg-type]
    assert "Received Access-Reject" in said
    assert f' [{reason}]"' in said
    with radius.store.read() as conn:
        assert conn.execute(text("SELECT reason FROM decision")).scalars().all() == [reason]
    assert radius.registry.get_sample_value("kogge_radius_auth_total", {"result": "reject", "reason": reason}) == 1


@radclient
def test_an_unknown_name_and_no_password_are_refused(radius: City) -> None:
    nobody = Issued("nobody", "x", 0, 0)
    assert "unknown_user" in access(radius, nobody)
    attributes = f'User-Name="n",Calling-Station-Id="{PHONE}",Message-Authenticator=0x00'
    assert "no_credentials" in ask(radius, "auth", attributes)


@radclient
def test_a_wrong_secret_and_a_missing_message_authenticator_meet_silence(radius: City) -> None:
    port = radius.config.radius.auth_port
    attributes = 'User-Name="n",User-Password="p"'
    options = ("-r", "1", "-t", "0.5", f"127.0.0.1:{port}", "auth")
    wrong = run("radclient", *options, "another-secret", text=attributes + ",Message-Authenticator=0x00")
    unsigned = run("radclient", *options, SECRET, text=attributes)
    assert "Received" not in wrong.stdout + unsigned.stdout
    for reason in ("bad_message_authenticator", "no_message_authenticator"):
        labels = {"port": "auth", "reason": reason}
        assert radius.registry.get_sample_value("kogge_radius_dropped_total", labels) == 1


@radclient
def test_status_server_is_answered_on_both_ports(radius: City) -> None:
    assert "Received Access-Accept" in ask(radius, "status", "Message-Authenticator=0x00")
    settings = radius.config.radius
    done = run(
        "radclient", "-x", f"127.0.0.1:{settings.acct_port}", "status", SECRET, text="Message-Authenticator=0x00"
    )
    assert "Received Accounting-Response" in done.stdout


@radclient
def test_a_session_is_counted_from_start_to_stop(radius: City) -> None:
    ticket = issue_ticket(radius)
    access(radius, ticket)
    assert "Accounting-Response" in account(radius, "Start", ticket, Called_Station_Id="AA-BB-CC-00-00-01:Rostock")
    counters = {"Acct_Input_Octets": 1000, "Acct_Output_Octets": 5000, "Acct_Output_Gigawords": 1}
    assert "Accounting-Response" in account(radius, "Interim-Update", ticket, Acct_Session_Time=60, **counters)
    with radius.store.read() as conn:
        (open_session,) = sessions.live(conn, limit=10)
        remembered = residents.latest_grant(conn, ticket.device_id)
    assert open_session.octets == Octets(down=2**32 + 5000, up=1000)
    assert (open_session.ssid, open_session.plan_name, open_session.seconds) == ("Rostock", "Kostenlos", 60)
    assert remembered is not None and remembered.remembered
    last = {"Acct_Session_Time": 90, "Acct_Terminate_Cause": "User-Request", **counters}
    assert "Accounting-Response" in account(radius, "Stop", ticket, **last)
    with radius.store.read() as conn:
        assert sessions.count_live(conn) == 0
        ended = sessions.latest_of_device(conn, ticket.device_id)
        used = residents.used_on(conn, ticket.device_id, datetime.now(radius.zone).date())
    assert ended is not None and ended.terminate_cause == "User-Request" and not ended.estimated
    assert used == (90, 2**32 + 5000, 1000)


@radclient
def test_a_remembered_device_comes_back_by_its_mac(radius: City) -> None:
    attributes = (
        f'User-Name="{PHONE}",User-Password="{PHONE}",Calling-Station-Id="{PHONE}",Service-Type=Call-Check,'
        "Message-Authenticator=0x00"
    )
    assert "not_remembered" in ask(radius, "auth", attributes)
    ticket = issue_ticket(radius)
    assert "not_remembered" in ask(radius, "auth", attributes)
    access(radius, ticket)
    account(radius, "Start", ticket)
    said = ask(radius, "auth", attributes)
    assert "Received Access-Accept" in said
    opaque = re.findall(r'User-Name = "([^"]+)"', said.split("Received")[1])
    assert len(opaque) == 1 and str(PHONE) not in opaque[0]
    with radius.store.write() as conn:
        residents.end_grants(conn, ticket.device_id, now=datetime.now(UTC))
    assert "not_remembered" in ask(radius, "auth", attributes)


@radclient
def test_accounting_off_closes_that_nas_only(radius: City) -> None:
    ticket = issue_ticket(radius)
    account(radius, "Start", ticket)
    with radius.store.write() as conn:
        conn.execute(text("UPDATE session SET nas_id = 1"))
    account(radius, "Accounting-Off", ticket)
    with radius.store.read() as conn:
        assert sessions.count_live(conn) == 1
    with radius.store.write() as conn:
        conn.execute(text("UPDATE session SET nas_id = (SELECT id FROM nas WHERE name = 'test-nas')"))
    account(radius, "Accounting-Off", ticket)
    with radius.store.read() as conn:
        assert sessions.count_live(conn) == 0


@radclient
def test_a_new_start_ends_the_devices_older_session(radius: City) -> None:
    ticket = issue_ticket(radius)
    account(radius, "Start", ticket)
    account(radius, "Start", ticket, Acct_Session_Id="s-2")
    with radius.store.read() as conn:
        assert [each.id for each in sessions.live(conn, limit=5)] == [2]
        older = sessions.by_id(conn, 1)
    assert older is not None and older.estimated and older.terminate_cause == "Lost-Carrier"


@radclient
def test_chillispots_view_of_octets_is_turned_round(radius: City) -> None:
    with radius.store.write() as conn:
        conn.execute(text("UPDATE nas SET octets_swapped = :yes WHERE name = 'test-nas'"), {"yes": True})
    time.sleep(1.3)  # the list of clients is read again every second
    ticket = issue_ticket(radius)
    account(radius, "Stop", ticket, Acct_Input_Octets=2_072_908, Acct_Output_Octets=1)
    with radius.store.read() as conn:
        ended = sessions.by_id(conn, 1)
    assert ended is not None and ended.octets == Octets(down=2_072_908, up=1)


def signed_request() -> bytes:
    """An Access-Request of nobody, written by pyrad."""
    packet = AuthPacket(secret=SECRET.encode(), authenticator=os.urandom(16), dict=Dictionary())
    packet.add_message_authenticator()
    OrderedDict.__setitem__(packet, 1, [b"nobody"])
    return bytes(packet.RequestPacket())


def udp(city: City, port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.settimeout(3)
    opened.connect(("127.0.0.1", port))
    return opened


def test_a_retransmission_gets_the_same_bytes_and_one_row(radius: City) -> None:

    datagram = signed_request()
    with udp(radius, radius.config.radius.auth_port) as client:
        replies = []
        for _ in range(3):
            client.send(datagram)
            replies.append(client.recv(4096))
    assert len(set(replies)) == 1
    with radius.store.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM decision")).scalar() == 1


def test_a_second_daemon_is_refused(radius: City) -> None:
    port = radius.config.radius.auth_port
    with pytest.raises(ConfigError, match=f"^rostock: cannot listen on UDP 127.0.0.1:{port} .*another RADIUS server"):
        CityServer(City(radius.config, radius.store), clock=lambda: datetime.now(UTC), random_octets=bytes)
    with udp(radius, port) as client:  # and takes nothing from the first
        client.send(signed_request())
        assert client.recv(4096)[0] == 3


def test_a_port_that_is_free_stays_free_where_the_other_is_taken(city: City) -> None:
    settings = city.config.radius
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as pyrad's own server binds
        taken.bind(("127.0.0.1", settings.acct_port))
        with pytest.raises(ConfigError, match=str(settings.acct_port)):
            CityServer(city, clock=lambda: datetime.now(UTC), random_octets=bytes)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", settings.auth_port))


@radclient
def test_a_new_nas_is_heard_within_two_seconds(radius: City) -> None:
    with radius.store.write() as conn:
        conn.execute(text("DELETE FROM nas WHERE name = 'test-nas'"))
    time.sleep(2)
    ticket = issue_ticket(radius)
    assert "Received" not in access(radius, ticket)
    add_loopback_nas(radius)
    time.sleep(2)
    assert "Received Access-Accept" in access(radius, ticket)


def _wanted(city: City) -> tuple[int, int]:
    """An order for the first session, and the CoA port of the NAS it goes to."""
    with city.store.write() as conn:
        order = outbox.want_disconnect(conn, session_id=1, requested_by=None, now=datetime.now(UTC))
        nas = next(each for each in nases.nases(conn, city.store.keys) if each.name == "test-nas")
    return order, nas.coa_port


def _state_becomes(city: City, wanted: str, within_s: float = 8) -> sessions.SessionView:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        with city.store.read() as conn:
            view = sessions.by_id(conn, 1)
        if view is not None and view.disconnect == wanted:
            return view
        time.sleep(0.05)
    raise AssertionError(f"the disconnect is {view.disconnect if view else None}, not {wanted}")


@radclient
@pytest.mark.parametrize(("code", "cause", "state"), [(41, None, "acked"), (42, 503, "refused")])
def test_a_disconnect_is_sent_and_its_answer_kept(radius: City, code: int, cause: int | None, state: str) -> None:
    ticket = issue_ticket(radius)
    access(radius, ticket)
    account(radius, "Start", ticket)
    _, port = _wanted(radius)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nas:
        nas.bind(("127.0.0.1", port))
        nas.settimeout(5)
        request, source = nas.recvfrom(4096)
        assert request[0] == 40 and b"s-1" in request and ticket.name.encode() in request
        body = b"" if cause is None else bytes((101, 6)) + cause.to_bytes(4, "big")
        head = bytes((code, request[1])) + (20 + len(body)).to_bytes(2, "big")
        answer = head + hashlib.md5(head + request[4:20] + body + SECRET.encode()).digest() + body
        nas.sendto(answer[:-1] + b"X" if body else b"\x29" + bytes(19), source)  # noise is not believed
        nas.sendto(answer, source)
        view = _state_becomes(radius, state)
    assert view.error_cause == cause and view.ended_at is None
    if state == "acked":
        account(radius, "Stop", ticket, Acct_Session_Time=5, Acct_Terminate_Cause="Admin-Reset")
        assert _state_becomes(radius, "confirmed").terminate_cause == "Admin-Reset"


def test_silence_is_shown_as_unanswered(radius: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radius.dynamic.RETRY_SECONDS", (0, 0, 0, 0))
    with radius.store.write() as conn:
        device_id = residents.note_device(conn, radius.store.keys, PHONE, now=datetime.now(UTC))
        conn.execute(
            text(
                "INSERT INTO session (id, device_id, nas_id, acct_session_id, user_name, local_day, started_at,"
                " updated_at, start_seen, seconds, segment_down, segment_up, finished_down, finished_up, estimated)"
                " SELECT 1, :d, id, 's', 'u', '2026-11-23', 0, 0, :t, 0, 0, 0, 0, 0, :f FROM nas WHERE name='test-nas'"
            ),
            {"d": device_id, "t": True, "f": False},
        )
    _wanted(radius)
    view = _state_becomes(radius, "unanswered")
    assert view.ended_at is None


@radclient
def test_a_fault_of_ours_costs_a_batch_and_not_the_server(radius: City, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = issue_ticket(radius)
    with monkeypatch.context() as broken:
        broken.setattr("radius.authorize.decide", lambda *_, **__: 1 / 0)
        assert "Received" not in access(radius, ticket)
    assert "Received Access-Accept" in access(radius, ticket)
    assert radius.registry.get_sample_value("kogge_radius_dropped_total", {"port": "auth", "reason": "fault"}) == 1


@radclient
def test_without_its_database_the_server_is_silent_and_comes_back(
    radius: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = issue_ticket(radius)
    with monkeypatch.context() as away:
        away.setattr(radius.store, "_writer", open_engine("postgresql://nobody@127.0.0.1:1/none"))
        assert "Received" not in account(radius, "Start", ticket)
    assert "Accounting-Response" in account(radius, "Start", ticket)
    assert radius.registry.get_sample_value("kogge_radius_dropped_total", {"port": "acct", "reason": "database"}) == 1


def _dynamic_request(code: int) -> bytes:
    """A Disconnect- or CoA-Request as somebody who knows the secret would forge it."""
    body = bytes((44, 5)) + b"s-1"
    head = bytes((code, 9)) + (20 + len(body)).to_bytes(2, "big")
    return head + hashlib.md5(head + bytes(16) + body + SECRET.encode()).digest() + body


@pytest.mark.parametrize("code", [40, 43])
def test_a_disconnect_or_coa_that_comes_in_is_met_with_silence(radius: City, code: int) -> None:
    """We ask NASes; nobody asks us."""
    settings = radius.config.radius
    for port in (settings.auth_port, settings.acct_port):
        with udp(radius, port) as client:
            client.settimeout(0.5)
            client.send(_dynamic_request(code))
            with pytest.raises(TimeoutError):
                client.recv(4096)
    for port in ("auth", "acct"):
        sample = radius.registry.get_sample_value("kogge_radius_dropped_total", {"port": port, "reason": "wrong_code"})
        assert sample == 1, "counted, and nothing else is done"
    with radius.store.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM outbox")).scalar() == 0


@radclient
@pytest.mark.parametrize("code", [40, 43])
def test_nor_is_one_taken_where_answers_come_in(radius: City, code: int) -> None:
    account(radius, "Start", issue_ticket(radius))
    _, port = _wanted(radius)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nas:
        nas.bind(("127.0.0.1", port))
        nas.settimeout(5)
        request, source = nas.recvfrom(4096)
        nas.sendto(_dynamic_request(code)[:1] + request[1:2] + _dynamic_request(code)[2:], source)
        assert nas.recvfrom(4096) == (request, source), "only our own request, again"
    sample = radius.registry.get_sample_value("kogge_radius_dropped_total", {"port": "coa", "reason": "not_an_answer"})
    assert sample == 1


@radclient
def test_packets_are_counted_by_nas_and_sessions_by_site(radius: City) -> None:
    ticket, ask_page = issue_ticket(radius), radius.registry.get_sample_value
    access(radius, ticket)
    account(radius, "Start", ticket)
    end = time.monotonic() + 30
    while (
        not ask_page("kogge_radius_nas_packets_total", {"nas": "test-nas"})
        or ask_page("kogge_radius_site_sessions_open", {"site": "neuer-markt"}) != 1
    ):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert ask_page("kogge_radius_nas_packets_total", {"nas": "rostock-gateway"}) == 0, "registered, but silent"
    assert ask_page("kogge_radius_site_sessions_open", {"site": "stadthafen"}) == 0
    assert ask_page("kogge_radius_sessions_open") == 1


def test_series_of_a_nas_or_a_site_that_is_gone_leave_the_page() -> None:
    registry = CollectorRegistry()
    metrics = RadiusMetrics(registry)
    metrics.set_nases({"old", "stays"})
    metrics.nas_packets.labels("stays").inc(3)
    metrics.set_nases({"stays", "new"})
    metrics.set_site_sessions({"markt": 2, "hafen": 0})
    metrics.set_site_sessions({"hafen": 1})
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in (*metrics.nas_packets.collect(), *metrics.site_sessions.collect())
        for sample in family.samples
    }
    packets = "kogge_radius_nas_packets_total"
    assert {key: value for key, value in found.items() if key[0] == packets} == {
        (packets, "stays"): 3,
        (packets, "new"): 0,
    }
    assert found["kogge_radius_site_sessions_open", "hafen"] == 1 and len(found) == 3
