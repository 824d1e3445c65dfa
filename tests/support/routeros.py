"""A hotspot like RouterOS's on loopback: its login.html is what our snippet types into it, its /login asks RADIUS.

Written from MikroTik's manual. One device stands behind it; the challenge is renewed with every page that it shows.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote

from hotspot.values import MacAddress
from simulator.radius_client import Chap, Code, Codec, Pairs, RadiusClient, Reply, first_text

WAITS = (2.0, 4.0)
CONTENTS = re.compile(r'contents="((?:[^"\\]|\\.)*)"')
START = 1


class Hotspot:
    """One router. `server` is RADIUS's address and its two ports; `source` where our packets come from."""

    def __init__(
        self, snippet: str, mac: MacAddress, *, server: tuple[str, int, int], source: str, secret: str, identifier: str
    ) -> None:
        found = CONTENTS.search(snippet)
        assert found is not None, "the snippet has no login.html"
        self._page = re.sub(r"\\(.)", r"\1", found[1])
        self._mac, self._server, self._source, self._secret = mac, server, source, secret
        self._identifier = identifier
        self.address = ""
        self.challenge = b""
        self.online = False
        self.posted: list[Mapping[str, str]] = []

    def login_page(self, error: str = "") -> str:
        """login.html with RouterOS's variables filled in: octets as octal escapes, `-esc` for an address."""
        self.challenge = os.urandom(16)
        values = {
            "mac": ":".join(f"{octet:02X}" for octet in self._mac.octets),
            "link-login-only": f"{self.address}/login",
            "link-orig": "http://example.org/wanted",
            "chap-id": "\\000",
            "chap-challenge": "".join(f"\\{octet:03o}" for octet in self.challenge),
            "error": error,
        }
        escaped = {f"{name}-esc": quote(text, safe="") for name, text in values.items()}
        return re.sub(r"\$\(([a-z-]+)\)", lambda place: (values | escaped)[place[1]], self._page)

    def log_in(self, form: Mapping[str, str]) -> str:
        """Ask RADIUS with what was posted; returns the error, empty once the device is on."""
        self.posted.append(form)
        digest = bytes.fromhex(form["password"])
        reply = asyncio.run(self._ask(form["username"], digest))
        if reply.code is not Code.ACCESS_ACCEPT:
            return first_text(reply.attributes, "Reply-Message") or "invalid username or password"
        self.online = True
        return ""

    async def _ask(self, name: str, digest: bytes) -> Reply:
        host, auth, acct = self._server
        about: Pairs = [
            ("User-Name", name),
            ("NAS-Identifier", self._identifier),
            ("Calling-Station-Id", str(self._mac)),
            ("Acct-Session-Id", "81c00001"),
            ("Framed-IP-Address", "10.5.50.2"),
        ]
        codec = Codec(self._secret)
        asking = await RadiusClient.connect(codec, (host, auth), self._source)
        telling = await RadiusClient.connect(codec, (host, acct), self._source)
        try:
            reply = await asking.access(about, Chap(digest, self.challenge), WAITS)
            if reply.code is Code.ACCESS_ACCEPT:
                classes = [("Class", each) for each in reply.attributes.get("Class", ()) if isinstance(each, bytes)]
                await telling.account([("Acct-Status-Type", START), *about, *classes], WAITS)
            return reply
        finally:
            asking.close()
            telling.close()
            await asyncio.sleep(0)


@contextmanager
def listening(hotspot: Hotspot) -> Iterator[str]:
    """The router's address while it serves its pages."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/favicon.ico":
                return self.send_error(404)
            body = "<!doctype html><h1 id=internet>The Internet</h1>" if hotspot.online else hotspot.login_page()
            return self._show(body)

        def do_POST(self) -> None:
            octets = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            form = {name: values[0] for name, values in parse_qs(octets.decode()).items()}
            error = hotspot.log_in(form)
            if error:
                return self._show(hotspot.login_page(error))
            self.send_response(302)
            self.send_header("Location", form["dst"])
            self.end_headers()
            return None

        def _show(self, body: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((hotspot._source, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    hotspot.address = f"http://{hotspot._source}:{server.server_port}"
    try:
        yield hotspot.address
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
