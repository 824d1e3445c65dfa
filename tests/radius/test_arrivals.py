"""What a running server tells about what came in: in the database, in the log and in its metrics, under a flood too."""

from __future__ import annotations

import io
import json
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from radius.authorize import Authorizer, Reply
from radius.intake import Work
from radius.server import CityServer
from radius.tally import FRESH_MAX
from service import kernel
from service.cities import City
from service.logs import JsonFormatter, TextFormatter
from store import arrivals, nases
from store.arrivals import STRANGERS_MAX, Arrival
from store.engine import open_engine
from tests.radius.conftest import SECRET, add_loopback_nas
from tests.support.packets import access_request, accounting_request, is_reply, status_server

KEY = SECRET.encode()
FORGED = "\n2026-11-23T10:00:00Z ERROR radius.server: forged\r\x1b[31m\u2028"
SOON_SECONDS = 8


@contextmanager
def serving(city: City) -> Iterator[CityServer]:
    server = CityServer(city, clock=lambda: datetime.now(UTC), random_octets=os.urandom)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.join(10)
        assert not server.is_alive()


def send(city: City, *datagrams: bytes, source: str = "127.0.0.1", acct: bool = False) -> None:
    settings = city.config.radius
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind((source, 0))
        for datagram in datagrams:
            client.sendto(datagram, ("127.0.0.1", settings.acct_port if acct else settings.auth_port))


