"""WCAG 2.2 AA on every page in every language that it has: axe-core in Chromium, and what no engine looks for.

Pages and states stand in `places.py`. Screenshots stay in `artefacts/axe/`: look at them. axe-core is a script, which
our Content-Security-Policy refuses, so the contexts that carry it go without the policy; the walk by keyboard does not.
"""

from __future__ import annotations

import itertools
import shutil
import socket
from collections.abc import Callable, Iterator
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

from config.model import LANGUAGES
from hotspot.roles import Role
from portal.languages import STAFF_LANGUAGES
from portal.staff.guard import COOKIE
from tests.portal.hands import Door, add_session
from tests.system.places import HOST, PLACES, PRINTED, STAFF_PLACES, Visitor, open_door, unfold

pytestmark = [pytest.mark.pages, pytest.mark.tool("chromium"), pytest.mark.timeout(300)]

ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "axe"
AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TARGET_PX = 44

NARROW = {"width": 320, "height": 640}
"""A small phone; also a window of 1280 pixels at 400 % zoom (WCAG 1.4.10)."""

WIDE = {"width": 1280, "height": 800}

LOOKS: dict[str, tuple[dict[str, int], dict[str, Any]]] = {
    "narrow": (NARROW, {}),
    "wide": (WIDE, {}),
    "dark": (NARROW, {"color_scheme": "dark"}),
}
"""Ways of looking that every language is looked at in."""

RARE_LOOKS: dict[str, tuple[dict[str, int], dict[str, Any]]] = {
    "forced-colors": (NARROW, {"forced_colors": "active"}),
    "forced-colors-dark": (NARROW, {"forced_colors": "active", "color_scheme": "dark"}),
    "reduced-motion": (WIDE, {"reduced_motion": "reduce"}),
}
"""Ways of looking that change colours or motion alone: one language is enough."""

USUAL: dict[str, Any] = {"color_scheme": "light", "forced_colors": "none", "reduced_motion": "no-preference"}

SMALL_TARGETS = """least => [...document.querySelectorAll('a[href],button,input,select,textarea,summary')]
  .filter(each => each.type !== 'hidden' && each.getClientRects().length)
  .map(each => [each, (each.closest('label') ?? each).getBoundingClientRect()])
  .filter(([each, box]) => box.width < least || box.height < least)
  .filter(([each]) => !(each.tagName === 'A' && getComputedStyle(each).display === 'inline'
      && each.parentElement.textContent.trim() !== each.textContent.trim()))
  .map(([each, box]) => `${each.outerHTML.slice(0, 80)} ${Math.round(box.width)}x${Math.round(box.height)}`)"""
"""Links in the middle of a sentence are excepted (WCAG 2.5.8)."""

FOCUSABLE = (
    "document.querySelectorAll('a[href],button,input:not([type=hidden],[tabindex=\"-1\"]),select,textarea,summary')"
)
"""But the trap for programs, which no person meets (`feedback.html`)."""

FOCUSED = f"""async () => {{
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));  // until it has scrolled there
  const each = document.activeElement, style = getComputedStyle(each), box = each.getBoundingClientRect();
  return [[...{FOCUSABLE}].indexOf(each), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    box.bottom > 0 && box.top < innerHeight];
}}"""
"""Which of the focusable elements has the focus, whether one sees that, and whether it is on the screen (2.4.11)."""

TEXT_SPACING = """document.head.appendChild(document.createElement('style')).textContent =
  '*{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}p{margin-bottom:2em!important}'"""
"""What WCAG 1.4.12 lets a reader set."""

WIDTH = "document.scrollingElement.scrollWidth"
DRIVEN_MAX = 60


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    with open_door(tmp_path_factory.mktemp("accessible"), port) as opened:
        yield opened


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def contexts(chromium: Browser) -> Iterator[dict[str, BrowserContext]]:
    """A browser for each language, with axe-core in each of its pages."""
    made = {language: _context(chromium, language, bypass_csp=True) for language in LANGUAGES}
    for context in made.values():
        context.add_init_script(AXE)
    yield made
    for context in made.values():
        context.close()


def _context(chromium: Browser, language: str, **options: Any) -> BrowserContext:
    headers = {"Accept-Language": language}
    context = chromium.new_context(extra_http_headers=headers, viewport=NARROW, **USUAL, **options)  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    return context


NUMBERS = itertools.count(1)
"""Each visitor has a device of its own."""


def visit(context: BrowserContext, door: Door, place: str, language: str = "de") -> Page:
    page = context.new_page()
    PLACES[place](Visitor(door, page, language, next(NUMBERS)))
    return page


def look(page: Page, size: dict[str, int], media: dict[str, Any]) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.emulate_media(**(USUAL | media))


def keep(page: Page, name: str) -> None:
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)


def violations(page: Page, *, contrast: bool = True) -> list[str]:
    """What axe-core finds, one line an element. Forced colours are the reader's own: their contrast is not ours, and
    axe-core mistakes it (it takes our text on their ground)."""
    options = {
        "runOnly": RULES,
        "rules": {"color-contrast": {"enabled": contrast}},
        "resultTypes": ["violations"],
        "elementRef": False,
    }
    found = page.evaluate("options => axe.run(document, options).then(result => result.violations)", options)
    return [f"{each['id']}: {node['html'][:120]}: {node['failureSummary']}" for each in found for node in each["nodes"]]


