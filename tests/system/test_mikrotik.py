"""A hotspot to which browsers post: from its login.html, which our snippet wrote, through Chromium without JavaScript.

Chromium holds the pages' `form-action` against the form and against the redirect behind it. The router asks our RADIUS.
"""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import update

from hotspot.values import MacAddress
from portal.captive.sentences import HOTSPOT_REFUSED
from service.cities import open_city
from service.reasons import REASONS
from service.snippets import snippet
from store import nases, schema
from tests.support import walking
from tests.support.installation import write_installation
from tests.support.processes import service
from tests.support.routeros import Hotspot, listening
from tests.support.walking import chromium_browser, visitors

pytestmark = [pytest.mark.system, pytest.mark.tool("chromium"), pytest.mark.timeout(300)]

ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "mikrotik"
PHONE = MacAddress.parse("02-00-5E-10-00-0A")


@dataclass(frozen=True)
class Place:
    """The router, its address, the city's redirect listener and its portal."""

    hotspot: Hotspot
    url: str
    listen: str
    portal: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    folder = tmp_path_factory.mktemp("mikrotik") / "installation"
    written = write_installation(folder, ["rostock"], portal={"redirect_listen": listen})
    written.initialise()
    config = written.cities["rostock"]
    city = open_city(written.installation, config, now=datetime.now(UTC))
    with city.store.write() as conn:
        conn.execute(update(schema.nas).values(product="mikrotik", handoff="mikrotik", octets_swapped=False))
        (nas,) = nases.nases(conn, city.store.keys)
    hotspot = Hotspot(
        snippet(config, nas).config,
        PHONE,
        server=(str(config.radius.listen), config.radius.auth_port, config.radius.acct_port),
        source=nas.address,
        secret=nas.secret.decode(),
        identifier=nas.nas_identifier,
    )
    with listening(hotspot) as url:
        with city.store.write() as conn:
            conn.execute(update(schema.nas).values(login_url=f"{url}/login"))
        city.store.close()
        with service(written, "radius"), service(written, "portal"):
            yield Place(hotspot, url, listen, config.portal.url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium_browser() as made:
        yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with visitors(browser) as visitor:
        yield visitor("en-GB")


def keep(page: Page, name: str) -> None:
    walking.keep(page, ARTEFACTS, name)


def to_the_last_tap(page: Page, place: Place) -> None:
    page.goto(f"{place.url}/any/page")
    page.wait_for_selector("#accept")  # login.html led here by itself
    page.click("#accept button")
    page.wait_for_selector("#onward")


def test_an_old_challenge_is_refused_with_a_sentence_and_one_tap_more_works(page: Page, place: Place) -> None:
    """The challenge of a page that lay open for long: the router has another one by now, and RADIUS hears both."""
    to_the_last_tap(page, place)
    place.hotspot.login_page()  # somebody opened a page meanwhile
    page.click("#onward button")
    page.wait_for_selector("#trouble")
    said = page.inner_text("#trouble")
    assert said in (HOTSPOT_REFUSED, *REASONS.values()) and not place.hotspot.online
    keep(page, "1-refused")
    page.click("#accept button")
    page.wait_for_selector("#onward")
    keep(page, "2-one-more-tap")
    page.click("#onward button")
    page.wait_for_selector("#online, #starting")
    assert place.hotspot.online
    keep(page, "3-online")
    (*_, posted) = place.hotspot.posted
    assert urlsplit(posted["dst"]).path == "/status"
    page.goto(f"{place.url}/any/page")
    assert page.locator("#internet").count() == 1


def test_the_policy_names_the_router_and_no_other(page: Page, place: Place) -> None:
    place.hotspot.online = False
    answers = []
    page.on("response", lambda response: answers.append(response))
    to_the_last_tap(page, place)
    policy = next(each.headers["content-security-policy"] for each in reversed(answers) if "accept" in each.url)
    assert policy.split("form-action ")[1].split(";")[0].split() == ["'self'", place.url]


def test_the_portal_s_process_redirects_whatever_is_asked_at_the_other_port(place: Place) -> None:
    connection = http.client.HTTPConnection(place.listen, timeout=20)
    connection.request("GET", "/generate_204", headers={"Host": "connectivitycheck.gstatic.com"})
    reply = connection.getresponse()
    connection.close()
    assert (reply.status, reply.headers["Location"]) == (302, f"{place.portal}/")
