"""A person with a browser: from the start page onto the Wi-Fi, until an admin ends it. Chromium without JavaScript.

Screenshots of every page at 320 and 1280 pixels stay in `artefacts/walk/`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from hotspot.roles import Role
from ops.town import write_town
from portal.staff.login import hash_password
from service.cities import open_city
from store import nases, staff
from tests.support import walking
from tests.support.installation import Written, write_installation
from tests.support.processes import service
from tests.support.walking import chromium_browser, simulator, until, visitors

pytestmark = [pytest.mark.system, pytest.mark.tool("chromium"), pytest.mark.timeout(300)]

ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "walk"
PASSWORD = "a password of this walk"


@dataclass(frozen=True)
class Town:
    """Rostock with all its services, its simulated NAS and access points; no residents but the tests'."""

    start_page: str
    staff: str
    nas: str


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    written = write_installation(tmp_path_factory.mktemp("walk") / "installation", ["rostock"])
    file = written.path / "kogge.toml"
    file.write_text(file.read_text().replace('start_page_host = ""', 'start_page_host = "localhost"'))
    written.initialise()
    nas = _prepare(written)
    with service(written, "radius"), service(written, "portal"), service(written, "monitor"), simulator(written):
        port = written.installation.portal.listen.rpartition(":")[2]
        yield Town(f"http://localhost:{port}/", f"{written.cities['rostock'].portal.staff_url}/staff", nas)


def _prepare(written: Written) -> str:
    """Members with a password, and TOWN.json; returns the NAS's address."""
    city = open_city(written.installation, written.cities["rostock"], now=datetime.now(UTC))
    hashed = hash_password(PASSWORD)
    with city.store.write() as conn:
        for role in Role:
            member = staff.by_login(conn, role.value)
            now = datetime.now(UTC)
            known = member.id if member else staff.add(conn, login=role.value, name=role.value, role=role, now=now)
            staff.set_password(conn, known, hashed)
        (nas,) = nases.nases(conn, city.store.keys)
    write_town(written.path / "TOWN.json", [city])
    city.store.close()
    return nas.login_url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_browser() as browser:
        yield browser


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Callable[[str], Page]]:
    """Makes a page of a new visitor, without JavaScript."""
    with visitors(chromium) as make:
        yield make


def keep(page: Page, name: str) -> None:
    walking.keep(page, ARTEFACTS, name)


def log_in(page: Page, town: Town, role: Role) -> None:
    page.goto(town.staff)
    page.fill("#login-name", role.value)
    page.fill("#password", PASSWORD)
    page.click("#login button")


def test_a_resident_gets_online_and_an_admin_ends_it(town: Town, visitor: Callable[[str], Page]) -> None:
    resident = visitor("de-DE")
    resident.goto(town.start_page)
    keep(resident, "1-start")
    resident.click("#walk-rostock")
    assert resident.locator("html").get_attribute("lang") == "de"
    keep(resident, "2-terms")
    resident.click("nav summary")
    resident.click("nav a[lang=en]")
    assert resident.locator("#accept button").inner_text() == "Accept and go online"
    keep(resident, "3-terms-english")
    resident.click("#accept button")
    until(resident, "#online")
    assert resident.locator("html").get_attribute("lang") == "en"  # without a cookie, across the NAS
    keep(resident, "4-online")
    status = resident.url
    resident.goto(f"{town.nas}/internet")
    assert resident.locator("#online").count() == 1

    admin = visitor("de-DE")
    admin.goto(town.staff)
    keep(admin, "5-staff-log-in")
    log_in(admin, town, Role.ADMIN)
    row = admin.locator("#live tbody tr").first
    session = row.get_attribute("id")
    keep(admin, "6-sessions")
    row.locator("button").click()
    until(admin, f"#ended #{session}")
    keep(admin, "7-session-ended")
    until(admin, f"#ended #{session} td:has-text('Trennung: vollzogen')")

    resident.goto(status)
    until(resident, "#offline")
    keep(resident, "8-offline")
    resident.goto(f"{town.nas}/internet")
    assert resident.locator("#accept").count() == 1


def test_a_guest_with_a_voucher_and_a_desk_that_made_it(town: Town, visitor: Callable[[str], Page]) -> None:
    desk = visitor("de-DE")
    log_in(desk, town, Role.DESK)
    keep(desk, "9-vouchers")
    desk.fill("#label", "Bücherei")
    desk.fill("#count", "6")
    desk.click("#batch button")
    keep(desk, "10-voucher-sheet")
    code = desk.locator(".code").first.inner_text()

    guest = visitor("en-GB")
    guest.goto(f"{town.nas}/walk-up")
    guest.click("main summary")
    guest.fill("#code", "WRONG CODE")
    guest.click("#voucher button")
    assert "not a voucher code" in guest.locator("[role=alert]").inner_text()
    keep(guest, "11-wrong-code")
    guest.fill("#code", f" {code.lower()} ")
    guest.click("#voucher button")
    until(guest, "#online")
    guest.click("#leave button")
    until(guest, "#offline")


def test_an_official_reads_the_month_and_an_admin_the_access_points(town: Town, visitor: Callable[[str], Page]) -> None:
    official = visitor("de-DE")
    log_in(official, town, Role.OFFICIAL)
    assert re.search(r"/report/20\d\d-\d\d$", official.url)
    keep(official, "12-report")
    refused = official.goto(f"{town.staff}/sessions")
    assert refused is not None and refused.status == 403

    admin = visitor("de-DE")
    log_in(admin, town, Role.ADMIN)
    admin.goto(f"{town.staff}/access-points")
    until(admin, "td:has-text('UAP')", within_s=40)
    keep(admin, "13-access-points")
    admin.goto(f"{town.staff}/audit")
    keep(admin, "14-audit")
