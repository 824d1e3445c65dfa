"""Lengthening a session that runs: how much longer it would last, which no other limit may be stretched by."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from hotspot.access import SESSION_SECONDS_MIN, Facts, Refusal, decide_running, seconds_left


def seconds_gained(facts: Facts, *, now: datetime, zone: ZoneInfo) -> int:
    """By how much one more extension would lengthen the session; 0 where it may not, or by less than a minute.

    Each adds the plan's `session_minutes` once, `extensions_max` times at most. The grant's end, the day's minutes, a
    voucher's time and opening hours stay where they are.
    """
    plan = facts.plan
    if plan is None or facts.extensions >= plan.extensions_max:
        return 0
    if isinstance(decide_running(facts, now=now, zone=zone), Refusal):
        return 0
    longer = replace(facts, extensions=facts.extensions + 1)
    gained = seconds_left(longer, now=now, zone=zone) - seconds_left(facts, now=now, zone=zone)
    return gained if gained >= SESSION_SECONDS_MIN else 0
