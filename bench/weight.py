"""`python -m bench.weight`: what each residents' page weighs in each language, and when a slow link shows the first.

Octets are counted on a socket: status line, headers and body, as a phone that takes gzip gets them. Requests and the
first contentful paint are Chromium's, with its cache empty, on a link that it slows down.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, sync_playwright

from bench.installation import make_city
from bench.report import Figure, print_figures, table
from bench.servers import Cores, NotReady, free_ports, last_lines, pinned
from ops.supervisor import kogge
from store import nases

READY_SECONDS = 30.0
LOADS = 7
LINK = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
"""A crowded square: 400 ms until an answer begins, 400 kbit/s. Chromium adds the latency to each request."""

FIRST_PAINT = """() => new Promise(done => new PerformanceObserver(list => {
  const found = list.getEntriesByName('first-contentful-paint');
  if (found.length) done(found[0].startTime);
}).observe({type: 'paint', buffered: true}))"""
"""Milliseconds since the browser began to ask."""


@dataclass(frozen=True, slots=True)
class Site:
    """The portal under test, with all that a redirect to it needs."""

    port: int
    url: str
    languages: tuple[str, ...]
    nas_identifier: str
    uam_secret: bytes

    def redirect(self) -> str:
        """The path and query with which the NAS sends a new resident."""
        fields = {"res": "notyet", "uamip": "10.1.0.1", "uamport": 3990, "challenge": os.urandom(16).hex()}
        own = {"mac": "02-01-00-00-00-01", "nasid": self.nas_identifier, "userurl": "http://example.org/"}
        query = urlencode(fields | own)
        md = hashlib.md5(f"{self.url}/?{query}".encode() + self.uam_secret, usedforsecurity=False).hexdigest()
        return f"/?{query}&md={md.upper()}"

    def fetch(self, path: str, language: str, encoding: str = "gzip") -> bytes:
        """All octets of the answer."""
        head = {
            "Host": self.url.removeprefix("http://"),
            "Accept-Language": language,
            "Accept-Encoding": encoding,
            "Connection": "close",
        }
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=5)) as connection:
            connection.sendall("\r\n".join(lines).encode())
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise NotReady(f"{path}: {answer[:80]!r}")
        return answer

    def pages(self) -> dict[str, str]:
        """Every page that a resident sees without having done anything yet, by name."""
        front = self.redirect()
        found = re.search(rb'name="visit" value="([^"]*)"', self.fetch(front, "en", "identity"))
        if found is None:
            raise NotReady("the first page has no form")
        status = f"/status?visit={found[1].decode()}"
        return {
            "first page": front,
            "status": status,
            "help": "/help",
            "terms": "/terms",
            "statement": "/accessibility",
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. Returns the exit status."""
    argparse.ArgumentParser(prog="python -m bench.weight", description=(__doc__ or "").partition(":")[2]).parse_args(
        arguments
    )
    with tempfile.TemporaryDirectory(prefix="kogge-bench-") as name:
        try:
            _bench(Path(name))
        except NotReady as error:
            print(f"bench.weight: {error}", file=sys.stderr)
            return 1
    return 0


def _bench(folder: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise NotReady("needs chromium; `make test-tools` installs it")
    site = _make_site(folder / "kogge", free_ports(1)[0])
    log = folder / "portal.log"
    with pinned(kogge("portal", str(folder / "kogge")), Cores.choose(), log), sync_playwright() as playwright:
        _await_ready(site, log)
        weights = {name: {each: len(site.fetch(path, each)) for each in site.languages} for name, path in _pages(site)}
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        requests = {name: _requests(browser, site, path) for name, path in _pages(site)}
        paints = [_first_paint(browser, site) for _ in range(LOADS)]
        browser.close()
    rows = [(name, *(f"{octets:,}" for octets in row.values()), str(requests[name])) for name, row in weights.items()]
    print(table(("octets over the wire", *site.languages, "requests"), rows))
    figures = [
        Figure(f"portal.first_page.bytes.{language}", octets, "bytes")
        for language, octets in weights["first page"].items()
    ]
    print_figures([*figures, Figure("portal.first_page.fcp_ms", statistics.median(paints), "ms")])


def _pages(site: Site) -> list[tuple[str, str]]:
    return list(site.pages().items())


def _make_site(folder: Path, port: int) -> Site:
    city = make_city(folder, port)
    try:
        with city.store.read() as conn:
            nas = nases.nases(conn, city.store.keys)[0]
        return Site(port, city.config.portal.url, city.config.languages, nas.nas_identifier, nas.uam_secret)
    finally:
        city.store.close()


def _await_ready(site: Site, log: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        try:
            site.fetch("/help", "en")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise NotReady(f"the portal does not answer:\n{last_lines(log)}")


def _requests(browser: Browser, site: Site, path: str) -> int:
    """How many requests Chromium makes for the page."""
    asked: list[str] = []
    with closing(browser.new_page()) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{site.url}{path}", wait_until="networkidle")
    return sum(url.startswith("http") for url in asked)


def _first_paint(browser: Browser, site: Site) -> float:
    """Milliseconds from asking for the first page to its first text on the screen, on the slow link."""
    with closing(browser.new_page()) as page:
        _slow_down(page)
        page.goto(f"{site.url}{site.redirect()}")
        return float(page.evaluate(FIRST_PAINT))


def _slow_down(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", LINK)


if __name__ == "__main__":
    sys.exit(main())
