"""A map of places: coordinates to a drawing, north up, with a scale bar and labels that do not cover one another.

Equirectangular: a degree of longitude is shortened by the cosine of the city's middle latitude, which at the size of a
city is wrong by less than a hundredth. Knows no markup and no texts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

METRES_A_DEGREE = 111_320.0
"""Of latitude, everywhere; of longitude, at the equator."""

FONT = 13.0
"""Height of a label, in units of the drawing."""

CHARACTER = 0.6 * FONT
"""Width of a character, rather too much than too little."""

MARKER = 9.0
"""Half the width of a marker."""

LABEL_CHARACTERS_MAX = 24

NORTH = 18.0
"""The arrow to the north stands in the middle of a square of twice that, in the upper right corner."""

SCALE_SHARE = 0.3
"""The scale bar is at most this share of the drawing's width."""

FLATTEST = 0.45
"""Height of a drawing is at least this share of its width."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place. The higher `rank`, the rather its label is shown."""

    key: int
    name: str
    latitude: float
    longitude: float
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Label:
    """Where a label's line begins; `text` may be cut."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the drawing; `label` None where there was no room for it."""

    key: int
    x: float
    y: float
    label: Label | None


@dataclass(frozen=True, slots=True)
class Scale:
    """A bar of `width` units that is `metres` long."""

    width: float
    metres: int


@dataclass(frozen=True, slots=True)
class SiteMap:
    """The drawing, in units of its own: as many as pixels where it is shown at its natural size."""

    width: float
    height: float
    marks: tuple[Mark, ...]
    scale: Scale


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        aside = self.right <= other.left or other.right <= self.left
        return not (aside or self.bottom <= other.top or other.bottom <= self.top)

    def inside(self, width: float, height: float) -> bool:
        return self.left >= 0 and self.top >= 0 and self.right <= width and self.bottom <= height


def draw(spots: Sequence[Spot], *, width: float, steepest: float, margin: float = 28.0) -> SiteMap:
    """The map of at least one place, `width` units wide and as high as the places ask for: `steepest` times that."""
    metres = [_metres(spot, _middle(spots)) for spot in spots]
    east = [x for x, _ in metres]
    north = [y for _, y in metres]
    across, along = max(east) - min(east), max(north) - min(north)
    height = round(width * min(max(along / across if across else FLATTEST, FLATTEST), steepest))
    foot = margin + 2 * FONT  # the scale bar stands below all places
    room = (width - 2 * margin, height - margin - foot)
    unit = max(across / room[0], along / room[1], 0.5)  # metres a unit; one place alone fills no town
    middle = ((max(east) + min(east)) / 2, (max(north) + min(north)) / 2)
    places = [
        (round(width / 2 + (x - middle[0]) / unit, 1), round(margin + room[1] / 2 - (y - middle[1]) / unit, 1))
        for x, y in metres
    ]
    return SiteMap(width, height, tuple(_labelled(spots, places, width, height)), _scale(width, unit))


def _middle(spots: Sequence[Spot]) -> float:
    latitudes = [spot.latitude for spot in spots]
    return (min(latitudes) + max(latitudes)) / 2


def _metres(spot: Spot, latitude: float) -> tuple[float, float]:
    """East and north of where the degrees begin."""
    shrunk = METRES_A_DEGREE * math.cos(math.radians(latitude))
    return spot.longitude * shrunk, spot.latitude * METRES_A_DEGREE


def _scale(width: float, unit: float) -> Scale:
    """The longest bar of 1, 2 or 5 times a power of ten metres that is not too long."""
    most = width * SCALE_SHARE * unit
    power = 10 ** math.floor(math.log10(most))
    metres = max(factor * power for factor in (1, 2, 5) if factor * power <= most)
    return Scale(round(metres / unit, 1), int(max(metres, 1)))


def _labelled(
    spots: Sequence[Spot], places: Sequence[tuple[float, float]], width: float, height: float
) -> Iterable[Mark]:
    """Labels one by one, the most important first; each where it covers no marker and no other label, or nowhere."""
    taken = [_Box(x - MARKER, y - MARKER, x + MARKER, y + MARKER) for x, y in places]
    taken.append(_Box(0, height - 2 * FONT, width * 0.5, height))  # the scale bar's
    taken.append(_Box(width - 2 * NORTH, 0, width, 2 * NORTH))
    found: dict[int, Label] = {}
    for index in sorted(range(len(spots)), key=lambda each: (-spots[each].rank, each)):
        text = _cut(spots[index].name)
        for x, y in _around(*places[index], len(text) * CHARACTER):
            box = _Box(x, y - FONT, x + len(text) * CHARACTER, y + 0.3 * FONT)
            if box.inside(width, height) and not any(box.meets(other) for other in taken):
                taken.append(box)
                found[index] = Label(round(x, 1), round(y, 1), text)
                break
    for index, (x, y) in enumerate(places):
        yield Mark(spots[index].key, x, y, found.get(index))


def _cut(name: str) -> str:
    return name if len(name) <= LABEL_CHARACTERS_MAX else f"{name[: LABEL_CHARACTERS_MAX - 1]}…"


def _around(x: float, y: float, long: float) -> list[tuple[float, float]]:
    """Where a label may stand, the best first: right, left, above, below its marker, and corners."""
    aside, off = MARKER + 4, MARKER + 4
    return [
        (x + aside, y + 0.35 * FONT),
        (x - aside - long, y + 0.35 * FONT),
        (x - long / 2, y - off),
        (x - long / 2, y + off + FONT),
        (x - MARKER, y - off),
        (x - MARKER, y + off + FONT),
        (x + MARKER - long, y - off),
        (x + MARKER - long, y + off + FONT),
    ]
