"""Access points: when one is up, since when, and what is never shown of a dead one."""

from datetime import UTC, datetime, timedelta

from hotspot.fleet import ApReading, PollFailure, RadioReading, assess

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def reading(at: datetime, *clients: int | None) -> ApReading:
    return ApReading(at, radios=tuple(RadioReading(f"ra{n}", clients=count) for n, count in enumerate(clients)))


def test_clients_are_summed_over_the_radios_that_tell() -> None:
    assert reading(NOON, 3, None, 4).clients == 7
    assert reading(NOON, 0).clients == 0
    assert reading(NOON, None).clients is None
    assert reading(NOON).clients is None


def test_the_first_poll_says_since_now() -> None:
    health = assess(None, reading(NOON, 1), now=NOON)
    assert (health.up, health.since, health.last_success_at, health.failure) == (True, NOON, NOON, None)
    silent = assess(None, PollFailure.TIMEOUT, now=NOON)
    assert (silent.up, silent.since, silent.last_success_at) == (False, NOON, None)


def test_a_dead_access_point_keeps_its_last_success_and_no_measurement() -> None:
    later, much_later = NOON + timedelta(minutes=1), NOON + timedelta(minutes=9)
    up = assess(None, reading(NOON, 5), now=NOON)
    down = assess(up, PollFailure.TIMEOUT, now=later)
    assert (down.up, down.since, down.last_success_at, down.reading) == (False, later, NOON, None)
    still = assess(down, PollFailure.AUTHENTICATION, now=much_later)
    assert (still.since, still.last_success_at, still.failure) == (later, NOON, PollFailure.AUTHENTICATION)
    back = assess(still, reading(much_later, 1), now=much_later)
    assert (back.up, back.since, back.failure) == (True, much_later, None)


def test_staying_up_keeps_since() -> None:
    up = assess(None, reading(NOON, 5), now=NOON)
    again = assess(up, reading(NOON, 6), now=NOON + timedelta(minutes=1))
    assert again.since == NOON and again.last_success_at == NOON + timedelta(minutes=1)
