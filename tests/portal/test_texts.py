"""Every sentence exists in every language: what templates and Python tables say, the catalogue has, and no more."""

from __future__ import annotations

import ast
from dataclasses import astuple, fields
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config.model import LANGUAGES
from hotspot.access import Reason
from hotspot.admission import Denial
from hotspot.diagnosis import FINDINGS
from hotspot.nas import SENTENCES
from portal import app
from portal.captive.sentences import DENIALS, HOTSPOT_REFUSED, HOTSPOT_TIMEOUT, of_failure
from portal.languages import NAMES, STAFF_LANGUAGES, choose
from portal.staff.login import Outcome
from portal.staff.views import _LOGIN_PROBLEMS, DISCONNECT_STATES, MENU
from service.reasons import REASONS, message
from service.speech import SOURCE, Speech, catalogue, speeches
from store.outbox import State
from tests.i18n.catalogues import TRANSLATED, complete, file_of, problems, read, wanted
from tests.i18n.extract import PLACE, NoText, everything, in_calls, in_snippets, in_tables, in_templates, of_call

BERLIN = ZoneInfo("Europe/Berlin")


# The catalogues ---------------------------------------------------------------------------------------


def test_the_sources_were_found() -> None:
    """Otherwise the tests below would be content with nothing."""
    assert len({said.text for said in in_templates()}) > 90
    assert len({said.text for said in in_calls()}) > 50
    assert len({said.text for said in in_tables()}) > 50
    assert len({said.text for said in in_snippets()}) > 7


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_has_its_translation_and_no_other_is_there(language: str) -> None:
    """`make i18n` says the same; `make i18n ARGS=--write` puts what is missing into the catalogues, empty."""
    assert list(problems(file_of(language), wanted(language))) == []


def test_residents_texts_are_in_all_languages_and_the_staff_s_in_theirs() -> None:
    assert {"Accept and go online", "There is no such page."} <= set(wanted("pl")) < set(wanted("de"))
    assert "Access points" in set(wanted("de")) - set(wanted("pl"))
    assert set(REASONS.values()) | set(DENIALS.values()) <= set(wanted("pl"))


def test_a_text_of_both_is_a_residents_text() -> None:
    said = [said for said in everything() if said.text == "Too many attempts. Please wait a quarter of an hour."]
    assert {each.to_staff for each in said} == {True, False}
    assert said[0].text in wanted("uk")


def test_every_place_is_given_its_value() -> None:
    """A place without a value is a KeyError on somebody's screen, a value without a place a figure that is missing."""
    for said in everything():
        assert said.given is None or set(PLACE.findall(said.text)) == said.given, said


def test_every_language_of_the_configuration_is_in_the_switch() -> None:
    assert set(NAMES) == set(LANGUAGES)
    assert catalogue(SOURCE) == {}
    assert set(STAFF_LANGUAGES) <= set(LANGUAGES)


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ('msgid "Help"\nmsgstr ""', "missing: Help"),
        ('msgid "Help"\nmsgstr "Pomoc"\n\nmsgid "Hope"\nmsgstr "Nadzieja"', "superfluous: Hope"),
        ('#, fuzzy\nmsgid "Help"\nmsgstr "Pomoc"', "fuzzy: Help"),
        ('msgid "Help"\nmsgstr "Pomoc"\n\nmsgid "Help"\nmsgstr "Pomoc"', 'twice: msgid "Help"'),
        ('msgid "Help"\nmsgstr "%(what)s"', "other places: Help -> %(what)s"),
        ('msgid "Up to %(time)s"\nmsgstr "Do %(czas)s"', "other places: Up to %(time)s -> Do %(czas)s"),
        (
            'msgid "Up to %(time)s"\nmsgstr "100 % %(time)s"',
            "a bare % beside a place: Up to %(time)s -> 100 % %(time)s",
        ),
    ],
)
def test_what_is_wrong_with_a_catalogue_is_named(tmp_path: Path, block: str, problem: str) -> None:
    file = tmp_path / "messages.po"
    file.write_text('msgid ""\nmsgstr ""\n"Language: pl\\n"\n\n' + block + "\n")
    texts = ["Up to %(time)s"] if "time" in block else ["Help"]
    assert list(problems(file, texts)) == [problem]


def test_a_catalogue_is_completed_in_a_stable_order(tmp_path: Path) -> None:
    file = tmp_path / "pl" / "messages.po"
    complete(file, "pl", ["Help", "Up to %(time)s"])
    assert list(problems(file, ["Help"])) == ["missing: Help"]
    file.write_text(file.read_text().replace('msgid "Help"\nmsgstr ""', 'msgid "Help"\nmsgstr "\\"Pomoc\\""'))
    complete(file, "pl", ["A new text", "Help"])
    assert [(message.id, message.string) for message in read(file)] == [("Help", '"Pomoc"')]
    assert [line for line in file.read_text().splitlines() if "A new text" in line] == ['msgid "A new text"']
    before = file.read_text()
    complete(file, "pl", ["Help", "A new text"])
    assert file.read_text() == before


