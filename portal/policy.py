"""What a page's Content-Security-Policy allows beyond what every page has: docs/adr/0025-faces-and-csp.md."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import lru_cache

from flask import Response

from hotspot.colours import Colours

FACES_KEPT = 256


def hash_source(content: str) -> str:
    """How a policy names an inline style or script (CSP 3, section 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


@dataclass(frozen=True)
class Needs:
    """Sources of styles and scripts; `hosts` are origins that scripts and images come from and talk to.

    `talks_to`: what scripts may ask besides.
    """

    styles: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    talks_to: tuple[str, ...] = ()


NO_NEEDS = Needs()


class Page(Response):
    """An answer that knows what its page needs."""

    needs = NO_NEEDS


@lru_cache(maxsize=FACES_KEPT)
def face_style(colours: Colours | None) -> str:
    """A face's colours as CSS; empty for the house's own."""
    if colours is None:
        return ""
    light = f"--sea:{colours.accent};--on-sea:{colours.on_accent}"
    dark = f"--sea:{colours.accent_dark};--on-sea:{colours.on_accent_dark}"
    return f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"
