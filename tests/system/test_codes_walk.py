"""Getting online by a code: Chromium without JavaScript and cookies, a real mail server and a real SMS gateway.

RADIUS, portal, monitor and the simulated NAS run as processes. Screenshots stay in `artefacts/codes/`.
"""

from __future__ import annotations

import contextlib
import re
import socket
import sqlite3
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
from tests.support.tls import Certified, certify
from tests.support.walking import chromium_browser, simulator, until

pytestmark = [pytest.mark.system, pytest.mark.tool("chromium"), pytest.mark.timeout(300)]

ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "codes"
WAIT_S = 30.0


@dataclass
class Town:
    """Wismar with all its services; its mail server and SMS gateway can be closed and opened."""

    written: Written
    nas: str
    smtp: str
    web: str
    certified: Certified
    mailbox: Mailbox = field(default_factory=Mailbox)
    office: PostOffice | None = None

    def open(self) -> None:
        self.office = PostOffice(self.mailbox, self.smtp, self.web, tls=self.certified.context())
        self.office.start()

    def close(self) -> None:
        if self.office is not None:
            self.office.stop()
            self.office = None

    def message_to(self, recipient: str, *, within_s: float = WAIT_S) -> Received:
        end = time.monotonic() + within_s
        while True:
            found = [each for each in list(self.mailbox.received) if each.recipient == recipient]
            if found:
                return found[0]
            assert time.monotonic() < end, (self.written.path / "monitor.log").read_text()[-2000:]
            time.sleep(0.1)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with contextlib.closing(sqlite3.connect(self.written.database("wismar"))) as conn:
            return conn.execute(query).fetchall()

    def change(self, statement: str) -> None:
        with contextlib.closing(sqlite3.connect(self.written.database("wismar"), timeout=10)) as conn, conn:
            conn.execute(statement)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("codes")
    certified = certify(folder / "tls", ["localhost"])
    smtp, web = _free(), _free()
    written = write_installation(
        folder / "installation",
        ["wismar"],
        mail={
            "host": "localhost",
            "port": smtp,
            "tls": "starttls",
            "ca_file": str(certified.authority),
            "timeout_s": 3.0,
        },
        sms={"url": f"http://127.0.0.1:{web}/sms", "timeout_s": 3.0},
        limits={"code_pause_seconds": 30},
    )
    written.initialise()
    city = open_city(written.installation, written.cities["wismar"], now=datetime.now(UTC))
    with city.store.read() as conn:
        (nas,) = nases.nases(conn, city.store.keys)
    write_town(written.path / "TOWN.json", [city])
    city.store.close()
    town = Town(written, nas.login_url, f"127.0.0.1:{smtp}", f"127.0.0.1:{web}", certified)
    with service(written, "radius"), service(written, "portal"), service(written, "monitor"), simulator(written):
        town.open()
        yield town
        town.close()


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_browser() as browser:
        yield browser


@pytest.fixture
def walker(chromium: Browser, town: Town) -> Iterator[Callable[..., Page]]:
    """A person who walked up to the hotspot: a browser without JavaScript that keeps no cookie of the portal's.

    The NAS's own cookie stands for the radio link (docs/simulator.md), so it stays.
    """
    contexts = []

    def make(locale: str = "de-DE") -> Page:
        context = chromium.new_context(java_script_enabled=False, locale=locale, viewport={"width": 320, "height": 640})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.goto(f"{town.nas}/walk-up")
        return page

    yield make
    for context in contexts:
        names = {cookie.get("name") for cookie in context.cookies()}
        context.close()
        assert names <= {"device"}, "the portal sets no cookie"


def keep(page: Page, name: str) -> None:
    walking.keep(page, ARTEFACTS, name)


def ask(page: Page, way: str, address: str) -> None:
    page.click(f"details:has(#{way}-code) summary")
    page.fill(f"#{way}-code [name=address]", address)


def code_in(message: Received) -> str:
    found = re.search(r"\b\d{6}\b", message.text)
    assert found, message.text
    return found[0]


def test_a_resident_fetches_a_code_by_e_mail_and_stays_online(town: Town, walker: Callable[..., Page]) -> None:
    page = walker()
    ask(page, "email", "nobody at all")
    page.evaluate("document.querySelector('#email-code').noValidate = true")
    page.click("#email-code button")
    assert "keine E-Mail-Adresse" in page.locator("[role=alert]").inner_text()
    keep(page, "1-wrong-address")
    page.fill("#email-code [name=address]", "erika@example.org")
    keep(page, "2-email")
    page.click("#email-code button")
    until(page, "#grace")
    assert "Code eingeben" in page.locator("h1").inner_text()
    message = town.message_to("erika@example.org")
    until(page, "#sent")
    keep(page, "3-code")
    page.goto(f"{town.nas}/internet")
    assert page.locator("#online, h1:has-text('online')").count() == 1, "the grace session carries traffic"

    page.goto("about:blank")  # the log-in window was closed, and the link in the e-mail is opened
    (link,) = re.findall(r"^http\S+", message.text, re.MULTILINE)
    page.goto(link)
    assert page.input_value("#code-typed") == code_in(message)
    page.fill("#code-typed", f"{(int(code_in(message)) + 1) % 10**6:06d}")
    page.click("#code button")
    assert "falsch" in page.locator("[role=alert]").inner_text()
    keep(page, "4-wrong-code")
    page.fill("#code-typed", code_in(message))
    page.click("#code button")
    assert "/status" in page.url
    until(page, "#online")
    keep(page, "5-online")
    _await_coa(town, page)


