"""A NAS's view of one online device: limits, counters, when it must end, and its accounting records as values.

Pure: every function is told the time (seconds of a clock that never jumps). Octets are exact and unbounded here;
they are cut into 32-bit words and Gigawords only where the record is built.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from hotspot.values import NO_OCTETS, Octets
from simulator.radius_client import Attributes, Pairs, first_number

GIGAWORD = 1 << 32
AUTHENTIC_RADIUS = 1
"""Acct-Authentic (RFC 2866 section 5.6)."""

INTERIM_SECONDS_MIN = 1


class Status(IntEnum):
    """Acct-Status-Type (RFC 2866 section 5.1)."""

    START = 1
    STOP = 2
    INTERIM = 3
    ON = 7
    OFF = 8


class Cause(IntEnum):
    """Acct-Terminate-Cause (RFC 2866 section 5.10)."""

    USER_REQUEST = 1
    IDLE_TIMEOUT = 4
    SESSION_TIMEOUT = 5
    ADMIN_RESET = 6
    ADMIN_REBOOT = 7


@dataclass(frozen=True, slots=True)
class Limits:
    """What an Access-Accept (or a CoA) allows. 0 is "no such limit". Rates in bits a second, as WISPr writes them.

    `input` and `output` are octets as this NAS counts them in Acct-Input- and Acct-Output-Octets.
    """

    session_seconds: int = 0
    idle_seconds: int = 0
    rate_down_bps: int = 0
    rate_up_bps: int = 0
    input_octets: int = 0
    output_octets: int = 0
    total_octets: int = 0


def read_limits(attributes: Attributes) -> Limits:
    """The limits in a packet. What is absent is no limit: that is how CoovaChilli reads a CoA, too."""

    def number(name: str) -> int:
        return first_number(attributes, name) or 0

    def octets(which: str) -> int:
        words = number(f"ChilliSpot-Max-{which}-Gigawords")
        return words * GIGAWORD + number(f"ChilliSpot-Max-{which}-Octets")

    return Limits(
        session_seconds=number("Session-Timeout"),
        idle_seconds=number("Idle-Timeout"),
        rate_down_bps=number("WISPr-Bandwidth-Max-Down"),
        rate_up_bps=number("WISPr-Bandwidth-Max-Up"),
        input_octets=octets("Input"),
        output_octets=octets("Output"),
        total_octets=octets("Total"),
    )


@dataclass(slots=True)
class Flow:
    """Traffic of a device: what was counted until `since`, and how fast it flows since then (octets a second)."""

    since: float
    counted: Octets = NO_OCTETS
    down_per_second: int = 0
    up_per_second: int = 0
    active_at: float = 0.0

    def at(self, now: float) -> Octets:
        """All octets until `now`."""
        seconds = max(0.0, now - self.since)
        flowed = Octets(int(seconds * self.down_per_second), int(seconds * self.up_per_second))
        return self.counted + flowed

    def idle_since(self, now: float) -> float:
        return now if self.down_per_second or self.up_per_second else self.active_at

    def change(self, down_per_second: int, up_per_second: int, *, now: float) -> None:
        """From now on traffic flows this fast."""
        self.counted, self.active_at, self.since = self.at(now), self.idle_since(now), now
        self.down_per_second, self.up_per_second = down_per_second, up_per_second

    def add(self, octets: Octets, *, now: float) -> None:
        """A burst, such as one page."""
        self.counted, self.since, self.active_at = self.at(now) + octets, now, now


@dataclass(slots=True)
class Session:
    """One accounted session of one device."""

    id: str
    user_name: str
    device: str
    ip: str
    classes: tuple[bytes, ...]
    limits: Limits
    interim_seconds: int
    started_at: float
    flow: Flow
    swapped: bool
    wanted: tuple[int, int] = (0, 0)
    next_interim_at: float = field(default=0.0)

    def __post_init__(self) -> None:
        self.next_interim_at = self.started_at + self.interim_seconds

    def want(self, down_per_second: int, up_per_second: int, *, now: float) -> None:
        """The device would like this many octets a second; the WISPr rates cap it."""
        self.wanted = (down_per_second, up_per_second)
        down = _capped(down_per_second, self.limits.rate_down_bps)
        self.flow.change(down, _capped(up_per_second, self.limits.rate_up_bps), now=now)

    def allow(self, limits: Limits, *, now: float) -> None:
        """Replace all limits, as a CoA does."""
        self.limits = limits
        self.want(*self.wanted, now=now)

    def counters(self, now: float) -> tuple[int, int]:
        """Acct-Input and Acct-Output octets: RFC 2866's meaning, or CoovaChilli's opposite one."""
        octets = self.flow.at(now)
        return (octets.down, octets.up) if self.swapped else (octets.up, octets.down)

    def must_end(self, now: float) -> Cause | None:
        """Why the session is over, or None. A used quota ends as Session-Timeout, as CoovaChilli does."""
        limits, (input_octets, output_octets) = self.limits, self.counters(now)
        if limits.session_seconds and now - self.started_at >= limits.session_seconds:
            return Cause.SESSION_TIMEOUT
        if limits.idle_seconds and now - self.flow.idle_since(now) >= limits.idle_seconds:
            return Cause.IDLE_TIMEOUT
        used = (
            (limits.input_octets, input_octets),
            (limits.output_octets, output_octets),
            (limits.total_octets, input_octets + output_octets),
        )
        return Cause.SESSION_TIMEOUT if any(limit and octets >= limit for limit, octets in used) else None

    def interim_due(self, now: float) -> bool:
        """Whether an interim update is due; asking moves the next one on."""
        if now < self.next_interim_at:
            return False
        self.next_interim_at = now + self.interim_seconds
        return True

    def record(self, status: Status, *, now: float, cause: Cause | None = None) -> Pairs:
        """The attributes of one record about this session, without the NAS's own."""
        pairs: list[tuple[str, str | int | bytes]] = [
            ("Acct-Status-Type", int(status)),
            ("Acct-Session-Id", self.id),
            ("Acct-Authentic", AUTHENTIC_RADIUS),
            ("User-Name", self.user_name),
            ("Calling-Station-Id", self.device),
            ("Framed-IP-Address", self.ip),
            *(("Class", each) for each in self.classes),
        ]
        if status is not Status.START:
            pairs += [("Acct-Session-Time", int(now - self.started_at)), *_words(*self.counters(now))]
        if cause is not None:
            pairs.append(("Acct-Terminate-Cause", int(cause)))
        return pairs


def _capped(octets_per_second: int, limit_bps: int) -> int:
    return min(octets_per_second, limit_bps // 8) if limit_bps else octets_per_second


def _words(input_octets: int, output_octets: int) -> Pairs:
    """Octets as 32-bit words, with Gigawords only where they are needed (RFC 2869 section 5.1)."""
    pairs: list[tuple[str, int]] = []
    for name, octets in (("Input", input_octets), ("Output", output_octets)):
        gigawords, rest = divmod(octets, GIGAWORD)
        pairs.append((f"Acct-{name}-Octets", rest))
        if gigawords:
            pairs.append((f"Acct-{name}-Gigawords", gigawords))
    return pairs
