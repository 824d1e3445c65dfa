"""Pages that refresh themselves, in Chromium under the real policy: what changes there, and what must not."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from sqlalchemy import delete

from hotspot.fleet import ApHealth, PollFailure
from hotspot.roles import Role
from portal.staff import access_points, ap_discovery
from portal.staff.guard import COOKIE
from store import discoveries, schema
from store.health import save_healths
from tests.portal.hands import NOW, Door
from tests.support.aps import reading
from tests.system.places import HOST, open_door

pytestmark = [pytest.mark.pages, pytest.mark.tool("chromium"), pytest.mark.timeout(120)]

LIST = "/staff/access-points?sort=name"
WAIT_MS = 20_000


@pytest.fixture
def door(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """A page asks again every second, so that a test has not to wait."""
    monkeypatch.setattr(access_points, "LIVE_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    with open_door(tmp_path_factory.mktemp("live"), port) as opened:
        yield opened


@pytest.fixture
def browser(door: Door) -> Iterator[BrowserContext]:
    """An admin's; anything that the Content-Security-Policy refuses fails the test."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        context = chromium.new_context(extra_http_headers={"Accept-Language": "en"})
        context.set_default_timeout(WAIT_MS)
        expect.set_options(timeout=WAIT_MS)
        cookie = door.member(Role.ADMIN).client.get_cookie(COOKIE, domain=HOST)
        assert cookie is not None
        context.add_cookies([{"name": COOKIE, "value": cookie.value, "url": door.staff_url}])
        refused: list[str] = []
        context.on("console", lambda said: refused.append(said.text) if "Content Security" in said.text else None)
        yield context
        chromium.close()
    assert refused == []


def fail(door: Door, point_id: int) -> None:
    with door.city.store.write() as conn:
        health = ApHealth(False, NOW, NOW - timedelta(minutes=1), NOW, PollFailure.TIMEOUT, None)
        save_healths(conn, {point_id: health})


def mend(door: Door, point_id: int) -> None:
    with door.city.store.write() as conn:
        save_healths(conn, {point_id: ApHealth(True, NOW, NOW, NOW, None, reading(NOW))})


def row(page: Page, name: str) -> str:
    return page.locator("tr", has_text=name).inner_text()


def test_what_changes_appears_without_a_reload_and_is_announced(door: Door, browser: BrowserContext) -> None:
    page = browser.new_page()
    page.goto(f"{door.staff_url}{LIST}")
    page.evaluate("window.same = true")
    told = page.locator("#live-told")
    assert told.get_attribute("role") == "status"
    expect(told).to_have_text("2 down, 1 unknown, 3 up.")
    fail(door, 1)
    expect(told).to_have_text("3 down, 1 unknown, 2 up.")
    assert "no answer" in row(page, "neuer-markt-1")
    assert page.evaluate("window.same"), "the page is the same one"
    for path, selector in (("/staff/access-points/map", "#live-map"), ("/staff/access-points/1", "#live-point")):
        page.goto(f"{door.staff_url}{path}")
        mend(door, 1)
        expect(page.locator(selector)).to_contain_text("2 of 2 up" if "map" in path else "U6-LR")
        fail(door, 1)
        expect(page.locator(selector)).to_contain_text("some down" if "map" in path else "no answer")


def test_focus_scroll_and_what_is_unfolded_stay(door: Door, browser: BrowserContext) -> None:
    page = browser.new_page()
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"{door.staff_url}{LIST}")
    link = page.locator("a[href='/staff/access-points/2']")
    link.focus()
    page.locator("#live-list .scroll").evaluate("each => each.scrollTo(40, 0)")
    before = page.evaluate("scrollY")
    fail(door, 1)
    expect(page.locator("#live-told")).to_have_text("3 down, 1 unknown, 2 up.")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "/staff/access-points/2"
    assert page.locator("#live-list .scroll").evaluate("each => each.scrollLeft") == 40
    assert abs(page.evaluate("scrollY") - before) < 5
    page.goto(f"{door.staff_url}/staff/access-points/1")
    page.locator("summary").first.click()
    page.evaluate("document.querySelector('#live-point').firstElementChild.setAttribute('data-old', '')")
    mend(door, 1)
    expect(page.locator("#live-point [data-old]")).to_have_count(0)
    assert page.locator("details").first.evaluate("each => each.open")