def ask(city: City, datagram: bytes, *, source: str = "127.0.0.1", wait: float = 3) -> bytes | None:
    """The reply, None where there is silence."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind((source, 0))
        client.settimeout(wait)
        client.sendto(datagram, ("127.0.0.1", city.config.radius.auth_port))
        try:
            return client.recv(4096)
        except TimeoutError:
            return None


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + SOON_SECONDS
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.05)
    return holds()


def told(city: City) -> dict[tuple[str, str, str, str], Arrival]:
    with city.store.read() as conn:
        found = arrivals.recent(conn, since=datetime.now(UTC) - timedelta(hours=1), limit=1_000)
    return {(each.source, each.port, each.nas_identifier, each.verdict): each for each in found}


def counted(city: City, name: str, **labels: str) -> float:
    return city.registry.get_sample_value(name, labels) or 0


# The database ----------------------------------------------------------------------------------------


def test_what_came_in_is_told_with_what_is_wrong(radius: City) -> None:
    assert ask(radius, access_request(KEY, (1, b"nobody"))) is not None
    send(radius, *(access_request(b"wrong", (32, b"a name")) for _ in range(5)))
    send(radius, access_request(KEY, signed=False), b"\x01" * 30)
    send(radius, accounting_request(b"wrong"), acct=True)
    send(radius, access_request(KEY, (32, FORGED.encode() + b"\x00" + b"\xff" * 100)), b"noise", source="127.0.0.77")
    ours, clean = "test-nas-0001", "�2026-11-23T10:00:00Z ERROR radius.server: forged��[31m����������"
    expected = {
        ("127.0.0.1", "auth", ours, "ok"): 1,
        ("127.0.0.1", "auth", ours, "bad_message_authenticator"): 5,
        ("127.0.0.1", "auth", ours, "no_message_authenticator"): 1,
        ("127.0.0.1", "auth", ours, "bad_length"): 1,
        ("127.0.0.1", "acct", ours, "bad_authenticator"): 1,
        ("127.0.0.77", "auth", clean[:64], "unknown_client"): 1,
        ("127.0.0.77", "auth", "", "unknown_client"): 1,
    }
    assert eventually(lambda: len(told(radius)) == len(expected)), told(radius)
    assert {key: arrival.packets for key, arrival in told(radius).items()} == expected
    with radius.store.read() as conn:
        nas_id = next(nas.id for nas in nases.nases(conn, radius.store.keys) if nas.name == "test-nas")
    assert {arrival.nas_id for key, arrival in told(radius).items() if key[0] == "127.0.0.1"} == {nas_id}
    assert {arrival.nas_id for key, arrival in told(radius).items() if key[0] == "127.0.0.77"} == {None}


def test_a_working_nas_is_written_at_once_and_then_now_and_then(radius: City) -> None:
    key = ("127.0.0.1", "auth", "test-nas-0001", "ok")
    ask(radius, status_server(KEY))
    assert eventually(lambda: key in told(radius))
    first = told(radius)[key]
    for _ in range(3):
        ask(radius, status_server(KEY))
        time.sleep(0.5)
    assert told(radius)[key] == first
    send(radius, access_request(b"wrong"))  # what is wrong is told at once
    assert eventually(lambda: ("127.0.0.1", "auth", "test-nas-0001", "bad_message_authenticator") in told(radius))


def test_a_flood_of_strangers_grows_nothing_and_hides_no_nas(radius: City) -> None:
    send(radius, access_request(b"wrong"))
    for number in range(600):
        send(
            radius, access_request(KEY, (32, str(number).encode())), source=f"127.1.{number // 250}.{number % 250 + 1}"
        )
    untold = ("kogge_radius_limits_reached_total", {"limit": "arrivals"})
    assert eventually(lambda: counted(radius, untold[0], **untold[1]) > 0)
    assert counted(radius, "kogge_radius_dropped_total", port="auth", reason="unknown_client") == 600
    strangers = [arrival for arrival in told(radius).values() if arrival.verdict == "unknown_client"]
    assert 0 < len(strangers) <= STRANGERS_MAX
    assert sum(arrival.packets for arrival in strangers) + counted(radius, untold[0], **untold[1]) <= 600
    assert ("127.0.0.1", "auth", "test-nas-0001", "bad_message_authenticator") in told(radius)
    assert FRESH_MAX < 600


def test_arrivals_wait_while_the_database_is_away(radius: City, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(radius, status_server(KEY))
    with monkeypatch.context() as away:
        away.setattr(radius.store, "_writer", open_engine("postgresql://nobody@127.0.0.1:1/none"))
        send(radius, access_request(b"wrong"))
        time.sleep(1.5)
    assert eventually(lambda: ("127.0.0.1", "auth", "test-nas-0001", "bad_message_authenticator") in told(radius))
    assert ask(radius, status_server(KEY)) is not None


# Who is heard -----------------------------------------------------------------------------------------


def test_auto_is_learned_and_outlives_a_restart(city: City) -> None:
    nas_id = add_loopback_nas(city, require_message_authenticator="auto")
    with serving(city):
        assert ask(city, access_request(KEY, (1, b"n"), signed=False)) is not None
        assert ask(city, access_request(KEY, (1, b"n"))) is not None
        assert ask(city, access_request(KEY, (1, b"n"), signed=False), wait=0.5) is None
        # and at once the end: what was learned a moment ago is written
    with city.store.read() as conn:
        nas = next(each for each in nases.nases(conn, city.store.keys) if each.id == nas_id)
    assert nas.message_authenticator_at is not None
    restarted = City(city.config, city.store)
    with serving(restarted):
        assert ask(restarted, access_request(KEY, (1, b"n"), signed=False), wait=0.5) is None
        assert ask(restarted, access_request(KEY, (1, b"n"))) is not None
        with city.store.write() as conn:  # the staff forget it: another device stands there now
            conn.execute(text("UPDATE nas SET message_authenticator_at = NULL"))
        assert eventually(lambda: ask(restarted, access_request(KEY, (1, b"n"), signed=False), wait=0.3) is not None)


def test_a_network_and_two_behind_one_address(city: City) -> None:
    add_loopback_nas(city, address="127.0.0.0/16", name="field", nas_identifier="field")
    keys = city.store.keys
    with city.store.write() as conn:
        for name in ("left", "right"):
            columns = next(each for each in nases.nases(conn, keys) if each.name == "field")
            nases.add_nas(
                conn,
                keys,
                secret=f"the secret of {name}".encode(),
                uam_secret=b"",
                site_id=1,
                name=name,
                nas_identifier=name,
                address="127.0.3.3",
                product=columns.product,
                login_url="",
                coa_port=3799,
                require_message_authenticator="yes",
                octets_swapped=False,
                created_at=datetime.now(UTC),
            )
    with serving(city):
        for name, source, secret in (
            ("left", "127.0.3.3", b"the secret of left"),
            ("right", "127.0.3.3", b"the secret of right"),
            ("field", "127.0.3.3", KEY),
            ("anything", "127.0.9.9", KEY),
        ):
            request = access_request(secret, (1, b"n"), (32, name.encode()))
            reply = ask(city, request, source=source)
            assert reply is not None and is_reply(reply, request, secret), name
        assert ask(city, access_request(KEY, (32, b"left")), source="127.0.3.3", wait=0.5) is None
        assert ask(city, access_request(KEY), source="127.1.0.1", wait=0.5) is None


def test_a_nas_without_an_address_is_named_and_the_others_are_heard(
    city: City, caplog: pytest.LogCaptureFixture
) -> None:
    add_loopback_nas(city)
    add_loopback_nas(city, name="odd", nas_identifier="odd", address="gateway.example")
    with serving(city):
        assert ask(city, status_server(KEY)) is not None
        time.sleep(1.5)
    assert [each.getMessage() for each in caplog.records if "odd" in each.getMessage()] == [
        "rostock: NAS odd is not heard: its address is neither an address nor a network such as 10.1.0.0/24; correct it"
    ]


def test_a_nas_whose_secret_cannot_be_opened_is_named_and_the_others_are_heard(
    city: City, caplog: pytest.LogCaptureFixture
) -> None:
    add_loopback_nas(city)
    add_loopback_nas(city, name="odd", nas_identifier="odd", address="192.0.2.1")
    with city.store.write() as conn:
        conn.execute(text("UPDATE nas SET secret_sealed = :other WHERE name = 'odd'"), {"other": b"\x01" + bytes(40)})
    with serving(city):
        assert ask(city, status_server(KEY)) is not None
        time.sleep(1.5)
    assert [each.getMessage() for each in caplog.records if "odd" in each.getMessage()] == [
        "rostock: NAS odd is not heard: a stored secret was sealed with another key; is this the city's key folder?"
    ]


def test_a_short_secret_is_named_once_an_added_one_too(radius: City, caplog: pytest.LogCaptureFixture) -> None:
    def named(name: str) -> Sequence[str]:
        return [each.getMessage() for each in caplog.records if f"NAS {name} has a secret of under 12" in each.message]

    def add(name: str, address: str) -> None:
        with radius.store.write() as conn:
            columns = {"name": name, "nas_identifier": name, "address": address}
            row = conn.execute(text("SELECT * FROM nas WHERE name = 'test-nas'")).mappings().one()
            kept = {key: value for key, value in row.items() if key not in ("id", "secret_sealed", "uam_secret_sealed")}
            kept |= columns | {"created_at": datetime.now(UTC)}
            nases.add_nas(conn, radius.store.keys, secret=b"short", uam_secret=b"", **kept)

    add("first", "192.0.2.1")
    assert eventually(lambda: len(named("first")) == 1)
    add("second", "192.0.2.2")
    assert eventually(lambda: len(named("second")) == 1)
    with radius.store.write() as conn:
        conn.execute(text("DELETE FROM nas WHERE name = 'second'"))
    add("third", "192.0.2.3")
    assert eventually(lambda: len(named("third")) == 1)
    assert (len(named("first")), len(named("second"))) == (1, 1)


# The log ---------------------------------------------------------------------------------------------


@contextmanager
def logged(formatter: logging.Formatter) -> Iterator[io.StringIO]:
    """All that a service writes to its log."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield written
    finally:
        root.removeHandler(handler)


