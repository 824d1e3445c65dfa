"""Cisco WLC and Catalyst 9800: the browser posts the ticket to login.html at the controller's virtual address.

From Cisco's guides ("External Web Authentication"), so believed. `statusCode` says how an earlier log-in ended.
"""

from __future__ import annotations

from hotspot.values import MacAddress
from portal.captive.handoff.protocol import Arrival, Handing, Inbound, Method, Result, Submit, must_name, safe_url
from store.nases import Nas

_FAILURES = {"2": "not_configured", "3": "in_use", "4": "excluded", "5": "reject"}
_ALREADY = "1"


def read(inbound: Inbound, nas: Nas) -> Arrival:
    """ForgedError where `switch_url` is at another controller."""
    given = inbound.fields
    must_name(nas, given.get("switch_url", ""))
    code = given.get("statusCode", "")
    reason = _FAILURES.get(code, "")
    wanted = given.get("redirect", "")
    return Arrival(
        result=Result.ALREADY if code == _ALREADY else Result.FAILED if reason else Result.NOT_YET,
        mac=MacAddress.parse(given.get("client_mac", "")),
        user_url=safe_url(wanted if "://" in wanted else f"http://{wanted}"),  # it comes without its scheme
        reason=reason,
    )


def hand_off(handing: Handing) -> Submit:
    ticket = handing.ticket
    fields = {
        "username": ticket.name,
        "password": ticket.password,
        "buttonClicked": "4",
        "redirect_url": handing.landing,
    }
    return Submit(f"{handing.nas.login_url}/login.html", fields)


METHOD = Method(read=read, hand_off=hand_off)
