"""Ubiquiti UniFi: the portal tells the controller which device it lets on, for how long and how fast.

Three interfaces: the classic one, the same below UniFi OS, and the one with an API key (Network 9.1.105 and later; from
Ubiquiti's "External Hotspot API for Authorization"). All believed: no controller was at hand. The site is the NAS's
NAS-Identifier; `name:password`, or the API key, stands in its UAM secret. No redirect is signed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hotspot.access import Accept
from hotspot.values import MacAddress, MacSpelling
from portal.captive.controllers import CallError, Line, Reply
from portal.captive.handoff.protocol import (
    Admitted,
    Arrival,
    Failed,
    Handing,
    HandOff,
    Inbound,
    Method,
    Result,
    safe_url,
)
from store.nases import Nas

MEGABYTE = 1_048_576
SITES_MAX = 200
_UUID = re.compile(r"[0-9A-Fa-f-]{36}")


def read(inbound: Inbound, nas: Nas) -> Arrival:
    """The redirect to `/guest/s/<site>/`. It names no controller and is not signed."""
    given = inbound.fields
    point = given.get("ap", "")
    return Arrival(
        result=Result.NOT_YET,
        mac=MacAddress.parse(given.get("id", "")),
        back={"ap": _colons(MacAddress.parse(point)) if point else ""},
        user_url=safe_url(given.get("url", "")),
    )


def _colons(mac: MacAddress) -> str:
    return mac.spelled(MacSpelling.COLON_LOWER)


def _minutes(accept: Accept) -> int:
    """Whole minutes, rounded down: nobody is online for longer than the plan allows."""
    return max(1, accept.session_seconds // 60)


def _some(**limits: int) -> dict[str, int]:
    """Those limits that there are."""
    return {name: limit for name, limit in limits.items() if limit}


def _megabytes(accept: Accept) -> int:
    return max(1, accept.octets_left // MEGABYTE) if accept.octets_left is not None else 0


# With a name and a password ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where an interface's log-in and its commands stand."""

    log_in: str
    prefix: str


CLASSIC = Dialect("/api/login", "")
OS = Dialect("/api/auth/login", "/proxy/network")


def _log_in(line: Line, dialect: Dialect) -> dict[str, str]:
    """The headers that make a request ours. A log-in is kept: UniFi OS allows only a few a minute."""
    name, _, password = line.nas.uam_secret.decode().partition(":")
    reply = line.ask("POST", dialect.log_in, {"username": name, "password": password, "remember": False})
    cookies = dict(cookie.partition(";")[0].partition("=")[::2] for cookie in reply.cookies)
    if not reply.ok or not cookies:
        raise CallError("busy" if reply.status == 429 else "unauthorized")
    token = reply.headers.get("x-csrf-token") or cookies.get("csrf_token", "")
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {"Cookie": cookie} | ({"X-CSRF-Token": token} if token else {})


def _command(line: Line, dialect: Dialect, content: Mapping[str, Any]) -> None:
    """A command to the station manager, after one new log-in where the kept one has expired."""
    path = f"{dialect.prefix}/api/s/{quote(line.nas.nas_identifier, safe='')}/cmd/stamgr"
    reply = line.ask("POST", path, content, line.keep("log-in", lambda: _log_in(line, dialect)))
    if reply.status in (401, 403):
        line.forget("log-in")
        reply = line.ask("POST", path, content, line.keep("log-in", lambda: _log_in(line, dialect)))
    said = reply.body.get("meta")
    if not reply.ok or not isinstance(said, dict) or said.get("rc") != "ok":
        raise CallError("refused")


