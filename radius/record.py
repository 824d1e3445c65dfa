"""An Accounting-Request as it was read: what every record says, and what only the first of a session is asked for."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv6Network

from hotspot.errors import InputError, WireError
from hotspot.session import Accounting, Record, join_gigawords
from hotspot.values import MacAddress, Octets, mac_spelling
from radius.intake import Work
from radius.wire import TERMINATE_CAUSES, Attr, Packet, StatusType, ipv6_address, ipv6_prefix
from store.accounting import SessionKey

CLASS_PREFIX = b"kogge:"
"""A Class of ours: the grant's id follows (RFC 2865 section 5.25)."""

MAC_USER_NAME = "mac:"
"""In `session.user_name`: the NAS used the device's MAC address, in the spelling that follows."""

TEXT_MAX = 128

OCTETS_MAX = 1 << 53
"""More (9 PB) no session has: 10 Gbit/s take 83 days for it. Sums of counters must stay within the databases' 64 bits;
one record that broke out of them would take its whole batch with it, each time its NAS sends it again."""

IPV6_MAX = 8
"""Addresses and prefixes kept of a session; a device has a few (privacy extensions), a NAS may send any number."""

_ACCESS_POINT = re.compile(r"([0-9A-Fa-f]{2}[-:]?){5}[0-9A-Fa-f]{2}(?=:|$)")
"""At the beginning of a Called-Station-Id, before a colon and the SSID (RFC 3580 section 3.20), colons in it or not."""

_RECORDS = {StatusType.START: Record.START, StatusType.INTERIM: Record.INTERIM, StatusType.STOP: Record.STOP}
_STATUS_TYPES = {kind.value: kind for kind in StatusType}


@dataclass(frozen=True, slots=True)
class Report:
    """One accounting record. `event` is None for an Accounting-On or -Off, which happened at `at`."""

    work: Work
    nas_id: int
    kind: StatusType
    event: Accounting | None
    key: SessionKey
    at: datetime


@dataclass(frozen=True, slots=True)
class Opening:
    """What a record says of the session that it may be the first of."""

    mac: MacAddress | None
    user_name: str
    grant_id: int | None
    ssid: str
    bssid: str
    framed_ip: str
    framed_ipv6: str


def read_report(work: Work, now: datetime) -> Report:
    """One Accounting-Request. WireError where it is malformed or of a type that nobody defined."""
    packet, nas = work.packet, work.peer.nas
    kind = _STATUS_TYPES.get(packet.integer(Attr.ACCT_STATUS_TYPE) or 0)
    if kind is None:
        raise WireError("bad_status_type")
    acct_session_id = (packet.text(Attr.ACCT_SESSION_ID) or "")[:TEXT_MAX].replace("\0", "")
    record = _RECORDS.get(kind)
    if record is None:
        at = _event(packet, Record.STOP, now, swapped=False).happened_at  # its times are read as any record's
        return Report(work, nas.id, kind, None, (nas.id, acct_session_id), at)
    if not acct_session_id:
        raise WireError("no_acct_session_id")
    event = _event(packet, record, now, swapped=nas.octets_swapped)
    return Report(work, nas.id, kind, event, (nas.id, acct_session_id), now)


def _event(packet: Packet, record: Record, now: datetime, *, swapped: bool) -> Accounting:
    """RFC 2866 counts from the NAS's view: input is what the device sent. CoovaChilli counts the other way round."""
    integer = packet.integer
    received = join_gigawords(integer(Attr.ACCT_INPUT_OCTETS) or 0, integer(Attr.ACCT_INPUT_GIGAWORDS) or 0)
    sent = join_gigawords(integer(Attr.ACCT_OUTPUT_OCTETS) or 0, integer(Attr.ACCT_OUTPUT_GIGAWORDS) or 0)
    if received > OCTETS_MAX or sent > OCTETS_MAX:
        raise WireError("bad_attribute")
    cause = integer(Attr.ACCT_TERMINATE_CAUSE)
    event_at = integer(Attr.EVENT_TIMESTAMP)
    return Accounting(
        record,
        now,
        integer(Attr.ACCT_DELAY_TIME) or 0,
        integer(Attr.ACCT_SESSION_TIME) or 0,
        Octets(down=received, up=sent) if swapped else Octets(down=sent, up=received),
        None if cause is None else TERMINATE_CAUSES.get(cause, f"Unknown-{cause}"),
        None if event_at is None else datetime.fromtimestamp(event_at, UTC),
    )


