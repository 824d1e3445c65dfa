"""What a city says of itself: faces over faces, terms as files, what changed between them, notices in their time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot import wifi4eu
from hotspot.colours import complete
from hotspot.differences import Change, differences
from hotspot.errors import InputError
from hotspot.face import Face, HelpContact, read_ssid
from hotspot.notices import SHOWN_MAX, Notice, read_notice, shown
from hotspot.terms import Draft, as_file, digest, missing, read_draft, read_file

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

# Faces --------------------------------------------------------------------------------------------------

CITY = Face("Rostock", None, complete("#0a5794"), {"de": "Moin", "en": "Hello"}, HelpContact("Amt", "a@b.de"), "WLAN")


def test_a_place_s_face_lies_over_its_city_s() -> None:
    own = Face(name="Hafen", colours=complete("#8a1f4d"))
    seen = own.over(CITY)
    assert (seen.name, seen.colours, seen.help, seen.ssid) == ("Hafen", own.colours, CITY.help, "WLAN")
    assert Face().over(CITY) == CITY


def test_a_welcome_is_in_the_reader_s_language_or_not_there() -> None:
    assert [CITY.welcomed(language) for language in ("de", "de-simple", "en", "pl")] == ["Moin", "Moin", "Hello", ""]


def test_a_network_s_name_has_32_octets() -> None:
    assert read_ssid("Lübeck-WLAN") == "Lübeck-WLAN"
    for text in ("x" * 33, "ü" * 17, "a\nb"):
        with pytest.raises(InputError, match="SSID"):
            read_ssid(text)


# Terms --------------------------------------------------------------------------------------------------


def test_a_file_and_its_text_are_the_same() -> None:
    text = read_file("\ufeff# Nutzungsbedingungen #\r\n\r\nEins.\r\n\r\nZwei.\r\n")
    assert text == Draft("Nutzungsbedingungen", "Eins.\n\nZwei.")
    assert as_file(text) == "# Nutzungsbedingungen\n\nEins.\n\nZwei.\n"
    assert read_file(as_file(text)) == text


@given(title=st.from_regex(r"[A-Za-z]+( [A-Za-z]+)*", fullmatch=True), body=st.text("ab \n#*-", min_size=1))
def test_what_is_exported_and_imported_has_the_same_digest(title: str, body: str) -> None:
    try:
        text = read_draft(title, body)
    except InputError:
        return
    assert digest(read_file(as_file(text))) == digest(text)


def test_every_letter_counts() -> None:
    assert digest(Draft("T", "90 Tage")) != digest(Draft("T", "30 Tage")) != digest(Draft("T 90", "Tage"))


@pytest.mark.parametrize("content", ["", "No title", "#\n\nx", "# T\n", "# T\n\n" + "x" * 20_001, "## T\n\nx"])
def test_what_is_no_text_is_refused(content: str) -> None:
    with pytest.raises(InputError):
        read_file(content)


def test_missing_languages_are_named_and_the_first_is_needed() -> None:
    text = Draft("T", "x")
    assert missing({"de": text, "pl": text}, ("de", "en", "pl")) == ["en"]
    with pytest.raises(InputError, match="de is missing"):
        missing({"en": text}, ("de", "en"))


# Differences --------------------------------------------------------------------------------------------


def test_a_word_that_changed_is_removed_and_added() -> None:
    found = differences("Gelöscht nach 90 Tagen.\n\nEnde.", "Gelöscht nach 30 Tagen.\n\nEnde.")
    assert [(each.change, each.text) for each in found] == [
        (Change.SAME, "Gelöscht nach "),
        (Change.REMOVED, "90"),
        (Change.ADDED, "30"),
        (Change.SAME, " Tagen.\n\n"),
        (Change.SAME, "Ende."),
    ]


TEXTS = st.lists(st.sampled_from(["a", "b", "c", " ", "\n", "\n\n", ".", "wort"]), max_size=40).map("".join)


@given(old=TEXTS, new=TEXTS)
def test_both_texts_can_be_read_from_their_difference(old: str, new: str) -> None:
    found = differences(old, new)
    assert "".join(each.text for each in found if each.change is not Change.ADDED) == old
    assert "".join(each.text for each in found if each.change is not Change.REMOVED) == new


def test_a_text_that_is_all_new_takes_no_time() -> None:
    old, new = "alt " * 5_000, "neu " * 5_000
    assert [each.change for each in differences(old, new)] == [Change.REMOVED, Change.ADDED]


# Notices ------------------------------------------------------------------------------------------------


def notice(id_: int, site_id: int | None, begins: int, ends: int | None) -> Notice:
    until = NOW + ends * HOUR if ends is not None else None
    return Notice(id_, site_id, {"de": "Störung"}, NOW + begins * HOUR, until)


def test_a_notice_is_shown_in_its_time_and_at_its_place() -> None:
    every = [notice(1, None, -1, None), notice(2, 7, -2, 1), notice(3, None, 1, None), notice(4, 7, -3, 0)]
    assert [each.id for each in shown(every, 7, now=NOW)] == [1, 2]
    assert [each.id for each in shown(every, 8, now=NOW)] == [1]
    assert [each.id for each in shown(every, None, now=NOW + HOUR)] == [3, 1]
    assert len(shown([notice(n, None, -n, None) for n in range(1, 9)], None, now=NOW)) == SHOWN_MAX


def test_a_notice_falls_back_to_the_city_s_first_language() -> None:
    one = Notice(1, None, {"de": "Störung", "en": "Outage"}, NOW, None)
    assert [one.said(language, "de") for language in ("en", "pl")] == [("Outage", "en"), ("Störung", "de")]


@pytest.mark.parametrize(
    ("texts", "ends", "why"),
    [
        ({"en": "x"}, None, "de is missing"),
        ({"de": "  "}, None, "de is missing"),
        ({"de": "x", "fr": "y"}, None, "no language 'fr'"),
        ({"de": "x" * 501}, None, "more than 500"),
        ({"de": "x"}, NOW, "not after the start"),
    ],
)
def test_a_notice_that_will_not_do(texts: dict[str, str], ends: datetime | None, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_notice(texts, from_at=NOW, until_at=ends, languages=("de", "en"))


# WiFi4EU ------------------------------------------------------------------------------------------------


def test_the_banner_speaks_what_the_programme_speaks() -> None:
    spoken = [wifi4eu.language_of(each) for each in ("de", "de-simple", "nds", "uk", "pl", "da")]
    assert spoken == ["de", "de", "de", "en", "pl", "da"]


def test_the_script_is_the_programme_s() -> None:
    said = wifi4eu.script("123e4567-e89b-12d3-a456-426655440000", "pl", self_test=False)
    assert "wifi4euNetworkIdentifier = '123e4567-e89b-12d3-a456-426655440000';" in said
    assert "selftestModus" not in said
    assert "var selftestModus = true;" in wifi4eu.script("x", "pl", self_test=True)
