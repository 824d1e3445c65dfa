"""Session arithmetic: what an accounting record does to a session, whatever order the records come in.

Counters merge by maximum, a reset starts a new segment, a closed session is never reopened. All exact integers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from hotspot.values import NO_OCTETS, Octets

GIGAWORD = 1 << 32
"""One Acct-Input-Gigawords (RFC 2869 section 5.1)."""

DELAY_SECONDS_MAX = 86_400
"""An Acct-Delay-Time above a day is a NAS without a clock; it is not believed."""

CLOCK_SKEW_MAX = timedelta(minutes=5)
"""An Event-Timestamp is believed up to this far from what receipt and Acct-Delay-Time say: receipt beats a clock."""

SAME_START_SECONDS = 60
"""Two Starts of one Acct-Session-Id nearer than this are one Start, sent again."""

MISSED_INTERIMS = 2
"""A session closes as estimated after this many interim updates did not come."""


ABANDONED_AFTER = timedelta(hours=24)
"""A session of a NAS that fell silent itself closes after this."""


class Record(StrEnum):
    """Acct-Status-Type of a session's record (RFC 2866 section 5.1)."""

    START = "start"
    INTERIM = "interim"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Accounting:
    """One accounting record. `at` is the time of receipt, `delay_seconds` the NAS's Acct-Delay-Time.

    `event_at` is its Event-Timestamp (RFC 2869 section 5.3), by the NAS's clock. `counters` are the NAS's own,
    Gigawords joined, already turned to the resident's view.
    """

    record: Record
    at: datetime
    delay_seconds: int = 0
    session_seconds: int = 0
    counters: Octets = NO_OCTETS
    terminate_cause: str | None = None
    event_at: datetime | None = None

    @property
    def happened_at(self) -> datetime:
        """Receipt less the delay the NAS admits to; its own clock only where it agrees with that."""
        delay = self.delay_seconds if 0 <= self.delay_seconds <= DELAY_SECONDS_MAX else 0
        heard = self.at - timedelta(seconds=delay)
        if self.event_at is None or self.event_at > self.at:
            return heard
        return self.event_at if abs(self.event_at - heard) <= CLOCK_SKEW_MAX else heard

    @property
    def began_at(self) -> datetime:
        """When the session began, as far as this record tells."""
        return self.happened_at - timedelta(seconds=min(self.session_seconds, 366 * 86_400))


@dataclass(frozen=True, slots=True)
class Totals:
    """What is counted of a session. `finished` sums the segments before the last counter reset."""

    started_at: datetime
    updated_at: datetime
    start_seen: bool = False
    seconds: int = 0
    segment: Octets = NO_OCTETS
    finished: Octets = NO_OCTETS
    ended_at: datetime | None = None
    terminate_cause: str | None = None
    estimated: bool = False

    @property
    def octets(self) -> Octets:
        """The session's whole traffic. Nearly always it has one segment, and RADIUS asks for each record."""
        return self.segment if self.finished is NO_OCTETS else self.finished + self.segment


def begin(event: Accounting) -> Totals:
    """A session that is heard of for the first time, by whatever record; apply that record next."""
    return Totals(started_at=event.began_at, updated_at=event.at)


def continues(totals: Totals, event: Accounting) -> bool:
    """Whether the record belongs to this session, or reuses its Acct-Session-Id.

    A NAS does so after a reboot, and hostapd for a station that logs in again; it stamps its records, so that a Start
    after the Stop is told from an old one that comes late.
    """
    if event.record is not Record.START or not totals.start_seen:
        return True
    if event.event_at is not None and totals.ended_at is not None and not totals.estimated:
        return event.happened_at <= totals.ended_at
    return event.happened_at <= totals.started_at + timedelta(seconds=SAME_START_SECONDS)


def apply(totals: Totals, event: Accounting) -> Totals:
    """The session after the record. Idempotent; any order gives the same totals unless a NAS resets counters.

    A Stop ends an open session, and corrects one whose end was only estimated. Nothing reopens one.
    """
    segment, finished = _merge_counters(totals, event)
    started_at, start_seen = totals.started_at, totals.start_seen
    ended_at, cause, estimated = totals.ended_at, totals.terminate_cause, totals.estimated
    if event.record is Record.START:
        started_at, start_seen = min(started_at, event.began_at), True
    elif event.record is Record.STOP and (ended_at is None or estimated):
        ended_at, cause, estimated = event.happened_at, event.terminate_cause, False
    return Totals(
        started_at,
        max(totals.updated_at, event.at),
        start_seen,
        max(totals.seconds, event.session_seconds),
        segment,
        finished,
        ended_at,
        cause,
        estimated,
    )


def _merge_counters(totals: Totals, event: Accounting) -> tuple[Octets, Octets]:
    """Counters that fell though time went on were reset: what they had counted is finished, a segment begins."""
    segment, counters = totals.segment, event.counters
    if counters.down >= segment.down and counters.up >= segment.up:
        return counters, totals.finished
    if event.session_seconds > totals.seconds:
        return counters, totals.octets
    return Octets(max(segment.down, counters.down), max(segment.up, counters.up)), totals.finished


def close_estimated(totals: Totals, *, cause: str) -> Totals:
    """End a session whose Stop never came, at the last moment we heard of it."""
    if totals.ended_at is not None:
        return totals
    return replace(totals, ended_at=totals.updated_at, terminate_cause=cause, estimated=True)


@dataclass(frozen=True, slots=True)
class Contact:
    """That accounting came in from a NAS, without a long gap, from `since` to `last`."""

    since: datetime
    last: datetime


def silence_allowed(interim_seconds: int) -> timedelta:
    """How long a session may go unheard of before it counts as over."""
    return timedelta(seconds=interim_seconds * MISSED_INTERIMS + SAME_START_SECONDS)


def extend(contact: Contact | None, *, interim_seconds: int, now: datetime) -> Contact:
    """The contact after a record from the NAS. A gap starts it anew: our own outage must close nobody."""
    if contact is None or now - contact.last > silence_allowed(interim_seconds):
        return Contact(now, now)
    return Contact(contact.since, max(contact.last, now))


def is_stale(updated_at: datetime, contact: Contact | None, *, interim_seconds: int, now: datetime) -> bool:
    """Whether an open session is over: its interims are missing while its NAS was heard, or it is a day old.

    Missed interims count only while we were receiving from that NAS.
    """
    if now - updated_at > ABANDONED_AFTER:
        return True
    if contact is None:
        return False
    return contact.last - max(updated_at, contact.since) > silence_allowed(interim_seconds)


def join_gigawords(octets: int, gigawords: int) -> int:
    """Acct-*-Octets and Acct-*-Gigawords as one exact number."""
    return gigawords * GIGAWORD + octets
