"""The outbox's Disconnect-Requests: sent, retried, and what the NAS said to them. Never ends a session by itself.

An ACK is a promise; only the session's Stop confirms it (`radius.account`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hotspot.errors import WireError
from hotspot.values import MacSpelling
from radius import wire
from radius.metrics import RadiusMetrics
from radius.peers import plain_address
from radius.record import MAC_USER_NAME
from service.cities import City
from store import accounting, fleet, outbox, residents
from store.accounting import Session
from store.fleet import Nas
from store.outbox import Order, State
from store.store import Connection

log = logging.getLogger(__name__)

ATTEMPTS_MAX = 4
RETRY_SECONDS = (1, 2, 4, 8)
"""Pauses after each attempt; after the last one the NAS counts as silent."""

IN_FLIGHT_MAX = 64

Send = Callable[[bytes, tuple[str, int]], object]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request on its way. The same bytes go out again: RFC 5080 section 2.2.1."""

    order: Order
    nas: Nas
    request: bytes
    attempts: int
    retry_at: datetime


class Disconnector:
    """One city's orders. The server's shell calls `step` often and `heard` for each datagram."""

    def __init__(self, city: City, metrics: RadiusMetrics, *, send: Send) -> None:
        self._city = city
        self._metrics = metrics
        self._send = send
        self._sent: dict[int, Sent] = {}  # by identifier
        self._identifier = 0

    def step(self, *, now: datetime) -> None:
        """Take new orders and repeat what nobody answered."""
        self._take(now)
        for identifier, sent in list(self._sent.items()):
            if now >= sent.retry_at:
                self._again(identifier, sent, now)

    def _take(self, now: datetime) -> None:
        with self._city.store.read() as conn:
            busy = {sent.order.id for sent in self._sent.values()}
            orders = [o for o in outbox.due(conn, now=now, limit=IN_FLIGHT_MAX) if o.id not in busy]
            if not orders:
                return
            sessions = accounting.by_ids(conn, [order.session_id for order in orders])
            nases = {nas.id: nas for nas in fleet.nases(conn, self._city.store.keys)}
            requests = [(order, *self._request(conn, sessions[order.session_id], nases, now)) for order in orders]
        for order, identifier, nas, request in requests:
            self._sent[identifier] = Sent(order, nas, request, 0, now)
            self._again(identifier, self._sent[identifier], now)

    def _request(
        self, conn: Connection, session: Session, nases: dict[int, Nas], now: datetime
    ) -> tuple[int, Nas, bytes]:
        nas = nases[session.nas_id]
        identifier = self._free_identifier()
        attributes = self._attributes(conn, session, nas, now)
        return identifier, nas, wire.encode_disconnect(identifier, nas.secret, attributes)

    def _free_identifier(self) -> int:
        self._identifier = next(
            n % 256 for n in range(self._identifier + 1, self._identifier + 257) if n % 256 not in self._sent
        )
        return self._identifier

    def _attributes(self, conn: Connection, session: Session, nas: Nas, now: datetime) -> dict[str, str | int]:
        """RFC 5176 section 3: which NAS, which session. CoovaChilli answers nothing without the User-Name."""
        mac = residents.mac_of(conn, self._city.store.keys, session.device_id)
        said: dict[str, str | int] = {
            "NAS-Identifier": nas.nas_identifier,
            "User-Name": session.user_name,
            "Acct-Session-Id": session.acct_session_id,
            "Event-Timestamp": int(now.timestamp()),
        }
        if session.framed_ip:
            said["Framed-IP-Address"] = session.framed_ip
        if mac is not None:
            said["Calling-Station-Id"] = str(mac)
            if session.user_name.startswith(MAC_USER_NAME):
                said["User-Name"] = mac.spelled(MacSpelling(session.user_name.removeprefix(MAC_USER_NAME)))
        return {name: value for name, value in said.items() if value != ""}

    def _again(self, identifier: int, sent: Sent, now: datetime) -> None:
        if sent.attempts >= ATTEMPTS_MAX:
            del self._sent[identifier]
            self._conclude(sent, State.UNANSWERED, None, now)
            return
        retry_at = now + timedelta(seconds=RETRY_SECONDS[sent.attempts])
        self._sent[identifier] = sent = replace(sent, attempts=sent.attempts + 1, retry_at=retry_at)
        self._mark(sent, State.SENT, None, now, next_at=retry_at)
        try:
            self._send(sent.request, (plain_address(sent.nas.address), sent.nas.coa_port))
        except OSError as error:  # the next attempt may find the network again
            log.warning("%s: cannot send to NAS %s (%s)", self._city.key, sent.nas.name, error.strerror)

    def heard(self, datagram: bytes, source: tuple[str, int], *, now: datetime) -> None:
        """An answer, or noise: what does not verify is dropped and counted."""
        sent = self._sent.get(datagram[1]) if len(datagram) > 1 else None
        try:
            if sent is None or plain_address(source[0]) != plain_address(sent.nas.address):
                raise WireError("not_an_answer")
            answered = wire.decode_disconnect_reply(datagram, sent.request, sent.nas.secret)
        except WireError as error:
            self._metrics.dropped.labels("coa", error.reason).inc()
            return
        del self._sent[datagram[1]]
        state = State.ACKED if answered.acknowledged else State.REFUSED
        self._conclude(sent, state, answered.error_cause, now)

    def _conclude(self, sent: Sent, state: State, error_cause: int | None, now: datetime) -> None:
        self._metrics.disconnects.labels(state.value).inc()
        self._mark(sent, state, error_cause, now, next_at=now)

    def _mark(self, sent: Sent, state: State, error_cause: int | None, now: datetime, *, next_at: datetime) -> None:
        with self._city.store.write() as conn:
            outbox.mark(
                conn,
                sent.order.id,
                state,
                now=now,
                attempts=sent.attempts,
                next_at=next_at,
                error_cause=error_cause,
            )
