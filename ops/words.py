"""How the terminal writes quantities and times. Pure; the pages have their own words, in the reader's language."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

NOTHING = "–"
"""What stands where there is no value."""

_UNITS = (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000))
_RATES = (("Gbit/s", 1_000_000_000), ("Mbit/s", 1_000_000), ("kbit/s", 1_000))


def volume(octets: int) -> str:
    """`12.3 MB`; a kilobyte is 10^3 octets, as in plans and reports."""
    return _scaled(octets, _UNITS, "B")


def rate(bits_per_second: float) -> str:
    """`4.1 Mbit/s`."""
    return _scaled(bits_per_second, _RATES, "bit/s")


def _scaled(value: float, units: tuple[tuple[str, int], ...], smallest: str) -> str:
    for unit, size in units:
        if value >= size:
            return f"{value / size:.1f} {unit}"
    return f"{value:.0f} {smallest}"


def duration(seconds: int) -> str:
    """`1:05 h`, or `7 min`; under a minute the seconds: `42 s`."""
    minutes = max(0, seconds) // 60
    if not minutes:
        return f"{max(0, seconds)} s"
    return f"{minutes // 60}:{minutes % 60:02d} h" if minutes >= 60 else f"{minutes} min"


def span(seconds: int) -> str:
    """As `duration`; from two days on in days: `6 days`, `6 days 8 h`."""
    days, rest = divmod(max(0, seconds), 86_400)
    if days < 2:
        return duration(seconds)
    return f"{days} days {rest // 3600} h" if rest >= 3600 else f"{days} days"


def moment(at: datetime, zone: ZoneInfo, *, now: datetime) -> str:
    """The city's clock: `18:02` today, `11-23 18:02` on another day, the year in front where it is another one."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%m-%d %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d %H:%M}"


def iso(at: datetime | None) -> str | None:
    """ISO 8601 in UTC to the second, as scripts read it; None stays None."""
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
