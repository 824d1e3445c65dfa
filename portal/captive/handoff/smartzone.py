"""Ruckus SmartZone: the portal tells the controller's northbound interface, which then asks RADIUS with the ticket.

From Ruckus's "Hotspot WISPr Reference Guide", so believed. The device's address may arrive encrypted (`ENC…`): only the
controller can read it, and says it on request. Name and password of the interface stand in the NAS's UAM secret, as
`name:password`, or the password alone.
"""

from __future__ import annotations

import re
from typing import Any

from hotspot.errors import InputError
from hotspot.values import MacAddress
from portal.captive.controllers import CallError, Controllers, Line
from portal.captive.handoff.protocol import (
    Admitted,
    Arrival,
    Failed,
    Handing,
    HandOff,
    Inbound,
    Method,
    Result,
    must_name,
    safe_url,
)
from portal.captive.handoff.ruckus import failure
from service.reasons import MESSAGE_OCTETS_MAX
from store.nases import Nas

PATH = "/portalintf"
GOOD = (101, 201)
"""ResponseCode: the client is authorized already; the log-in succeeded."""

_REASONS = {300: "unknown_device", 301: "refused", 302: "garbled", 303: "unauthorized", 400: "garbled", 401: "slow"}
"""Other response codes: not found, log-in failed, bad request, wrong request password, internal, RADIUS failed."""

_ENCRYPTED = re.compile(r"ENC[0-9A-Za-z+/=]{8,200}")
_IP = re.compile(r"[0-9A-Fa-f:.]{2,45}")


def read(inbound: Inbound, nas: Nas) -> Arrival:
    """ForgedError where `nbiIP` is another controller's; CallError where it does not say an encrypted address."""
    given = inbound.fields
    must_name(nas, given.get("nbiIP", ""))
    mac, ip = given.get("client_mac", ""), given.get("uip", "")
    error = failure(given.get("reason", ""))
    return Arrival(
        result=Result.FAILED if error else Result.NOT_YET,
        mac=_decrypted(inbound.controllers, nas, mac) if mac.startswith("ENC") else MacAddress.parse(mac),
        back={"mac": mac, "ip": ip if _IP.fullmatch(ip) or _ENCRYPTED.fullmatch(ip) else ""},
        user_url=safe_url(given.get("url", "")),
        reason="timeout" if "timeout" in error.lower() else "reject" if error else "",
        reply=error,
    )


def _decrypted(controllers: Controllers | None, nas: Nas, text: str) -> MacAddress:
    if not _ENCRYPTED.fullmatch(text) or controllers is None:
        raise InputError("the hotspot's encrypted MAC address is none")
    with controllers.line(nas) as line:
        answer = _request(line, RequestCategory="GetConfig", RequestType="Decrypt", Data=text)
    return MacAddress.parse(str(answer.get("Data", "")))


def hand_off(handing: Handing) -> HandOff:
    ticket = handing.ticket
    login = {"UE-Username": ticket.name, "UE-Password": ticket.password}
    return _control(handing, "Login", ticket.name, **login)


def log_off(handing: Handing) -> HandOff:
    return _control(handing, "Logout", "")


def _control(handing: Handing, request: str, session_id: str, **more: str) -> HandOff:
    assert handing.controllers is not None, "the portal has lines to its controllers"
    device = {"UE-MAC": handing.back["mac"], "UE-IP": handing.back["ip"], "UE-Proxy": "0"}
    try:
        with handing.controllers.line(handing.nas) as line:
            answer = _request(line, RequestCategory="UserOnlineControl", RequestType=request, **device, **more)
    except CallError as error:
        return Failed(error.reason)
    code = answer.get("ResponseCode")
    if code in GOOD or request == "Logout":
        return Admitted(session_id)
    reply = str(answer.get("ReplyMessage", ""))[:MESSAGE_OCTETS_MAX]
    return Failed(_REASONS.get(code, "refused") if isinstance(code, int) else "garbled", reply)


def _request(line: Line, **fields: str) -> dict[str, Any]:
    name, colon, password = line.nas.uam_secret.decode().partition(":")
    credentials = {"RequestUserName": name, "RequestPassword": password} if colon else {"RequestPassword": name}
    reply = line.ask("POST", PATH, {"Vendor": "ruckus", "APIVersion": "1.0", **credentials, **fields})
    if not reply.ok:
        raise CallError("garbled")
    return dict(reply.body)


METHOD = Method(read=read, hand_off=hand_off, log_off=log_off)
