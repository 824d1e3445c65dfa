"""UAM, the hand-over between a CoovaChilli NAS and its portal, from the NAS's side: pure functions.

As seen on the wire of the real daemon; the golden vectors stand in the tests. MD5 is what UAM says, not our choice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from urllib.parse import quote

from hotspot.errors import WireError

CHALLENGE_OCTETS = 16
PASSWORD_OCTETS = 16
"""UAM's PAP is undefined beyond one block."""


def sign(raw_url: str, uam_secret: str) -> str:
    """`md`: upper-case hex of md5(raw URL up to, not including, `&md=`, followed by the UAM secret)."""
    return hashlib.md5((raw_url + uam_secret).encode(), usedforsecurity=False).hexdigest().upper()


def signed_url(base: str, parameters: Iterable[tuple[str, str]], uam_secret: str) -> str:
    """`base?…&md=`: the redirect to the portal, every value percent-encoded as CoovaChilli does."""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters)
    url = f"{base}?{query}"
    return f"{url}&md={sign(url, uam_secret)}"


def challenge_key(challenge: bytes, uam_secret: str) -> bytes:
    """k: what the challenge becomes under the UAM secret; also the CHAP-Challenge towards RADIUS."""
    return hashlib.md5(challenge + uam_secret.encode(), usedforsecurity=False).digest()


def chap_response(password: str, key: bytes) -> bytes:
    """What the portal puts into `response=`: CHAP with identifier 0 (RFC 2865 section 2.2)."""
    return hashlib.md5(b"\0" + password.encode() + key, usedforsecurity=False).digest()


def pap_hidden(password: str, key: bytes) -> bytes:
    """What the portal puts into `password=`: the zero-padded password XOR k."""
    padded = password.encode().ljust(PASSWORD_OCTETS, b"\0")
    return bytes(left ^ right for left, right in zip(padded, key, strict=True))


def pap_password(hidden: bytes, key: bytes) -> bytes:
    """The password out of `password=`; padding removed."""
    return bytes(left ^ right for left, right in zip(hidden, key, strict=True)).rstrip(b"\0")


def hex_octets(text: str, length: int) -> bytes:
    """`length` octets from a query value in hex; WireError where it is not that."""
    try:
        octets = bytes.fromhex(text) if len(text) == 2 * length and text.isalnum() else b""
    except ValueError:
        octets = b""
    if len(octets) != length:
        raise WireError("not_hex")
    return octets
