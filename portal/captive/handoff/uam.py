"""The Universal Access Method of CoovaChilli and uspot: the redirect that arrives, the log-in address that goes back.

Facts and golden vectors: HANDOFF ("seen" on the wire with the real daemon); uspot from its source (`portal.uc`,
`handler-uam.uc`): the same but for `res=reject`, a lower-case `md` and a challenge that stays the device's own.
Everything in the query is hostile until `md` is verified on the raw URL; a log-in address is only ever built from the
registered NAS's own.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote, urlencode

from hotspot.errors import InputError
from hotspot.values import MacAddress
from portal.captive.handoff.protocol import (
    QUERY_MAX,
    Arrival,
    ForgedError,
    GoTo,
    Handing,
    Inbound,
    Method,
    Result,
    safe_url,
)
from service.reasons import MESSAGE_OCTETS_MAX
from store.nases import Nas

CHALLENGE_BYTES = 16

_RESULTS = {result.value: result for result in Result} | {
    "splash": Result.NOT_YET,
    "wispr": Result.NOT_YET,
    "reject": Result.FAILED,  # uspot
}


def nas_identifier(inbound: Inbound) -> str:
    """The `nasid` that a redirect claims: which secret to verify it with. Nothing is believed yet."""
    return inbound.fields.get("nasid", "") if "res" in inbound.fields else ""


def verify(url: str, uam_secret: bytes) -> bool:
    """Whether `md` signs the raw URL: UPPER(hex(md5(URL up to, not including, `&md=`, and the secret))).

    `url` has one character an octet, as it came over the wire (WSGI's latin-1).
    """
    signed, found, md = url.rpartition("&md=")
    if not found or len(url) > QUERY_MAX:
        return False
    digest = hashlib.md5(signed.encode("latin-1", "replace") + uam_secret, usedforsecurity=False).hexdigest()
    return hmac.compare_digest(digest.upper().encode(), md.upper().encode())


def read(inbound: Inbound, nas: Nas) -> Arrival:
    """The redirect, verified. ForgedError where `md` does not sign it, InputError where its fields make no sense."""
    if not verify(inbound.url, nas.uam_secret):
        raise ForgedError
    given = inbound.fields
    result = _RESULTS.get(given.get("res", ""))
    if result is None:
        raise InputError("the hotspot's redirect has no known `res`")
    challenge = _challenge(given.get("challenge", ""))
    if result in (Result.NOT_YET, Result.FAILED) and len(challenge) != CHALLENGE_BYTES:
        raise InputError("the hotspot's challenge does not have 16 octets")
    return Arrival(
        result=result,
        mac=MacAddress.parse(given.get("mac", "")),
        signed=True,
        back={"challenge": challenge.hex()},
        user_url=safe_url(given.get("userurl", "")),
        reason=given.get("reason", "")[:40],
        reply=given.get("reply", "")[:MESSAGE_OCTETS_MAX],
    )


def _challenge(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise InputError("the hotspot's challenge is not hexadecimal") from None


def chap_response(password: str, challenge: bytes, uam_secret: bytes) -> str:
    """hex(md5(0x00, password, k)) with k = md5(challenge, UAM secret); RADIUS then sees k as the CHAP-Challenge."""
    k = hashlib.md5(challenge + uam_secret, usedforsecurity=False).digest()
    return hashlib.md5(b"\0" + password.encode() + k, usedforsecurity=False).hexdigest()


def hand_off(handing: Handing) -> GoTo:
    """The address at the NAS that redeems the ticket by CHAP."""
    credential = handing.ticket
    challenge = bytes.fromhex(handing.back["challenge"])
    response = chap_response(credential.password, challenge, handing.nas.uam_secret)
    fields = {"username": credential.name, "response": response}
    if handing.user_url:
        fields["userurl"] = handing.user_url
    return GoTo(f"{handing.nas.login_url}/logon?{urlencode(fields, quote_via=quote)}")


def log_off(handing: Handing) -> GoTo:
    return GoTo(f"{handing.nas.login_url}/logoff")


METHOD = Method(read=read, hand_off=hand_off, log_off=log_off, claims=nas_identifier)
