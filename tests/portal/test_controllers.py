"""Calls to controllers: within their time, their number and their certificate, to the registered address alone."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.captive import controllers
from portal.captive.controllers import (
    ANSWER_MAX,
    KEPT_MAX,
    LINES_MAX,
    LINES_OF_NAS_MAX,
    CallError,
    Controllers,
    Line,
    Reply,
)
from tests.support.controller import Asked, Behaviour, Told, listening
from tests.support.handoffs import nas_of
from tests.support.tls import certify


def asked_once(behaviour: Behaviour, lines: Controllers | None = None, **tls: object) -> Reply:
    with listening(behaviour, **tls) as url:  # type: ignore[arg-type]
        return ask(url, lines)


def ask(url: str, lines: Controllers | None = None) -> Reply:
    with (lines or Controllers()).line(nas_of("unifi", login_url=url)) as line:
        return line.ask("POST", "/x", {"a": 1}, {"X-Own": "b"})


def reason_of(url: str, lines: Controllers | None = None) -> str:
    with pytest.raises(CallError) as caught:
        ask(url, lines)
    assert caught.value.reason in controllers.REASONS
    return caught.value.reason


def test_a_call_and_its_answer() -> None:
    seen: list[Asked] = []

    def behave(asked: Asked) -> Told:
        seen.append(asked)
        return Told(202, {"b": 2}, (("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Told", "c")))

    reply = asked_once(behave)
    assert (reply.status, reply.ok, reply.body, reply.cookies) == (202, True, {"b": 2}, ("a=1", "b=2"))
    assert reply.headers["x-told"] == "c"
    assert (seen[0].method, seen[0].path, seen[0].content) == ("POST", "/x", {"a": 1})
    assert seen[0].headers["x-own"] == "b" and seen[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"1", b"\xff", b"[" * 100_000, b"x" * (ANSWER_MAX + 1)], ids=len)
def test_an_answer_that_is_no_object_of_json_is_garbled(body: bytes) -> None:
    with listening(lambda _: Told(200, body)) as url:
        assert reason_of(url) == "garbled"


def test_an_empty_answer_says_nothing() -> None:
    assert asked_once(lambda _: Told(204, b"")).body == {}


def test_a_redirect_is_not_followed() -> None:
    elsewhere: list[Asked] = []

    def other(asked: Asked) -> Told:
        elsewhere.append(asked)
        return Told(200)

    with listening(other) as foreign:
        reply = asked_once(lambda _: Told(302, {}, (("Location", foreign),)))
    assert (reply.status, reply.ok, elsewhere) == (302, False, [])


# A controller that is not well ------------------------------------------------------------------------------


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert reason_of(f"http://127.0.0.1:{taken.getsockname()[1]}") == "away"


def test_a_name_that_nobody_knows() -> None:
    assert reason_of("http://controller.invalid") == "away"


@pytest.fixture
def mute() -> Iterator[str]:
    """Takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_mute_one_is_given_up(mute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controllers, "CALL_SECONDS", 0.2)
    began = time.monotonic()
    assert reason_of(mute) == "slow"
    assert time.monotonic() - began < 5


def test_one_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controllers, "LINE_SECONDS", 0.5)
    stop = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4_096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
            while not stop.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,), daemon=True)
        thread.start()
        assert reason_of(f"http://127.0.0.1:{server.getsockname()[1]}") == "slow"
        stop.set()
        thread.join(5)


def test_a_dead_one_holds_few_and_leaves_room_for_the_others() -> None:
    lines = Controllers()
    dead, other, third = (nas_of("unifi", id=each) for each in (1, 2, 3))
    with lines.line(dead), lines.line(dead):
        with pytest.raises(CallError, match="busy"), lines.line(dead):
            pass
        with lines.line(other), lines.line(other), pytest.raises(CallError, match="busy"), lines.line(third):
            pass
        with lines.line(third):
            pass
    with lines.line(dead):
        pass
    assert (LINES_OF_NAS_MAX, LINES_MAX) == (2, 4)


def test_a_line_is_given_back_when_its_call_fails(mute: str) -> None:
    lines = Controllers()
    for _ in range(LINES_MAX + 1):
        with pytest.raises(ValueError, match="ours"), lines.line(nas_of("unifi", login_url=mute)):
            raise ValueError("ours")


# Its certificate --------------------------------------------------------------------------------------------


def test_a_self_signed_certificate_is_refused_unless_the_city_names_it(tmp_path: Path) -> None:
    certified = certify(tmp_path, ["localhost"])
    with listening(lambda _: Told(200, {"a": 1}), certified) as url:
        assert reason_of(url) == "certificate"
        assert ask(url, Controllers(certified.authority)).body == {"a": 1}
        assert reason_of(url.replace("localhost", "127.0.0.1"), Controllers(certified.authority)) == "certificate"


def test_another_s_certificate_is_refused(tmp_path: Path) -> None:
    certified, another = certify(tmp_path / "a", ["localhost"]), certify(tmp_path / "b", ["localhost"])
    with listening(lambda _: Told(200), certified) as url:
        assert reason_of(url, Controllers(another.authority)) == "certificate"


def test_a_file_that_is_no_certificate_is_named_and_trusts_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (broken := tmp_path / "broken.pem").write_text("nonsense")
    with listening(lambda _: Told(200), certify(tmp_path, ["localhost"])) as url:
        assert reason_of(url, Controllers(broken)) == "certificate"
    assert "portal.controller_ca_file" in caplog.text


# What is remembered -----------------------------------------------------------------------------------------


def test_what_was_found_out_is_kept_for_the_nas_as_it_is_registered() -> None:
    lines, made = Controllers(), []

    def kept(line: Line) -> object:
        return line.keep("what", lambda: made.append(1) or len(made))

    nas = nas_of("unifi")
    for changed in (nas, nas, nas_of("unifi", uam_secret=b"another-secret"), nas_of("unifi", login_url="http://x")):
        with lines.line(changed) as line:
            kept(line)
    assert len(made) == 3
    with lines.line(nas) as line:
        line.forget("what")
        kept(line)
        assert len(made) == 4
        for each in range(KEPT_MAX + 1):
            line.keep(str(each), lambda: None)
        assert len(line.kept) <= KEPT_MAX
