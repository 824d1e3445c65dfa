"""Accounts: what an e-mail address and a password must be. No rules of composition: length protects, tricks do not.

NIST SP 800-63B section 3.1.1.2: a minimum length, no composition rules, a list of the most common passwords.
"""

from __future__ import annotations

import unicodedata
from datetime import timedelta
from enum import StrEnum

from hotspot.addresses import parse_email
from hotspot.errors import InputError

PASSWORD_MIN, PASSWORD_MAX = 10, 200

UNCONFIRMED = timedelta(days=1)
"""How long a registration waits for its confirmation, and how long the link in the mail is good."""

RESET = timedelta(hours=1)
"""How long the link to a new password is good."""

MAILS_WINDOW = timedelta(days=1)
"""In which mails about accounts are counted, by address and by device."""


class Flaw(StrEnum):
    """Why a form about an account is not taken as it was filled in."""

    ADDRESS = "address"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_COMMON = "too_common"


def parse_address(text: str) -> str | None:
    """The address as an account has it: in lower case, for nobody tells apart what a server might. None: it is none."""
    try:
        return parse_email(text).lower()
    except InputError:
        return None


def normal(password: str) -> str:
    """The same characters however a keyboard composes them (NFKC, as NIST SP 800-63B asks)."""
    return unicodedata.normalize("NFKC", password)


def flaw_of(password: str, address: str) -> Flaw | None:
    """Why a normal password is not taken for the account of that address."""
    if len(password) < PASSWORD_MIN:
        return Flaw.TOO_SHORT
    if len(password) > PASSWORD_MAX:
        return Flaw.TOO_LONG
    plain = password.lower()
    return Flaw.TOO_COMMON if plain in COMMON or plain in address or len(set(plain)) < 4 else None


_WORDS = """
1234567890 12345678910 0123456789 0987654321 9876543210 1234567890a a1234567890 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc
qwertyuiop qwertzuiop qwerty1234 qwerty12345 qwertz1234 qwertz12345 asdfghjkl1 asdfghjklö asdfghjkl; password12
password123 password1234 passwort12 passwort123 passwort1234 passwort12345 iloveyou12 iloveyou123 ichliebedich
liebe12345 hallo12345 hallohallo hallo123456 schalke04schalke fcbayern1900 deutschland fussball123 sommer2024
sommer2025 sommer2026 winter2024 winter2025 winter2026 princess123 sunshine123 football123 baseball123 welcome123
welcome1234 willkommen willkommen1 abcdefghij abcdefghijk abc1234567 abcd123456 abc123abc123 1234512345 1122334455
1111122222 1029384756 1472583690 michael123 jennifer123 superman123 letmein123 admin12345 admin123456 changeme123
mypassword meinpasswort geheim1234 geheimgeheim internet123 wlanwlanwlan schatz12345
"""
COMMON = frozenset(_WORDS.split())
"""The most common passwords of at least ten characters, as published lists have them, German keyboards' among them."""
