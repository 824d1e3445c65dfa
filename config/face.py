"""The `[face]` of a city's file: how its pages look, with everything checked that a reader would stumble over."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from config.section import Flag, Language, Section
from hotspot.colours import Colours, complete, faint, read_colour
from hotspot.errors import InputError
from hotspot.face import NAME_MAX, WELCOME_MAX, read_ssid
from hotspot.logo import LOGO_FILE_BYTES_MAX, Logo, read_logo


def _logo(given: Any, info: ValidationInfo) -> Logo | None:
    """An SVG as it stands there, or a file beside the city's own."""
    if not isinstance(given, str) or not given.strip():
        return None
    if given.lstrip().startswith("<"):
        return read_logo(given.strip().encode())
    file = Path((info.context or {}).get("folder", ".")) / given
    try:
        with file.open("rb") as opened:
            return read_logo(opened.read(LOGO_FILE_BYTES_MAX + 1))
    except OSError as error:
        raise InputError(f"{given!r} cannot be read ({error.strerror})") from None


def _uuid(text: str) -> str:
    try:
        return str(UUID(text)) if text else ""
    except ValueError:
        raise ValueError(f"{text!r} is not an identifier such as `123e4567-e89b-12d3-a456-426655440000`") from None


def _colour(text: str) -> str:
    return read_colour(text) if text else ""


Colour = Annotated[str, AfterValidator(_colour)]
Welcome = Annotated[str, Field(min_length=1, max_length=WELCOME_MAX)]


class WiFi4EU(Section):
    """The snippet of the EU's programme. `self_test` only while the network is being tested there."""

    enabled: Flag = False
    network_identifier: Annotated[str, AfterValidator(_uuid)] = ""
    self_test: Flag = False

    @model_validator(mode="after")
    def _identified(self) -> WiFi4EU:
        if self.enabled and not self.network_identifier:
            raise ValueError("network_identifier is missing; the WiFi4EU portal shows it for your network")
        return self


class FaceSection(Section):
    """What is left out is the house's."""

    name: Annotated[str, Field(max_length=NAME_MAX)] = ""
    logo: Annotated[Logo | None, BeforeValidator(_logo)] = None
    accent: Colour = ""
    on_accent: Colour = ""
    accent_dark: Colour = ""
    on_accent_dark: Colour = ""
    welcome: dict[Language, Welcome] = {}  # noqa: RUF012 (pydantic copies it)
    ssid: Annotated[str, AfterValidator(read_ssid)] = ""
    wifi4eu: WiFi4EU = WiFi4EU()

    @model_validator(mode="after")
    def _readable(self) -> FaceSection:
        if not self.accent and (self.on_accent or self.accent_dark or self.on_accent_dark):
            raise ValueError("accent is missing; the other colours go with it")
        colours = self.colours()
        if colours is not None and (found := faint(colours)):
            raise ValueError("; ".join(map(str, found)))
        return self

    def colours(self) -> Colours | None:
        """All four, from those that are given; None without an accent."""
        if not self.accent:
            return None
        return complete(self.accent, self.on_accent, self.accent_dark, self.on_accent_dark)
