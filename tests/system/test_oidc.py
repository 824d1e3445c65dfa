"""Signing in at a real OpenID Connect provider of another make, in Chromium, through our services and a simulated NAS.

The provider keeps a cookie of its own, our pages set none and need no JavaScript. Screenshots: `artefacts/oidc/`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request
from sqlalchemy import select

from hotspot.plan import Way
from ops.town import write_town
from service.cities import open_city
from store import nases, schema
from tests.support import walking
from tests.support.installation import Written, write_installation
from tests.support.openid_provider import CLIENT_ID, CLIENT_SECRET, GUEST, HOST, PASSWORD, READER, issuer_of
from tests.support.processes import service
from tests.support.rows import add_plan
from tests.support.walking import chromium_browser, simulator, until, visitors

pytestmark = [pytest.mark.system, pytest.mark.tool("chromium"), pytest.mark.timeout(300)]

ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "oidc"


@dataclass(frozen=True)
class Town:
    """Rostock with its services and a library that knows its readers."""

    written: Written
    nas: str
    portal: str
    provider: subprocess.Popen[bytes]
    issuer: str


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("oidc")
    secret = folder / "client-secret"
    secret.write_text(CLIENT_SECRET)
    secret.chmod(0o600)
    port = _free_port()
    written = write_installation(
        folder / "installation",
        ["rostock"],
        oidc={
            "issuer": issuer_of(port),
            "client_id": CLIENT_ID,
            "client_secret_file": str(secret),
            "name": "your library card",
            "claims": {"library_card": True},
        },
    )
    written.initialise()
    nas, portal = _prepare(written), written.cities["rostock"].portal.url
    with (
        _provider(port, folder, portal) as provider,
        service(written, "radius"),
        service(written, "portal"),
        simulator(written),
    ):
        yield Town(written, nas, portal, provider, issuer_of(port))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _prepare(written: Written) -> str:
    """A plan for one device a person, and TOWN.json; returns the NAS's address."""
    city = open_city(written.installation, written.cities["rostock"], now=datetime.now(UTC))
    add_plan(city.store, Way.OIDC, devices_max=1)
    with city.store.read() as conn:
        (nas,) = nases.nases(conn, city.store.keys)
    write_town(written.path / "TOWN.json", [city])
    city.store.close()
    return nas.login_url


@contextlib.contextmanager
def _provider(port: int, folder: Path, portal: str) -> Iterator[subprocess.Popen[bytes]]:
    log = folder / "provider.log"
    command = [sys.executable, "-m", "tests.support.openid_provider", str(port), str(folder), f"{portal}/oidc/callback"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=Path(__file__).parents[2])
    try:
        end = time.monotonic() + 60
        while "ready" not in log.read_text():
            assert time.monotonic() < end and process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(20)


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


def walk_up(page: Page, town: Town) -> None:
    page.goto(f"{town.nas}/walk-up")


def sign_in(page: Page, town: Town, name: str) -> None:
    walk_up(page, town)
    page.click("#oidc button")
    page.fill("#id_username", name)
    page.fill("#id_password", PASSWORD)
    page.click("button")


def leave(page: Page) -> None:
    page.click("#leave button")
    until(page, "#offline")


@contextlib.contextmanager
def answers_of(page: Page) -> Iterator[list[str]]:
    """With what the provider sends the browser back to us."""
    found: list[str] = []

    def look(sent: Request) -> None:
        if "/oidc/callback" in sent.url:
            found.append(sent.url)

    page.on("request", look)
    yield found
    page.remove_listener("request", look)


def test_a_reader_gets_online_with_the_library_card(town: Town, visitor: Callable[[str], Page]) -> None:
    reader = visitor("en-GB")
    walk_up(reader, town)
    assert reader.locator("#oidc button").inner_text() == "Sign in with your library card"
    keep(reader, "1-front")
    reader.click("#oidc button")
    assert reader.url.startswith(f"http://{HOST}:")
    reader.fill("#id_username", READER)
    reader.fill("#id_password", PASSWORD)
    reader.click("button")
    until(reader, "#online")
    keep(reader, "2-online")
    assert not reader.context.cookies(town.portal) and reader.context.cookies(town.issuer)
    assert READER.encode() not in town.written.database("rostock").read_bytes()

    other = visitor("en-GB")  # the plan allows one device a person
    sign_in(other, town, READER)
    assert "Your account is online on as many devices as it allows" in other.locator("[role=alert]").inner_text()
    keep(other, "3-second-device")

    leave(reader)
    reader.goto(f"{town.nas}/internet")
    reader.click("#oidc button")  # the provider remembers the reader, so its page does not come
    until(reader, "#online")
    leave(reader)
    assert _accounts(town) == 1


def _accounts(town: Town) -> int:
    city = open_city(town.written.installation, town.written.cities["rostock"], now=datetime.now(UTC))
    with city.store.read() as conn:
        rows = conn.execute(select(schema.account)).all()
    city.store.close()
    assert all(row.address_hash is None and row.address_sealed is None and row.subject_hash for row in rows)
    return len(rows)


def test_a_guest_of_the_library_is_told_why_not(town: Town, visitor: Callable[[str], Page]) -> None:
    guest = visitor("de-DE")
    sign_in(guest, town, GUEST)
    assert "schließt dieses WLAN nicht ein" in guest.locator("[role=alert]").inner_text()
    assert guest.locator("html").get_attribute("lang") == "de" and guest.locator("#accept").count() == 1
    keep(guest, "4-not-entitled")


def test_an_answer_is_good_once_and_for_its_own_city(town: Town, visitor: Callable[[str], Page]) -> None:
    reader = visitor("en-GB")
    with answers_of(reader) as answers:
        sign_in(reader, town, READER)
        until(reader, "#online")
        leave(reader)
    (answer,) = answers
    reader.goto(answer)
    assert "The sign-in did not work" in reader.locator("[role=alert]").inner_text()
    keep(reader, "5-replayed")
    query = parse_qs(urlsplit(answer).query)
    reader.goto(f"{town.portal}/oidc/callback?code={query['code'][0]}&state={query['state'][0][:-4]}AAAA")
    assert "This sign-in cannot go on" in reader.content()
    keep(reader, "6-foreign")


def test_the_provider_sends_nobody_elsewhere(town: Town, visitor: Callable[[str], Page]) -> None:
    """A redirect address that is not the city's is the provider's to refuse; ours is built of the file alone."""
    page = visitor("en-GB")
    walk_up(page, town)
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if "/o/authorize/" in sent.url else None)
    page.click("#oidc button")
    foreign = asked[0].replace("%2Foidc%2Fcallback", "%2Felsewhere")
    assert foreign != asked[0]
    answer = page.goto(foreign)
    assert answer is not None and (answer.status == 400 or page.url.startswith(f"http://{HOST}:"))


def test_a_provider_that_hangs_gets_a_sentence(town: Town, visitor: Callable[[str], Page]) -> None:
    reader = visitor("en-GB")
    with answers_of(reader) as answers:
        sign_in(reader, town, READER)
        until(reader, "#online")
        leave(reader)
    os.kill(town.provider.pid, signal.SIGSTOP)
    try:
        sent = time.monotonic()
        reader.goto(answers[0])
        waited = time.monotonic() - sent
    finally:
        os.kill(town.provider.pid, signal.SIGCONT)
    assert "The sign-in service does not answer" in reader.locator("[role=alert]").inner_text()
    assert waited < 14, "an answer is waited for five seconds"
    keep(reader, "7-provider-away")
