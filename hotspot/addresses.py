"""Where a code is sent: e-mail addresses and telephone numbers, read as people write them. Nothing is looked up."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hotspot.errors import InputError

EMAIL_MAX = 254
LOCAL_MAX = 64
"""RFC 5321 section 4.5.3.1, less the angle brackets of a path."""

NUMBER_TEXT_MAX = 40

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
"""Dot-atom (RFC 5322 section 3.2.3); quoted local parts are valid, and nobody has one."""

_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
"""ITU-T E.164 section 6: 15 digits at most."""

_BETWEEN_DIGITS = str.maketrans("", "", " \t\u00a0-–/.()")


def parse_email(text: str) -> str:
    """An address as mail servers take it, its domain in ASCII and lower case; InputError where it is none."""
    local, at, domain = text.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode().lower() if len(domain) <= EMAIL_MAX else ""
    except UnicodeError:
        domain = ""
    sound = at and len(local) <= LOCAL_MAX and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)
    if not sound or len(local) + 1 + len(domain) > EMAIL_MAX:
        raise InputError("not an e-mail address; write it like name@example.org")
    return f"{local}@{domain}"


def parse_number(text: str, *, country_code: str) -> str:
    """A telephone number by E.164, `+4915112345678`, from any common writing; InputError where it is none.

    `country_code`, such as `+49`, is that of numbers written without one; their leading 0 (Germany's trunk prefix)
    goes, and so does the 0 in `+49 (0) 151`.
    """
    bare = text.replace("(0)", "").translate(_BETWEEN_DIGITS) if len(text) <= NUMBER_TEXT_MAX else ""
    if bare.startswith("00"):
        bare = f"+{bare[2:]}"
    elif bare and not bare.startswith("+"):
        bare = f"{country_code}{bare.removeprefix('0')}"
    if not _E164.fullmatch(bare):
        raise InputError("not a telephone number; write it like 0151 12345678 or +45 20 12 34 56")
    return bare


def is_served(number: str, prefixes: Sequence[str]) -> bool:
    """Whether a number by E.164 begins with one of these prefixes."""
    return number.startswith(tuple(prefixes))
