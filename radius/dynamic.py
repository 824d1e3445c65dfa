"""Dynamic authorization (RFC 5176): the outbox's orders sent, repeated, and what the NASes said. It ends no session.

An order lives in the database; here stands only what is on its way. After a restart the orders that were sent and not
answered are taken up again.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from hotspot.access import Decision, decide_running
from hotspot.errors import WireError
from radius import wire
from radius.metrics import RadiusMetrics
from radius.orders import ATTEMPTS_MAX, Case, End, Request, judge
from radius.peers import plain_address
from service.cities import City
from store import access, accounting, nases, outbox, residents
from store.outbox import Change, Kind, Order, State
from store.store import Connection

log = logging.getLogger(__name__)

RETRY_SECONDS = (1, 2, 4, 8)
"""Pauses after each attempt; after the last one the NAS counts as silent."""

TAKEOVER = timedelta(seconds=10)
"""How long after its time an order that was sent is left alone: by then the process that sent it is gone."""

STAMP_SECONDS = 240
"""Age at which a request is not sent again but made anew: NASes refuse an Event-Timestamp older than 300 s (6.3)."""

EACH_NAS_MAX = 32
"""Requests on their way to one NAS."""

TAKEN_MAX = 128
"""Orders that one step takes up, of all NASes: packets wait meanwhile."""

IDENTIFIERS = 256

Send = Callable[[bytes, tuple[str, int]], object]
NOTHING: Mapping[int, str] = MappingProxyType({})
Place = tuple[str, int]
Key = tuple[str, int, int]
"""Address, port and identifier: what an answer is recognized by."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request on its way. The same bytes go out again: RFC 5080 section 2.2.1."""

    order: Order
    secret: bytes
    key: Key
    octets: bytes
    made_at: datetime
    retry_at: datetime


