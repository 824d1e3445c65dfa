"""E-mail to a real server: in the clear, by STARTTLS under a test CA, with a log-in; and each way in which it fails."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from config.sending import Mail
from service.mail import Postman
from service.sending import Failure, Letter
from simulator.mailbox import Mailbox, PostOffice
from tests.support.certificates import Authority, make_authority

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LETTER = Letter("erika@example.org", "123456 is your Wi-Fi code", "Grüße: 123456\n", NOW)
FreePort = Callable[..., int]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("ca"))


@contextlib.contextmanager
def office(free_port: FreePort, mailbox: Mailbox | None = None, **options: Any) -> Iterator[tuple[Mailbox, int]]:
    box, port = mailbox or Mailbox(), free_port()
    post = PostOffice(box, f"127.0.0.1:{port}", f"127.0.0.1:{free_port()}", **options)
    post.start()
    try:
        yield box, port
    finally:
        post.stop()


def postman(port: int, **settings: Any) -> Postman:
    values = {"host": "127.0.0.1", "tls": "none", "sender": "wlan@rostock.example", "timeout_s": 5.0}
    return Postman(Mail(port=port, **values | settings), "Stadt Rostock, Größe", "hilfe@rostock.example")


def send(by: Postman, *letters: Letter) -> None:
    with by.open() as sending:
        for letter in letters or (LETTER,):
            sending.send(letter)


def failure(by: Postman) -> Failure:
    with pytest.raises(Failure) as caught:
        send(by)
    assert "erika" not in str(caught.value)
    return caught.value


def test_letters_arrive_as_they_were_written(free_port: FreePort) -> None:
    with office(free_port) as (box, port):
        send(postman(port), LETTER, Letter("otto@example.org", "Zweiter", "x" * 2000 + "\n", NOW))
    second, first = box.received
    assert (first.recipient, first.subject, first.text) == ("erika@example.org", LETTER.subject, LETTER.text)
    assert "Stadt Rostock, Größe" in first.sender and "wlan@rostock.example" in first.sender
    assert second.text.strip() == "x" * 2000


def test_no_machine_answers_a_letter_that_a_machine_wrote() -> None:
    mail = postman(25).message(LETTER)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Reply-To"] == "hilfe@rostock.example"
    assert mail["Message-ID"].endswith("@rostock.example>")


def test_starttls_under_the_city_s_own_authority(free_port: FreePort, authority: Authority) -> None:
    with office(free_port, tls=authority.server()) as (box, port):
        send(postman(port, tls="starttls", ca_file=authority.ca))
    assert len(box.received) == 1


@pytest.mark.parametrize(
    ("settings", "word"), [({"tls": "starttls"}, "tls"), ({"tls": "none"}, "recipient_530"), ({"tls": "tls"}, "tls")]
)
def test_a_server_that_cannot_be_trusted_gets_nothing(
    free_port: FreePort, authority: Authority, settings: dict[str, Any], word: str
) -> None:
    with office(free_port, tls=authority.server()) as (box, port):
        found = failure(postman(port, **settings))
    assert found.word in (word, "smtp_530")
    assert not box.received


def test_a_server_without_starttls_gets_nothing(free_port: FreePort) -> None:
    with office(free_port) as (box, port):
        assert failure(postman(port, tls="starttls")).word == "not_supported"
    assert not box.received


def by_password(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"wlan", b"geheim")
    return AuthResult(success=right, handled=False)


@pytest.mark.parametrize(("password", "arrives"), [("geheim", True), ("falsch", False)])
def test_a_log_in(free_port: FreePort, authority: Authority, tmp_path: Path, password: str, arrives: bool) -> None:
    file = tmp_path / "password"
    file.write_text(f"{password}\n")
    file.chmod(0o600)
    with office(free_port, tls=authority.server(), login=by_password) as (box, port):
        by = postman(port, tls="starttls", ca_file=authority.ca, user="wlan", password_file=file)
        if arrives:
            send(by)
        else:
            assert failure(by).word == "login"
    assert len(box.received) == arrives


def test_secrets_and_authorities_that_cannot_be_read(free_port: FreePort, tmp_path: Path) -> None:
    (tmp_path / "open").write_text("x")
    (tmp_path / "open").chmod(0o644)
    assert failure(postman(1, user="x", password_file=tmp_path / "open")).word == "secret_file"
    assert failure(postman(1, ca_file=tmp_path / "nothing")).word == "ca_file"


def test_nobody_listens(free_port: FreePort) -> None:
    found = failure(postman(free_port()))
    assert (found.word, found.final) == ("no_connection", False)


def test_somebody_listens_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert failure(postman(silent.getsockname()[1], timeout_s=0.3)).word == "no_connection"


@pytest.mark.parametrize(("reply", "final"), [("554 no", True), ("451 later", False)])
def test_a_refusal_for_good_and_one_for_now(free_port: FreePort, reply: str, final: bool) -> None:
    with office(free_port, Mailbox(refuse=f"{reply}: erika@example.org")) as (_, port):
        found = failure(postman(port))
    assert (found.word, found.final) == (f"smtp_{reply[:3]}", final)


def test_tls_from_the_first_octet(authority: Authority) -> None:
    """A TLS server that hangs up after the handshake: the certificate was believed, and SMTP was missing."""
    with (
        socket.create_server(("127.0.0.1", 0)) as plain,
        authority.server().wrap_socket(plain, server_side=True, do_handshake_on_connect=True) as listener,
    ):
        listener.settimeout(5)

        def serve() -> None:
            with contextlib.suppress(OSError, ssl.SSLError):
                listener.accept()[0].close()

        thread = threading.Thread(target=serve)
        thread.start()
        by = postman(listener.getsockname()[1], tls="tls", ca_file=authority.ca, host="localhost")
        assert failure(by).word == "no_connection"
        thread.join(5)
