"""Controllers as their makers describe them, on loopback: UniFi's three interfaces and SmartZone's northbound one.

Written from the documents alone, so that the portal is not tested with its own functions. Each remembers what it was
told, and whom it lets on.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.tls import Certified


@dataclass(frozen=True)
class Asked:
    """A request: headers with names in lower case, `content` its JSON."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: Any


@dataclass(frozen=True)
class Told:
    """An answer; `content` becomes JSON, bytes go out as they are."""

    status: int
    content: Any = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()


Behaviour = Callable[[Asked], Told]


class Quiet(ThreadingHTTPServer):
    """Says nothing of clients that hang up, which ours do when they distrust a certificate."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass


@contextmanager
def listening(behaviour: Behaviour, certified: Certified | None = None) -> Iterator[str]:
    """A controller's address while it listens; with a certificate (of `localhost`) over TLS."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size)
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            told = behaviour(Asked(self.command, parts.path, query, headers, json.loads(body) if body else None))
            out = told.content if isinstance(told.content, bytes) else json.dumps(told.content).encode()
            self.send_response(told.status)
            for name, value in told.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)

        do_GET = do_POST = _answer  # noqa: N815 (http.server's names)

        def log_message(self, *_: object) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Handler)
    if certified is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certified.certificate, certified.key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"{'https' if certified else 'http'}://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


# UniFi ------------------------------------------------------------------------------------------------------


@dataclass
class Unifi:
    """With a name and a password: the classic controller, and the same below UniFi OS."""

    site: str = "default"
    prefix: str = ""
    log_in: str = "/api/login"
    account: tuple[str, str] = ("kogge", "a-long-password")
    commands: list[Any] = field(default_factory=list)
    log_ins: int = 0
    session: str = ""

    def __call__(self, asked: Asked) -> Told:
        if asked.path == self.log_in:
            return self._log_in(asked.content)
        if asked.path != f"{self.prefix}/api/s/{self.site}/cmd/stamgr":
            return Told(404, {"meta": {"rc": "error", "msg": "api.err.NoSiteContext"}})
        if f"unifises={self.session}" not in asked.headers.get("cookie", "") or not self.session:
            return Told(401, {"meta": {"rc": "error", "msg": "api.err.LoginRequired"}})
        if asked.headers.get("x-csrf-token") != f"csrf-{self.session}":
            return Told(403, {"meta": {"rc": "error", "msg": "api.err.NoPermission"}})
        self.commands.append(asked.content)
        return Told(200, {"meta": {"rc": "ok"}, "data": []})

    def _log_in(self, content: Any) -> Told:
        if (content["username"], content["password"]) != self.account:
            return Told(400, {"meta": {"rc": "error", "msg": "api.err.Invalid"}})
        self.log_ins += 1
        self.session = f"s{self.log_ins}"
        cookies = (
            ("Set-Cookie", f"unifises={self.session}; Path=/; Secure; HttpOnly"),
            ("Set-Cookie", f"csrf_token=csrf-{self.session}; Path=/; Secure"),
        )
        return Told(200, {"meta": {"rc": "ok"}, "data": []}, cookies)


@dataclass
class UnifiWithKey:
    """With an API key: sites, clients, actions."""

    key: str = "an-api-key-of-length"
    sites: tuple[tuple[str, str], ...] = (
        ("11111111-1111-4111-8111-111111111111", "elsewhere"),
        ("22222222-2222-4222-8222-222222222222", "default"),
    )
    client: str = "33333333-3333-4333-8333-333333333333"
    present: frozenset[str] = frozenset({"02:00:00:00:00:11"})
    actions: list[tuple[str, Any]] = field(default_factory=list)
    lists: int = 0

    BASE = "/proxy/network/integration/v1/sites"

    def __call__(self, asked: Asked) -> Told:
        if asked.headers.get("x-api-key") != self.key:
            return Told(401, {"statusCode": 401})
        if asked.path == self.BASE:
            self.lists += 1
            return Told(200, {"data": [{"id": id_, "internalReference": name} for id_, name in self.sites]})
        found = re.fullmatch(rf"{self.BASE}/([^/]+)/clients(?:/([^/]+)/actions)?", asked.path)
        if found is None or found[1] not in dict(self.sites):
            return Told(404, {"statusCode": 404})
        if found[2] is None:
            sought = re.fullmatch(r"macAddress\.eq\('([0-9a-f:]{17})'\)", asked.query.get("filter", ""))
            known = sought is not None and sought[1] in self.present
            return Told(200, {"data": [{"id": self.client}] if known else []})
        if found[2] != self.client:
            return Told(404, {"statusCode": 404})
        self.actions.append((found[1], asked.content))
        return Told(200, {"action": asked.content["action"]})


# SmartZone ----------------------------------------------------------------------------------------------------


@dataclass
class SmartZone:
    """The northbound portal interface. `encrypted`: addresses by their cipher text."""

    account: tuple[str, str] = ("kogge", "a-long-password")
    encrypted: Mapping[str, str] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=lambda: {"ResponseCode": 201, "ReplyMessage": "Login succeeded"})
    asked: list[Any] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Told:
        content = asked.content
        if asked.path != "/portalintf" or content["Vendor"] != "ruckus" or content["APIVersion"] != "1.0":
            return Told(200, {"ResponseCode": 302, "ReplyMessage": "Bad request"})
        if (content.get("RequestUserName"), content["RequestPassword"]) != self.account:
            return Told(200, {"ResponseCode": 303, "ReplyMessage": "Wrong request password"})
        self.asked.append({name: text for name, text in content.items() if not name.startswith("Request" + "Pass")})
        if content["RequestType"] == "Decrypt":
            return Told(200, {"ResponseCode": 200, "Data": self.encrypted.get(content["Data"], "")})
        return Told(200, dict(self.answer))
