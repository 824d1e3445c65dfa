"""A place's form: what staff typed, read into a place, or every field that will not do with a sentence about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import FileStorage, MultiDict

from hotspot.colours import CONTRAST_MIN, Colours, complete, faint, read_colour
from hotspot.errors import InputError
from hotspot.face import NAME_MAX, SSID_OCTETS_MAX, WELCOME_MAX, Face, HelpContact, read_ssid
from hotspot.hours import Hours
from hotspot.logo import LOGO_FILE_BYTES_MAX, Logo, read_logo
from hotspot.ways import ASKED_FOR, read_ways
from portal.forms import line
from service.speech import marked as _
from store.places import Place

LINE_MAX = 200

COLOURS = ("accent", "on_accent", "accent_dark", "on_accent_dark")

LABELS = {
    "name": _("Name of the place"),
    "opening_hours": _("Opening hours"),
    "ways": _("Ways in that it offers"),
    "shown_name": _("Name in the head of the page"),
    "logo": _("Logo"),
    "accent": _("Accent colour"),
    "on_accent": _("Text on it"),
    "accent_dark": _("Accent colour on dark screens"),
    "on_accent_dark": _("Text on that"),
    "ssid": _("Name of the Wi-Fi network (SSID)"),
    "help_name": _("Who helps here"),
    "help_email": _("E-mail address for help"),
    "help_phone": _("Telephone for help"),
    "welcome": _("Welcome"),
}
"""A field's name in the form; a welcome's has its language added."""

WAY_NAMES = {
    "tap": _("One tap on the terms"),
    "voucher": _("Voucher code"),
    "email": _("Code by e-mail"),
    "sms": _("Code by SMS"),
    "account": _("Account"),
    "oidc": _("Sign-in with another provider"),
}

_NAME = _("1 to %(most)s characters.")
_LONG = _("At most %(most)s characters.")
_HOURS = _("Write it like Mo-Fr 08:00-18:00; Sa,Su 10:00-24:00, or leave it empty where it is always open.")
_COLOUR = _("A colour such as #0b5a8a.")
_ALONE = _("The accent colour is missing; the other colours go with it.")
_FAINT = _(
    "%(colour)s has a contrast of %(ratio)s:1, less than %(least)s:1. The nearest shade that is enough: %(better)s."
)
_LOGO = _("This logo will not do: %(why)s.")
_SSID = _("At most %(most)s octets, without control characters.")
_EMAIL = _("An e-mail address such as wlan@rostock.de; it goes with the name.")
_WAYS = _("Choose from the list.")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field: a text of the catalogues and its values."""

    field: str
    sentence: str
    values: Mapping[str, object]


class PlaceError(InputError):
    """A form that will not do."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(fault.sentence for fault in faults))
        self.faults = tuple(faults)


class _Reader:
    """Reads field after field and collects what is wrong with each."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = form
        self.faults: list[Fault] = []

    def fault(self, field: str, sentence: str, **values: object) -> None:
        self.faults.append(Fault(field, sentence, values))

    def words(self, field: str, most: int, *, least: int = 0) -> str:
        said = line(self._form.get(field, ""), most + 1)
        if not least <= len(said) <= most:
            self.fault(field, _NAME if least else _LONG, most=most)
        return said

    def parsed(self, field: str, read: Callable[[str], Any], sentence: str, **values: object) -> str:
        """The field's line where `read` takes it; its own words do not matter here."""
        said = line(self._form.get(field, ""), LINE_MAX)
        try:
            read(said)
        except InputError:
            self.fault(field, sentence, **values)
        return said


def read_place(form: MultiDict[str, str], logo: FileStorage | None, place: Place, languages: Sequence[str]) -> Place:
    """The place as it was typed. PlaceError with every field that will not do."""
    reader = _Reader(form)
    ways = " ".join(form.getlist("ways"))
    try:
        ways = read_ways(ways)
    except InputError:
        reader.fault("ways", _WAYS)
    face = Face(
        name=reader.words("shown_name", NAME_MAX),
        logo=_logo(reader, form, logo, place.face.logo),
        colours=_colours(reader),
        welcome=_welcome(reader, languages),
        help=_help(reader),
        ssid=reader.parsed("ssid", read_ssid, _SSID, most=SSID_OCTETS_MAX),
    )
    made = replace(
        place,
        name=reader.words("name", NAME_MAX, least=1),
        opening_hours=reader.parsed("opening_hours", Hours.parse, _HOURS),
        ways="" if len(ways.split()) == len(ASKED_FOR) else ways,
        face=face,
    )
    if reader.faults:
        raise PlaceError(reader.faults)
    return made


def _logo(reader: _Reader, form: Mapping[str, str], sent: FileStorage | None, stored: Logo | None) -> Logo | None:
    """The new file's, or the one there is unless it is to go."""
    content = sent.stream.read(LOGO_FILE_BYTES_MAX + 1) if sent is not None else b""
    if not content:
        return None if form.get("no_logo") else stored
    try:
        return read_logo(content)
    except InputError as error:
        reader.fault("logo", _LOGO, why=str(error))
        return stored


def _colours(reader: _Reader) -> Colours | None:
    before = len(reader.faults)
    typed = [reader.parsed(name, lambda text: text and read_colour(text), _COLOUR).lower() for name in COLOURS]
    if len(reader.faults) > before or not any(typed):
        return None
    if not typed[0]:
        reader.fault("accent", _ALONE)
        return None
    colours = complete(*typed)
    for found in faint(colours):
        ratio = f"{found.ratio:.1f}"
        reader.fault(found.field, _FAINT, colour=found.colour, ratio=ratio, least=CONTRAST_MIN, better=found.better)
    return colours


def _welcome(reader: _Reader, languages: Sequence[str]) -> dict[str, str]:
    said = {language: reader.words(f"welcome_{language}", WELCOME_MAX) for language in languages}
    return {language: text for language, text in said.items() if text}


def _help(reader: _Reader) -> HelpContact | None:
    contact = HelpContact(
        reader.words("help_name", LINE_MAX), reader.words("help_email", LINE_MAX), reader.words("help_phone", NAME_MAX)
    )
    if not (contact.name or contact.email or contact.phone):
        return None
    name, _at, host = contact.email.partition("@")
    if not (contact.name and name and "." in host and " " not in contact.email and '"' not in contact.email):
        reader.fault("help_email", _EMAIL)
    return contact


def typed_of(place: Place) -> dict[str, str]:
    """The form's fields as they are stored."""
    face, colours = place.face, place.face.colours
    typed = {
        "name": place.name,
        "opening_hours": place.opening_hours,
        "shown_name": face.name,
        "ssid": face.ssid,
        **{name: getattr(colours, name) if colours else "" for name in COLOURS},
        **{f"welcome_{language}": text for language, text in face.welcome.items()},
    }
    if face.help is not None:
        typed |= {"help_name": face.help.name, "help_email": face.help.email, "help_phone": face.help.phone}
    return typed
