"""Sessions that policy would not let go on: each is to be disconnected, and asked for again when it does not end.

Most NASes end a session at its Session-Timeout by themselves. This finds what they were not told or did not keep:
a quota that another device of the voucher used up, a blocked device, a revoked voucher, a site that closed early.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from hotspot.access import Refusal, decide_running
from monitor.instruments import SPENT_STATES, Instruments
from service.cities import City
from store import access, accounting, outbox
from store.outbox import Asked
from store.store import Connection

SLICE = 500
"""Sessions that one reading transaction judges."""

ORDERS_MAX = 500
"""Orders of one run, so that its transaction is short; the next run goes on."""

ASK_AGAIN = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6))
"""Pauses after each Disconnect that did not end the session; after the one that follows, only people ask."""

ORDERED, DEFERRED, WAITING, GIVEN_UP = SPENT_STATES


def look(city: City, instruments: Instruments, now: datetime) -> Callable[[City, Connection, datetime], int]:
    """Judge every open session that we admitted; the work that is left is to order the Disconnects."""
    reasons: dict[int, str] = {}
    count: Counter[str] = Counter()
    with city.store.read() as conn:
        running = accounting.open_with_grant(conn, now=now)
    for start in range(0, len(running), SLICE):
        with city.store.read() as conn:
            found = _spent(city, conn, running[start : start + SLICE], now)
            asked = outbox.asked(conn, found)
        for session_id, reason in found.items():
            state = _state(asked.get(session_id), len(reasons), now)
            count[state] += 1
            if state == ORDERED:
                reasons[session_id] = reason
    for state in SPENT_STATES:
        instruments.spent_sessions.labels(state).set(count[state])
    return lambda _city, conn, at: outbox.want_disconnects(conn, reasons, now=at)


def _spent(city: City, conn: Connection, session_ids: list[int], now: datetime) -> dict[int, str]:
    """The reason words of those that must end, by session id."""
    facts = access.gather_running(conn, session_ids, now=now, zone=city.zone)
    decided = ((id_, decide_running(each, now=now, zone=city.zone)) for id_, each in facts.items())
    return {id_: decision.reason.value for id_, decision in decided if isinstance(decision, Refusal)}


def _state(asked: Asked | None, ordered: int, now: datetime) -> str:
    """What to do about a spent session: nothing where one is under way, or the last one failed lately or finally."""
    if asked is not None:
        if asked.orders > len(ASK_AGAIN):
            return GIVEN_UP
        if now < asked.changed_at + ASK_AGAIN[asked.orders - 1]:
            return WAITING
    return ORDERED if ordered < ORDERS_MAX else DEFERRED