def read_opening(packet: Packet) -> Opening:
    """Never raises: a session counts, whatever a NAS wrote into the attributes that only describe it."""
    mac = station(_lenient(packet, Attr.CALLING_STATION_ID))
    called = _lenient(packet, Attr.CALLED_STATION_ID)
    access_point = _ACCESS_POINT.match(called)
    bssid = access_point[0] if access_point else called
    address = packet.octets(Attr.FRAMED_IP_ADDRESS) or b""
    return Opening(
        mac=mac,
        user_name=_opaque(_lenient(packet, Attr.USER_NAME), mac),
        grant_id=grant_of_class(packet.octets(Attr.CLASS)),
        ssid=called[len(bssid) :].removeprefix(":"),
        bssid=bssid,
        framed_ip=".".join(map(str, address)) if len(address) == 4 else "",
        framed_ipv6=read_framed_ipv6(packet),
    )


_IPV6: tuple[tuple[Attr, Callable[[bytes], str]], ...] = (
    (Attr.FRAMED_IPV6_ADDRESS, ipv6_address),
    (Attr.FRAMED_IPV6_PREFIX, ipv6_prefix),
    (Attr.DELEGATED_IPV6_PREFIX, ipv6_prefix),
)
"""RFC 6911 section 3.1, RFC 3162 section 2.3, RFC 4818 section 3; each may come several times."""

_IPV6_KINDS = frozenset(kind for kind, _ in _IPV6)


def read_framed_ipv6(packet: Packet) -> str:
    """The device's IPv6 addresses and prefixes in canonical text, each once, separated by spaces, no malformed one."""
    if _IPV6_KINDS.isdisjoint(packet.first):  # so with most, and every record is asked
        return ""
    found: dict[str, None] = {}
    for kind, read in _IPV6:
        for value in packet.every(kind):
            with contextlib.suppress(WireError):
                found[_without_mac(read(value))] = None
    return " ".join(list(found)[:IPV6_MAX])


def _without_mac(told: str) -> str:
    """An address that a device made of its MAC address gives way to its /64 (RFC 4291 appendix A: ff:fe within).

    A MAC address stands in one table, encrypted; an EUI-64 would tell it to every reader of this one.
    """
    network = IPv6Network(told)
    made_of_mac = network.prefixlen > 64 and network.network_address.packed[11:13] == b"\xff\xfe"
    return str(network.supernet(new_prefix=64)) if made_of_mac else told


def _lenient(packet: Packet, kind: Attr) -> str:
    return (packet.octets(kind) or b"").decode(errors="replace")[:TEXT_MAX].replace("\0", "")


def station(text: str | None) -> MacAddress | None:
    """The MAC address of a Calling-Station-Id; None where it holds none."""
    try:
        return None if text is None else MacAddress.parse(text)
    except InputError:
        return None


def _opaque(user_name: str, mac: MacAddress | None) -> str:
    """The User-Name as stored: a MAC address gives way to a marker of how the NAS spells it, or to nothing."""
    named = station(user_name)
    if named is None:
        return user_name
    spelling = mac_spelling(user_name)
    return MAC_USER_NAME + spelling.value if spelling is not None and named == mac else ""


def grant_of_class(value: bytes | None) -> int | None:
    """The grant that a Class of ours names; None for another's."""
    digits = (value or b"").removeprefix(CLASS_PREFIX)
    own = value is not None and value.startswith(CLASS_PREFIX) and digits.isdigit() and len(digits) < 19
    return int(digits) if own else None
