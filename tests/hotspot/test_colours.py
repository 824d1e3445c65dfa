"""Colours that people can read: WCAG's own figures, the shade that is offered, and the pages' style sheet."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot.colours import CONTRAST_MIN, DARK, LIGHT, Colours, complete, contrast, faint, nearest_shade, read_colour
from hotspot.errors import InputError
from portal import app

STYLE = (Path(app.__file__).parent / "static" / "residents.css").read_text()
COLOUR = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#ffffff", "#000000", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.478),  # the grey that famously just fails
        ("#767676", "#ffffff", 4.542),  # and the one that just passes
        ("#0000ff", "#ffffff", 8.592),
        ("#ff0000", "#ffffff", 3.998),
    ],
)
def test_the_ratio_is_wcag_s(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.001)


def test_the_grounds_are_the_style_sheet_s() -> None:
    light, dark = STYLE.split("@media (prefers-color-scheme:dark)")
    for sheet, ground in ((light, LIGHT), (dark.split("}}")[0], DARK)):
        for name, colour in (("paper", ground.paper), ("soft", ground.panel)):
            shown = sheet.split(f"--{name}:")[1].split(";")[0]
            assert {"#fff": "#ffffff"}.get(shown, shown) == colour


@given(accent=COLOUR)
def test_what_is_completed_is_readable_or_said_to_be_faint_in_light(accent: str) -> None:
    """A dark accent and the texts on both are always found; only the light accent is the city's own."""
    assert {found.field for found in faint(complete(accent))} <= {"accent"}


@given(colour=COLOUR)
def test_the_shade_that_is_offered_passes(colour: str) -> None:
    better = nearest_shade(colour, (LIGHT.paper, LIGHT.panel))
    assert min(contrast(better, LIGHT.paper), contrast(better, LIGHT.panel)) >= CONTRAST_MIN


def test_a_readable_colour_is_its_own_nearest_shade() -> None:
    assert nearest_shade("#0b5a8a", (LIGHT.paper, LIGHT.panel)) == "#0b5a8a"


def test_a_faint_colour_is_named_with_ratio_and_remedy() -> None:
    (paper, panel) = faint(complete("#4a90d9"))
    assert str(paper) == (
        "accent #4a90d9 has a contrast of 3.34:1 to the light paper #ffffff, which is less than 4.5:1 (WCAG 2.2); "
        f"the nearest shade that is enough is {paper.better}"
    )
    assert contrast(paper.better, panel.against.split()[-1]) >= CONTRAST_MIN


def test_text_on_the_accent_is_checked_too() -> None:
    (found,) = faint(Colours("#0b5a8a", "#16202b", "#7cc4f0", "#06202f"))
    assert (found.field, found.colour) == ("on_accent", "#16202b")
    assert contrast(found.better, "#0b5a8a") >= CONTRAST_MIN


@pytest.mark.parametrize("text", ["", "blue", "#fff", "#12345g", "#1234567", "url(#a)", "#000000;}"])
def test_other_words_are_no_colours(text: str) -> None:
    with pytest.raises(InputError, match="is not a colour"):
        read_colour(text)
    assert read_colour(" #0B5A8A ") == "#0b5a8a"
