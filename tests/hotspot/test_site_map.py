"""The map: north is up, distances are true, labels cover nothing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotspot.site_map import CHARACTER, FONT, MARKER, Mark, Spot, draw

HARBOUR, MARKET, LIGHTHOUSE = (
    Spot(1, "Stadthafen", 54.0925, 12.1329),
    Spot(2, "Neuer Markt", 54.0883, 12.1404, rank=1),
    Spot(3, "Leuchtturm Warnemünde", 54.1814, 12.0858),
)


def by_key(marks: tuple[Mark, ...]) -> dict[int, Mark]:
    return {mark.key: mark for mark in marks}


@pytest.mark.parametrize("width", [288.0, 880.0])
def test_north_is_up_and_east_is_right(width: float) -> None:
    drawn = draw([HARBOUR, MARKET, LIGHTHOUSE], width=width, steepest=1.1)
    marks = by_key(drawn.marks)
    assert marks[3].y < marks[1].y < marks[2].y
    assert marks[3].x < marks[1].x < marks[2].x


def test_the_bar_measures_the_map() -> None:
    drawn = draw([MARKET, LIGHTHOUSE], width=880, steepest=0.6)
    first, second = drawn.marks
    metres = math.dist((first.x, first.y), (second.x, second.y)) / drawn.scale.width * drawn.scale.metres
    assert metres == pytest.approx(10_960, rel=0.01), "by the haversine formula"
    assert drawn.scale.metres in (1_000, 2_000, 5_000) and drawn.scale.width <= 0.3 * drawn.width


def test_one_place_alone_is_a_map() -> None:
    drawn = draw([HARBOUR], width=288, steepest=1.1)
    (mark,) = drawn.marks
    assert (mark.x, drawn.scale.metres) == (144, 20)
    assert mark.label is not None


def test_where_there_is_no_room_the_more_important_has_the_label() -> None:
    crowd = [Spot(n, f"Haus {n} am selben Platz", 54.0883, 12.1404, rank=n) for n in range(40)]
    labelled = {mark.key for mark in draw(crowd, width=288, steepest=1.1).marks if mark.label is not None}
    assert 39 in labelled and len(labelled) < 10


Places = st.lists(
    st.builds(
        Spot,
        st.integers(1, 10_000),
        st.text(min_size=1, max_size=40),
        st.floats(53.9, 54.3),
        st.floats(11.9, 12.4),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(Places, st.sampled_from([(288.0, 1.1), (880.0, 0.6)]))
def test_labels_cover_no_label_and_no_marker(spots: list[Spot], size: tuple[float, float]) -> None:
    drawn = draw(spots, width=size[0], steepest=size[1])
    boxes = [
        (mark.label.x, mark.label.y - FONT, mark.label.x + len(mark.label.text) * CHARACTER, mark.label.y + 0.3 * FONT)
        for mark in drawn.marks
        if mark.label is not None
    ]
    markers = [(mark.x - MARKER, mark.y - MARKER, mark.x + MARKER, mark.y + MARKER) for mark in drawn.marks]
    for index, (left, top, right, bottom) in enumerate(boxes):
        assert left > -0.1 and top > -0.1 and right < drawn.width + 0.1 and bottom < drawn.height + 0.1
        for other in [*boxes[:index], *markers]:
            aside = right <= other[0] + 0.2 or other[2] <= left + 0.2
            assert aside or bottom <= other[1] + 0.2 or other[3] <= top + 0.2
    for mark in drawn.marks:
        assert 0 <= mark.x <= drawn.width and 0 <= mark.y <= drawn.height