def test_no_packet_writes_a_line_of_the_log_or_a_traceback(city: City) -> None:
    name = "gate\nforged"
    add_loopback_nas(city, name=name)
    nasty = [(kind, FORGED.encode() + b"\0x") for kind in (1, 4, 6, 8, 30, 31, 32, 44, 40, 41, 46, 55, 77, 87)]
    with logged(TextFormatter()) as lines, logged(JsonFormatter()) as entries, serving(city):
        send(city, access_request(b"wrong", *nasty), access_request(KEY, *nasty, signed=False))
        send(
            city,
            access_request(KEY, *nasty),
            access_request(KEY, (1, FORGED.encode()), (31, b"a\0b")),
            access_request(KEY, (1, FORGED.encode()), (2, b"x" * 7)),
        )
        send(city, access_request(KEY, (1, FORGED.encode()), (32, FORGED.encode()), (31, FORGED.encode())))
        send(city, b"", b"\x01", os.urandom(300), access_request(KEY)[:-3], source="127.0.0.9")
        send(city, access_request(KEY, *nasty), source="127.0.0.9")
        sessions = [(kind, FORGED.encode()) for kind in (1, 32, 31, 44)]
        for status in range(1, 9):
            send(city, accounting_request(KEY, (40, bytes((0, 0, 0, status))), *sessions), acct=True)
        send(city, accounting_request(KEY, *nasty), accounting_request(b"wrong", *nasty), acct=True)
        assert ask(city, status_server(KEY)) is not None
    text_lines = lines.getvalue().splitlines()
    assert any(
        r"NAS gate\nforged (127.0.0.1, auth port) sends packets that do not verify" in line for line in text_lines
    )
    assert all(line.split(" ")[1] in ("INFO", "WARNING", "ERROR") for line in text_lines), lines.getvalue()
    assert "Traceback" not in lines.getvalue() and "Traceback" not in entries.getvalue()
    assert not {char for char in lines.getvalue() if not char.isprintable()} - {"\n"}
    assert all(json.loads(line)["logger"] for line in entries.getvalue().split("\n") if line)


