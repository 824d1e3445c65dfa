"""A session that no NAS accounts for: the portal admitted it for a time, and says what accounting would have said."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hotspot.session import Accounting, Record, Totals, apply
from hotspot.values import Octets

SESSION_TIMEOUT = "Session-Timeout"
"""Acct-Terminate-Cause of a session whose time was over (RFC 2866 section 5.10)."""

SAYING_SO = timedelta(seconds=30)
"""How long after a session's planned end its NAS may still tell of the true one, before it is closed as estimated."""


def begin(at: datetime) -> Totals:
    """A session that begins now."""
    return apply(Totals(at, at), Accounting(Record.START, at))


def go_on(totals: Totals, planned_end_at: datetime, *, now: datetime) -> Totals:
    """The session as it stands now: still running, or ended at its planned end, which is an estimate.

    Its NAS ends it then by itself; what it counted meanwhile nobody tells.
    """
    if now >= planned_end_at + SAYING_SO:
        return _ended(totals, planned_end_at, cause=SESSION_TIMEOUT, estimated=True)
    at = max(totals.updated_at, min(now, planned_end_at))
    return apply(totals, _record(totals, Record.INTERIM, at))


def stop(totals: Totals, *, at: datetime, cause: str, octets: Octets | None = None) -> Totals:
    """The session after the NAS's own word that it is over. `octets`: None where it does not tell."""
    event = _record(totals, Record.STOP, at)
    return apply(totals, replace(event, terminate_cause=cause, counters=octets or totals.segment))


def give_up(totals: Totals, *, at: datetime, cause: str) -> Totals:
    """The session of a device that was seen to begin another one: it ended some time before."""
    return _ended(totals, at, cause=cause, estimated=True) if totals.ended_at is None else totals


def _ended(totals: Totals, at: datetime, *, cause: str, estimated: bool) -> Totals:
    event = replace(_record(totals, Record.STOP, at), terminate_cause=cause)
    return replace(apply(totals, event), estimated=estimated)


def _record(totals: Totals, record: Record, at: datetime) -> Accounting:
    seconds = max(0, int((at - totals.started_at).total_seconds()))
    return Accounting(record, at, session_seconds=seconds, counters=totals.segment)