@pytest.mark.parametrize("source", ['_(f"for {hours} hours")', 'said("One " + rest)', '_("a" if x else "b")'])
def test_a_text_that_no_catalogue_can_have_is_refused(source: str) -> None:
    call = ast.parse(source).body[0].value
    with pytest.raises(NoText, match=r"views\.py:1: a text is put together inside"):
        list(of_call(call, "views.py:1"))


# The tables -------------------------------------------------------------------------------------------


def test_every_reason_and_denial_has_a_sentence() -> None:
    assert set(REASONS) == set(Reason)
    assert set(DENIALS) == set(Denial)


def test_the_tables_of_the_views_are_marked() -> None:
    """Their texts are translated by name, where the extraction sees no text."""
    shown = {*app._SENTENCES.values(), *DISCONNECT_STATES.values(), *(name for _, name, _ in MENU)}
    shown |= {text for text, _ in _LOGIN_PROBLEMS.values()} | set(SENTENCES.values())
    shown |= {text for words in FINDINGS.values() for text in astuple(words)[1:]}
    assert shown <= {said.text for said in everything()}


def test_every_outcome_and_state_has_words() -> None:
    assert set(_LOGIN_PROBLEMS) == set(Outcome) - {Outcome.SUCCESS}
    assert set(DISCONNECT_STATES) == {state.value for state in State}


@pytest.mark.parametrize("reason", Reason)
def test_radius_s_message_gives_the_sentence(reason: Reason) -> None:
    """As RADIUS writes it in any language, or a bare word; the page says it in the reader's language."""
    for reply in (reason.value, message(REASONS[reason], reason), message("Bitte später, [nicht] jetzt.", reason)):
        assert of_failure("reject", reply) == REASONS[reason]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_fits_into_a_reply_message(language: str) -> None:
    """A sentence that is cut ends in the middle; Cyrillic letters take two octets each."""
    texts = catalogue(language)
    sentences = {reason: texts.get(sentence, sentence) for reason, sentence in REASONS.items()}
    assert not [each for reason, each in sentences.items() if not message(each, reason).startswith(f"{each} [")]


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
        (None, ["de-CH", "en"], ["en", "de-simple", "de"], "de"),
        (None, ["de-simple"], ["de", "de-simple"], "de-simple"),
        (None, ["de"], ["en", "de-simple"], "en"),
        ("de-simple", ["de"], ["de", "de-simple"], "de-simple"),
        (None, ["uk-UA", "uk", "ru"], LANGUAGES, "uk"),
        (None, ["nds-DE", "de"], LANGUAGES, "nds"),
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

SPEECHES = {language: Speech(language, {}, BERLIN) for language in LANGUAGES}
GERMAN, ENGLISH = SPEECHES["de"], SPEECHES["en"]


@pytest.mark.parametrize(
    ("language", "moment"),
    [
        ("de", "2. Juli 2026, 00:30"),
        ("en", "2 Jul 2026, 00:30"),
        ("de-simple", "2. Juli 2026, 00:30"),
        ("nds", "2. Juli 2026, 00:30"),
        ("da", "2. jul. 2026, 00.30"),
        ("sv", "2 juli 2026, 00:30"),
        ("pl", "2 lip 2026, 00:30"),
        ("uk", "2 лип. 2026\N{NARROW NO-BREAK SPACE}р., 00:30"),
    ],
)
def test_moments_are_the_city_s_in_the_language_s_order(language: str, moment: str) -> None:
    assert SPEECHES[language].moment(datetime(2026, 7, 1, 22, 30, tzinfo=UTC)) == moment


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
        (-5, "0 Minuten"),
        (0, "0 Minuten"),
        (59, "0 Minuten"),
        (60, "1 Minute"),
        (3_599, "59 Minuten"),
        (3_600, "1 Stunde"),
        (7_500, "2 Stunden 5 Minuten"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    assert GERMAN.duration(seconds) == text


@pytest.mark.parametrize(
    ("language", "durations"),
    [
        ("en", ["1 hour 1 minute", "2 hours 22 minutes", "5 hours 12 minutes"]),
        ("da", ["1 time 1 minut", "2 timer 22 minutter", "5 timer 12 minutter"]),
        ("sv", ["1 timme 1 minut", "2 timmar 22 minuter", "5 timmar 12 minuter"]),
        ("pl", ["1 godzina 1 minuta", "2 godziny 22 minuty", "5 godzin 12 minut"]),
        ("uk", ["1 година 1 хвилина", "2 години 22 хвилини", "5 годин 12 хвилин"]),
    ],
)
def test_each_number_takes_its_plural(language: str, durations: list[str]) -> None:
    assert [SPEECHES[language].duration(60 * minutes) for minutes in (61, 142, 312)] == durations


def test_days_take_their_plural() -> None:
    assert [SPEECHES["pl"].days(days) for days in (1, 2, 90)] == ["1 dzień", "2 dni", "90 dni"]


def test_every_language_reads_from_left_to_right() -> None:
    assert {speech.direction for speech in SPEECHES.values()} == {"ltr"}


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
