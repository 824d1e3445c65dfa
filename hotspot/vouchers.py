"""Voucher codes: one code, no ambiguous characters; case, spaces and dashes do not matter."""

from __future__ import annotations

from hotspot.errors import InputError

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 symbols (5 bits each) without 0, 1, I and O."""

CODE_LENGTH = 10
"""Symbols of a code: 50 bits, against which guessing is limited besides."""

CODE_TEXT_MAX = 40

_IGNORED = str.maketrans("", "", " \t-–")


def make_code(random_octets: bytes) -> str:
    """A code from at least ten random octets; each gives one symbol without bias (256 is a multiple of 32)."""
    return "".join(ALPHABET[octet % len(ALPHABET)] for octet in random_octets[:CODE_LENGTH])


def show_code(code: str) -> str:
    """As printed: `ABCDE-FGHJK`."""
    half = CODE_LENGTH // 2
    return f"{code[:half]}-{code[half:]}"


def parse_code(text: str) -> str:
    """What a person typed, as stored; InputError where it cannot be a code."""
    upper = text.upper() if len(text) <= CODE_TEXT_MAX else ""
    code = upper.translate(_IGNORED)
    if len(code) != CODE_LENGTH or not set(code) <= set(ALPHABET):
        raise InputError("not a voucher code: it has ten letters and digits, without 0, 1, I and O")
    return code
