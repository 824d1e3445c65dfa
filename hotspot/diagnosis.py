"""What the packets that came in tell of a NAS that is being set up, and what to do next. Pure: one table of findings.

Anybody can send a packet that claims a NAS-Identifier. So what a registered address sent counts first; what only
claims to be the NAS is looked at when the NAS itself has been silent for a while.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

SILENT_AFTER = timedelta(minutes=5)
"""So long must a NAS be silent before a stranger that claims to be it is believed to be of interest."""

OK = "ok"
UNKNOWN = "unknown_client"
"""No NAS has that address, nor a network with it."""
PORTS = ("auth", "acct")


class Arrival(Protocol):
    """Packets alike, as `store.arrivals` keeps them."""

    @property
    def source(self) -> str: ...
    @property
    def port(self) -> str: ...
    @property
    def nas_identifier(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def nas_id(self) -> int | None: ...
    @property
    def last_at(self) -> datetime: ...


class Registered(Protocol):
    """What is asked of a NAS."""

    @property
    def id(self) -> int: ...
    @property
    def address(self) -> str: ...
    @property
    def nas_identifier(self) -> str: ...


class Finding(StrEnum):
    """What is the matter with a NAS."""

    NOTHING = "nothing"
    STRANGER = "stranger"
    UNKNOWN_ADDRESS = "unknown_address"
    OTHER_IDENTIFIER = "other_identifier"
    WRONG_SECRET = "wrong_secret"
    NO_MESSAGE_AUTHENTICATOR = "no_message_authenticator"
    PROXY_STATE = "proxy_state"
    WRONG_PORT = "wrong_port"
    DROPPED = "dropped"
    NO_ACCOUNTING = "no_accounting"
    NO_AUTHENTICATION = "no_authentication"
    WELL = "well"


class Level(StrEnum):
    """How a finding is shown: something is awaited, something must be mended, all is well."""

    WAITING = "waiting"
    BAD = "bad"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Words:
    """A finding in words for the staff: in a list, in a sentence, and what to do. Texts of the catalogues."""

    level: Level
    short: str
    sentence: str
    next_step: str


FINDINGS: dict[Finding, Words] = {
    Finding.NOTHING: Words(
        Level.WAITING,
        "Waiting for a packet",
        "Nothing has come from this NAS in the last 24 hours.",
        "Type the configuration below into the NAS and let a device log in. If still nothing comes, a firewall or a "
        "wrong RADIUS address is in the way.",
    ),
    Finding.STRANGER: Words(
        Level.WAITING,
        "A stranger is knocking",
        "Nothing has come from this NAS lately, but packets come from %(source)s, which is no NAS of this city. They "
        "say NAS-Identifier “%(nas_identifier)s”.",
        "If that is this NAS, use its address. If it is not, somebody else's device is set up wrongly.",
    ),
    Finding.UNKNOWN_ADDRESS: Words(
        Level.BAD,
        "Unknown address",
        "Packets that say they are this NAS come from %(source)s, but it is registered with the address %(address)s. "
        "They are met with silence.",
        "If that is this NAS, use its address: behind NAT it is the router's. Otherwise somebody claims its name.",
    ),
    Finding.OTHER_IDENTIFIER: Words(
        Level.BAD,
        "Other NAS-Identifier",
        "Packets come from %(source)s with the NAS-Identifier “%(nas_identifier)s”, but the one of this NAS is "
        "different. Behind an address that several NASes share only the right one is answered.",
        "Write this NAS's identifier into the device, or take over what the device says.",
    ),
    Finding.WRONG_SECRET: Words(
        Level.BAD,
        "Wrong secret",
        "Packets come from %(source)s, but they are made with another RADIUS secret.",
        "Copy the secret into the NAS again, without spaces around it. Both ports need it: authentication and "
        "accounting.",
    ),
    Finding.NO_MESSAGE_AUTHENTICATOR: Words(
        Level.BAD,
        "No Message-Authenticator",
        "Packets come from %(source)s without a Message-Authenticator, so they could be forged (BlastRADIUS, "
        "CVE-2024-3596).",
        "Update the NAS, or switch on its Message-Authenticator. Only if it can do neither: change this NAS here to "
        "“auto” or “no”, and keep its packets inside a network that you trust.",
    ),
    Finding.PROXY_STATE: Words(
        Level.BAD,
        "Proxy-State without Message-Authenticator",
        "Packets come from %(source)s through a proxy that does not sign them, as in an attack on RADIUS "
        "(BlastRADIUS, CVE-2024-3596).",
        "Update the proxy between the NAS and here. If it is yours and cannot be updated, switch off the limit on "
        "Proxy-State for this NAS.",
    ),
    Finding.WRONG_PORT: Words(
        Level.BAD,
        "Wrong port",
        "Packets come from %(source)s at the wrong one of the two ports.",
        "Authentication and accounting have a port each; they are swapped or the same in the NAS.",
    ),
    Finding.DROPPED: Words(
        Level.BAD,
        "Packets are dropped",
        "Packets come from %(source)s that cannot be answered: %(verdict)s.",
        "What this word means stands in docs/metrics.md. It is a fault of the NAS or of something in between.",
    ),
    Finding.NO_ACCOUNTING: Words(
        Level.WAITING,
        "No accounting yet",
        "Authentication works. No accounting has come in yet, so nobody is shown as online there.",
        "Accounting begins with the first log-in that succeeds. If somebody is online there, switch accounting on in "
        "the NAS and see that it sends to the accounting port.",
    ),
    Finding.NO_AUTHENTICATION: Words(
        Level.WAITING,
        "No authentication yet",
        "Accounting works. No authentication has come in lately.",
        "It comes with the next log-in. If log-ins fail, see that the NAS sends them to the authentication port.",
    ),
    Finding.WELL: Words(
        Level.GOOD,
        "All well",
        "Authentication and accounting work.",
        "There is nothing to do.",
    ),
}

_VERDICTS = {
    "bad_authenticator": Finding.WRONG_SECRET,
    "bad_message_authenticator": Finding.WRONG_SECRET,
    "no_message_authenticator": Finding.NO_MESSAGE_AUTHENTICATOR,
    "proxy_state": Finding.PROXY_STATE,
    "wrong_code": Finding.WRONG_PORT,
}
"""What RADIUS's word means for a NAS; every other word is DROPPED."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A finding with what fills the places of its sentences."""

    finding: Finding
    source: str = ""
    nas_identifier: str = ""
    verdict: str = ""
    address: str = ""

    @property
    def words(self) -> Words:
        return FINDINGS[self.finding]

    @property
    def values(self) -> Mapping[str, str]:
        """For the places of the sentences."""
        return {name: getattr(self, name) or "–" for name in ("source", "nas_identifier", "verdict", "address")}

    @property
    def offer(self) -> tuple[str, str] | None:
        """The field of the NAS that could be set to what arrived, and to what."""
        return {
            Finding.STRANGER: ("address", self.source),
            Finding.UNKNOWN_ADDRESS: ("address", self.source),
            Finding.OTHER_IDENTIFIER: ("nas_identifier", self.nas_identifier) if self.nas_identifier else None,
        }.get(self.finding)


