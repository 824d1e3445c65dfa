"""A plan: what a grant allows. Zero means "no such limit" for every limit but `session_minutes` and `devices_max`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """How a resident obtains a grant of this plan."""

    TAP = "tap"
    VOUCHER = "voucher"


@dataclass(frozen=True, slots=True)
class Plan:
    """The limits of a grant. Rates are what the device may receive (`down`) and send (`up`)."""

    id: int
    key: str
    name: str
    way: Way
    session_minutes: int
    idle_minutes: int
    daily_minutes: int
    daily_megabytes: int
    rate_down_kbps: int
    rate_up_kbps: int
    devices_max: int
    remember_hours: int

    @property
    def daily_octets(self) -> int:
        """The day's volume in octets (1 MB = 10^6 octets); 0 is unlimited."""
        return self.daily_megabytes * 1_000_000

    @property
    def daily_seconds(self) -> int:
        return self.daily_minutes * 60
