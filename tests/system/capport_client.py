"""A device's part of RFC 8908, as a program for a namespace of its own: API, portal, log-in, API, and what comes after.

Run as `python -m tests.system.capport_client API_URL AUTHORITY NAS`; prints one JSON document of what it saw. With
"stay" instead of the NAS's address it stays online, with "ask" it only asks the API. It trusts that authority alone.
"""

from __future__ import annotations

import json
import re
import ssl
import sys
import time
import urllib.request
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode

from simulator.browser import Page

WAIT_SECONDS = 30.0


@dataclass
class Device:
    """One device: a browser with the NAS's cookie, which stands for the radio link, and the system's API client."""

    api: str
    authority: str

    def __post_init__(self) -> None:
        self._context = ssl.create_default_context(cafile=self.authority)
        secure = urllib.request.HTTPSHandler(context=self._context)
        self._browser = urllib.request.build_opener(secure, urllib.request.HTTPCookieProcessor(CookieJar()))
        self._system = urllib.request.build_opener(urllib.request.HTTPSHandler(context=self._context))

    def ask(self) -> dict[str, Any]:
        """The API, as the system asks it."""
        request = urllib.request.Request(self.api, headers={"Accept": "application/captive+json"})
        with self._system.open(request, timeout=20) as answer:
            assert answer.headers["Content-Type"] == "application/captive+json"
            assert answer.headers["Cache-Control"] == "no-store"
            document: dict[str, Any] = json.load(answer)
            return document

    def ask_until(self, captive: bool) -> dict[str, Any]:
        until = time.monotonic() + WAIT_SECONDS
        while (said := self.ask())["captive"] is not captive or ("seconds-remaining" in said) is captive:
            assert time.monotonic() < until, said
            time.sleep(0.2)
        return said

    def open(self, url: str, fields: dict[str, str] | None = None) -> Page:
        """A page of the browser, redirects followed."""
        body = None if fields is None else urlencode(fields).encode()
        request = urllib.request.Request(url, body, headers={"Accept-Language": "en"})
        with self._browser.open(request, timeout=20) as answer:
            return Page(answer.status, answer.url, answer.read().decode(), ())

    def send(self, page: Page, id_: str, **pressed: str) -> Page:
        form = page.form(id_)
        assert form is not None, page.body
        return self.open(form.action, dict(form.fields) | pressed)

    def nas_seconds_left(self, nas: str) -> int:
        """What the NAS itself says, on its page of the internet."""
        found = re.search(r"(\d+) s left", self.open(nas).body)
        assert found
        return int(found[1])


def get_on(device: Device) -> tuple[dict[str, Any], Page]:
    """From captive to online; what the API said on the way, and the status page."""
    seen: dict[str, Any] = {"at first": device.ask()}
    front = device.open(seen["at first"]["user-portal-url"])
    status = device.send(front, "accept", accept="1")
    seen["online"] = device.ask_until(False)
    return seen, device.open(status.url)


def walk(device: Device, nas: str) -> dict[str, Any]:
    """Online, longer, and captive again."""
    seen, status = get_on(device)
    seen["nas"] = device.nas_seconds_left(nas)
    device.send(status, "extend")
    seen["extended"] = device.ask()
    until = time.monotonic() + WAIT_SECONDS
    while (left := device.nas_seconds_left(nas)) <= seen["nas"] and time.monotonic() < until:
        time.sleep(0.2)
    seen["nas extended"] = left
    device.send(device.open(status.url), "leave")
    seen["at last"] = device.ask_until(True)
    return seen


if __name__ == "__main__":
    this, then = Device(sys.argv[1], sys.argv[2]), sys.argv[3]
    print(json.dumps(this.ask() if then == "ask" else get_on(this)[0] if then == "stay" else walk(this, then)))