def diagnose(nas: Registered, arrivals: Iterable[Arrival], *, others: Collection[str]) -> list[Diagnosis]:
    """What is the matter with a NAS, the first thing to mend first. `others`: the other NASes' identifiers."""
    arrivals = list(arrivals)
    own = [each for each in arrivals if each.nas_id == nas.id]
    strangers = [each for each in arrivals if each.nas_id is None and not _is_past(nas, each, others)]
    claims = [each for each in strangers if _claims(nas, each)]
    if claims and _silent(own, since=_newest(claims).last_at):
        return [_of_claim(nas, _newest(claims))]
    if own:
        return _of_ports(nas, own)
    knocking = [each for each in strangers if each.verdict == UNKNOWN]
    return [_about(Finding.STRANGER, nas, _newest(knocking))] if knocking else [Diagnosis(Finding.NOTHING)]


def is_well(found: Sequence[Diagnosis]) -> bool:
    """Whether there is nothing left to wait for."""
    return all(each.finding is Finding.WELL for each in found)


def _is_past(nas: Registered, arrival: Arrival, others: Collection[str]) -> bool:
    """Whether it is another NAS's business, or came before this NAS was registered with that address."""
    before = arrival.verdict == UNKNOWN and _covers(nas.address, arrival.source)
    return before or arrival.nas_identifier in others


def _claims(nas: Registered, arrival: Arrival) -> bool:
    return arrival.nas_identifier == nas.nas_identifier or _covers(nas.address, arrival.source)


@lru_cache(maxsize=65_536)
def _covers(address: str, source: str) -> bool:
    """Remembered, because a list asks for each NAS about each stranger, and reading an address takes 3 µs."""
    try:
        return ipaddress.ip_address(source) in ipaddress.ip_network(address)
    except ValueError:
        return False


def _newest(arrivals: Iterable[Arrival]) -> Arrival:
    return max(arrivals, key=lambda each: each.last_at)


def _silent(own: Sequence[Arrival], *, since: datetime) -> bool:
    return not own or since - _newest(own).last_at > SILENT_AFTER


def _of_claim(nas: Registered, claim: Arrival) -> Diagnosis:
    """Packets of nobody known: the right name from elsewhere, or another name from the right place."""
    if not _covers(nas.address, claim.source):
        return _about(Finding.UNKNOWN_ADDRESS, nas, claim)
    if claim.nas_identifier != nas.nas_identifier:
        return _about(Finding.OTHER_IDENTIFIER, nas, claim)
    return _about(_VERDICTS.get(claim.verdict, Finding.DROPPED), nas, claim)


def _of_ports(nas: Registered, own: Sequence[Arrival]) -> list[Diagnosis]:
    """By port, what came last. Where nothing is wrong: which of the two is still missing."""
    last = {port: _newest(each for each in own if each.port == port) for port in PORTS if _any_at(own, port)}
    wrong = [each for each in last.values() if each.verdict != OK]
    if wrong:
        found = [_about(_VERDICTS.get(each.verdict, Finding.DROPPED), nas, each) for each in wrong]
        return list({each.finding: each for each in found}.values())
    if "acct" not in last:
        return [Diagnosis(Finding.NO_ACCOUNTING)]
    return [Diagnosis(Finding.WELL if "auth" in last else Finding.NO_AUTHENTICATION)]


def _any_at(own: Sequence[Arrival], port: str) -> bool:
    return any(each.port == port for each in own)


def _about(finding: Finding, nas: Registered, arrival: Arrival) -> Diagnosis:
    return Diagnosis(finding, arrival.source, arrival.nas_identifier, arrival.verdict, nas.address)
