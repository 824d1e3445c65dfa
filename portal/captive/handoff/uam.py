"""CoovaChilli's Universal Access Method: the redirect that arrives, and the log-in address that it wants back.

Facts and golden vectors: HANDOFF ("seen" on the wire with the real daemon). Everything in the query is hostile until
`md` is verified on the raw URL; a log-in address is only ever built from the registered NAS's own.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from hotspot.errors import InputError
from hotspot.values import MacAddress
from service.reasons import MESSAGE_OCTETS_MAX

QUERY_MAX = 4_096
USER_URL_MAX = 1_024
CHALLENGE_BYTES = 16


class Result(StrEnum):
    """What the NAS says has happened (`res`)."""

    NOT_YET = "notyet"
    SUCCESS = "success"
    FAILED = "failed"
    ALREADY = "already"
    LOG_OFF = "logoff"


_RESULTS = {result.value: result for result in Result} | {"splash": Result.NOT_YET, "wispr": Result.NOT_YET}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A redirect whose `md` was verified. `challenge` is empty where the NAS sent none (after log-in)."""

    result: Result
    mac: MacAddress
    challenge: bytes
    user_url: str
    reason: str
    reply: str


def nas_identifier(query: str) -> str | None:
    """The `nasid` that a redirect claims: which secret to verify it with. Nothing is believed yet."""
    return _first(parse_qs(query[:QUERY_MAX]), "nasid")


def verify(url: str, uam_secret: bytes) -> bool:
    """Whether `md` signs the raw URL: UPPER(hex(md5(URL up to, not including, `&md=`, and the secret))).

    `url` has one character an octet, as it came over the wire (WSGI's latin-1).
    """
    signed, found, md = url.rpartition("&md=")
    if not found or len(url) > QUERY_MAX:
        return False
    digest = hashlib.md5(signed.encode("latin-1", "replace") + uam_secret, usedforsecurity=False).hexdigest()
    return hmac.compare_digest(digest.upper().encode(), md.upper().encode())


def read(query: str) -> Arrival:
    """The facts of a verified redirect. InputError where it lacks one."""
    given = parse_qs(query, keep_blank_values=True)
    result = _RESULTS.get(_first(given, "res") or "")
    if result is None:
        raise InputError("the hotspot's redirect has no known `res`")
    try:
        challenge = bytes.fromhex(_first(given, "challenge") or "")
    except ValueError:
        raise InputError("the hotspot's challenge is not hexadecimal") from None
    if result in (Result.NOT_YET, Result.FAILED) and len(challenge) != CHALLENGE_BYTES:
        raise InputError("the hotspot's challenge does not have 16 octets")
    return Arrival(
        result=result,
        mac=MacAddress.parse(_first(given, "mac") or ""),
        challenge=challenge,
        user_url=safe_url(_first(given, "userurl") or ""),
        reason=(_first(given, "reason") or "")[:40],
        reply=(_first(given, "reply") or "")[:MESSAGE_OCTETS_MAX],
    )


def safe_url(text: str) -> str:
    """Where the resident wanted to go, if that is http or https; else nothing."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    sound = parts.scheme in ("http", "https") and parts.hostname and text.isprintable() and " " not in text
    return text if sound and len(text) <= USER_URL_MAX else ""


def chap_response(password: str, challenge: bytes, uam_secret: bytes) -> str:
    """hex(md5(0x00, password, k)) with k = md5(challenge, UAM secret); RADIUS then sees k as the CHAP-Challenge."""
    k = hashlib.md5(challenge + uam_secret, usedforsecurity=False).digest()
    return hashlib.md5(b"\0" + password.encode() + k, usedforsecurity=False).hexdigest()


def login_url(base: str, *, username: str, password: str, challenge: bytes, uam_secret: bytes, user_url: str) -> str:
    """The address at the NAS (`base` is the registered one) that redeems a ticket by CHAP."""
    fields = {"username": username, "response": chap_response(password, challenge, uam_secret)}
    if user_url:
        fields["userurl"] = user_url
    return f"{base}/logon?{urlencode(fields, quote_via=quote)}"


def logoff_url(base: str) -> str:
    return f"{base}/logoff"


def _first(given: Mapping[str, list[str]], name: str) -> str | None:
    return given[name][0] if name in given else None
