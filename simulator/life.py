"""What happens at a city's access points: a pure function of the seed and the time.

Devices come and go with the hour and move between access points; counters are integrals of a rate that is never
negative, so they only grow until an access point reboots. No clock, no state: ask twice, get the same answer.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

DAY = 86_400
PEOPLE_PER_POINT = 14
"""Devices that belong to a city, per access point; by day most of them are there, at night few."""

QUIETEST_AT = 2.5 * 3600
"""Seconds after midnight UTC at which the fewest are about."""

SWING = 0.7
"""How far a day's activity swings about its mean."""

MOVE_SECONDS = (240, 900)
"""A device stays at an access point for between so many seconds."""

STAYS_HOME = 0.55
"""How often a device that moves goes to its usual access point."""

PREFERS_5_GHZ = 0.7
FIRST_SSID = 0.85

FAIL_EVERY_SECONDS = 300
FAIL_SECONDS = 60
"""An access point that fails is silent for so long, so often, and comes back by itself."""

REBOOT_EVERY_SECONDS = 30 * DAY
"""Each access point reboots at its own moment of this period; its counters and its uptime start over."""


@dataclass(frozen=True, slots=True)
class RadioLife:
    """One radio at one moment. `clients` by SSID in the access point's order; octets since boot likewise."""

    channel: int
    tx_power_dbm: int
    clients: tuple[int, ...]
    octets_in: tuple[int, ...]
    octets_out: tuple[int, ...]
    busy_percent: int
    self_rx_percent: int
    self_tx_percent: int


@dataclass(frozen=True, slots=True)
class PointLife:
    """One access point at one moment; the first radio is 2.4 GHz, the second 5 GHz."""

    answers: bool
    uptime_seconds: float
    cpu_percent: tuple[int, ...]
    memory_total_kb: int
    memory_free_kb: int
    radios: tuple[RadioLife, RadioLife]


CHANNELS = ((1, 6, 11), (36, 44, 52, 100, 116))
TX_POWER_DBM = (20, 23)
MEMORY_TOTAL_KB = 252_928
CORES = 4


class Population:
    """The devices of one city and the access points they use, given as (SSIDs, fails) each."""

    def __init__(self, seed: int, city: str, points: Sequence[tuple[tuple[str, ...], bool]]) -> None:
        self._salt = f"{seed}/{city}"
        self._points = tuple(points)

    def clients(self, now: float) -> dict[tuple[int, int, int], int]:
        """How many devices are at each (access point, radio, SSID)."""
        counts: dict[tuple[int, int, int], int] = {}
        for device in range(PEOPLE_PER_POINT * len(self._points)):
            place = self._place(device, now)
            if place is not None:
                counts[place] = counts.get(place, 0) + 1
        return counts

    def point(self, number: int, now: float) -> PointLife:
        """One access point at one moment (seconds since the epoch)."""
        counts = self.clients(now)
        ssids, fails = self._points[number]
        uptime = (now + self._share(number, "boot") * REBOOT_EVERY_SECONDS) % REBOOT_EVERY_SECONDS
        here = [[counts.get((number, radio, ssid), 0) for ssid in range(len(ssids))] for radio in (0, 1)]
        total = sum(map(sum, here))
        jitter = self._share(number, "cpu", int(now // 10))
        return PointLife(
            answers=not fails
            or (now + self._share(number, "fail") * FAIL_EVERY_SECONDS) % FAIL_EVERY_SECONDS >= FAIL_SECONDS,
            uptime_seconds=uptime,
            cpu_percent=tuple(min(99, int(2 + total * 1.2 + 6 * jitter) + core % 2) for core in range(CORES)),
            memory_total_kb=MEMORY_TOTAL_KB,
            memory_free_kb=96_000 - total * 700 - int(4000 * jitter),
            radios=(self._radio(number, 0, here[0], now, uptime), self._radio(number, 1, here[1], now, uptime)),
        )

    def _radio(self, number: int, radio: int, clients: list[int], now: float, uptime: float) -> RadioLife:
        channels = CHANNELS[radio]
        moved = activity_sum(now) - activity_sum(now - uptime)
        out = [moved * self._rate(number, radio, ssid) for ssid in range(len(clients))]
        busy = min(95, int(4 + 3.5 * sum(clients) + 8 * self._share(number, "air", radio, int(now // 10))))
        return RadioLife(
            channel=channels[int(self._share(number, "channel", radio) * len(channels))],
            tx_power_dbm=TX_POWER_DBM[radio],
            clients=tuple(clients),
            octets_in=tuple(int(octets * 0.12) for octets in out),
            octets_out=tuple(int(octets) for octets in out),
            busy_percent=busy,
            self_rx_percent=busy // 4,
            self_tx_percent=busy // 2,
        )

    def _rate(self, number: int, radio: int, ssid: int) -> float:
        """Mean octets a second towards the clients of one radio and SSID."""
        band = 90_000 if radio else 25_000
        return band * (1.0 if ssid == 0 else 0.15) * (0.5 + self._share(number, "rate", radio, ssid))

    def _place(self, device: int, now: float) -> tuple[int, int, int] | None:
        """Where a device is: (access point, radio, SSID), or None while it is away."""
        shortest, longest = MOVE_SECONDS
        stay = shortest + self._share(device, "stay") * (longest - shortest)
        phase = self._share(device, "phase") * stay
        turn = int((now + phase) // stay)
        here, home, where, band, name = self._shares(device, "turn", turn)
        if here >= activity(turn * stay - phase) / 2:
            return None
        count = len(self._points)
        number = device % count if home < STAYS_HOME else int(where * count)
        ssids = len(self._points[number][0])
        if not ssids:
            return None
        other = 1 + int((name - FIRST_SSID) / (1 - FIRST_SSID) * (ssids - 1))
        return number, int(band < PREFERS_5_GHZ), 0 if name < FIRST_SSID or ssids == 1 else other

    def _share(self, *what: object) -> float:
        return self._shares(*what)[0]

    def _shares(self, *what: object) -> tuple[float, ...]:
        """Five numbers in [0, 1) that depend on the seed and on what they are for, and on nothing else."""
        digest = hashlib.blake2b(f"{self._salt}/{what}".encode(), digest_size=20).digest()
        return tuple(int.from_bytes(digest[at : at + 4], "big") / 2**32 for at in range(0, 20, 4))


def activity(at: float) -> float:
    """How much goes on at that time of day; a day's mean is 1."""
    return 1 - SWING * math.cos(2 * math.pi * (at - QUIETEST_AT) / DAY)


def activity_sum(at: float) -> float:
    """The integral of `activity`: it only grows."""
    return at - SWING * DAY / (2 * math.pi) * math.sin(2 * math.pi * (at - QUIETEST_AT) / DAY)