class Dynamic:
    """One city's orders. The server's shell calls `step` about once a second and `hear` with what came in."""

    def __init__(self, city: City, metrics: RadiusMetrics, *, send: Send) -> None:
        self._city = city
        self._metrics = metrics
        self._send = send
        self._mapped = ":" in str(city.config.radius.listen)
        self._on_way: dict[Key, Sent] = {}
        self._identifier = 0

    # Going out ------------------------------------------------------------------------------------------

    def step(self, *, now: datetime) -> None:
        """Repeat what nobody answered, give up what was repeated enough, take up what is new."""
        waited = [sent for sent in self._on_way.values() if now >= sent.retry_at]
        full = self._full_nases()
        with self._city.store.read() as conn:
            pending = outbox.still_sent(conn, [sent.order.id for sent in waited])
            cases = self._cases(conn, full, now)
        self._drop(sent for sent in waited if sent.order.id not in pending or _is_old(sent, now))
        self._repeat([sent for sent in waited if sent.key in self._on_way], now)
        self._take_up(cases, now)
        self._metrics.orders_on_way.set(len(self._on_way))
        self._metrics.orders_held_back.inc(len(full))

    def _drop(self, done: Iterable[Sent]) -> None:
        for sent in done:
            self._on_way.pop(sent.key, None)

    def _full_nases(self) -> list[int]:
        on_way = Counter(sent.order.nas_id for sent in self._on_way.values())
        return [nas_id for nas_id, count in on_way.items() if count >= EACH_NAS_MAX]

    def _cases(self, conn: Connection, full: Sequence[int], now: datetime) -> list[Case]:
        found = outbox.due(conn, now=now, limit=TAKEN_MAX, each_nas=EACH_NAS_MAX, except_nases=full)
        orders = self._with_room(found)
        if not orders:
            return []
        keys = self._city.store.keys
        sessions = accounting.by_ids(conn, [order.session_id for order in orders])
        clients = {nas.id: nas for nas in nases.nases(conn, keys)}
        macs = residents.macs_of(conn, keys, {session.device_id for session in sessions.values()})
        limits = self._limits(conn, [order.session_id for order in orders if order.kind is Kind.COA], now)
        return [
            Case(
                order,
                sessions[order.session_id],
                clients.get(order.nas_id),
                macs.get(sessions[order.session_id].device_id),
                limits.get(order.session_id),
            )
            for order in orders
        ]

    def _with_room(self, found: Iterable[Order]) -> list[Order]:
        """Those that are not on their way already, as many as their NASes may have."""
        known = {sent.order.id for sent in self._on_way.values()}
        count = Counter(sent.order.nas_id for sent in self._on_way.values())
        orders = []
        for order in found:
            if order.id not in known and count[order.nas_id] < EACH_NAS_MAX:
                count[order.nas_id] += 1
                orders.append(order)
        return orders

    def _limits(self, conn: Connection, session_ids: Sequence[int], now: datetime) -> dict[int, Decision]:
        """What running sessions may still use, by session id; those without a grant are absent."""
        zone = self._city.zone
        facts = access.gather_running(conn, session_ids, now=now, zone=zone)
        return {id_: decide_running(each, now=now, zone=zone) for id_, each in facts.items()}

    def _repeat(self, waited: Sequence[Sent], now: datetime) -> None:
        silent = [sent for sent in waited if sent.order.attempts >= ATTEMPTS_MAX]
        again = [_attempted(sent, now) for sent in waited if sent.order.attempts < ATTEMPTS_MAX]
        self._record([*(_change(sent.order, State.UNANSWERED) for sent in silent), *map(_sent, again)], now)
        self._drop(silent)
        self._transmit(again)

    def _take_up(self, cases: Sequence[Case], now: datetime) -> None:
        ends: list[Change] = []
        requests: list[Sent] = []
        turned: dict[int, str] = {}
        for case in cases:
            match judge(case, now=now):
                case End(state, error_cause):
                    ends.append(_change(case.order, state, error_cause))
                case Request() as request:
                    requests += self._made(case.order, request, now)
                    if request.turned is not None:
                        turned[case.order.id] = request.turned
        self._record([*ends, *map(_sent, requests)], now, turned)
        self._transmit(requests)

    def _made(self, order: Order, request: Request, now: datetime) -> list[Sent]:
        """The request with an identifier that nothing on its way to that place has; none where all 256 are taken."""
        place = (request.address, request.nas.coa_port)
        identifier = self._free_identifier(place)
        if identifier is None:
            return []
        code, secret = request.code, request.nas.secret
        octets = wire.encode_dynamic(code, identifier, request.attributes, secret, signed=request.signed)
        if request.turned is not None:
            order = replace(order, kind=Kind.DISCONNECT)
        sent = _attempted(Sent(order, secret, (*place, identifier), octets, now, now), now)
        self._on_way[sent.key] = sent
        return [sent]

    def _free_identifier(self, place: Place) -> int | None:
        """Going round, so that a late answer rarely meets a new request."""
        tried = ((self._identifier + n) % IDENTIFIERS for n in range(1, IDENTIFIERS + 1))
        free = next((n for n in tried if (*place, n) not in self._on_way), None)
        if free is not None:
            self._identifier = free
        return free

    def _transmit(self, requests: Iterable[Sent]) -> None:
        for sent in requests:
            self._on_way[sent.key] = sent
            address, port, _ = sent.key
            try:
                self._send(sent.octets, (f"::ffff:{address}" if self._mapped and ":" not in address else address, port))
            except OSError as error:  # the next attempt may find the network again
                log.warning("%s: cannot send to %s (%s)", self._city.key, address, error.strerror)

    # Coming in ------------------------------------------------------------------------------------------

    def hear(self, datagrams: Iterable[tuple[bytes, Place]], *, now: datetime) -> None:
        """Answers, or noise: what does not verify is dropped and counted. One commit for all."""
        answered: dict[Key, Change] = {}
        for datagram, source in datagrams:
            try:
                sent, said = self._recognize(datagram, source)
            except WireError as error:
                self._metrics.dropped.labels("coa", error.reason).inc()
                continue
            agreed = State.ACKED if sent.order.kind is Kind.DISCONNECT else State.CONFIRMED
            answered[sent.key] = _change(sent.order, agreed if said.acknowledged else State.REFUSED, said.error_cause)
        self._record(list(answered.values()), now)
        for key in answered:  # only now: without the commit, the NAS is asked again and says the same again
            del self._on_way[key]

    def _recognize(self, datagram: bytes, source: Place) -> tuple[Sent, wire.Answered]:
        identifier = datagram[1] if len(datagram) > 1 else -1
        sent = self._on_way.get((plain_address(source[0]), source[1], identifier))
        if sent is None:
            raise WireError("not_an_answer")
        return sent, wire.decode_dynamic_reply(datagram, sent.octets, sent.secret)

    # Both -----------------------------------------------------------------------------------------------

    def _record(self, changes: Sequence[Change], now: datetime, turned: Mapping[int, str] = NOTHING) -> None:
        """Commit, then count what came to an end."""
        if not changes:
            return
        with self._city.store.write() as conn:
            outbox.turn_into_disconnects(conn, turned)
            outbox.record(conn, changes, now=now)
        for change in changes:
            if change.state is not State.SENT:
                self._metrics.orders.labels(change.kind.value, change.state.value).inc()


def _is_old(sent: Sent, now: datetime) -> bool:
    """It is made anew: its order is still there, and due by then."""
    return (now - sent.made_at).total_seconds() > STAMP_SECONDS


def _attempted(sent: Sent, now: datetime) -> Sent:
    pause = timedelta(seconds=RETRY_SECONDS[sent.order.attempts])
    return replace(sent, order=replace(sent.order, attempts=sent.order.attempts + 1), retry_at=now + pause)


def _sent(sent: Sent) -> Change:
    return _change(sent.order, State.SENT, next_at=sent.retry_at + TAKEOVER)


def _change(order: Order, state: State, error_cause: int | None = None, next_at: datetime | None = None) -> Change:
    return Change(order.id, order.kind, state, order.attempts, error_cause, next_at)
