"""What must be true of one city, computed from what its NASes counted and what its server committed.

It knows the rules as the documents say them and shares no code with the product but values.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hotspot.values import NO_OCTETS, MacAddress, Octets
from tests.trials import packets
from tests.trials.nas import On
from tests.trials.stay import Record, Stay
from tests.trials.timeline import Timeline

PENDING_SECONDS = 60
"""How long an Accept counts as online before its Start (DESIGN, decisions)."""


@dataclass(frozen=True)
class Terms:
    """What a plan promises and a voucher of it. 0 is no limit, as in the product."""

    plan: str
    session_seconds: int
    remember_seconds: int
    daily_seconds: int = 0
    devices_max: int = 1
    voucher_seconds: int = 0
    by_use: bool = False
    voucher_daily_seconds: int = 0
    voucher_daily_octets: int = 0
    daily_octets: int = 0


@dataclass(frozen=True)
class Admission:
    """A grant as the portal's rules make it. Times in the timeline's seconds."""

    terms: Terms
    mac: MacAddress
    voucher: str | None
    until: float
    remember_until: float


@dataclass(slots=True)
class Use:
    """Of a device or a voucher on a day, or of a voucher altogether."""

    seconds: int = 0
    octets: Octets = NO_OCTETS

    def add(self, seconds: int, octets: Octets) -> None:
        self.seconds += seconds
        self.octets += octets


class Oracle:
    """One city's truth."""

    def __init__(self, timeline: Timeline, zone: ZoneInfo) -> None:
        self._timeline, self._zone = timeline, zone
        self.stays: list[Stay] = []
        self.of_device: defaultdict[MacAddress, Use] = defaultdict(Use)
        self.day_of_device: dict[tuple[MacAddress, date], Use] = {}
        self.day_of_voucher: dict[tuple[str, date], Use] = {}
        self.of_voucher: defaultdict[str, Use] = defaultdict(Use)
        self.grants: dict[int, Admission] = {}
        self._stays_of_device: defaultdict[MacAddress, list[Stay]] = defaultdict(list)
        self._holders: defaultdict[str, set[MacAddress]] = defaultdict(set)
        self._accepted: dict[tuple[str, MacAddress], float] = {}
        self.counts: Counter[str] = Counter()

    def at(self, seconds: float) -> datetime:
        """A time of the timeline as an instant."""
        return self._timeline.clock + timedelta(seconds=seconds - self._timeline.now)

    # Accounting -----------------------------------------------------------------------------------------

    def begin(self, stay: Stay) -> None:
        self.stays.append(stay)
        self._stays_of_device[stay.mac].append(stay)

    def commit(self, record: Record | On) -> None:
        """A record is durable."""
        if isinstance(record, On):
            for stay in self.stays:
                if stay.nas == record.nas and stay.began < record.at:
                    stay.over = True
            return
        stay = record.stay
        seconds, octets = stay.commit(record)
        today = self._timeline.clock.astimezone(self._zone).date()
        self.of_device[stay.mac].add(seconds, octets)
        _add(self.day_of_device, (stay.mac, today), seconds, octets)
        if stay.voucher is not None:
            self._holders[stay.voucher].add(stay.mac)
            self.of_voucher[stay.voucher].add(seconds, octets)
            _add(self.day_of_voucher, (stay.voucher, today), seconds, octets)
        if record.status == packets.STOP:
            stay.over = True
        if record.status == packets.START:
            for other in self._stays_of_device[stay.mac]:
                other.over = other.over or other.began < stay.began

    # Access ---------------------------------------------------------------------------------------------

    def accept(self, mac: MacAddress, grant_id: int, session_timeout: int, *, by_mac: bool) -> None:
        """Check an Accept at the moment of its decision."""
        admission = self.grants[grant_id]
        now, terms = self._timeline.now, admission.terms
        assert admission.mac == mac, "an Accept for another device's grant"
        assert now < admission.until, "an Accept after the grant's end"
        assert not by_mac or now < admission.remember_until, "an Accept by MAC after the remembering's end"
        _within(session_timeout, terms.session_seconds, "the plan's session")
        _within(session_timeout, admission.until - now, "the grant's end")
        today = self._timeline.clock.astimezone(self._zone).date()
        used = self.day_of_device.get((mac, today), Use())
        self._within_day(session_timeout, terms.daily_seconds, used, "the device's")
        assert not terms.daily_octets or used.octets.total < terms.daily_octets, "the device's octets are used up"
        if admission.voucher is not None:
            self._accept_voucher(admission, admission.voucher, session_timeout, today)
            self._accepted[admission.voucher, mac] = now

    def _accept_voucher(self, admission: Admission, code: str, timeout: int, today: date) -> None:
        terms, mac = admission.terms, admission.mac
        used = self.day_of_voucher.get((code, today), Use())
        self._within_day(timeout, terms.voucher_daily_seconds, used, "the voucher's")
        assert not terms.voucher_daily_octets or used.octets.total < terms.voucher_daily_octets, (
            "the voucher's octets are used up"
        )
        if terms.by_use:
            _within(timeout, terms.voucher_seconds - self.of_voucher[code].seconds, "what the voucher has left")
        others = {each for each in self._holders[code] if each != mac and self._is_online(code, each)}
        assert len(others) < terms.devices_max, f"{len(others) + 1} devices at once, {terms.devices_max} allowed"
        self.counts[f"accepted with {len(others)} others"] += 1
        self._holders[code].add(mac)

    def _is_online(self, code: str, mac: MacAddress) -> bool:
        """As far as the server was told."""
        stays = [stay for stay in self._stays_of_device[mac] if stay.voucher == code and stay.heard]
        if any(not stay.over for stay in stays):
            return True
        accepted = self._accepted.get((code, mac), -PENDING_SECONDS)
        if self._timeline.now - accepted >= PENDING_SECONDS:
            return False
        return all(stay.began < accepted for stay in stays)

    def _within_day(self, timeout: int, daily_seconds: int, used: Use, whose: str) -> None:
        """The day's minutes, and the next day's on top where midnight comes before they are used up."""
        if not daily_seconds:
            return
        left = daily_seconds - used.seconds
        assert left > 0, f"an Accept though {whose} day is used up"
        now = self._timeline.clock.astimezone(self._zone)
        midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), tzinfo=self._zone)
        to_midnight = midnight.timestamp() - now.timestamp()
        _within(timeout, left if left < to_midnight - 1 else to_midnight + daily_seconds, f"{whose} day")


def _add(use: dict[Any, Use], key: Any, seconds: int, octets: Octets) -> None:
    if seconds or octets.total:
        use.setdefault(key, Use()).add(seconds, octets)


def _within(timeout: int, left: float, what: str) -> None:
    """A second more is rounding: a Session-Timeout is whole, and at least 1 (RFC 2865 section 5.27)."""
    assert timeout < left + 1, f"a Session-Timeout of {timeout} s reaches beyond {what}: {left:.1f} s are left"
