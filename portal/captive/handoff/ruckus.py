"""Ruckus Unleashed and ZoneDirector: the browser posts the ticket to port 9997 of the controller.

From Ruckus's guide ("Enabling WISPr in the ZoneDirector"), so believed. A redirect's `reason` that begins with
`Un-Auth` says only that nobody has logged in yet.
"""

from __future__ import annotations

from hotspot.values import MacAddress
from portal.captive.handoff.protocol import (
    Arrival,
    Handing,
    Inbound,
    Method,
    Result,
    Submit,
    ip_text,
    must_name,
    safe_url,
)
from service.reasons import MESSAGE_OCTETS_MAX
from store.nases import Nas

NOT_LOGGED_IN = "un-auth"


def failure(given: str) -> str:
    """The text of a log-in that failed; empty where none did."""
    return "" if given.lower().startswith(NOT_LOGGED_IN) else given[:MESSAGE_OCTETS_MAX]


def read(inbound: Inbound, nas: Nas) -> Arrival:
    """ForgedError where `sip` is another controller's."""
    given = inbound.fields
    must_name(nas, given.get("sip", ""))
    error = failure(given.get("reason", ""))
    return Arrival(
        result=Result.FAILED if error else Result.NOT_YET,
        mac=MacAddress.parse(given.get("client_mac", "")),
        back={"ip": ip_text(given.get("uip", ""))},
        user_url=safe_url(given.get("url", "")),
        reason="timeout" if "timeout" in error.lower() else "reject" if error else "",
        reply=error,
    )


def hand_off(handing: Handing) -> Submit:
    ticket, ip = handing.ticket, handing.back["ip"]
    fields = {"username": ticket.name, "password": ticket.password} | ({"ip": ip} if ip else {})
    return Submit(f"{handing.nas.login_url}/login", fields)


METHOD = Method(read=read, hand_off=hand_off)
