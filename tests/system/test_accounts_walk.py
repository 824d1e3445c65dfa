"""An account's life in Chromium, without JavaScript and without a cookie of ours, with a real mail server.

RADIUS, portal, monitor and the simulated NAS run as processes. Screenshots stay in `artefacts/accounts/`.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from ops.town import write_town
from service.cities import open_city
from simulator.mailbox import Mailbox, PostOffice, Received
from store import nases
from tests.support import walking
from tests.support.installation import Written, write_installation
from tests.support.processes import service
from tests.support.walking import chromium_browser, simulator, until, visitors

pytestmark = [pytest.mark.system, pytest.mark.tool("chromium"), pytest.mark.timeout(300)]

ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "accounts"
ADDRESS = "hanna.lind@example.org"
PASSWORD, OTHER = "vier Wörter sind gut", "noch vier gute Wörter"


@dataclass
class Town:
    """Lübeck with all its services and a mail server."""

    written: Written
    nas: str
    portal: str
    mailbox: Mailbox = field(default_factory=Mailbox)

    def mail(self, number: int) -> Received:
        """The one that came as `number`, from 1."""
        end = time.monotonic() + 30
        while len(self.mailbox.received) < number:
            assert time.monotonic() < end, (self.written.path / "monitor.log").read_text()[-2000:]
            time.sleep(0.1)
        return list(self.mailbox.received)[-number]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    smtp, web = _free(), _free()
    written = write_installation(
        tmp_path_factory.mktemp("accounts") / "installation", ["luebeck"], mail={"host": "127.0.0.1", "port": smtp}
    )
    written.initialise()
    city = open_city(written.installation, written.cities["luebeck"], now=datetime.now(UTC))
    with city.store.read() as conn:
        (nas,) = nases.nases(conn, city.store.keys)
    write_town(written.path / "TOWN.json", [city])
    city.store.close()
    town = Town(written, nas.login_url, written.cities["luebeck"].portal.url)
    office = PostOffice(town.mailbox, f"127.0.0.1:{smtp}", f"127.0.0.1:{web}")
    with service(written, "radius"), service(written, "portal"), service(written, "monitor"), simulator(written):
        office.start()
        yield town
        office.stop()


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_browser() as browser:
        yield browser


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Callable[[str], Page]]:
    with visitors(chromium) as make:
        yield make


def keep(page: Page, name: str) -> None:
    walking.keep(page, ARTEFACTS, name)


def link_in(mail: Received) -> str:
    found = re.search(r"http\S+", mail.text)
    assert found is not None, mail.text
    return found[0]


def log_in(page: Page, password: str) -> None:
    if page.locator("details:has(#account):not([open])").count():
        page.click("details:has(#account) summary")
    page.fill("#account [name=email]", ADDRESS)
    page.fill("#account [name=password]", password)
    page.click("#account button")


def at_hub(page: Page, form: str, **fields: str) -> None:
    page.click("details:has(#account) summary")
    page.click("a[href^='/account?']")
    page.click(f"details:has(#{form}) summary")
    for name, value in fields.items():
        page.fill(f"#{form} [name={name}]", value)
    page.click(f"#{form} button")


def go_offline(page: Page) -> None:
    page.click("#leave button")
    until(page, "#offline")


def test_an_account_from_its_registration_to_its_end(town: Town, visitor: Callable[[str], Page]) -> None:
    page = visitor("en-GB")
    page.goto(f"{town.nas}/walk-up")
    page.click("details:has(#account) summary")
    keep(page, "01-front")
    page.click("#new-account")
    keep(page, "02-new")
    page.fill("#register [name=email]", ADDRESS)
    page.fill("#register [name=password]", "passwort123")
    page.click("#register button")
    assert "too easy to guess" in page.locator("[role=alert]").inner_text()
    keep(page, "03-too-easy")
    page.fill("#register [name=password]", PASSWORD)
    page.click("#register button")
    until(page, "#grace")  # by way of the NAS, online for five minutes
    assert page.url.startswith(f"{town.portal}/account/mailed?")
    keep(page, "04-mailed")

    mail = town.mail(1)
    assert mail.recipient == ADDRESS and mail.subject.startswith("Confirm your Wi-Fi account")
    reader = page.context.new_page()
    reader.goto(link_in(mail))
    keep(reader, "05-confirm")
    reader.click("#confirm button")
    assert "Your account is ready" in reader.content()
    keep(reader, "06-ready")
    reader.close()

    log_in(page, "something else")
    assert "We know no account" in page.locator("[role=alert]").inner_text()
    keep(page, "07-wrong")
    log_in(page, PASSWORD)
    until(page, "#online")  # the short session goes on under the account
    assert page.locator("#enter").count() == 0
    keep(page, "08-online")
    go_offline(page)

    page.goto(f"{town.nas}/internet")
    log_in(page, PASSWORD)
    until(page, "#online")
    go_offline(page)

    page.goto(f"{town.nas}/internet")
    at_hub(page, "forgotten", email=ADDRESS)
    until(page, "#grace")
    reset = town.mail(2)
    page.goto(link_in(reset))
    keep(page, "09-new-password")
    page.fill("#new-password [name=password]", OTHER)
    page.click("#new-password button")
    assert "Your new password is set" in page.content()
    page.goto(link_in(reset))
    assert "not good any more" in page.content()
    keep(page, "10-spent")

    page.goto(f"{town.nas}/internet")
    until(page, "#mailed, #online")
    page.goto(page.url.replace("/status?", "/account/mailed?"))
    log_in(page, OTHER)
    until(page, "#online")
    go_offline(page)

    page.goto(f"{town.nas}/internet")
    at_hub(page, "delete", email=ADDRESS, password=OTHER)
    keep(page, "11-delete")
    page.click("#sure button")
    assert "Your account is deleted" in page.content()
    keep(page, "12-deleted")
    page.goto(f"{town.nas}/internet")
    log_in(page, OTHER)
    assert "We know no account" in page.locator("[role=alert]").inner_text()
    assert {cookie.get("name") for cookie in page.context.cookies()} == {"device"}  # the NAS's: its radio link


def test_the_hub_at_a_glance(town: Town, visitor: Callable[[str], Page]) -> None:
    page = visitor("de-DE")
    page.goto(f"{town.nas}/walk-up")
    page.click("details:has(#account) summary")
    page.click("a[href^='/account?']")
    assert page.locator("html").get_attribute("lang") == "de"
    keep(page, "13-hub")
    for form in ("forgotten", "change", "delete"):
        page.click(f"details:has(#{form}) summary")
    keep(page, "14-hub-open")
