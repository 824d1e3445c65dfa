"""Cisco Meraki: a form to the cloud's log-in (sign-on, RADIUS), or a visit to its grant address (click-through).

From Meraki's "Captive Portal API", so believed. The address of log-in or grant is the registered one; of the redirect's
own only the one-time value `mauth` is taken over.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from hotspot.errors import InputError
from hotspot.values import MacAddress
from portal.captive.handoff.protocol import (
    Arrival,
    GoTo,
    Handing,
    Inbound,
    Method,
    Result,
    Submit,
    must_name,
    safe_url,
)
from service.reasons import MESSAGE_OCTETS_MAX
from store.nases import Nas

_MAUTH = re.compile(r"[A-Za-z0-9_.~-]{1,600}")


def read_sign_on(inbound: Inbound, nas: Nas) -> Arrival:
    """ForgedError where `login_url` is at another host."""
    given = inbound.fields
    must_name(nas, given.get("login_url", ""))
    error = given.get("error_message", "")[:MESSAGE_OCTETS_MAX]
    return Arrival(
        result=Result.FAILED if error else Result.NOT_YET,
        mac=MacAddress.parse(given.get("client_mac", "")),
        back={"mauth": _mauth(given.get("login_url", ""))},
        user_url=safe_url(given.get("continue_url", "")),
        reason="timeout" if "time" in error.lower() else "reject" if error else "",
        reply=error,
    )


def _mauth(url: str) -> str:
    """The one-time value in an address whose host was judged before."""
    found = parse_qs(urlsplit(url).query).get("mauth", [""])[0]
    if found and not _MAUTH.fullmatch(found):
        raise InputError("the hotspot's `mauth` is not made of letters and digits")
    return found


def hand_off_sign_on(handing: Handing) -> Submit:
    ticket, mauth = handing.ticket, handing.back["mauth"]
    query = f"?{urlencode({'mauth': mauth})}" if mauth else ""
    fields = {"username": ticket.name, "password": ticket.password, "success_url": handing.landing}
    return Submit(f"{handing.nas.login_url}{query}", fields)


def read_click(inbound: Inbound, nas: Nas) -> Arrival:
    """ForgedError where `base_grant_url` is at another host."""
    given = inbound.fields
    must_name(nas, given.get("base_grant_url", ""))
    return Arrival(
        result=Result.NOT_YET,
        mac=MacAddress.parse(given.get("client_mac", "")),
        user_url=safe_url(given.get("user_continue_url", "")),
    )


def hand_off_click(handing: Handing) -> GoTo:
    """Meraki lets on whoever asks for the grant address: who may is decided before."""
    assert handing.accept is not None, "a NAS that asks no RADIUS is told what a device may"
    query = {"continue_url": handing.landing, "duration": str(handing.accept.session_seconds)}
    return GoTo(f"{handing.nas.login_url}?{urlencode(query, quote_via=quote)}", handing.ticket.name)


SIGN_ON = Method(read=read_sign_on, hand_off=hand_off_sign_on)
CLICK = Method(read=read_click, hand_off=hand_off_click, by_radius=False)
