"""`python -m simulator.mailbox`: a mail server and an SMS gateway that deliver nowhere and show what they were given.

For the demo and the tests: e-mail comes in by SMTP, text messages by `POST /sms` (JSON with `to` and `text`), and a
page on the same address shows the newest of both. It keeps them in memory, and takes them from this machine only.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import signal
import ssl
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from hotspot.errors import ConfigError

KEPT = 50
MAIL_MAX = 100_000
"""Octets of a message."""

REQUEST_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came in; `kind` is `email` or `sms`."""

    kind: str
    at: datetime
    recipient: str
    subject: str
    text: str
    sender: str = ""


@dataclass
class Mailbox:
    """The newest messages, the last one first; `refuse` is an SMTP reply that it gives instead, for tests."""

    received: deque[Received] = field(default_factory=lambda: deque(maxlen=KEPT))
    refuse: str = ""

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd's hook: the message is complete."""
        if self.refuse:
            return self.refuse
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, _class=EmailMessage, policy=policy.default)
        body = mail.get_body(("plain",))
        text = str(body.get_content()).replace("\r\n", "\n") if body is not None else ""
        to, subject = ", ".join(envelope.rcpt_tos), str(mail["Subject"] or "")
        self.received.appendleft(Received("email", datetime.now().astimezone(), to, subject, text, str(mail["From"])))
        return "250 OK"

    def take_sms(self, recipient: str, text: str) -> None:
        self.received.appendleft(Received("sms", datetime.now().astimezone(), recipient, "", text))


# The servers --------------------------------------------------------------------------------------------


class PostOffice:
    """Both servers on threads of their own, from `start` to `stop`. OSError where a port is taken."""

    def __init__(
        self,
        mailbox: Mailbox,
        smtp: str,
        web: str,
        *,
        tls: ssl.SSLContext | None = None,
        login: Callable[..., Any] | None = None,
    ) -> None:
        (mail_host, mail_port), (web_host, web_port) = _place(smtp), _place(web)
        self._mail = Controller(
            mailbox,
            hostname=mail_host,
            port=mail_port,
            data_size_limit=MAIL_MAX,
            tls_context=tls,
            require_starttls=tls is not None,
            authenticator=login,
            auth_required=login is not None,
        )
        handler = type("Handler", (_Handler,), {"mailbox": mailbox})
        self._web = ThreadingHTTPServer((web_host, web_port), handler)
        self._web.daemon_threads = True
        self._thread = threading.Thread(target=self._web.serve_forever, name="mailbox", daemon=True)

    def start(self) -> None:
        self._mail.start()
        self._thread.start()

    def stop(self) -> None:
        self._mail.stop(no_assert=True)
        if self._thread.is_alive():
            self._web.shutdown()
        self._web.server_close()


def _place(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigError(f"{listen}: write it like 127.0.0.1:2525")
    return host, int(port)


class _Handler(BaseHTTPRequestHandler):
    mailbox: Mailbox
    timeout = REQUEST_SECONDS

    def do_GET(self) -> None:
        self._answer(200, _page(self.mailbox), "text/html")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        try:
            told = json.loads(self.rfile.read(min(int(length), MAIL_MAX)))
            recipient, text = str(told["to"]), str(told["text"])
        except (ValueError, KeyError, TypeError):
            self._answer(400, "JSON with `to` and `text` is wanted\n", "text/plain")
            return
        if self.path != "/sms":
            self._answer(404, "POST to /sms\n", "text/plain")
            return
        self.mailbox.take_sms(recipient, text)
        self._answer(202, "accepted\n", "text/plain")

    def _answer(self, status: int, body: str, kind: str) -> None:
        octets = body.encode()
        self.send_response(status)
        for name, value in (("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(octets)))):
            self.send_header(name, value)
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not worth a line: the page shows what came."""


# The page -----------------------------------------------------------------------------------------------

_STYLE = (
    ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:42rem}"
    "article{border:1px solid;border-radius:.4rem;padding:0 1rem;margin:1rem 0}pre{white-space:pre-wrap;"
    "overflow-wrap:anywhere;font:inherit}"
)
_LINK = re.compile(r"https?://[^\s<>]+")


def _page(mailbox: Mailbox) -> str:
    articles = "".join(map(_article, list(mailbox.received)))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><title>Mailbox of the demo</title>'
        f"<style>{_STYLE}</style></head><body><h1>Mailbox of the demo</h1>"
        "<p>All e-mail and text messages that the cities sent, whoever they were for. "
        '<a href="/">Look again</a></p>' + (articles or "<p>Nothing yet.</p>") + "</body></html>"
    )


def _article(each: Received) -> str:
    kind = {"email": "E-mail", "sms": "Text message"}[each.kind]
    text = _LINK.sub(lambda link: f'<a href="{link[0]}">{link[0]}</a>', html.escape(each.text))
    return (
        f"<article><h2>{html.escape(each.subject or kind)}</h2><p>{kind} to <b>{html.escape(each.recipient)}</b>, "
        f"{each.at:%H:%M:%S}</p><pre>{text}</pre></article>"
    )


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Exit 2 where a port is taken."""
    parser = argparse.ArgumentParser(prog="python -m simulator.mailbox", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--smtp", default="127.0.0.1:2525", metavar="ADDRESS:PORT")
    parser.add_argument("--web", default="127.0.0.1:8025", metavar="ADDRESS:PORT")
    options = parser.parse_args(arguments)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    try:
        office = PostOffice(Mailbox(), options.smtp, options.web)
        office.start()
    except (OSError, ConfigError) as error:
        print(f"mailbox: {error}", file=sys.stderr)
        return 2
    print("mailbox: ready", file=sys.stderr, flush=True)
    while not stopped.wait(1.0):
        pass
    office.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
