"""Accounting arithmetic: any order, duplicates, resets, late records."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hotspot.session import (
    DELAY_SECONDS_MAX,
    Accounting,
    Contact,
    Record,
    Totals,
    apply,
    begin,
    close_estimated,
    continues,
    extend,
    is_stale,
    join_gigawords,
)
from hotspot.values import Octets

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(seconds: int, record: Record, down: int = 0, up: int = 0) -> Accounting:
    return Accounting(record, NOON + timedelta(seconds=seconds), 0, seconds, Octets(down, up))


def after(*records: Accounting) -> Totals:
    totals = begin(records[0])
    for record in records:
        totals = apply(totals, record)
    return totals


START = at(0, Record.START)
FIRST = at(300, Record.INTERIM, 1000, 100)
SECOND = at(600, Record.INTERIM, 5_000_000_000, 200)
STOP = replace(at(700, Record.STOP, 5_000_000_001, 201), terminate_cause="User-Request")


def test_a_session_from_start_to_stop() -> None:
    totals = after(START, FIRST, SECOND, STOP)
    assert totals.octets == Octets(5_000_000_001, 201)
    assert totals.seconds == 700
    assert totals.ended_at == STOP.at
    assert totals.terminate_cause == "User-Request"


@given(st.permutations([START, FIRST, SECOND, STOP, FIRST, STOP]))
def test_any_order_and_duplicates_give_the_same_totals(records: list[Accounting]) -> None:
    assert after(*records) == after(START, FIRST, SECOND, STOP)


def test_a_counter_reset_starts_a_new_segment() -> None:
    reset = at(900, Record.INTERIM, 50, 5)
    totals = after(START, FIRST, reset, at(1000, Record.STOP, 80, 8))
    assert totals.octets == Octets(1080, 108)


def test_an_older_interim_after_a_newer_changes_nothing() -> None:
    assert after(START, SECOND, FIRST) == after(START, FIRST, SECOND)


def test_a_late_record_never_reopens_a_session() -> None:
    late = replace(at(650, Record.INTERIM, 5_000_000_002, 202), at=NOON + timedelta(seconds=800))
    totals = after(START, STOP, late)
    assert totals.ended_at == STOP.at and totals.octets == Octets(5_000_000_002, 202)


def test_a_stop_corrects_an_estimated_end() -> None:
    estimated = close_estimated(after(START, FIRST), cause="Lost-Service")
    assert estimated.ended_at == FIRST.at and estimated.estimated
    assert close_estimated(estimated, cause="again") == estimated
    corrected = apply(estimated, STOP)
    assert corrected.ended_at == STOP.at and not corrected.estimated


def test_a_second_stop_does_not_move_the_end() -> None:
    again = replace(STOP, at=STOP.at + timedelta(seconds=30), terminate_cause="Lost-Carrier")
    assert apply(after(START, STOP), again).terminate_cause == "User-Request"


def test_a_start_sent_again_is_the_same_session_and_a_later_one_is_not() -> None:
    totals = after(START, FIRST)
    resent = replace(START, at=NOON + timedelta(seconds=30), delay_seconds=30)
    assert continues(totals, resent)
    assert not continues(totals, at(0, Record.START).__class__(Record.START, NOON + timedelta(hours=1)))
    assert continues(totals, STOP)
    assert continues(after(STOP), START)


def test_receive_time_beats_the_clock_of_a_nas() -> None:
    absurd = replace(START, delay_seconds=DELAY_SECONDS_MAX + 1)
    assert absurd.happened_at == NOON
    assert replace(START, delay_seconds=-5).happened_at == NOON
    assert replace(START, delay_seconds=5).happened_at == NOON - timedelta(seconds=5)


def test_a_session_is_stale_after_two_missed_interims_while_its_nas_was_heard() -> None:
    heard = Contact(NOON - timedelta(hours=1), NOON + timedelta(seconds=660))
    later = replace(heard, last=NOON + timedelta(seconds=661))
    now = NOON + timedelta(minutes=12)
    assert not is_stale(NOON, heard, interim_seconds=300, now=now)
    assert is_stale(NOON, later, interim_seconds=300, now=now)


def test_our_own_outage_closes_nobody() -> None:
    before = Contact(NOON - timedelta(hours=1), NOON)
    back = extend(before, interim_seconds=300, now=NOON + timedelta(hours=2))
    assert back == Contact(NOON + timedelta(hours=2), NOON + timedelta(hours=2))
    assert not is_stale(NOON, back, interim_seconds=300, now=NOON + timedelta(hours=2))
    assert not is_stale(NOON, None, interim_seconds=300, now=NOON + timedelta(hours=2))
    going_on = extend(before, interim_seconds=300, now=NOON + timedelta(seconds=60))
    assert going_on == Contact(before.since, NOON + timedelta(seconds=60))


def test_a_nas_that_fell_silent_keeps_its_sessions_for_a_day_only() -> None:
    assert not is_stale(NOON, None, interim_seconds=300, now=NOON + timedelta(hours=24))
    assert is_stale(NOON, None, interim_seconds=300, now=NOON + timedelta(hours=24, seconds=1))


def test_gigawords_join_exactly() -> None:
    assert join_gigawords(7, 3) == 3 * 2**32 + 7


def test_a_start_stamped_after_the_stop_is_another_session() -> None:
    """hostapd gives a station that logs in again the Acct-Session-Id that it had."""
    soon = NOON + timedelta(seconds=20)
    ended = after(replace(START, event_at=NOON), replace(at(10, Record.STOP), event_at=NOON + timedelta(seconds=10)))
    assert not continues(ended, Accounting(Record.START, soon, event_at=soon))
    assert continues(ended, Accounting(Record.START, soon, event_at=NOON)), "the first one, late"
    assert continues(ended, Accounting(Record.START, soon)), "nobody can tell"
    assert continues(close_estimated(after(START), cause="Lost-Carrier"), Accounting(Record.START, soon, event_at=soon))
