"""The access decision: each check alone, their order, and the time that is really left."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot.access import (
    Accept,
    DayUse,
    Facts,
    Grant,
    Proof,
    Reason,
    Refusal,
    Ticket,
    VoucherState,
    check_all,
    decide,
    decide_running,
    seconds_left,
)
from hotspot.plan import Counting, Plan, Way
from hotspot.values import Octets, seconds_to_day_end

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

PLAN = Plan(
    id=1,
    key="tap",
    name="Free",
    way=Way.TAP,
    session_minutes=120,
    idle_minutes=15,
    daily_minutes=180,
    daily_megabytes=1000,
    rate_down_kbps=10_000,
    rate_up_kbps=2_000,
    devices_max=2,
    remember_hours=24,
)
GRANT = Grant(
    id=7,
    device_id=3,
    plan_id=1,
    way=Way.TAP,
    voucher_id=None,
    terms_id=1,
    terms_version=1,
    granted_at=NOON,
    until_at=NOON + 24 * HOUR,
    remember_until=NOON + 24 * HOUR,
    remembered=True,
    ended_at=None,
)
TICKET = Ticket("t" * 16, grant_id=7, device_id=3, issued_at=NOON, expires_at=NOON + timedelta(minutes=5))
BY_TICKET = Facts(
    proof=Proof.TICKET,
    device_id=3,
    ticket=TICKET,
    grant=GRANT,
    plan=PLAN,
    blocked=False,
    used_today=DayUse(),
    terms_version=1,
    other_devices_online=0,
)
BY_MAC = replace(BY_TICKET, proof=Proof.MAC, ticket=None)
VOUCHER = VoucherState(9, valid_seconds=7_200, seconds_used=0, used_today=DayUse(), revoked=False)
BY_VOUCHER = replace(BY_TICKET, grant=replace(GRANT, way=Way.VOUCHER, voucher_id=9), voucher=VOUCHER)
BY_USE = replace(BY_VOUCHER, plan=replace(PLAN, voucher_counts=Counting.USE))
DAILY = replace(BY_VOUCHER, plan=replace(PLAN, voucher_daily_minutes=30, voucher_daily_megabytes=10))


def judge(facts: Facts, **changes: Any) -> Accept | Refusal:
    return decide(replace(facts, **changes), now=NOON, zone=BERLIN)


def test_a_good_ticket_is_admitted_with_the_plans_limits() -> None:
    assert judge(BY_TICKET) == Accept(
        grant_id=7,
        device_id=3,
        session_seconds=7200,
        idle_seconds=900,
        rate_down_bps=10_000_000,
        rate_up_bps=2_000_000,
        octets_left=1_000_000_000,
    )


@pytest.mark.parametrize(
    ("facts", "changes", "reason"),
    [
        (BY_TICKET, {"proof": Proof.NOTHING}, Reason.NO_CREDENTIALS),
        (BY_TICKET, {"ticket": None}, Reason.UNKNOWN_USER),
        (BY_TICKET, {"proof": Proof.WRONG_PASSWORD}, Reason.WRONG_PASSWORD),
        (BY_TICKET, {"proof": Proof.WRONG_PASSWORD, "ticket": None}, Reason.UNKNOWN_USER),
        (BY_TICKET, {"device_id": 4}, Reason.WRONG_DEVICE),
        (BY_TICKET, {"device_id": None}, Reason.WRONG_DEVICE),
        (BY_TICKET, {"blocked": True}, Reason.BLOCKED),
        (BY_TICKET, {"ticket": replace(TICKET, expires_at=NOON)}, Reason.TICKET_EXPIRED),
        (BY_TICKET, {"grant": None}, Reason.GRANT_ENDED),
        (BY_TICKET, {"plan": None}, Reason.GRANT_ENDED),
        (BY_TICKET, {"grant": replace(GRANT, ended_at=NOON)}, Reason.GRANT_ENDED),
        (BY_TICKET, {"grant": replace(GRANT, until_at=NOON)}, Reason.GRANT_EXPIRED),
        (BY_TICKET, {"used_today": DayUse(seconds=180 * 60 - 59)}, Reason.DAILY_TIME_USED),
        (BY_TICKET, {"used_today": DayUse(octets=Octets(10**9, 0))}, Reason.DAILY_VOLUME_USED),
        (BY_VOUCHER, {"other_devices_online": 2}, Reason.TOO_MANY_DEVICES),
        (BY_MAC, {"grant": None}, Reason.NOT_REMEMBERED),
        (BY_MAC, {"grant": replace(GRANT, remembered=False)}, Reason.NOT_REMEMBERED),
        (BY_MAC, {"grant": replace(GRANT, remember_until=None)}, Reason.NOT_REMEMBERED),
        (BY_MAC, {"grant": replace(GRANT, remember_until=NOON)}, Reason.NOT_REMEMBERED),
        (BY_MAC, {"terms_version": 2}, Reason.TERMS_CHANGED),
        (BY_MAC, {"blocked": True}, Reason.BLOCKED),
    ],
)
def test_each_refusal_has_its_reason(facts: Facts, changes: dict[str, Any], reason: Reason) -> None:
    assert judge(facts, **changes) == Refusal(reason)


def test_a_remembered_device_comes_back_without_a_ticket() -> None:
    assert isinstance(judge(BY_MAC), Accept)


def test_one_free_place_on_a_voucher_is_enough() -> None:
    assert isinstance(judge(BY_VOUCHER, other_devices_online=1), Accept)


def test_zero_means_no_daily_limit() -> None:
    endless = replace(PLAN, daily_minutes=0, daily_megabytes=0)
    answer = judge(BY_TICKET, plan=endless, used_today=DayUse(10**6, Octets(10**12, 0)))
    assert isinstance(answer, Accept) and answer.octets_left is None


def test_the_session_ends_with_the_grant() -> None:
    answer = judge(BY_TICKET, grant=replace(GRANT, until_at=NOON + timedelta(seconds=90)))
    assert isinstance(answer, Accept) and answer.session_seconds == 90


def test_the_days_minutes_bound_the_session() -> None:
    answer = judge(BY_TICKET, used_today=DayUse(seconds=170 * 60))
    assert isinstance(answer, Accept) and answer.session_seconds == 600


def test_midnight_renews_the_days_minutes() -> None:
    late = datetime(2026, 11, 23, 22, 50, tzinfo=UTC)  # ten minutes to midnight in Berlin
    facts = replace(BY_TICKET, grant=replace(GRANT, until_at=late + 24 * HOUR), used_today=DayUse(seconds=165 * 60))
    left = seconds_left(facts, now=late, zone=BERLIN)
    assert left == min(120 * 60, 600 + 180 * 60)


@given(
    used=st.integers(0, 100_000),
    daily=st.integers(0, 1440),
    session=st.integers(1, 1440),
    ahead=st.integers(0, 10**6),
)
def test_nobody_outlives_a_limit(used: int, daily: int, session: int, ahead: int) -> None:
    plan = replace(PLAN, daily_minutes=daily, session_minutes=session)
    until = replace(GRANT, until_at=NOON + timedelta(seconds=ahead))
    facts = replace(BY_TICKET, plan=plan, grant=until, used_today=DayUse(seconds=used))
    left = seconds_left(facts, now=NOON, zone=BERLIN)
    assert 1 <= left <= max(1, min(session * 60, ahead))
    if daily and used < daily * 60 < seconds_to_day_end(NOON, BERLIN):
        assert left <= daily * 60 - used


def used_voucher(seconds: int = 0, today: DayUse = DayUse(), *, revoked: bool = False) -> VoucherState:  # noqa: B008
    return replace(VOUCHER, seconds_used=seconds, used_today=today, revoked=revoked)


@pytest.mark.parametrize(
    ("facts", "changes", "reason"),
    [
        (BY_TICKET, {"seconds_open": 0}, Reason.CLOSED),
        (BY_MAC, {"seconds_open": 0}, Reason.CLOSED),
        (BY_TICKET, {"locked": True}, Reason.TOO_MANY_GUESSES),
        (BY_MAC, {"locked": True}, Reason.TOO_MANY_GUESSES),
        (BY_TICKET, {"nas_locked": True, "proof": Proof.WRONG_PASSWORD}, Reason.TOO_MANY_GUESSES),
        (BY_TICKET, {"nas_locked": True, "ticket": None}, Reason.TOO_MANY_GUESSES),
        (BY_VOUCHER, {"voucher": used_voucher(revoked=True)}, Reason.GRANT_ENDED),
        (BY_USE, {"voucher": used_voucher(7_141)}, Reason.VOUCHER_USED_UP),
        (DAILY, {"voucher": used_voucher(today=DayUse(1_741))}, Reason.VOUCHER_DAILY_TIME_USED),
        (DAILY, {"voucher": used_voucher(today=DayUse(0, Octets(9_999_999, 1)))}, Reason.VOUCHER_DAILY_VOLUME_USED),
    ],
)
def test_vouchers_hours_and_guesses_refuse(facts: Facts, changes: dict[str, Any], reason: Reason) -> None:
    assert judge(facts, **changes) == Refusal(reason)
    assert next(why for _, why in check_all(replace(facts, **changes), now=NOON) if why) is reason


@pytest.mark.parametrize(
    ("facts", "changes", "seconds", "octets"),
    [
        (BY_TICKET, {"seconds_open": 600}, 600, 1_000_000_000),
        (BY_TICKET, {"nas_locked": True}, 7_200, 1_000_000_000),  # a whole square may be behind that NAS
        (BY_VOUCHER, {"voucher": used_voucher(9_000)}, 7_200, 1_000_000_000),  # by the clock
        (BY_USE, {"voucher": used_voucher(7_000)}, 200, 1_000_000_000),
        (DAILY, {"voucher": used_voucher(today=DayUse(1_700, Octets(4_000_000, 1)))}, 100, 5_999_999),
        (DAILY, {"used_today": DayUse(0, Octets(999_000_000, 0))}, 1_800, 1_000_000),
    ],
)
def test_what_is_left_is_the_least_of_all_limits(
    facts: Facts, changes: dict[str, Any], seconds: int, octets: int
) -> None:
    accepted = judge(facts, **changes)
    assert isinstance(accepted, Accept)
    assert (accepted.session_seconds, accepted.octets_left) == (seconds, octets)


RUNNING = replace(BY_VOUCHER, ticket=None, seconds_wanted=1)


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({}, 7_200),
        ({"seconds_online": 7_000}, 200),
        ({"seconds_online": 7_200}, Reason.SESSION_OVER),
        ({"seconds_online": 7_200, "extensions": 1}, 7_200),
        ({"seconds_online": 14_400, "extensions": 1}, Reason.SESSION_OVER),
        ({"terms_version": 2}, 7_200),  # new terms wait for the next log-in
        ({"used_today": DayUse(10_799)}, 1),
        ({"used_today": DayUse(10_800)}, Reason.DAILY_TIME_USED),
        ({"blocked": True}, Reason.BLOCKED),
        ({"seconds_open": 0}, Reason.CLOSED),
        ({"seconds_open": 5}, 5),
        ({"grant": replace(GRANT, ended_at=NOON)}, Reason.GRANT_ENDED),
        ({"grant": replace(GRANT, until_at=NOON)}, Reason.GRANT_EXPIRED),
        ({"plan": BY_USE.plan, "voucher": used_voucher(7_199)}, 1),
        ({"plan": BY_USE.plan, "voucher": used_voucher(7_200)}, Reason.VOUCHER_USED_UP),
    ],
)
def test_a_running_session_has_what_is_really_left(changes: dict[str, Any], left: int | Reason) -> None:
    decision = decide_running(replace(RUNNING, **changes), now=NOON, zone=BERLIN)
    assert (decision.session_seconds if isinstance(decision, Accept) else decision.reason) == left
