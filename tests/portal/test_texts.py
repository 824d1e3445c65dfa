"""Every sentence exists in every language: what templates and Python tables say, the catalogue has, and no more."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from jinja2 import Environment, nodes

from config.model import LANGUAGES
from hotspot.access import Reason
from hotspot.admission import Denial
from hotspot.diagnosis import FINDINGS
from hotspot.nas import SENTENCES
from portal import app
from portal.captive.sentences import DENIALS, HOTSPOT_REFUSED, HOTSPOT_TIMEOUT, of_failure
from portal.languages import NAMES, choose
from portal.staff.login import Outcome
from portal.staff.views import _LOGIN_PROBLEMS, DISCONNECT_STATES, MENU
from service import snippets, speech
from service.reasons import REASONS, message
from service.speech import SOURCE, Speech, catalogue, speeches
from store.outbox import State

PORTAL = Path(app.__file__).parent
SERVICE = Path(speech.__file__).parent
SNIPPETS = Path(snippets.__file__).parent
BERLIN = ZoneInfo("Europe/Berlin")
PLACE = re.compile(r"%\((\w+)\)s")
SPEAKERS = ("_", "said", "text")
"""What translates or marks a text in Python: `_("…")`, `said("…")`, `speech.text("…")`."""


@dataclass(frozen=True)
class Said:
    """A text where it is used, with the names of the values that it is given."""

    text: str
    given: frozenset[str]
    where: str


def in_templates() -> Iterator[Said]:
    for path in sorted((PORTAL / "templates").rglob("*.html")):
        tree = Environment().parse(path.read_text())
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_" and isinstance(call.args[0], nodes.Const):
                given = frozenset(pair.key for pair in call.kwargs)
                yield Said(call.args[0].value, given, f"{path.name}:{call.lineno}")


def in_calls() -> Iterator[Said]:
    for path in sorted([*PORTAL.rglob("*.py"), *SERVICE.rglob("*.py")]):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and _speaks(call.func) and call.args:
                text = call.args[0]
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    marked = getattr(call.func, "id", "") == "_"  # it gets its values where it is shown
                    given = frozenset(
                        PLACE.findall(text.value) if marked else (pair.arg or "" for pair in call.keywords)
                    )
                    yield Said(text.value, given, f"{path.name}:{call.lineno}")


def _speaks(func: ast.expr) -> bool:
    return getattr(func, "id", getattr(func, "attr", "")) in SPEAKERS


def in_tables() -> Iterator[Said]:
    tables: dict[str, Iterable[str]] = {
        "MENU": [name for _, name, _ in MENU],
        "DISCONNECT_STATES": DISCONNECT_STATES.values(),
        "_LOGIN_PROBLEMS": [text for text, _ in _LOGIN_PROBLEMS.values()],
        "_SENTENCES": app._SENTENCES.values(),
    }
    tables["FINDINGS"] = [text for words in FINDINGS.values() for text in astuple(words)[1:]]
    tables["hotspot.nas.SENTENCES"] = SENTENCES.values()
    tables["service/snippets"] = [tomllib.loads(file.read_text())["where"] for file in SNIPPETS.glob("*.toml")]
    for name, texts in tables.items():
        yield from (Said(text, frozenset(), name) for text in texts)


def everything() -> list[Said]:
    return [*in_templates(), *in_calls(), *in_tables()]


TRANSLATED = [language for language in LANGUAGES if language != SOURCE]


# The catalogue ----------------------------------------------------------------------------------------


def test_the_sources_were_found() -> None:
    """Otherwise the tests below would be content with nothing."""
    assert len({said.text for said in in_templates()}) > 90
    assert len({said.text for said in in_calls()}) > 20


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_has_a_translation(language: str) -> None:
    texts = catalogue(language)
    missing = {f"{said.where}: {said.text}" for said in everything() if not texts.get(said.text)}
    assert not missing


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_is_left_over(language: str) -> None:
    assert set(catalogue(language)) - {said.text for said in everything()} == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_places_of_its_text(language: str) -> None:
    for text, translated in catalogue(language).items():
        assert sorted(PLACE.findall(translated)) == sorted(PLACE.findall(text)), text


def test_every_place_is_given_its_value() -> None:
    """A place without a value is a KeyError on somebody's screen, a value without a place a figure that is missing."""
    for said in [*in_templates(), *in_calls()]:
        if said.where.startswith("speech.py"):
            continue
        assert set(PLACE.findall(said.text)) == said.given, said


def test_a_text_with_places_has_no_other_per_cent_sign() -> None:
    for language in TRANSLATED:
        for pair in catalogue(language).items():
            for text in pair:
                assert "%" not in PLACE.sub("", text) or not PLACE.search(text)


def test_every_language_of_the_configuration_is_in_the_switch() -> None:
    assert set(NAMES) == set(LANGUAGES)
    assert catalogue(SOURCE) == {}


# The tables -------------------------------------------------------------------------------------------