def room_for_all(page: Page) -> list[str]:
    """Nothing makes a narrow page scroll sideways, and nothing is too small for a thumb."""
    wide = page.evaluate(WIDTH)
    sideways = [f"{wide} px wide"] if wide > NARROW["width"] else []
    return sideways + [f"too small: {each}" for each in page.evaluate(SMALL_TARGETS, TARGET_PX)]


# Every page, every language --------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
def test_a_page_is_accessible_in_every_language(contexts: dict[str, BrowserContext], door: Door, place: str) -> None:
    problems: list[str] = []
    for language, context in contexts.items():
        problems += steadily(partial(problems_of, context, door, place, language))
    assert not problems, "\n".join(problems)


def steadily(looked: Callable[[], list[str]]) -> list[str]:
    """Once more where the browser itself stumbled ("Not attached to an active page", one in some thousand pages)."""
    try:
        return looked()
    except BrowserError:
        return looked()


def problems_of(context: BrowserContext, door: Door, place: str, language: str) -> list[str]:
    page = visit(context, door, place, language)
    assert page.locator("html").get_attribute("lang") == language
    keep(page, f"{place}-{language}-narrow")
    unfold(page)
    problems = []
    for name, (size, media) in LOOKS.items():
        look(page, size, media)
        problems += [f"{language} {name}: {each}" for each in violations(page)]
    look(page, NARROW, {})
    problems += [f"{language}: {each}" for each in room_for_all(page)]
    page.evaluate(TEXT_SPACING)
    wide = page.evaluate(WIDTH)
    problems += [f"{language}: {wide} px wide with a reader's own spacing"] if wide > NARROW["width"] else []
    page.close()
    return problems


@pytest.mark.parametrize("place", PLACES)
def test_a_page_is_accessible_however_one_looks(contexts: dict[str, BrowserContext], door: Door, place: str) -> None:
    problems = steadily(partial(problems_in_all_looks, contexts["de"], door, place))
    assert not problems, "\n".join(problems)


def problems_in_all_looks(context: BrowserContext, door: Door, place: str) -> list[str]:
    page = visit(context, door, place)
    problems = []
    for name, (size, media) in (LOOKS | RARE_LOOKS).items():
        look(page, size, media)
        keep(page, f"{place}-de-{name}")
        found = violations(page, contrast="forced_colors" not in media)
        problems += [f"{name}: {each}" for each in found]
    page.close()
    return problems


@pytest.mark.parametrize("language", STAFF_LANGUAGES)
def test_the_staff_s_pages_are_accessible_too(contexts: dict[str, BrowserContext], door: Door, language: str) -> None:
    admin = door.member(Role.ADMIN).client.get_cookie(COOKIE, domain=HOST)
    assert admin is not None
    add_session(door.city, name=f"staff-{language}")
    page = contexts[language].new_page()
    page.context.add_cookies([{"name": COOKIE, "value": admin.value, "url": door.staff_url}])
    problems = []
    for path in STAFF_PLACES:
        answer = page.goto(f"{door.staff_url}{path}")
        assert answer is not None and answer.status == 200, path
        keep(page, f"staff{path.replace('/', '-')}-{language}-narrow")
        for name, (size, media) in LOOKS.items():
            look(page, size, media)
            problems += [f"{path} {name}: {each}" for each in violations(page)]
        look(page, NARROW, {})
        problems += [f"{path}: {each}" for each in room_for_all(page) if path not in PRINTED]
    page.context.clear_cookies()
    page.close()
    assert not problems, "\n".join(problems)


# By keyboard alone, under the real policy -----------------------------------------------------------------


@pytest.fixture(scope="module")
def plain(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser as people have it: no axe-core, the Content-Security-Policy in force."""
    context = _context(chromium, "de")
    yield context
    context.close()


@pytest.mark.parametrize("place", PLACES)
def test_every_control_is_reached_by_tab_and_shows_it(plain: BrowserContext, door: Door, place: str) -> None:
    page = visit(plain, door, place)
    unfold(page)
    count = page.evaluate(f"{FOCUSABLE}.length")
    assert 0 < count < DRIVEN_MAX
    order = []
    for _ in range(count):
        page.keyboard.press("Tab")
        index, outlined, on_screen = page.evaluate(FOCUSED)
        assert outlined and on_screen, page.evaluate("document.activeElement.outerHTML")
        order.append(index)
    assert order == list(range(count))
    page.close()


def test_a_resident_gets_online_by_keyboard_alone(plain: BrowserContext, door: Door) -> None:
    page = visit(plain, door, "front")
    press(page, "summary", "Enter")
    press(page, "nav a[lang=en]", "Enter")
    page.wait_for_selector("html[lang=en]")
    with page.expect_request(f"{door.nas.login_url}/logon?username=*"):
        press(page, "#accept button", "Enter")
    page.close()


def press(page: Page, selector: str, key: str) -> None:
    """Tab until the focus is there, then the key."""
    for _ in range(DRIVEN_MAX):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return page.keyboard.press(key)
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is never reached")