def _await_coa(town: Town, page: Page) -> None:
    """The NAS took the new limits: its own page says more than the five minutes of grace, in the same session."""
    end = time.monotonic() + WAIT_S
    told = ("coa", "new_grant", "confirmed")
    while told not in (orders := town.rows("SELECT kind, reason, state FROM outbox")):
        assert time.monotonic() < end, orders
        time.sleep(0.2)
    ways = town.rows(
        "SELECT g.way FROM outbox o JOIN session s ON s.id = o.session_id JOIN grant_ g ON g.id = s.grant_id"
        " WHERE o.kind = 'coa' AND s.ended_at IS NULL"
    )
    assert set(ways) == {("email",)}, "whoever was told new limits stays online under the code's own grant"
    page.goto(f"{town.nas}/internet")
    left = re.search(r"(\d+) s left", page.inner_text("dl"))
    assert left and int(left[1]) > 230 * 60, "four hours, less what the walk took"


def test_a_resident_gets_a_code_by_text_message_in_english(town: Town, walker: Callable[..., Page]) -> None:
    page = walker("en-GB")
    ask(page, "sms", "0381 123456")
    page.click("#sms-code button")
    assert "mobile number" in page.locator("[role=alert]").inner_text()
    page.fill("#sms-code [name=address]", "0151 / 234 567 89")
    keep(page, "6-sms")
    page.click("#sms-code button")
    keep(page, "7-sms-code")
    page.fill("#code-typed", code_in(town.message_to("+4915123456789")))
    page.click("#code button")
    until(page, "#online")


def test_a_dead_gateway_holds_up_no_page_and_what_was_wanted_comes_later(
    town: Town, walker: Callable[..., Page]
) -> None:
    town.close()
    page = walker("en-GB")
    ask(page, "email", "late@example.org")
    began = time.monotonic()
    page.click("#email-code button")
    assert time.monotonic() - began < 5, "the page waits for no mail server"
    until(page, "#grace")
    until(page, "#delayed")
    keep(page, "8-delayed")
    town.open()
    message = town.message_to("late@example.org", within_s=60)
    until(page, "#sent")
    page.fill("#code-typed", code_in(message))
    page.click("#code button")
    until(page, "#online")


def test_where_a_nas_takes_no_new_limits_the_same_code_lets_on_anew(town: Town, walker: Callable[..., Page]) -> None:
    """As with a product that takes a Disconnect and no CoA: the short session ends, the code is good for another."""
    page = walker("en-GB")
    ask(page, "email", "other@example.org")
    page.click("#email-code button")
    until(page, "#grace")
    code = code_in(town.message_to("other@example.org"))
    town.change("UPDATE nas SET product = 'standard'")
    try:
        page.fill("#code-typed", code)
        page.click("#code button")
        assert page.locator("#again").count() == 1
        keep(page, "9-again")
        end = time.monotonic() + WAIT_S
        orders = "SELECT kind, reason, state FROM outbox ORDER BY id DESC LIMIT 1"
        while (order := town.rows(orders)) != [("disconnect", "new_grant", "confirmed")]:
            assert time.monotonic() < end, order
            time.sleep(0.2)
        page.goto(f"{town.nas}/internet")
        page.click("details:has(#email-code) summary")
        page.click("details:has(#email-code) a")
        page.fill("#code-typed", code)
        page.click("#code button")
        until(page, "#online")
        ways = town.rows("SELECT g.way FROM session s JOIN grant_ g ON g.id = s.grant_id ORDER BY s.id DESC LIMIT 1")
        assert ways == [("email",)]
    finally:
        town.change("UPDATE nas SET product = 'coovachilli'")


def test_no_address_and_no_code_is_left_anywhere(town: Town, walker: Callable[..., Page]) -> None:
    page = walker()
    ask(page, "email", "secret-address@example.org")
    page.click("#email-code button")
    until(page, "#grace")
    town.message_to("secret-address@example.org")
    until(page, "#sent")
    assert town.rows("SELECT recipient_sealed, content_sealed FROM message WHERE state = 'sent'")[-1] == (None, None)
    files = [file for file in town.written.path.rglob("*") if file.is_file()]
    assert {"portal.log", "monitor.log", "radius.log", "kogge.db"} <= {file.name for file in files}
    assert [file.name for file in files if b"secret-address" in file.read_bytes()] == []
