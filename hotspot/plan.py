"""A plan: what a grant allows. Zero means "no such limit" for every limit but `session_minutes` and `devices_max`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MEGABYTE = 1_000_000


class Way(StrEnum):
    """How a resident obtains a grant of this plan."""

    TAP = "tap"
    VOUCHER = "voucher"
    EMAIL = "email"
    SMS = "sms"
    ACCOUNT = "account"
    OIDC = "oidc"
    GRACE = "grace"
    """Not asked for by itself: the few minutes in which a mail with a code or a link can be fetched."""


class Counting(StrEnum):
    """What uses a voucher up: the clock, from its first use on, or the time that its devices are online."""

    CLOCK = "clock"
    USE = "use"


@dataclass(frozen=True, slots=True)
class Plan:
    """The limits of a grant. Rates are what the device may receive (`down`) and send (`up`).

    `daily_*` are each device's, `voucher_daily_*` all devices' of a voucher together. `vlan_id`: see RFC 3580.
    `extensions_max`: how often a resident may add another `session_minutes` to a session that runs.
    """

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
    voucher_counts: Counting = Counting.CLOCK
    voucher_daily_minutes: int = 0
    voucher_daily_megabytes: int = 0
    vlan_id: int = 0
    extensions_max: int = 0

    @property
    def daily_octets(self) -> int:
        """The day's volume in octets (1 MB = 10^6 octets); 0 is unlimited."""
        return self.daily_megabytes * MEGABYTE

    @property
    def daily_seconds(self) -> int:
        return self.daily_minutes * 60

    @property
    def voucher_daily_octets(self) -> int:
        """The day's volume of a voucher's devices together, in octets; 0 is unlimited."""
        return self.voucher_daily_megabytes * MEGABYTE

    @property
    def voucher_daily_seconds(self) -> int:
        return self.voucher_daily_minutes * 60