def _by_password(dialect: Dialect) -> Method:
    def let_on(line: Line, handing: Handing, accept: Accept) -> None:
        limits = _some(up=accept.rate_up_bps // 1_000, down=accept.rate_down_bps // 1_000, bytes=_megabytes(accept))
        point = {"ap_mac": handing.back["ap"]} if handing.back["ap"] else {}
        about = {"cmd": "authorize-guest", "mac": _colons(handing.mac), "minutes": _minutes(accept)}
        _command(line, dialect, about | limits | point)

    def let_go(line: Line, handing: Handing) -> None:
        _command(line, dialect, {"cmd": "unauthorize-guest", "mac": _colons(handing.mac)})

    return _method(let_on, let_go)


# With an API key --------------------------------------------------------------------------------------------


_BASE = "/proxy/network/integration/v1"


def _with_key(line: Line, method: str, path: str, content: Mapping[str, Any] | None = None) -> Reply:
    reply = line.ask(method, f"{_BASE}{path}", content, {"X-API-KEY": line.nas.uam_secret.decode()})
    if reply.status in (401, 403):
        raise CallError("unauthorized")
    if not reply.ok:
        raise CallError("busy" if reply.status == 429 else "refused")
    return reply


def _listed(reply: Reply) -> list[dict[str, Any]]:
    data = reply.body.get("data")
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []


def _id_of(found: Mapping[str, Any]) -> str:
    text = str(found.get("id", ""))
    if not _UUID.fullmatch(text):  # it becomes part of an address
        raise CallError("garbled")
    return text


def _site(line: Line) -> str:
    """The id of the NAS's site, by its short name, which stands in the redirect, or its long one."""
    sites = _listed(_with_key(line, "GET", f"/sites?limit={SITES_MAX}"))
    wanted = line.nas.nas_identifier
    for name in ("internalReference", "name"):
        for site in sites:
            if site.get(name) == wanted:
                return _id_of(site)
    raise CallError("unknown_site")


def _act(line: Line, mac: MacAddress, action: str, **limits: int) -> None:
    site = line.keep("site", lambda: _site(line))
    sought = quote(f"macAddress.eq('{_colons(mac)}')", safe="")
    found = _listed(_with_key(line, "GET", f"/sites/{site}/clients?filter={sought}"))
    if not found:
        raise CallError("unknown_device")
    _with_key(line, "POST", f"/sites/{site}/clients/{_id_of(found[0])}/actions", {"action": action, **limits})


def _by_key() -> Method:
    def let_on(line: Line, handing: Handing, accept: Accept) -> None:
        limits = _some(
            dataUsageLimitMBytes=_megabytes(accept),
            rxRateLimitKbps=accept.rate_down_bps // 1_000,
            txRateLimitKbps=accept.rate_up_bps // 1_000,
        )
        _act(line, handing.mac, "AUTHORIZE_GUEST_ACCESS", timeLimitMinutes=_minutes(accept), **limits)

    def let_go(line: Line, handing: Handing) -> None:
        _act(line, handing.mac, "UNAUTHORIZE_GUEST_ACCESS")

    return _method(let_on, let_go)


# The hand-off -----------------------------------------------------------------------------------------------


def _method(let_on: Callable[[Line, Handing, Accept], None], let_go: Callable[[Line, Handing], None]) -> Method:
    def hand_off(handing: Handing) -> HandOff:
        accept = handing.accept
        assert accept is not None, "a NAS that asks no RADIUS is told what a device may"
        return _called(handing, handing.ticket.name, lambda line: let_on(line, handing, accept))

    def log_off(handing: Handing) -> HandOff:
        return _called(handing, "", lambda line: let_go(line, handing))

    return Method(read=read, hand_off=hand_off, log_off=log_off, by_radius=False)


def _called(handing: Handing, session_id: str, call: Callable[[Line], None]) -> HandOff:
    assert handing.controllers is not None, "the portal has lines to its controllers"
    try:
        with handing.controllers.line(handing.nas) as line:
            call(line)
    except CallError as error:
        return Failed(error.reason, error.reply)
    return Admitted(session_id)


METHODS = {"unifi-classic": _by_password(CLASSIC), "unifi-os": _by_password(OS), "unifi-key": _by_key()}
"""By the word in `nas.handoff`."""
