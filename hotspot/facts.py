"""What is known of a batch of log-ins or running sessions, and from it the facts of each one.

The store gathers `Known` in a handful of queries; nothing here asks anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from hotspot.access import DayUse, Facts, Grant, Holder, Proof, Ticket, VoucherState
from hotspot.hours import hours_of
from hotspot.plan import Plan
from hotspot.values import MacAddress

UNUSED = DayUse()


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows about a batch."""

    devices: dict[MacAddress, int] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    grants: dict[int, Grant] = field(default_factory=dict)  # by grant id
    remembered: dict[int, Grant] = field(default_factory=dict)  # by device id
    plans: Mapping[int, Plan] = field(default_factory=dict)
    blocked: frozenset[int] = frozenset()
    used_today: dict[int, DayUse] = field(default_factory=dict)  # by device id
    vouchers: dict[int, VoucherState] = field(default_factory=dict)
    online: dict[Holder, set[int]] = field(default_factory=dict)  # voucher or account -> device ids
    terms_version: int = 0
    guesses: Mapping[bytes, int] = field(default_factory=dict)  # wrong ones in the window, by bucket, few left out


@dataclass(frozen=True, slots=True)
class Lock:
    """Whether too much was guessed: by this device or at this user name; through this NAS."""

    locked: bool = False
    nas_locked: bool = False


UNLOCKED = Lock()


def grant_of(known: Known, ticket: Ticket | None, device_id: int | None) -> Grant | None:
    """The grant that a ticket redeems, or the one for which the device is remembered."""
    if ticket is not None:
        return known.grants.get(ticket.grant_id)
    return known.remembered.get(device_id) if device_id is not None else None


def facts_of(
    known: Known,
    *,
    proof: Proof,
    device_id: int | None,
    ticket: Ticket | None,
    opening_hours: str,
    lock: Lock = UNLOCKED,
    now: datetime,
    zone: ZoneInfo,
) -> Facts:
    """The facts of one log-in at a site with these opening hours."""
    grant = grant_of(known, ticket, device_id)
    voucher_id, holder = (grant.voucher_id, grant.holder) if grant is not None else (None, None)
    others = known.online.get(holder, ()) if holder is not None else ()
    return Facts(
        proof,
        device_id,
        ticket,
        grant,
        known.plans.get(grant.plan_id) if grant is not None else None,
        device_id in known.blocked,
        UNUSED if device_id is None else known.used_today.get(device_id, UNUSED),
        known.terms_version,
        len(others) - (device_id in others),
        None if voucher_id is None else known.vouchers.get(voucher_id),
        hours_of(opening_hours).seconds_open(now, zone) if opening_hours else None,
        lock.locked,
        lock.nas_locked,
    )


@dataclass(frozen=True, slots=True)
class Running:
    """An open session as a decision sees it. `unreported_seconds`: since its last record."""

    device_id: int
    grant_id: int
    opening_hours: str
    seconds_online: int
    unreported_seconds: int


def facts_of_running(known: Known, running: Running, *, now: datetime, zone: ZoneInfo) -> Facts:
    """The facts of a session that runs: what it used since its last record counts on its quotas."""
    grant = known.grants.get(running.grant_id)
    voucher = known.vouchers.get(grant.voucher_id) if grant is not None and grant.voucher_id is not None else None
    return Facts(
        proof=Proof.TICKET,
        device_id=running.device_id,
        ticket=None,
        grant=grant,
        plan=known.plans.get(grant.plan_id) if grant is not None else None,
        blocked=running.device_id in known.blocked,
        used_today=_longer(known.used_today.get(running.device_id, UNUSED), running.unreported_seconds),
        terms_version=known.terms_version,
        other_devices_online=0,
        voucher=None if voucher is None else _used_longer(voucher, running.unreported_seconds),
        seconds_open=hours_of(running.opening_hours).seconds_open(now, zone),
        seconds_wanted=1,
        seconds_online=running.seconds_online,
        extensions=grant.extensions if grant is not None else 0,
    )


def _longer(used: DayUse, seconds: int) -> DayUse:
    return DayUse(used.seconds + seconds, used.octets)


def _used_longer(voucher: VoucherState, seconds: int) -> VoucherState:
    return VoucherState(
        voucher.id,
        voucher.valid_seconds,
        voucher.seconds_used + seconds,
        _longer(voucher.used_today, seconds),
        voucher.revoked,
    )
