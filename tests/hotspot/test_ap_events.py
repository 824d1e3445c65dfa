"""Which entries two polls make together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hotspot.ap_events import UPTIME_WRAP_S, ApEvent, Kind, changes, rebooted
from hotspot.ap_history import Point, RadioPoint, point_of
from hotspot.fleet import ApHealth, ApReading, PollFailure, RadioReading, SsidReading, assess
from hotspot.values import Octets

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def reading(minute: float = 0, **told: object) -> ApReading:
    return ApReading(at=NOW + minute * MINUTE, **told)  # type: ignore[arg-type]


def health(result: ApReading | PollFailure, previous: ApHealth | None = None, minute: float = 0) -> ApHealth:
    return assess(previous, result, now=NOW + minute * MINUTE)


def kinds(events: list[ApEvent]) -> list[tuple[Kind, str, str]]:
    return [(event.kind, event.before, event.after) for event in events]


def test_the_first_poll_says_what_it_is_and_the_next_only_what_changed() -> None:
    up = health(reading())
    assert changes(7, None, up, None) == [ApEvent(7, NOW, Kind.UP)]
    assert changes(7, up, health(reading(1), up, 1), up.reading) == []
    down = health(PollFailure.TIMEOUT, up, 1)
    assert kinds(changes(7, up, down, up.reading)) == [(Kind.DOWN, "", "timeout")]
    assert changes(7, down, health(PollFailure.UNREACHABLE, down, 2), up.reading) == []
    assert kinds(changes(7, down, health(reading(9), down, 9), up.reading)) == [(Kind.UP, "", "")]


def test_an_upgrade_shows_after_the_outage_that_it_is() -> None:
    before = reading(firmware="6.5", uptime_seconds=900_000.0)
    down = health(PollFailure.TIMEOUT, health(before), 1)
    now = health(reading(5, firmware="6.6", uptime_seconds=40.0), down, 5)
    assert kinds(changes(1, down, now, before)) == [
        (Kind.UP, "", ""),
        (Kind.REBOOT, "", ""),
        (Kind.FIRMWARE, "6.5", "6.6"),
    ]


def test_a_channel_changes_by_radio_and_only_where_both_are_told() -> None:
    def radios(*channels: int | None) -> tuple[RadioReading, ...]:
        return tuple(RadioReading(name, channel=at) for name, at in zip(("ng", "na", "6e"), channels, strict=True))

    up = health(reading(radios=radios(6, 44, None)))
    now = health(reading(1, radios=radios(11, 44, 37)), up, 1)
    (event,) = changes(1, up, now, up.reading)
    assert (event.kind, event.radio, event.before, event.after) == (Kind.CHANNEL, "ng", "6", "11")


@pytest.mark.parametrize(
    ("minutes", "before", "now", "expected"),
    [
        (1, 1000.0, 1060.0, False),
        (1, 1000.0, 5.0, True),
        (1, 1000.0, 995.0, False),  # rounded by the device
        (1, UPTIME_WRAP_S - 20, 40.0, False),  # 497 days: it only wrapped
        (600, UPTIME_WRAP_S - 20, 40.0, True),  # ten hours later it cannot have
        (60, 100.0, 200.0, True),  # an outage of an hour, and up for less
        (60, 100.0, 3700.0, False),
        (1, None, 5.0, False),
    ],
)
def test_a_reboot_is_told_from_a_wrap(minutes: int, before: float | None, now: float, expected: bool) -> None:
    assert rebooted(reading(uptime_seconds=before), reading(minutes, uptime_seconds=now)) is expected


def test_a_point_keeps_what_the_charts_draw() -> None:
    radios = (RadioReading("ng", clients=3, channel=6, octets=Octets(5, 6)), RadioReading("na", octets=Octets(1, 2)))
    told = reading(cpu_ratio=0.5, radios=radios)
    point = Point(NOW, True, 3, 0.5, None, 6, 8, (RadioPoint("ng", 3, 6), RadioPoint("na")))
    assert point_of(health(told)) == point
    by_ssid = point_of(health(reading(ssids=(SsidReading("Hanse", 2, Octets(3, 4)),))))
    assert (by_ssid.octets_down, by_ssid.octets_up) == (3, 4)
    assert point_of(health(PollFailure.TIMEOUT)) == Point(NOW, False)
