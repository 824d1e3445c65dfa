"""The devices on a NAS's radio link, and what they see of "the internet". It knows no protocol and opens nothing."""

from __future__ import annotations

import asyncio
import hashlib
import html
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from hotspot.errors import WireError
from hotspot.values import MacAddress
from simulator.session import Session
from simulator.town import TownNas
from simulator.uam import CHALLENGE_OCTETS

DEVICES_MAX = 5000
"""Devices remembered; beyond it the longest-known one that is offline is forgotten."""

ADDRESSES_MAX = 64_000
"""Addresses of a link, 10.n.0.2 to 10.n.255.251; then they start over."""


@dataclass(slots=True)
class Device:
    """What the NAS knows of a device on its link. `challenge` is fresh after every log-on attempt."""

    mac: MacAddress
    ip: str
    challenge: bytes
    session_id: str
    user_url: str
    session: Session | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Link:
    """The devices of one NAS by MAC address. `called` is the NAS's own."""

    def __init__(self, town: TownNas, rng: random.Random, wall: Callable[[], float]) -> None:
        self._town, self._rng, self._wall = town, rng, wall
        self._arrived = 0
        self.devices: dict[MacAddress, Device] = {}
        digest = hashlib.blake2b(town.name.encode(), digest_size=5).digest()
        self.called = MacAddress(b"\x02" + digest)

    def device(self, mac: MacAddress | None) -> Device:
        """The device of this address, new where the NAS does not know it; None is a new, random one."""
        mac = mac or MacAddress(bytes((0x02, *self._rng.randbytes(5))))
        device = self.devices.get(mac)
        if device is None:
            self._make_room()
            device = Device(mac, self._ip(), b"", "", f"http://{self._town.listen}/internet")
            self.renew(device)
            self.devices[mac] = device
        return device

    def renew(self, device: Device) -> None:
        """A fresh challenge and session id: neither is ever used twice."""
        device.challenge = self._rng.randbytes(CHALLENGE_OCTETS)
        device.session_id = self.new_session_id()

    def new_session_id(self) -> str:
        return f"{int(self._wall())}{self._rng.randrange(10**8):08d}"

    def _make_room(self) -> None:
        if len(self.devices) < DEVICES_MAX:
            return
        offline = next((mac for mac, each in self.devices.items() if each.session is None), None)
        if offline is None:
            raise WireError("too_many_devices")
        del self.devices[offline]

    def _ip(self) -> str:
        network = zlib.crc32(self._town.name.encode()) % 254 + 1
        high, low = divmod(self._arrived % ADDRESSES_MAX, 250)
        self._arrived += 1
        return f"10.{network}.{high}.{low + 2}"


def online_page(device: Device, session: Session, town: TownNas, *, now: float) -> str:
    """What a device that is online sees, with what its NAS counts."""
    counted = session.flow.at(now)
    limit, seconds = session.limits.session_seconds, int(now - session.started_at)
    return _PAGE.format(
        nas=html.escape(town.name),
        ssid=html.escape(town.ssid),
        mac=device.mac,
        seconds=seconds,
        left=f"{max(0, limit - seconds)} s left" if limit else "no time limit",
        down=counted.down,
        up=counted.up,
    )


_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>You are online</title>
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem}}</style></head>
<body><main><h1 id="online">You are online</h1>
<p>This page stands for the internet behind the hotspot <strong>{ssid}</strong> of {nas}.</p>
<dl><dt>Device</dt><dd id="mac">{mac}</dd>
<dt>Time</dt><dd><span id="seconds">{seconds}</span> s, {left}</dd>
<dt>Received</dt><dd><span id="down">{down}</span> octets</dd>
<dt>Sent</dt><dd><span id="up">{up}</span> octets</dd></dl>
<p><a href="/internet">Load another page</a> · <a href="/walk-up?mac={mac}">Leave and come back</a> ·
<a href="/logoff">Log off</a></p></main></body></html>
"""
