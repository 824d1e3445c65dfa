"""What happens to access points, as the event log keeps it: entries, and which ones two polls make. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hotspot.fleet import ApHealth, ApReading


class Kind(StrEnum):
    """What happened."""

    UP = "up"
    DOWN = "down"
    REBOOT = "reboot"
    FIRMWARE = "firmware"
    CHANNEL = "channel"
    JOINED = "joined"
    """First seen behind its controller."""

    LINK_UP = "link_up"
    LINK_DOWN = "link_down"
    """As a trap says (IF-MIB linkUp, linkDown)."""

    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class ApEvent:
    """One entry. `before` and `after` are what changed, such as two channels; empty where nothing did."""

    access_point_id: int
    at: datetime
    kind: Kind
    before: str = ""
    after: str = ""
    radio: str = ""


# What two polls say together ------------------------------------------------------------------------------

UPTIME_WRAP_S = 2**32 / 100
"""sysUpTime counts hundredths of a second in 32 bits (RFC 3418): it starts again after 497 days without a reboot."""

WRAP_SLACK_S = 600.0
UPTIME_SLACK_S = 10.0
"""By so much an uptime may fall without a reboot: some devices round it."""

ELAPSED_SLACK_S = 120.0
"""By so much less than since the last poll a device may be up without a reboot: clocks are set."""


def changes(access_point_id: int, previous: ApHealth | None, health: ApHealth, last: ApReading | None) -> list[ApEvent]:
    """The entries that a new health makes. `last` is the last reading there was, however long ago; None: none yet.

    The first health of all makes an entry too: from then on it is known what the access point was.
    """
    found = []
    if previous is None or previous.up != health.up:
        kind, why = (Kind.UP, "") if health.up else (Kind.DOWN, health.failure.value if health.failure else "")
        found.append(ApEvent(access_point_id, health.checked_at, kind, after=why))
    if health.reading is not None and last is not None:
        found += _between(access_point_id, last, health.reading)
    return found


def _between(access_point_id: int, last: ApReading, now: ApReading) -> list[ApEvent]:
    found = []
    if rebooted(last, now):
        found.append(ApEvent(access_point_id, now.at, Kind.REBOOT))
    if last.firmware and now.firmware and last.firmware != now.firmware:
        found.append(ApEvent(access_point_id, now.at, Kind.FIRMWARE, last.firmware, now.firmware))
    channels = {radio.name: radio.channel for radio in last.radios}
    for radio in now.radios:
        before = channels.get(radio.name)
        if before is not None and radio.channel is not None and before != radio.channel:
            found.append(ApEvent(access_point_id, now.at, Kind.CHANNEL, str(before), str(radio.channel), radio.name))
    return found


def rebooted(last: ApReading, now: ApReading) -> bool:
    """Whether the uptime tells of a new start: it fell, and did not only wrap; or it is shorter than since `last`."""
    if last.uptime_seconds is None or now.uptime_seconds is None:
        return False
    elapsed = (now.at - last.at).total_seconds()
    if now.uptime_seconds < last.uptime_seconds - UPTIME_SLACK_S:
        wrapped = last.uptime_seconds + elapsed - UPTIME_WRAP_S
        return abs(now.uptime_seconds - wrapped) > WRAP_SLACK_S
    return now.uptime_seconds < elapsed - ELAPSED_SLACK_S
