"""From a datagram to work, without I/O: peer, framing, authenticity, duplicates, in this order.

Verify before remembering, so that spoofed packets cannot fill the cache. Time is an argument in seconds, any epoch.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum

from hotspot.errors import WireError
from radius import wire
from radius.peers import Peer, Peers
from radius.wire import Code, Packet

CACHE_SECONDS = 30.0
"""How long a reply is kept for a retransmission: RFC 5080 section 2.2.2 asks for about 30 s."""

CACHE_MAX = 32_768
"""Requests remembered at once; the oldest goes first."""

Source = tuple[str, int]
CacheKey = tuple[str, int, int, bytes]


class Port(Enum):
    """Which of a city's two ports; its requests."""

    AUTH = "auth"
    ACCT = "acct"


@dataclass(frozen=True, slots=True)
class Work:
    """An authentic request that wants an answer."""

    packet: Packet
    peer: Peer
    source: Source
    received: float

    @property
    def key(self) -> CacheKey:
        return (*self.source, self.packet.identifier, self.packet.authenticator)


@dataclass(frozen=True, slots=True)
class Resend:
    """The same request again: it gets the same bytes."""

    reply: bytes


@dataclass(frozen=True, slots=True)
class Drop:
    """Silence, and the reason that is counted. `peer` is None for an unknown client."""

    reason: str
    peer: Peer | None = None


class Intake:
    """One port's admission and its duplicate cache."""

    def __init__(self, port: Port, peers: Peers, *, cache_max: int = CACHE_MAX) -> None:
        self.port = port
        self._peers = peers
        self._cache_max = cache_max
        self._replies: OrderedDict[CacheKey, tuple[float, bytes | None]] = OrderedDict()
        self._evicted = 0

    def __len__(self) -> int:
        return len(self._replies)

    def admit(self, datagram: bytes, source: Source, now: float) -> Work | Resend | Drop:
        """Judge one datagram. A Work must be given back to `finish` or `forget`."""
        peer = self._peers.find(source[0])
        if peer is None:
            return Drop("unknown_client")
        try:
            packet = wire.parse(datagram)
        except WireError as error:
            return Drop(error.reason, peer)
        fault = self._fault(packet, peer)
        if fault is not None:
            return Drop(fault, peer)
        work = Work(packet, peer, source, now)
        remembered = self._replies.get(work.key)
        if remembered is not None and now - remembered[0] < CACHE_SECONDS:
            reply = remembered[1]
            return Drop("still_working", peer) if reply is None else Resend(reply)
        self._remember(work.key, now, None)
        return work

    def _fault(self, packet: Packet, peer: Peer) -> str | None:
        """Why the packet is not authentic, as far as it can be told; None where it is."""
        if packet.code not in _CODES[self.port]:
            return "wrong_code"
        signed = wire.message_authenticator_ok(packet, peer.secret)
        if signed is False:
            return "bad_message_authenticator"
        if packet.code == Code.ACCOUNTING_REQUEST:
            return None if wire.accounting_authenticator_ok(packet, peer.secret) else "bad_authenticator"
        must = packet.code == Code.STATUS_SERVER or packet.octets(wire.Attr.EAP_MESSAGE) is not None
        if signed is None and (must or peer.nas.require_message_authenticator != "no"):
            return "no_message_authenticator"
        return None

    def _remember(self, key: CacheKey, now: float, reply: bytes | None) -> None:
        self._replies[key] = (now, reply)
        self._replies.move_to_end(key)
        while self._oldest_expired(now):
            self._replies.popitem(last=False)
        if len(self._replies) > self._cache_max:
            self._replies.popitem(last=False)
            self._evicted += 1

    def _oldest_expired(self, now: float) -> bool:
        oldest = next(iter(self._replies.values()), None)
        return oldest is not None and now - oldest[0] >= CACHE_SECONDS

    def take_evicted(self) -> int:
        """How many requests were forgotten before their time since the last call: the cache was full."""
        taken, self._evicted = self._evicted, 0
        return taken

    def finish(self, work: Work, reply: bytes, now: float) -> None:
        """The reply that duplicates of this request get from now on."""
        self._remember(work.key, now, reply)

    def forget(self, work: Work) -> None:
        """No reply could be made: the NAS's retry is to be worked on again."""
        self._replies.pop(work.key, None)


_CODES = {
    Port.AUTH: (Code.ACCESS_REQUEST, Code.STATUS_SERVER),
    Port.ACCT: (Code.ACCOUNTING_REQUEST, Code.STATUS_SERVER),
}
