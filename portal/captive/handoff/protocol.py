"""The values of a hand-off: what a NAS's redirect says, and how a resident goes back to the NAS."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote, urlsplit

from hotspot.access import Accept
from hotspot.errors import InputError
from hotspot.values import MacAddress
from portal.captive.controllers import Controllers
from store.nases import Nas

QUERY_MAX = 4_096
USER_URL_MAX = 1_024
"""Characters of a wished address, after escaping."""

_URL_SIGNS = "%/:?#[]@!$&'()*+,;=~-._"
"""What stands in an address as it is (RFC 3986 section 2.2), and what is escaped already."""


class Result(StrEnum):
    """What the NAS says has happened."""

    NOT_YET = "notyet"
    SUCCESS = "success"
    FAILED = "failed"
    ALREADY = "already"
    LOG_OFF = "logoff"


class ForgedError(Exception):
    """The redirect is not of the NAS that it names: its signature is wrong, or it names another host."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A redirect as it came: `url` and `query` raw, one character an octet (WSGI's latin-1), `fields` decoded.

    `fields` are the query's and, where the NAS's own page posts, the form's; the first of equal names.
    `controllers`: for the product that hides the device's address from all but its controller.
    """

    url: str
    query: str
    fields: Mapping[str, str]
    controllers: Controllers | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a redirect says. `signed`: the NAS's signature over the MAC address was verified.

    `back` is what the hand-off needs again; `reason` and `reply` are the NAS's words for a log-in that failed.
    """

    result: Result
    mac: MacAddress
    signed: bool = False
    back: Mapping[str, str] = field(default_factory=dict)
    user_url: str = ""
    reason: str = ""
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Credential:
    """A ticket in the clear, for the hand-off alone."""

    name: str
    password: str


class Back(dict[str, str]):
    """What an `Arrival` said that its hand-off needs back. InputError where a visit does not have it: the NAS's
    hand-off was changed while the visit was under way."""

    def __missing__(self, key: str) -> str:
        raise InputError(f"this visit has no {key}: it began with another hand-off")


@dataclass(frozen=True, slots=True)
class Handing:
    """All that a hand-off may look at. `landing`: our absolute address for afterwards, with the visit's token.

    `credential` is for NASes that ask RADIUS; `accept` for those that the portal tells itself what a device may.
    """

    nas: Nas
    mac: MacAddress
    back: Back
    user_url: str
    landing: str
    credential: Credential | None = None
    accept: Accept | None = None
    controllers: Controllers | None = None

    @property
    def ticket(self) -> Credential:
        """The credential, which is there whenever somebody is let on."""
        assert self.credential is not None, "nobody is handed over without a ticket"
        return self.credential


@dataclass(frozen=True, slots=True)
class GoTo:
    """The browser goes to the NAS by itself (303).

    `session_id`: where the portal decides, and the NAS lets on whoever comes, what the session is called by us.
    """

    url: str
    session_id: str = ""


@dataclass(frozen=True, slots=True)
class Submit:
    """The browser posts these fields to the NAS: a page with one button, for there is no JavaScript."""

    url: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Admitted:
    """The NAS was told by the portal itself; `session_id` is its name for the session, or one that we made.

    Of a log-off: it let the device go.
    """

    session_id: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The NAS's controller did not do it; `reason` is one word, for metric and log. `reply`: its own text, if any."""

    reason: str
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Awaited:
    """The NAS tells the portal later that it has let the device on, under `session_id` and with what `accept` says.

    `url`: where the browser goes meanwhile. `gateway`: which gateway will ask for it, empty where none asks.
    """

    session_id: str
    url: str
    accept: Accept
    framed_ip: str = ""
    gateway: str = ""


HandOff = GoTo | Submit | Admitted | Awaited | Failed


def _names_nobody(_: Inbound) -> str:
    return ""


def _no_log_off(_: Handing) -> HandOff | None:
    return None


@dataclass(frozen=True, slots=True)
class Method:
    """One product's way. `read` raises InputError for what is malformed, ForgedError for a bad signature.

    `claims`: the NAS-Identifier that a redirect to the portal's front door names, empty where it names none.
    `by_radius`: the NAS asks RADIUS with the credential; otherwise the portal decides and tells it.
    """

    read: Callable[[Inbound, Nas], Arrival]
    hand_off: Callable[[Handing], HandOff]
    log_off: Callable[[Handing], HandOff | None] = _no_log_off
    claims: Callable[[Inbound], str] = _names_nobody
    by_radius: bool = True


def safe_url(text: str) -> str:
    """Where the resident wanted to go, escaped, if that is http or https without a user's name; else nothing."""
    if not text.isprintable() or " " in text:
        return ""
    escaped = quote(text, safe=_URL_SIGNS)
    try:
        parts = urlsplit(escaped)
        sound = parts.scheme in ("http", "https") and parts.port != 0  # `port` raises where it is no number
    except ValueError:
        return ""
    whole = sound and parts.hostname and not set("%@") & set(parts.netloc)
    return escaped if whole and len(escaped) <= USER_URL_MAX else ""


def must_name(nas: Nas, claimed: str) -> None:
    """ForgedError where a redirect's address or host is not of the registered NAS. Empty: it names none, which is fine.

    Registered are the log-in address, which alone is used, and the address that RADIUS knows.
    """
    if claimed and _host(claimed) not in (_host(nas.login_url), nas.address):
        raise ForgedError


def _host(address: str) -> str:
    """The host of an address, or of a bare host with or without a port; in lower case."""
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
    except ValueError:
        return ""
    return "" if set("@\\") & set(parts.netloc) else parts.hostname or ""  # browsers read a backslash as a slash


def ip_text(text: str) -> str:
    """An IP address as a redirect gives the device's; empty where it is none."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
