"""A city's colours, and whether people can read them: contrast by WCAG 2.2, success criterion 1.4.3."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hotspot.errors import InputError

CONTRAST_MIN = 4.5
"""Of text of any size (WCAG 2.2, 1.4.3, level AA)."""

_STEPS = 100
_HEX = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class Ground:
    """What the accent lies on in one colour scheme: the page, a box on it, and its own text where none is given."""

    scheme: str
    paper: str
    panel: str
    inks: tuple[str, str]


LIGHT = Ground("light", "#ffffff", "#eef2f6", ("#ffffff", "#16202b"))
DARK = Ground("dark", "#12181f", "#1d2731", ("#06202f", "#ffffff"))
"""The values of the pages' style sheets; a test compares them."""


@dataclass(frozen=True, slots=True)
class Colours:
    """Accent (links, buttons, lines) and the text on it, in both schemes; each `#rrggbb`."""

    accent: str
    on_accent: str
    accent_dark: str
    on_accent_dark: str


@dataclass(frozen=True, slots=True)
class Faint:
    """A pair that cannot be read well enough. `field` is the colour to change, `better` the nearest shade that does."""

    field: str
    colour: str
    against: str
    ratio: float
    better: str

    def __str__(self) -> str:
        return (
            f"{self.field} {self.colour} has a contrast of {self.ratio:.2f}:1 to {self.against}, which is less than "
            f"{CONTRAST_MIN}:1 (WCAG 2.2); the nearest shade that is enough is {self.better}"
        )


def read_colour(text: str) -> str:
    """`#0b5a8a` in lower case. InputError otherwise."""
    colour = text.strip().lower()
    if not _HEX.fullmatch(colour):
        raise InputError(f"{text[:20]!r} is not a colour such as `#0b5a8a`")
    return colour


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    red, green, blue = (_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def nearest_shade(colour: str, against: tuple[str, ...]) -> str:
    """The colour itself where it is readable against all of these, else the least mix of it with black or white."""
    for step in range(_STEPS + 1):
        for end in ("#000000", "#ffffff"):
            mixed = _mix(colour, end, step / _STEPS)
            if all(contrast(mixed, each) >= CONTRAST_MIN for each in against):
                return mixed
    return colour


def _mix(colour: str, end: str, share: float) -> str:
    channels = (round(int(colour[i : i + 2], 16) * (1 - share) + int(end[i : i + 2], 16) * share) for i in (1, 3, 5))
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def complete(accent: str, on_accent: str = "", accent_dark: str = "", on_accent_dark: str = "") -> Colours:
    """All four from those that are given: the dark accent is the light one made readable on dark paper."""
    dark = accent_dark or nearest_shade(accent, (DARK.paper, DARK.panel))
    return Colours(accent, on_accent or _ink(accent, LIGHT), dark, on_accent_dark or _ink(dark, DARK))


def _ink(accent: str, ground: Ground) -> str:
    return nearest_shade(max(ground.inks, key=lambda ink: contrast(ink, accent)), (accent,))


def faint(colours: Colours) -> list[Faint]:
    """The pairs that are not readable; empty where all are."""
    return [
        *_faint_in(LIGHT, "accent", colours.accent, "on_accent", colours.on_accent),
        *_faint_in(DARK, "accent_dark", colours.accent_dark, "on_accent_dark", colours.on_accent_dark),
    ]


def _faint_in(ground: Ground, field: str, accent: str, text_field: str, text: str) -> list[Faint]:
    found = []
    grounds = (ground.paper, ground.panel)
    for name, colour in (("paper", ground.paper), ("box", ground.panel)):
        if contrast(accent, colour) < CONTRAST_MIN:
            what = f"the {ground.scheme} {name} {colour}"
            found.append(Faint(field, accent, what, contrast(accent, colour), nearest_shade(accent, grounds)))
    if contrast(text, accent) < CONTRAST_MIN:
        what = f"{field} {accent}, on which it is written"
        found.append(Faint(text_field, text, what, contrast(text, accent), nearest_shade(text, (accent,))))
    return found
