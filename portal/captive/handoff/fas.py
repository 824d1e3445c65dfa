"""openNDS's forwarding authentication (FAS), levels 1 to 4: what its redirect says, and what the gateway wants back.

Levels 1 and 4 send their values in base64 alone: a claim. Levels 2 and 3 encrypt them with the FAS key. CBC protects
nothing by itself, so the plain text must be written exactly as openNDS writes it up to the MAC address: whoever changes
a block there garbles the one before it, which then is no longer hexadecimal. Whatever is wrong with an encrypted
redirect is the same error, its padding included, or the portal would decrypt for strangers (and encrypt: Rizzo and
Duong, "Practical padding oracle attacks").

Levels 1 and 2 send the browser back to the gateway with a token and our signed limits, which its BinAuth script reads
(service/snippets/opennds.toml). For levels 3 and 4 the gateway asks the portal who may get on
(`portal.captive.gateways`). Formats: openNDS 9.10, seen with Debian's daemon; level 4, which that does not have, from
fas-hid-https.php of openNDS 10.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from urllib.parse import quote, unquote, urlencode

from hotspot.access import Accept
from hotspot.errors import InputError
from hotspot.values import MacAddress
from portal.captive.handoff import rijndael
from portal.captive.handoff.protocol import (
    QUERY_MAX,
    Arrival,
    Awaited,
    ForgedError,
    GoTo,
    Handing,
    Inbound,
    Method,
    Result,
    safe_url,
)
from store.nases import Nas

KIBIBYTE = 1_024
"""openNDS's kB."""

_WHO = (
    r"hid=(?P<hid>[0-9a-f]{64}), clientip=(?P<ip>[0-9a-f.:]{2,45}), clientmac=(?P<mac>(?:[0-9a-f]{2}:){5}[0-9a-f]{2})"
)
_REDIRECT = re.compile(rf"{_WHO}, (?P<rest>[ -~]*)")
_SEALED = re.compile(rf"{_WHO}, (?P<rest>[ -~]*)[\x01-\x10]{{1,{rijndael.BLOCK}}}")


# What arrives -------------------------------------------------------------------------------------------


def read_plain(inbound: Inbound, nas: Nas) -> Arrival:
    """A redirect of level 1 or 4: nothing in it is proven. InputError where it is not as openNDS writes it."""
    found = _REDIRECT.fullmatch(_base64(_fas(inbound)).decode("latin-1"))
    if found is None:
        raise InputError("the gateway's redirect is not as openNDS writes it")
    return _arrival(found, signed=False)


def read_sealed(inbound: Inbound, nas: Nas) -> Arrival:
    """A redirect of level 2 or 3. ForgedError, and nothing else, where this NAS's key did not make it."""
    try:
        octets = _base64(_base64(_fas(inbound)).decode("latin-1"))
    except InputError:
        raise ForgedError from None
    iv = inbound.fields.get("iv", "").encode("latin-1", "replace")
    plain = rijndael.decrypted(octets, nas.uam_secret, iv)
    found = _SEALED.fullmatch(plain.decode("latin-1"))
    if found is None:
        raise ForgedError
    return _arrival(found, signed=True)


def _fas(inbound: Inbound) -> str:
    """The `fas` of the query; its base64 has plus signs, which stand for spaces in a query."""
    if len(inbound.query) > QUERY_MAX:
        raise InputError("the gateway's redirect is too long")
    return inbound.fields.get("fas", "").replace(" ", "+")


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError("the gateway's redirect is not base64") from None


def _arrival(found: re.Match[str], *, signed: bool) -> Arrival:
    said = dict(part.partition("=")[::2] for part in reversed(found["rest"].split(", ")))
    return Arrival(
        result=Result.NOT_YET,
        mac=MacAddress.parse(found["mac"]),
        signed=signed,
        back={"hid": found["hid"], "ip": found["ip"], "gateway": gateway_hash(said.get("gatewayname", ""))},
        user_url=safe_url(unquote(said.get("originurl", ""))),
    )


