"""The demo's mailbox: what comes in by SMTP and HTTP stands on its page, made harmless; and it starts as a command."""

from __future__ import annotations

import http.client
import json
import signal
import smtplib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from simulator.mailbox import KEPT, Mailbox, PostOffice


@dataclass
class Post:
    """A mailbox with its two doors."""

    mailbox: Mailbox
    smtp: int
    web: int

    def ask(self, method: str, path: str, body: str = "") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.web, timeout=10)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


@pytest.fixture
def post(free_port: Callable[..., int]) -> Iterator[Post]:
    found = Post(Mailbox(), free_port(), free_port())
    office = PostOffice(found.mailbox, f"127.0.0.1:{found.smtp}", f"127.0.0.1:{found.web}")
    office.start()
    yield found
    office.stop()


def test_mail_and_text_messages_stand_on_the_page_and_cannot_harm_it(post: Post) -> None:
    with smtplib.SMTP("127.0.0.1", post.smtp, timeout=10) as server:
        body = "Subject: <script>x</script>\r\n\r\nhttp://127.0.0.1/code?a=1&b=2 <b>\r\n"
        server.sendmail("wlan@example.org", ["erika@example.org"], body)
    assert post.ask("POST", "/sms", json.dumps({"to": "+4915112345678", "text": "123456 is your code"}))[0] == 202
    status, page = post.ask("GET", "/")
    assert status == 200
    assert "<script>" not in page and "&lt;b&gt;" in page
    assert '<a href="http://127.0.0.1/code?a=1&amp;b=2">' in page
    assert page.index("+4915112345678") < page.index("erika@example.org"), "the newest first"


@pytest.mark.parametrize(
    ("path", "body", "status"), [("/sms", "x", 400), ("/sms", "{}", 400), ("/x", '{"to":1,"text":2}', 404)]
)
def test_what_is_no_text_message(post: Post, path: str, body: str, status: int) -> None:
    assert post.ask("POST", path, body)[0] == status
    assert not post.mailbox.received


def test_it_keeps_the_newest_only(post: Post) -> None:
    for number in range(KEPT + 1):
        post.mailbox.take_sms("+49151", str(number))
    assert [post.mailbox.received[0].text, len(post.mailbox.received)] == [str(KEPT), KEPT]


def test_the_command_serves_until_it_is_ended_and_names_a_taken_port(free_port: Callable[..., int]) -> None:
    smtp, web = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "simulator.mailbox", "--smtp", smtp, "--web", web]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "mailbox: ready\n"
        second = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert second.returncode == 2 and second.stderr.startswith("mailbox: ")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
