"""From a datagram to work, without I/O: known source, framing, which client, authenticity, duplicates, in this order.

Verify before remembering, so that spoofed packets cannot fill the cache. Time is an argument in seconds, any epoch.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from hotspot.errors import WireError
from radius import wire
from radius.peers import Peer, Peers
from radius.wire import Attr, Code, Packet

CACHE_SECONDS = 30.0
"""How long a reply is kept for a retransmission: RFC 5080 section 2.2.2 asks for about 30 s."""

CACHE_MAX = 32_768
"""Requests remembered at once; the oldest goes first."""

CANDIDATES_MAX = 8
"""Clients behind one address whose secrets are tried on a packet; a NAS-Identifier makes it one."""

Source = tuple[str, int]
CacheKey = tuple[str, int, int, bytes]


class Port(Enum):
    """Which of a city's two ports; its requests."""

    AUTH = "auth"
    ACCT = "acct"


class Work(NamedTuple):
    """An authentic request that wants an answer. (A tuple, as it is made for each packet: half a dataclass's cost.)"""

    packet: Packet
    peer: Peer
    source: Source
    received: float

    @property
    def key(self) -> CacheKey:
        return (*self.source, self.packet.identifier, self.packet.authenticator)


class Resend(NamedTuple):
    """The same request again: it gets the same bytes."""

    reply: bytes


class Drop(NamedTuple):
    """Silence, and the reason that is counted. `peer` is None where it is not certain which NAS it was, if any."""

    reason: str
    peer: Peer | None = None


class Intake:
    """One port's admission and its duplicate cache."""

    def __init__(self, port: Port, peers: Peers, *, cache_max: int = CACHE_MAX) -> None:
        self.port = port
        self._codes = _CODES[port]
        self._peers = peers
        self._cache_max = cache_max
        self._replies: OrderedDict[CacheKey, tuple[float, bytes | None]] = OrderedDict()
        self._evicted = 0
        self._untried = 0

    def __len__(self) -> int:
        return len(self._replies)

    def admit(self, datagram: bytes, source: Source, now: float) -> Work | Resend | Drop:
        """Judge one datagram. A Work must be given back to `finish` or `forget`."""
        neighbours = self._peers.find(source[0])
        if neighbours is None:
            return Drop("unknown_client")
        try:
            packet = wire.parse(datagram)
        except WireError as error:
            return Drop(error.reason, _sole(neighbours.all))
        candidates = neighbours.candidates(packet.first.get(_NAS_IDENTIFIER))
        peer = candidates[0]
        fault = self._fault(packet, peer)
        if fault is not None:
            other = self._try_others(packet, candidates) if len(candidates) > 1 else None
            if other is None:
                return Drop(fault, _sole(candidates))
            peer = other
        if peer.learning and packet.signature_at and packet.code == _ACCESS_REQUEST:
            self._peers.learn(peer)
        key = (*source, packet.identifier, packet.authenticator)
        remembered = self._replies.get(key)
        if remembered is not None and now - remembered[0] < CACHE_SECONDS:
            reply = remembered[1]
            return Drop("still_working", peer) if reply is None else Resend(reply)
        self._remember(key, now, None)
        return Work(packet, peer, source, now)

    def _try_others(self, packet: Packet, candidates: Sequence[Peer]) -> Peer | None:
        """The first client, but the first of all, whose packet it may be."""
        for peer in candidates[1:CANDIDATES_MAX]:
            if self._fault(packet, peer) is None:
                return peer
        self._untried += len(candidates) > CANDIDATES_MAX
        return None

    def _fault(self, packet: Packet, peer: Peer) -> str | None:
        """Why the packet is not this client's, as far as it can be told; None where it may be.

        An Access-Request without Message-Authenticator tells nothing about the secret (RFC 2865 section 3).
        """
        if packet.code not in self._codes:
            return "wrong_code"
        signed = wire.message_authenticator_ok(packet, peer.secret)
        if signed is False:
            return "bad_message_authenticator"
        if packet.code == _ACCOUNTING_REQUEST:
            return None if wire.accounting_authenticator_ok(packet, peer.secret) else "bad_authenticator"
        if signed:
            return None
        if peer.must_sign or packet.code == _STATUS_SERVER or _EAP_MESSAGE in packet.first:
            return "no_message_authenticator"
        # BlastRADIUS (CVE-2024-3596) hides its collision in Proxy-States.
        return "proxy_state" if peer.nas.limit_proxy_state and _PROXY_STATE in packet.first else None

    def _remember(self, key: CacheKey, now: float, reply: bytes | None) -> None:
        replies = self._replies
        replies[key] = (now, reply)
        replies.move_to_end(key)
        while now - next(iter(replies.values()))[0] >= CACHE_SECONDS:  # ends at the newest: our own
            replies.popitem(last=False)
        if len(replies) > self._cache_max:
            replies.popitem(last=False)
            self._evicted += 1

    def take_evicted(self) -> int:
        """How many requests were forgotten before their time since the last call: the cache was full."""
        taken, self._evicted = self._evicted, 0
        return taken

    def take_untried(self) -> int:
        """How many packets were dropped since the last call though not all candidates had been tried."""
        taken, self._untried = self._untried, 0
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

# Looking a name up in an enumeration costs as much as a look-up in the packet.
_ACCESS_REQUEST, _ACCOUNTING_REQUEST, _STATUS_SERVER = map(
    int, (Code.ACCESS_REQUEST, Code.ACCOUNTING_REQUEST, Code.STATUS_SERVER)
)
_EAP_MESSAGE, _NAS_IDENTIFIER, _PROXY_STATE = map(int, (Attr.EAP_MESSAGE, Attr.NAS_IDENTIFIER, Attr.PROXY_STATE))


def _sole(candidates: Sequence[Peer]) -> Peer | None:
    """Whom to blame: only where there is no choice."""
    return candidates[0] if len(candidates) == 1 else None