def test_every_reason_and_denial_has_a_sentence() -> None:
    assert set(REASONS) == set(Reason)
    assert set(DENIALS) == set(Denial)


def test_every_outcome_and_state_has_words() -> None:
    assert set(_LOGIN_PROBLEMS) == set(Outcome) - {Outcome.SUCCESS}
    assert set(DISCONNECT_STATES) == {state.value for state in State}


@pytest.mark.parametrize("reason", Reason)
def test_radius_s_message_gives_the_sentence(reason: Reason) -> None:
    """As RADIUS writes it in any language, or a bare word; the page says it in the reader's language."""
    for reply in (reason.value, message(REASONS[reason], reason), message("Bitte später, [nicht] jetzt.", reason)):
        assert of_failure("reject", reply) == REASONS[reason]


@pytest.mark.parametrize(
    ("reason", "reply", "sentence"),
    [
        ("timeout", "", HOTSPOT_TIMEOUT),
        ("reject", "", HOTSPOT_REFUSED),
        ("mtu", "", HOTSPOT_REFUSED),
        ("", "", HOTSPOT_REFUSED),
        ("reject", "BLOCKED", HOTSPOT_REFUSED),
        ("reject", "Your time is over. [grant_exp", HOTSPOT_REFUSED),
        ("reject", "Your time is over. [other]", HOTSPOT_REFUSED),
        ("reject", "][", HOTSPOT_REFUSED),
        ("timeout", "nonsense", HOTSPOT_TIMEOUT),
    ],
)
def test_other_words_give_a_sentence_too(reason: str, reply: str, sentence: str) -> None:
    assert of_failure(reason, reply) == sentence


# Choosing a language ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "accepted", "offered", "chosen"),
    [
        (None, ["de"], ["de", "en"], "de"),
        (None, ["en-GB", "en"], ["de", "en"], "en"),
        (None, ["pl", "en"], ["de", "en"], "en"),
        (None, ["pl"], ["de", "en"], "de"),
        (None, [], ["en", "de"], "en"),
        (None, ["EN-gb"], ["de", "en"], "en"),
        ("en", ["de"], ["de", "en"], "en"),
        ("pl", ["de"], ["de", "en"], "de"),
        ("en", ["en"], ["de"], "de"),
        ("", ["en"], ["de", "en"], "en"),
        ("../en", ["en"], ["de", "en"], "en"),
    ],
)
def test_the_switch_goes_before_the_browser(
    asked: str | None, accepted: list[str], offered: list[str], chosen: str
) -> None:
    assert choose(asked, accepted, offered) == chosen


def test_the_city_s_order_of_languages_is_kept() -> None:
    assert list(speeches(("en", "de"), BERLIN)) == ["en", "de"]


# Dates and figures --------------------------------------------------------------------------------------

GERMAN = Speech("de", {}, BERLIN)
ENGLISH = Speech("en", {}, BERLIN)


def test_moments_are_the_city_s() -> None:
    assert GERMAN.moment(datetime(2026, 7, 1, 22, 30, tzinfo=UTC)) == "2. Juli 2026, 00:30"
    assert ENGLISH.moment(datetime(2026, 11, 23, 12, 5, tzinfo=UTC)) == "23 Nov 2026, 13:05"
    assert GERMAN.clock(datetime(2026, 11, 23, 23, 5, tzinfo=UTC)) == "00:05"


def test_the_clock_on_the_night_that_has_two_o_clock_twice() -> None:
    """25 October 2026: 2:30 CEST is 0:30 UTC, 2:30 CET is 1:30 UTC; both are shown as what a watch shows."""
    assert [GERMAN.clock(datetime(2026, 10, 25, hour, 30, tzinfo=UTC)) for hour in (0, 1, 2)] == [
        "02:30",
        "02:30",
        "03:30",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 min"),
        (0, "0 min"),
        (59, "0 min"),
        (60, "1 min"),
        (3_599, "59 min"),
        (3_600, "1 h 00 min"),
        (7_500, "2 h 05 min"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    assert GERMAN.duration(seconds) == text


@pytest.mark.parametrize(
    ("octets", "german", "english"),
    [
        (0, "0 MB", "0 MB"),
        (49_999, "0 MB", "0 MB"),
        (1_500_000, "1,5 MB", "1.5 MB"),
        (999_999_999, "1.000 MB", "1,000 MB"),
        (1_000_000_000, "1 GB", "1 GB"),
        (123_456_789_012, "123,46 GB", "123.46 GB"),
        (2**64, "18.446.744.073,71 GB", "18,446,744,073.71 GB"),
    ],
)
def test_volumes(octets: int, german: str, english: str) -> None:
    assert (GERMAN.volume(octets), ENGLISH.volume(octets)) == (german, english)


def test_a_speech_has_nothing_to_forget() -> None:
    assert [each.name for each in fields(Speech)] == ["language", "texts", "zone"]
