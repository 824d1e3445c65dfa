"""`python -m bench.portal`: residents' pages a second from one portal process, and acceptances written durably.

The portal on one core, the generator on another, over keep-alive connections, each page asked for with a redirect
that its NAS signed anew. A page counts only when all of it came with the status that was wanted.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import os
import re
import selectors
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from bench.installation import make_city
from bench.report import Figure, print_figures, table
from bench.servers import Cores, NotReady, free_ports, pinned
from ops.supervisor import kogge
from store import nases

CONNECTIONS = 8
"""As many as the portal has threads."""

READY_SECONDS = 30.0
ROUNDS = 2
RESPONSE_MAX = 65_536


@dataclass(frozen=True, slots=True)
class Site:
    """The portal under test: its address, its Host and how to sign a redirect for it."""

    port: int
    url: str
    nas_identifier: str
    uam_secret: bytes

    def redirect(self, number: int) -> str:
        """The path and query with which a NAS sends its resident number so-and-so."""
        mac = "-".join(f"{octet:02X}" for octet in bytes((2, 1)) + number.to_bytes(4, "big"))
        query = urlencode(
            {
                "res": "notyet",
                "uamip": "127.0.0.1",
                "uamport": 3990,
                "challenge": os.urandom(16).hex(),
                "mac": mac,
                "nasid": self.nas_identifier,
                "userurl": "http://example.org/",
            }
        )
        md = hashlib.md5(f"{self.url}/?{query}".encode() + self.uam_secret, usedforsecurity=False).hexdigest()
        return f"/?{query}&md={md.upper()}"

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.portal", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each round (default 4)")
    options = parser.parse_args(arguments)
    cores = Cores.choose()
    with tempfile.TemporaryDirectory(prefix="kogge-bench-") as name:
        try:
            _bench(Path(name), options.seconds, cores)
        except NotReady as error:
            print(f"bench.portal: {error}", file=sys.stderr)
            return 1
    return 0


def _bench(folder: Path, seconds: float, cores: Cores) -> None:
    port = free_ports(1)[0]
    site = _make_site(folder / "kogge", port)
    log = folder / "portal.log"
    command = kogge("portal", str(folder / "kogge"))
    with pinned(command, cores, log):
        _await_ready(site, log)
        pages = [_round(site, seconds, _page_request, 200) for _ in range(ROUNDS)]
        forms = _forms(site, int(seconds * 600))
        accepts = _round(site, seconds, lambda _, n: forms[n] if n < len(forms) else None, 303)
    page_rps = statistics.median(pages)
    rows = [("terms page", f"{page_rps:,.0f}"), ("acceptance, written durably", f"{accepts:,.0f}")]
    print(table(("portal, one process, one core", "per second"), rows))
    print_figures([Figure("portal.pages.rps", page_rps, "rps"), Figure("portal.accepts.rps", accepts, "rps")])


def _make_site(folder: Path, port: int) -> Site:
    city = make_city(folder, port)
    try:
        with city.store.read() as conn:
            nas = nases.nases(conn, city.store.keys)[0]
        return Site(port, city.config.portal.url, nas.nas_identifier, nas.uam_secret)
    finally:
        city.store.close()


def _await_ready(site: Site, log: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        try:
            if _ask(site, "GET", "/help")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise NotReady(log.read_text(errors="replace")[-500:])


def _ask(site: Site, method: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=5)
    try:
        connection.request(method, path, headers={"Host": site.host})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def _page_request(site: Site, number: int) -> bytes:
    return f"GET {site.redirect(number)} HTTP/1.1\r\nHost: {site.host}\r\nAccept-Language: de\r\n\r\n".encode()


def _forms(site: Site, count: int) -> list[bytes]:
    """So many filled-in forms, from pages fetched before the clock starts."""
    forms = []
    for number in range(count):
        _, page = _ask(site, "GET", site.redirect(1_000_000 + number))
        fields = dict(re.findall(r'name="(visit|terms)" value="([^"]*)"', page))
        body = urlencode(fields | {"accept": "1"}).encode()
        head = (
            f"POST /accept HTTP/1.1\r\nHost: {site.host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        forms.append(head.encode() + body)
    return forms


Request = Callable[[Site, int], bytes | None]


def _round(site: Site, seconds: float, request: Request, wanted: int) -> float:
    """Closed loop over the connections; responses a second of those with the wanted status."""
    with selectors.DefaultSelector() as selector:
        clients = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(CONNECTIONS)]
        sent = good = 0
        began = time.perf_counter()
        for index, client in enumerate(clients):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(client, selectors.EVENT_READ, index)
            client.sendall(request(site, sent) or b"")
            sent += 1
        while time.perf_counter() - began < seconds:
            for key, _ in selector.select(1.0):
                client = clients[key.data]
                good += _status(_read_response(client)) == wanted
                following = request(site, sent)
                if following is None:  # all forms are used: the rate is that of those
                    return _end(clients, good, began)
                client.sendall(following)
                sent += 1
        return _end(clients, good, began)


def _end(clients: Sequence[socket.socket], good: int, began: float) -> float:
    rate = good / (time.perf_counter() - began)
    for client in clients:
        client.close()
    return rate


def _read_response(client: socket.socket) -> bytes:
    data = client.recv(RESPONSE_MAX)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head.lower())[1])  # type: ignore[index]
    while len(body) < length:
        more = client.recv(RESPONSE_MAX)
        if not more:
            raise ConnectionError("the portal closed the connection")
        body += more
    return head


def _status(head: bytes) -> int:
    return int(head.split(b" ", 2)[1])


if __name__ == "__main__":
    sys.exit(main())
