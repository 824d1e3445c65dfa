"""Vouchers and taps at the portal: who gets a grant, and for how long."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hotspot.admission import Denial, judge_voucher, tap_span, voucher_span
from hotspot.plan import Counting, Plan, Way

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def plan(**changes: int) -> Plan:
    limits = {
        "session_minutes": 60,
        "idle_minutes": 10,
        "daily_minutes": 0,
        "daily_megabytes": 0,
        "rate_down_kbps": 0,
        "rate_up_kbps": 0,
        "devices_max": 2,
        "remember_hours": 24,
    }
    return Plan(id=1, key="p", name="P", way=Way.VOUCHER, **(limits | changes))


@pytest.mark.parametrize(
    ("given", "denial"),
    [
        ({}, None),
        ({"until_at": NOON + HOUR}, None),
        ({"until_at": NOON + HOUR, "redeem_until": NOON - HOUR}, None),  # in use already: its own clock counts
        ({"redeem_until": NOON}, Denial.CODE_EXPIRED),
        ({"until_at": NOON}, Denial.CODE_USED_UP),
        ({"revoked_at": NOON - HOUR, "until_at": NOON}, Denial.CODE_REVOKED),
        ({"holders": {1, 2}}, Denial.TOO_MANY_DEVICES),
        ({"plan": plan(voucher_counts=Counting.USE)}, Denial.CODE_USED_UP),
        ({"plan": plan(voucher_counts=Counting.USE), "seconds_used": 3_540}, None),
        ({"holders": {1, 7}}, None),  # 7 is this device: it comes back
    ],
)
def test_a_voucher_is_judged(given: dict[str, object], denial: Denial | None) -> None:
    facts: dict[str, object] = {
        "redeem_until": NOON + HOUR,
        "until_at": None,
        "revoked_at": None,
        "plan": plan(),
        "valid_seconds": 3_600,
        "seconds_used": 3_600,
        "holders": set(),
        "device_id": 7,
        "now": NOON,
    }
    assert judge_voucher(**(facts | given)) is denial  # type: ignore[arg-type]


def test_a_tap_admits_while_the_device_is_remembered() -> None:
    remembered = tap_span(plan(), now=NOON)
    assert remembered.until_at == remembered.remember_until == NOON + timedelta(hours=24)
    forgotten = tap_span(plan(remember_hours=0), now=NOON)
    assert (forgotten.until_at, forgotten.remember_until) == (NOON + HOUR, None)


def test_a_voucher_ends_with_its_own_clock() -> None:
    soon = voucher_span(plan(), ends_at=NOON + HOUR, now=NOON)
    assert soon.until_at == soon.remember_until == NOON + HOUR
    later = voucher_span(plan(), ends_at=NOON + timedelta(days=3), now=NOON)
    assert later.remember_until == NOON + timedelta(hours=24)
    assert voucher_span(plan(remember_hours=0), ends_at=NOON + HOUR, now=NOON).remember_until is None
