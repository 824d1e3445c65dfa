"""Walks through the pages as a person with a browser takes them: Chromium without JavaScript, and a simulated NAS."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support.installation import Written

WIDTHS = (320, 1280)
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextlib.contextmanager
def simulator(written: Written) -> Iterator[None]:
    """The town of the installation's TOWN.json, without residents."""
    log = written.path / "simulator.log"
    command = [sys.executable, "-m", "simulator", str(written.path / "TOWN.json"), "--no-residents"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        end = time.monotonic() + 30
        while "ready" not in log.read_text():
            assert time.monotonic() < end and process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        status = process.wait(20)
    assert status == 0, log.read_text()


@contextlib.contextmanager
def chromium_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM))
        yield browser
        browser.close()


@contextlib.contextmanager
def visitors(browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Makes a page of a new visitor, by locale, without JavaScript."""
    contexts: list[BrowserContext] = []

    def make(locale: str) -> Page:
        contexts.append(
            browser.new_context(java_script_enabled=False, locale=locale, viewport={"width": 320, "height": 640})
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(15_000)
        return page

    yield make
    for context in contexts:
        context.close()


def keep(page: Page, folder: Path, name: str) -> None:
    """Screenshots at both widths; at neither does the page scroll sideways."""
    folder.mkdir(parents=True, exist_ok=True)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800 if width > 320 else 640})
        page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
        wide = page.evaluate("document.scrollingElement.scrollWidth")
        assert wide <= width, f"{name}: {wide} px at {width} px"
    page.set_viewport_size({"width": 320, "height": 640})


def until(page: Page, selector: str, within_s: float = 20) -> None:
    """Reload, as a person does, until the page shows it."""
    end = time.monotonic() + within_s
    while page.locator(selector).count() == 0:
        assert time.monotonic() < end, page.content()[-1500:]
        time.sleep(0.5)
        page.reload()