def gateway_hash(name: str) -> str:
    """By what a gateway calls itself when it asks: SHA-256 of its name, as it stands in the redirect."""
    return hashlib.sha256(name.strip().encode("latin-1", "replace")).hexdigest()


# What goes back -----------------------------------------------------------------------------------------


def return_hash(hid: str, key: bytes) -> str:
    """openNDS's `tok` or `rhid`, by which the gateway knows its client again: SHA-256 of hid and FAS key."""
    return hashlib.sha256(hid.encode() + key).hexdigest()


def return_hash_of(token: str, key: bytes) -> str:
    """The same from the token that the gateway keeps to itself and its BinAuth; `hid` is the token's SHA-256."""
    return return_hash(hashlib.sha256(token.encode()).hexdigest(), key)


def limits_of(accept: Accept) -> tuple[int, int, int, int, int]:
    """Seconds, kbit/s up and down, kB up and down; 0 is no limit. One volume counts for each direction by itself."""
    volume = 0 if accept.octets_left is None else max(1, accept.octets_left // KIBIBYTE)
    return accept.session_seconds, accept.rate_up_bps // 1000, accept.rate_down_bps // 1000, volume, volume


def signed_limits(accept: Accept, mac: MacAddress, hid: str, key: bytes) -> str:
    """What our BinAuth script takes for the truth: the limits and their signature for this client, all in dots."""
    limits = ".".join(map(str, limits_of(accept)))
    signed = b" ".join((limits.encode(), _colons(mac).encode(), hid.encode(), key))
    return f"{limits}.{hashlib.sha256(signed).hexdigest()}"


def _colons(mac: MacAddress) -> str:
    return mac.octets.hex(":")


def send_back(handing: Handing) -> Awaited:
    """Levels 1 and 2: the browser takes token and limits to the gateway, whose script then tells the portal."""
    accept, key, hid = _accepted(handing), handing.nas.uam_secret, handing.back["hid"]
    name = return_hash(hid, key)
    custom = signed_limits(accept, handing.mac, hid, key)
    fields = {"tok": name, "redir": handing.landing, "custom": custom}
    url = f"{handing.nas.login_url}/opennds_auth/?{urlencode(fields, quote_via=quote)}"
    return Awaited(name, url, accept, framed_ip=handing.back["ip"])


def keep_for(handing: Handing) -> Awaited:
    """Levels 3 and 4: the gateway asks for it in a few seconds, in whole minutes, never more than there are."""
    accept = _accepted(handing)
    name = return_hash(handing.back["hid"], handing.nas.uam_secret)
    whole = replace(accept, session_seconds=max(1, accept.session_seconds // 60) * 60)
    return Awaited(name, handing.landing, whole, framed_ip=handing.back["ip"], gateway=handing.back["gateway"])


def _accepted(handing: Handing) -> Accept:
    assert handing.accept is not None, "openNDS asks no RADIUS: the portal has decided"
    return handing.accept


def listed(name: str, accept: Accept) -> str:
    """A client as the gateway's authmon wants it: one word of its list."""
    seconds, *others = limits_of(accept)
    return quote(" ".join(map(str, (name, seconds // 60, *others, "na"))), safe="")


def log_off(handing: Handing) -> GoTo:
    return GoTo(f"{handing.nas.login_url}/opennds_deny/")


def comes_back_online(fields: Mapping[str, str], portal_url: str) -> str:
    """A client that is on already comes back with our own landing address: that address; empty for anything else."""
    landing = fields.get("redir", "") if fields.get("status") == "authenticated" else ""
    path = landing.removeprefix(portal_url)
    return path if path != landing and path.startswith("/status?") else ""


_PLAIN = partial(Method, read=read_plain, log_off=log_off, by_radius=False)
_SEALED_METHOD = partial(Method, read=read_sealed, log_off=log_off, by_radius=False)

FAS1 = _PLAIN(hand_off=send_back)
FAS2 = _SEALED_METHOD(hand_off=send_back)
FAS3 = _SEALED_METHOD(hand_off=keep_for)
FAS4 = _PLAIN(hand_off=keep_for)
