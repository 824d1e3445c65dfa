"""Aruba Instant: the browser posts the ticket to the virtual controller's /cgi-bin/login.

From Aruba's guides ("External Captive Portal Redirect Parameters"), so believed. `switchip` is the captive portal's
domain, securelogin.arubanetworks.com unless it was changed.
"""

from __future__ import annotations

from hotspot.values import MacAddress
from portal.captive.handoff.protocol import Arrival, Handing, Inbound, Method, Result, Submit, must_name, safe_url
from service.reasons import MESSAGE_OCTETS_MAX
from store.nases import Nas

_ERRORS = (("timeout", "timeout"), ("timed out", "timeout"), ("server", "timeout"), ("already", "in_use"))


def read(inbound: Inbound, nas: Nas) -> Arrival:
    """ForgedError where `switchip` is another controller's."""
    given = inbound.fields
    must_name(nas, given.get("switchip", ""))
    error = given.get("errmsg", "")[:MESSAGE_OCTETS_MAX]
    return Arrival(
        result=Result.FAILED if error else Result.NOT_YET,
        mac=MacAddress.parse(given.get("mac", "")),
        user_url=safe_url(given.get("url", "")),
        reason=next((word for part, word in _ERRORS if part in error.lower()), "reject") if error else "",
        reply=error,
    )


def hand_off(handing: Handing) -> Submit:
    ticket = handing.ticket
    fields = {"user": ticket.name, "password": ticket.password, "cmd": "authenticate", "url": handing.landing}
    return Submit(f"{handing.nas.login_url}/cgi-bin/login", fields)


METHOD = Method(read=read, hand_off=hand_off)
