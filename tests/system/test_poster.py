"""A poster on paper: Chromium prints it on one page A4, and a camera's library reads both codes from that."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zxingcpp
from playwright.sync_api import sync_playwright

from hotspot.roles import Role
from portal.staff.guard import COOKIE
from portal.staff.poster import wifi_text
from service.cities import open_city
from store import staff
from tests.support.installation import write_installation
from tests.support.processes import service

pytestmark = [pytest.mark.system, pytest.mark.tool("chromium"), pytest.mark.tool("pdftoppm")]

ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "poster"
A4_POINTS = (595, 842)
DOTS_PER_INCH = 100


@pytest.mark.parametrize("language", ["de", "uk"])
def test_a_poster_is_one_page_and_its_codes_can_be_read(tmp_path: Path, language: str) -> None:
    written = write_installation(tmp_path / "installation", ["luebeck"])
    written.initialise()
    config, token = written.cities["luebeck"], "t" * 43
    city = open_city(written.installation, config, now=datetime.now(UTC))
    with city.store.write() as conn:
        now = datetime.now(UTC)
        admin = staff.add(conn, login="printer", name="Printer", role=Role.ADMIN, now=now)
        staff.open_session(conn, staff_id=admin, token=token, now=now, expires_at=now + timedelta(hours=1))
    city.store.close()
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    file = ARTEFACTS / f"poster-{language}.pdf"
    with service(written, "portal"), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context()
        context.add_cookies([{"name": COOKIE, "value": token, "domain": config.portal.staff_host, "path": "/"}])
        page = context.new_page()
        page.goto(f"{config.portal.staff_url}/staff/places/1/poster?lang={language}")
        assert page.locator("html").get_attribute("lang") == language
        page.pdf(path=file, prefer_css_page_size=True, print_background=True)
        browser.close()
    _is_one_page_a4(file)
    assert {code.text for code in zxingcpp.read_barcodes(_scan(file))} == {
        wifi_text(config.face.ssid),
        config.portal.url,
    }


def _is_one_page_a4(file: Path) -> None:
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", file.read_bytes())
    assert len(boxes) == 1, boxes
    assert tuple(map(float, boxes[0])) == pytest.approx(A4_POINTS, abs=1)


def _scan(file: Path) -> memoryview:
    """The page as grey pixels (PGM, binary), as a scanner or a camera gives them."""
    command = ["pdftoppm", "-gray", "-r", str(DOTS_PER_INCH), str(file)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    head = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", done.stdout)
    assert head is not None
    width, height = int(head[1]), int(head[2])
    return memoryview(done.stdout[head.end() :]).cast("B", (height, width))
