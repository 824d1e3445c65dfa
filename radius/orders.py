"""What an order of the outbox comes to, once its session, NAS and limits are known: a request, or an end. No I/O."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from datetime import datetime

from hotspot.access import Accept, Decision, Refusal
from hotspot.error_causes import INVALID_REQUEST, NOT_ROUTABLE, SESSION_NOT_FOUND, UNSUPPORTED_EXTENSION
from hotspot.products import Dynamic
from hotspot.values import MacAddress
from radius import dialect
from radius.naming import name_session, naming_of
from radius.peers import plain_address
from radius.wire import Attribute, DynamicCode
from store.accounting import Session
from store.nases import Nas
from store.outbox import Kind, Order, State

ATTEMPTS_MAX = 4
"""Requests that one order sends before its NAS counts as silent."""


@dataclass(frozen=True, slots=True)
class Case:
    """All that there is to know about an order. `nas` is None where it was removed.

    `limits`: what the session may still use, None where it has no grant; only a CoA asks for them.
    """

    order: Order
    session: Session
    nas: Nas | None
    mac: MacAddress | None
    limits: Decision | None


@dataclass(frozen=True, slots=True)
class Request:
    """What to send, and where. `turned` is the reason word of a CoA that became a Disconnect."""

    nas: Nas
    address: str
    code: DynamicCode
    attributes: list[Attribute]
    signed: bool
    turned: str | None = None


@dataclass(frozen=True, slots=True)
class End:
    """An order that nothing is sent for. Its Error-Cause is ours: `hotspot.error_causes.OWN_CAUSES`."""

    state: State
    error_cause: int | None = None


_OVER = {Kind.DISCONNECT: End(State.CONFIRMED), Kind.COA: End(State.REFUSED, SESSION_NOT_FOUND)}


def judge(case: Case, *, now: datetime) -> Request | End:
    """What is to be done for an order now."""
    order, nas = case.order, case.nas
    if case.session.totals.ended_at is not None:
        return _OVER[order.kind]
    if order.attempts >= ATTEMPTS_MAX:  # the process that sent the last one did not live to hear of it
        return End(State.UNANSWERED)
    if case.session.planned_end_at is not None:  # its NAS asked no RADIUS and listens for none
        return End(State.REFUSED, UNSUPPORTED_EXTENSION)
    address = None if nas is None else where_to(nas, case.session)
    if nas is None or address is None:
        return End(State.REFUSED, NOT_ROUTABLE)
    takes = dialect.COA.get(nas.product, Dynamic.DISCONNECT)
    if takes is Dynamic.NOTHING:
        return End(State.REFUSED, UNSUPPORTED_EXTENSION)
    named = name_session(case.session, nas, case.mac, address, now=now)
    signed = naming_of(nas.product).signed
    if order.kind is Kind.DISCONNECT:
        return Request(nas, address, DynamicCode.DISCONNECT, named, signed)
    if case.limits is None:
        return End(State.REFUSED, INVALID_REQUEST)
    if isinstance(case.limits, Refusal):  # there is nothing left to tell a limit of
        return Request(nas, address, DynamicCode.DISCONNECT, named, signed, case.limits.reason.value)
    if takes is not Dynamic.COA:
        return End(State.REFUSED, UNSUPPORTED_EXTENSION)
    changed = dialect.change(nas.product, _from_start(case.limits, case.session, now))
    return Request(nas, address, DynamicCode.COA, [*named, *changed], signed)


def _from_start(accept: Accept, session: Session, now: datetime) -> Accept:
    """The limits as the NAS compares them: with the session's whole time and the counters it shows."""
    used, left = session.totals.segment.total, accept.octets_left
    online = max(0, int((now - session.totals.started_at).total_seconds()))
    return replace(
        accept,
        session_seconds=online + accept.session_seconds,
        octets_left=None if left is None else used + left,
    )


def where_to(nas: Nas, session: Session) -> str | None:
    """The NAS's address; where it is registered as a network, the one that the session's accounting came from.

    None where nothing tells which of the network's hosts it is.
    """
    network = ipaddress.ip_network(nas.address, strict=False)
    if network.num_addresses == 1:
        return plain_address(str(network.network_address))
    try:
        source = plain_address(session.nas_address)
    except ValueError:
        return None
    return source if ipaddress.ip_address(source) in network else None
