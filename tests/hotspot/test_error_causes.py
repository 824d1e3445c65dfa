"""Error-Cause in words."""

from __future__ import annotations

import pytest

from hotspot.error_causes import ERROR_CAUSES, OWN_CAUSES, in_words


@pytest.mark.parametrize(
    ("cause", "asked", "words"),
    [
        (503, True, "503 Session Context Not Found"),
        (503, False, "503 Session Context Not Found (the session is over)"),
        (401, False, "401 Unsupported Attribute"),
        (999, True, "999 unknown to RFC 5176"),
        (None, True, "no Error-Cause given"),
    ],
)
def test_a_cause_has_its_name_and_ours_an_explanation(cause: int | None, asked: bool, words: str) -> None:
    assert in_words(cause, asked=asked) == words


def test_our_own_causes_are_the_rfcs() -> None:
    assert set(OWN_CAUSES) <= set(ERROR_CAUSES)
    assert all(200 <= cause < 300 or 400 <= cause < 600 for cause in ERROR_CAUSES), "RFC 5176 section 3.5's ranges"
