"""What is kept until it is written: the newest health, events in order, polls packed; and when the monitor watched."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hotspot.ap_events import ApEvent, Kind
from hotspot.fleet import ApHealth, ApReading, PollFailure, RadioReading, assess
from hotspot.values import MacAddress
from monitor import pending as pending_module
from monitor.pending import BATCH_ROWS, Pending
from monitor.storm import AN_HOUR_MAX, Storm
from monitor.watching import BEAT, Watching
from store.ap_history import hour
from store.packing import unpack

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RADIO = RadioReading("ng", clients=3, channel=6)


def health(minute: float, previous: ApHealth | None = None, **told: object) -> ApHealth:
    at = NOW + minute * MINUTE
    return assess(previous, ApReading(at=at, **told), now=at)  # type: ignore[arg-type]


def written(pending: Pending) -> list[int]:
    found = []
    while (batch := pending.take()) is not None:
        found += list(batch.healths)
    return found


def test_a_health_is_written_when_a_person_would_see_it_and_else_every_five_minutes() -> None:
    pending = Pending()
    for minute in range(4):
        pending.note(1, health(minute, radios=(RADIO,), uptime_seconds=60.0 * minute))
    assert written(pending) == [1]
    pending.note(1, health(4, radios=(RADIO,)))
    assert written(pending) == []
    for minute, changed in enumerate([replace(RADIO, clients=4), replace(RADIO, clients=4, channel=11)], start=5):
        pending.note(1, health(minute, radios=(changed,)))
        assert written(pending) == [1]
    pending.note(1, assess(None, PollFailure.TIMEOUT, now=NOW + 7 * MINUTE))
    assert written(pending) == [1]
    pending.note(1, assess(None, PollFailure.TIMEOUT, now=NOW + 12 * MINUTE))
    assert written(pending) == [1]


def test_batches_are_short_and_what_could_not_be_written_comes_again() -> None:
    pending = Pending()
    for point_id in range(BATCH_ROWS + 1):
        pending.note(point_id, health(0, bssids=(MacAddress(point_id.to_bytes(6, "big")),)), "unifi")
    pending.happened([ApEvent(1, NOW, Kind.UP), ApEvent(2, NOW, Kind.UP)])
    batch = pending.take()
    assert batch is not None and len(batch.healths) == len(batch.bssids) == BATCH_ROWS and len(batch.events) == 2
    newer = health(1, radios=(RADIO,))
    pending.note(0, newer, "generic")
    pending.happened([ApEvent(1, NOW + MINUTE, Kind.DOWN)])
    pending.give_back(batch)
    again = pending.take()
    assert again is not None and again.healths[0] == newer and again.profiles[0] == "generic"
    assert [event.kind for event in again.events] == [Kind.UP, Kind.UP, Kind.DOWN]
    assert len(written(pending)) == 1 and pending.take() is None


def test_polls_are_packed_every_few_minutes_and_all_at_the_end() -> None:
    pending = Pending()
    for minute in range(62):
        pending.note(1, health(minute, radios=(RADIO,)))
    hours: dict[datetime, bytes] = {}
    pending.close_hours()
    while (batch := pending.take()) is not None:
        for (_, at_hour), packed in batch.hours.items():
            hours[at_hour] = hours.get(at_hour, b"") + packed
    assert {at_hour: len(unpack(at_hour, packed)) for at_hour, packed in hours.items()} == {
        hour(NOW): 60,
        hour(NOW) + 60 * MINUTE: 2,
    }


def test_what_has_no_room_is_counted() -> None:
    lost: list[int] = []
    pending = Pending(lost.append)
    pending.happened([ApEvent(1, NOW, Kind.UP)] * (pending_module.EVENTS_MAX + 2))
    assert sum(lost) == 2


def test_a_storm_of_channels_ends_and_an_outage_is_always_told() -> None:
    storm = Storm()
    flaps = [storm.admits(ApEvent(1, NOW, Kind.CHANNEL), NOW) for _ in range(AN_HOUR_MAX + 5)]
    assert sum(flaps) == AN_HOUR_MAX
    assert storm.admits(ApEvent(1, NOW, Kind.DOWN), NOW) and storm.admits(ApEvent(2, NOW, Kind.CHANNEL), NOW)
    assert storm.admits(ApEvent(1, NOW, Kind.CHANNEL), NOW + 60 * MINUTE)


def test_a_silence_of_ours_begins_a_new_stretch_and_a_database_that_is_away_does_not() -> None:
    watching = Watching(60)
    assert watching.due() == ()
    watching.tick(NOW)
    assert watching.due() == ((NOW, NOW),)
    watching.told(watching.due())
    watching.tick(NOW + BEAT / 2)
    assert watching.due() == () and watching.untold() == ((NOW, NOW + BEAT / 2),)
    for minute in (1, 2, 3, 10, 11):
        watching.tick(NOW + minute * MINUTE)
    due = watching.due()
    assert due == ((NOW, NOW + 3 * MINUTE), (NOW + 10 * MINUTE, NOW + 11 * MINUTE))
    watching.tick(NOW + 12 * MINUTE)
    watching.told(due)
    assert watching.untold() == ((NOW + 11 * MINUTE, NOW + 12 * MINUTE),)
