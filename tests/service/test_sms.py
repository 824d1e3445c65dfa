"""Text messages to a real HTTP gateway: the template's places, in every kind of body; and how a gateway fails."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
from pydantic import ValidationError

from config.sending import Sms
from service.sending import Failure, Letter
from service.sms import Texter
from tests.support.certificates import Authority, make_authority

NUMBER = "+4915123456789"
TEXT = 'Code "123456" & {number} für <Rostock> 100 %\n\\@wlan'
LETTER = Letter(NUMBER, "", TEXT, datetime(2026, 11, 23, 12, tzinfo=UTC))


@dataclass
class Gateway:
    """What came in, and what it answers."""

    url: str = ""
    status: int = 200
    location: str = ""
    requests: list[tuple[str, str, dict[str, str], str]] = field(default_factory=list)


@contextlib.contextmanager
def gateway(authority: Authority | None = None) -> Iterator[Gateway]:
    found = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.requests.append((self.command, self.path, headers, self.rfile.read(length).decode()))
            self.send_response(found.status)
            if found.location:
                self.send_header("Location", found.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET = do_PUT = answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if authority is not None:
        server.socket = authority.server().wrap_socket(server.socket, server_side=True)
    found.url = f"{'http' if authority is None else 'https'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def settings(url: str, **values: Any) -> Sms:
    return Sms(**{"enabled": True, "url": url, "body": "{number} {text}", "timeout_s": 5.0} | values)


def send(url: str, **values: Any) -> None:
    with Texter(settings(url, **values)).open() as sending:
        sending.send(LETTER)


READERS: dict[str, tuple[str, Callable[[str], tuple[str, str]]]] = {
    "application/json": (
        '{"to": ["{number}"], "text": "{text}"}',
        lambda body: (json.loads(body)["to"][0], json.loads(body)["text"]),
    ),
    "application/json; charset=utf-8": (
        '{"to": "{digits}", "text": "{text}"}',
        lambda body: (f"+{json.loads(body)['to']}", json.loads(body)["text"]),
    ),
    "application/x-www-form-urlencoded": (
        "to={number}&text={text}",
        lambda body: (parse_qs(body)["to"][0], parse_qs(body)["text"][0]),
    ),
    "text/xml": (
        '<sms to="{number}"><text>{text}</text></sms>',
        lambda body: (
            ElementTree.fromstring(body).attrib["to"],
            ElementTree.fromstring(body).findtext("text") or "",
        ),
    ),
    "text/plain": ("{number} {text}", lambda body: (body.partition(" ")[0], body.partition(" ")[2])),
}


@pytest.mark.parametrize("kind", READERS)
def test_places_in_a_body_are_quoted_as_its_kind_needs_it(kind: str) -> None:
    template, read = READERS[kind]
    with gateway() as found:
        send(f"{found.url}/send", headers=(f"Content-Type: {kind}",), body=template)
    ((method, path, headers, body),) = found.requests
    assert (method, path, headers["content-type"]) == ("POST", "/send", kind)
    assert read(body) == (NUMBER, TEXT)


def test_places_in_the_address_are_percent_encoded() -> None:
    with gateway() as found:
        send(f"{found.url}/send?to={{number}}&text={{text}}", method="GET", body="")
    ((method, path, _, body),) = found.requests
    fields = parse_qs(urlsplit(path).query)
    assert (method, body, fields) == ("GET", "", {"to": [NUMBER], "text": [TEXT]})


def test_the_secret_comes_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret\n")
    file.chmod(0o600)
    with gateway() as found:
        send(found.url, headers=("Authorization: Bearer {secret}",), secret_file=file)
        assert found.requests[0][2]["authorization"] == "Bearer s3cret"
        file.chmod(0o644)
        with pytest.raises(Failure, match="secret_file"):
            send(found.url, headers=("Authorization: Bearer {secret}",), secret_file=file)


@pytest.mark.parametrize(
    ("status", "word", "final"),
    [
        (400, "http_400", True),
        (404, "http_404", True),
        (401, "http_401", False),
        (429, "http_429", False),
        (503, "http_503", False),
        (206, "http_206", False),
    ],
)
def test_what_is_not_among_the_successes_is_a_failure(status: int, word: str, final: bool) -> None:
    with gateway() as found:
        found.status = status
        with pytest.raises(Failure) as caught:
            send(found.url)
    assert (caught.value.word, caught.value.final) == (word, final)


def test_a_redirect_is_not_followed() -> None:
    with gateway() as elsewhere, gateway() as found:
        found.status, found.location = 302, elsewhere.url
        with pytest.raises(Failure, match="http_302"):
            send(found.url)
    assert not elsewhere.requests


def test_nobody_listens(free_port: Callable[..., int]) -> None:
    with pytest.raises(Failure) as caught:
        send(f"http://127.0.0.1:{free_port()}/")
    assert (caught.value.word, caught.value.ends_round, caught.value.final) == ("no_connection", True, False)


def test_certificates_are_verified(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    with gateway(authority) as found:
        with pytest.raises(Failure, match="tls"):
            send(found.url)
        send(found.url, ca_file=authority.ca)
    assert len(found.requests) == 1


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"url": "http://gateway.example/"}, "https"),
        ({"url": "ftp://127.0.0.1/"}, "https"),
        ({"body": "{number}"}, "{text}"),
        ({"body": "{text}"}, "{number}"),
        ({"headers": ("Authorization: Bearer {secret}",)}, "secret_file"),
        ({"headers": ("X: a\r\nY: b",)}, "header"),
        ({"prefixes": ("0151",)}, "beginning"),
        ({"country_code": "49"}, "country"),
    ],
)
def test_what_cannot_work_is_said_by_kogge_check(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason.replace("{", r"\{")):
        settings(**{"url": "http://127.0.0.1/"} | values)
