"""Our portal under test: where it listens, how its NAS signs redirects, and what a resident does there."""

from __future__ import annotations

import hashlib
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from bench.servers import NotReady, last_lines
from bench.web import Dialogue, Wrong, get, post, run
from hotspot.values import MacAddress
from service.cities import City
from store import nases

READY_SECONDS = 30.0
_FIELDS = re.compile(rb'name="(visit|terms)" value="([^"]*)"')
_ACCEPT = re.compile(rb'<form[^>]*action="/accept".*?</form>', re.DOTALL)


def new_device(number: int) -> MacAddress:
    """A device that the city never saw."""
    return MacAddress(bytes((2, 1)) + number.to_bytes(4, "big"))


@dataclass(frozen=True, slots=True)
class Site:
    """One city's portal on `port`. `member` is a cookie of somebody of the staff, where one is needed."""

    port: int
    url: str
    staff_url: str
    nas_identifier: str
    uam_secret: bytes
    member: str = ""

    @classmethod
    def of(cls, city: City, port: int, *, member: str = "") -> Site:
        """As the city's first NAS knows it."""
        with city.store.read() as conn:
            nas = nases.nases(conn, city.store.keys)[0]
        settings = city.config.portal
        return cls(port, settings.url, settings.staff_url, nas.nas_identifier, nas.uam_secret, member)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def redirect(self, mac: MacAddress, result: str = "notyet") -> str:
        """The path and query with which the NAS sends a resident."""
        query = urlencode(
            {
                "res": result,
                "uamip": "127.0.0.1",
                "uamport": 3990,
                "challenge": os.urandom(16).hex(),
                "mac": str(mac),
                "nasid": self.nas_identifier,
                "userurl": "http://example.org/",
            }
        )
        md = hashlib.md5(f"{self.url}/?{query}".encode() + self.uam_secret, usedforsecurity=False).hexdigest()
        return f"/?{query}&md={md.upper()}"

    def first_page(self, mac: MacAddress) -> Dialogue:
        """The page that a newcomer sees."""
        answer = yield get(self.host, self.redirect(mac))
        return answer.status == 200 and b'action="/accept"' in answer.body

    def log_in(self, mac: MacAddress) -> Dialogue:
        """The page, and its acceptance: device, grant, ticket, in one durable transaction; then the way to the NAS."""
        page = yield get(self.host, self.redirect(mac))
        form = _ACCEPT.search(page.body)
        fields = {name.decode(): value.decode() for name, value in _FIELDS.findall(form[0] if form else b"")}
        answer = yield post(self.host, "/accept", urlencode(fields | {"accept": "1"}))
        return answer.status == 303 and "/logon?username=" in answer.header("Location")

    def status(self, mac: MacAddress) -> Dialogue:
        """Back from the NAS, and what RADIUS knows of the device."""
        back = yield get(self.host, self.redirect(mac, "success"))
        answer = yield get(self.host, back.header("Location"))
        return back.status == 303 and answer.status == 200

    def sessions(self) -> Dialogue:
        """The staff's list of sessions."""
        answer = yield get(urlsplit(self.staff_url).netloc, "/staff/sessions", f"Cookie: kogge_staff={self.member}")
        return answer.status == 200

    def await_ready(self, log: Path) -> None:
        """NotReady with the log's end, where it does not answer in time."""
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            try:
                run(self.port, lambda number: self.first_page(new_device(number)), 0.1, browsers=1)
            except (OSError, Wrong):
                time.sleep(0.2)
            else:
                return
        raise NotReady(last_lines(log, 20))
