"""What the portal says of a session that its NAS does not account for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hotspot.unaccounted import SAYING_SO, SESSION_TIMEOUT, begin, give_up, go_on, stop
from hotspot.values import Octets

T = datetime(2026, 11, 23, 12, tzinfo=UTC)
END = T + timedelta(minutes=10)


def after(**span: float) -> datetime:
    return T + timedelta(**span)


def test_it_goes_on_until_its_planned_end_and_is_closed_as_estimated() -> None:
    totals = go_on(begin(T), END, now=after(minutes=4))
    assert (totals.seconds, totals.updated_at, totals.ended_at) == (240, after(minutes=4), None)
    waiting = go_on(totals, END, now=END + SAYING_SO / 2)
    assert (waiting.seconds, waiting.ended_at) == (600, None), "its NAS may still tell the true end"
    over = go_on(waiting, END, now=after(hours=1))
    assert (over.seconds, over.ended_at, over.terminate_cause, over.estimated) == (600, END, SESSION_TIMEOUT, True)
    assert go_on(over, END, now=after(hours=2)) == over


def test_the_nas_has_the_last_word() -> None:
    running = go_on(begin(T), END, now=after(minutes=4))
    told = stop(running, at=after(minutes=5), cause="Idle-Timeout", octets=Octets(9, 1))
    assert (told.seconds, told.ended_at, told.estimated, told.octets) == (300, after(minutes=5), False, Octets(9, 1))
    estimated = go_on(running, END, now=after(hours=1))
    corrected = stop(estimated, at=END + timedelta(seconds=9), cause=SESSION_TIMEOUT, octets=Octets(9, 1))
    assert (corrected.estimated, corrected.seconds, corrected.octets) == (False, 609, Octets(9, 1))


def test_without_a_word_of_octets_those_that_are_known_stay() -> None:
    told = stop(stop(begin(T), at=END, cause="x", octets=Octets(9, 1)), at=END, cause="y")
    assert (told.octets, told.terminate_cause) == (Octets(9, 1), "x")


def test_another_session_of_the_device_ends_it() -> None:
    ended = give_up(begin(T), at=after(minutes=2), cause="Lost-Carrier")
    assert (ended.seconds, ended.ended_at, ended.estimated) == (120, after(minutes=2), True)
    assert give_up(ended, at=END, cause="again") == ended


def test_a_clock_that_steps_back_takes_nothing_away() -> None:
    totals = go_on(begin(T), END, now=after(minutes=4))
    assert go_on(totals, END, now=after(minutes=-4)) == totals