@pytest.mark.parametrize(
    ("changes", "request_", "advice"),
    [
        ({}, access_request(b"wrong"), "give it the RADIUS secret that it has in this city's list"),
        ({}, access_request(KEY, signed=False), "set require_message_authenticator to auto or no"),
        (
            {"require_message_authenticator": "no"},
            access_request(KEY, (33, b"p"), signed=False),
            "set limit_proxy_state to no",
        ),
    ],
    ids=["secret", "message-authenticator", "proxy-state"],
)
def test_one_sentence_says_which_nas_and_what_to_do(
    city: City, caplog: pytest.LogCaptureFixture, changes: dict[str, object], request_: bytes, advice: str
) -> None:
    add_loopback_nas(city, **changes)
    with serving(city):
        send(city, *[request_] * 20)
        assert ask(city, status_server(KEY)) is not None
    said = [each.getMessage() for each in caplog.records if advice in each.getMessage()]
    assert len(said) == 1
    assert said[0].startswith("rostock: NAS test-nas (127.0.0.1, auth port) sends ")


# Faults of ours ---------------------------------------------------------------------------------------


def test_a_request_that_we_cannot_bear_costs_no_other_its_reply(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them come in one batch, and the server reads it for the first time when it starts."""
    add_loopback_nas(city)
    sound = Authorizer.answer

    def answer(self: Authorizer, works: Sequence[Work], *, now: datetime) -> list[Reply]:
        assert not any(work.packet.octets(1) == b"poison" for work in works), "a fault"
        return sound(self, works, now=now)

    monkeypatch.setattr(Authorizer, "answer", answer)
    server = CityServer(city, clock=lambda: datetime.now(UTC), random_octets=os.urandom)
    names = [b"poison" if number in (0, 7, 20) else b"nobody" for number in range(21)]
    requests = [access_request(KEY, (1, name), identifier=number) for number, name in enumerate(names)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", city.config.radius.auth_port))
        client.settimeout(3)
        for request in requests:
            client.send(request)
        server.start()
        answered = {client.recv(4096)[1] for _ in range(18)}
    server.stop()
    server.join(10)
    assert answered == {request[1] for name, request in zip(names, requests, strict=True) if name == b"nobody"}
    assert counted(city, "kogge_radius_dropped_total", port="auth", reason="fault") == 3


# The kernel ------------------------------------------------------------------------------------------


def test_a_burst_at_a_server_that_does_not_read_is_counted(city: City) -> None:
    add_loopback_nas(city)
    server = CityServer(city, clock=lambda: datetime.now(UTC), random_octets=os.urandom)
    granted = counted(city, "kogge_radius_receive_buffer_bytes", port="auth")
    assert granted >= 212_992  # what Linux gives everybody
    burst = int(granted) // 500  # each packet takes at least 768 octets of it
    send(city, *[access_request(KEY, (1, b"x" * 200))] * burst)
    server.start()
    try:
        assert eventually(lambda: counted(city, "kogge_radius_kernel_drops_total", port="auth") > 0)
        assert counted(city, "kogge_radius_kernel_drops_total", port="auth") < burst
        assert counted(city, "kogge_radius_kernel_drops_total", port="acct") == 0
    finally:
        server.stop()
        server.join(10)


def test_the_kernel_tells_what_was_granted_and_what_was_lost() -> None:
    with ExitStack() as opened:
        reader, writer = (opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2))
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.bind(("127.0.0.1", 0))
        assert kernel.receive_buffer_bytes(reader) == 8192
        for _ in range(100):
            writer.sendto(bytes(500), reader.getsockname())
        assert 80 < kernel.drops(reader) < 100