def test_what_somebody_types_stays(door: Door, browser: BrowserContext) -> None:
    page = browser.new_page()
    page.goto(f"{door.staff_url}{LIST}")
    page.fill("#q", "half a w")
    fail(door, 1)
    expect(page.locator("#live-told")).to_have_text("3 down, 1 unknown, 2 up.")
    assert page.input_value("#q") == "half a w"
    assert page.evaluate("document.activeElement.id") == "q"


def test_a_reader_can_stop_it_and_that_is_remembered(door: Door, browser: BrowserContext) -> None:
    page = browser.new_page()
    page.goto(f"{door.staff_url}{LIST}")
    page.click("#live-bar button")
    expect(page.locator("#live-bar button")).to_have_text("Refresh by itself")
    page.goto(f"{door.staff_url}/staff/access-points/map")
    expect(page.locator("#live-bar button")).to_have_text("Refresh by itself")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    fail(door, 1)
    page.wait_for_timeout(2_500)
    assert asked == [], "twice as long as it would have waited"
    page.click("#live-bar button")
    expect(page.locator("#live-told")).to_have_text("3 down, 1 unknown, 2 up.")


def test_a_hidden_tab_asks_for_nothing(door: Door, browser: BrowserContext) -> None:
    page = browser.new_page()
    page.goto(f"{door.staff_url}{LIST}")
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
    tell = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(hide % "true" + tell)
    page.wait_for_timeout(500)  # an answer that was on its way
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2_500)
    assert asked == []
    fail(door, 1)
    page.evaluate(hide % "false" + tell)
    expect(page.locator("#live-told")).to_have_text("3 down, 1 unknown, 2 up.")


def test_the_end_of_a_log_in_and_a_silent_server_are_said(door: Door, browser: BrowserContext) -> None:
    page = browser.new_page()
    page.goto(f"{door.staff_url}{LIST}")
    browser.set_offline(True)
    expect(page.locator("#live-fault")).to_contain_text("No answer from the server")
    browser.set_offline(False)
    expect(page.locator("#live-fault")).to_have_text("")
    with door.city.store.write() as conn:
        conn.execute(delete(schema.staff_session))
    expect(page.locator("#live-fault")).to_contain_text("Your log-in is over")
    assert page.locator("h1").inner_text() == "Access points", "what was there can still be read"


def test_without_scripts_a_link_refreshes(door: Door, browser: BrowserContext) -> None:
    context = browser.browser
    assert context is not None
    plain = context.new_context(java_script_enabled=False, extra_http_headers={"Accept-Language": "en"})
    plain.add_cookies(browser.cookies())  # type: ignore[arg-type]
    page = plain.new_page()
    page.goto(f"{door.staff_url}/staff/access-points?state=down")
    assert not page.locator("#live-bar").is_visible()
    fail(door, 1)
    page.get_by_role("link", name="Refresh").click()
    expect(page.locator("#live-told")).to_have_text("3 down, 1 unknown, 2 up.")
    assert page.url.endswith("?state=down"), "the filter stays"


def test_a_search_is_followed_to_its_end_and_no_further(
    door: Door, browser: BrowserContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ap_discovery, "LOOK_SECONDS", 1)
    page = browser.new_page()
    page.goto(f"{door.staff_url}/staff/access-points/discovery")
    page.locator("input[name^=name-]").first.fill("mole")
    with door.city.store.write() as conn:
        search = discoveries.latest(conn)
        assert search is not None
        discoveries.note_progress(conn, search.id, asked=200, answered=3)
    expect(page.locator("#live-search")).to_contain_text("Asked 200 of 254")
    with door.city.store.write() as conn:
        discoveries.end(conn, search.id, now=NOW)
    expect(page.locator("#live-search")).to_contain_text("3 answered.")
    expect(page.locator("#live-bar")).to_be_hidden()
    assert page.locator("input[name^=name-]").first.input_value() == "mole"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2_500)
    assert asked == []
