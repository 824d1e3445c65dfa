"""A city's ear for traps and informs (SNMPv2c and v3): who is known and has the right credential brings a poll.

A notification never changes an access point's health: it only says that it is worth looking now. Order of the checks:
known address, limits, form, credential; each refusal is silent and counted. An inform is acknowledged once it is taken.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from hotspot.ap_events import ApEvent
from monitor import ber
from monitor.notifications import Notification, notification
from monitor.session import DATAGRAM_BYTES_MAX
from monitor.sockets import Sockets, canonical
from monitor.trap_limits import Limits
from monitor.trap_users import Step, TrapUsers
from store.fleet import AccessPoint, SnmpCredential

log = logging.getLogger(__name__)

READS_MAX = 32
"""Datagrams read in one turn of the loop, so that a flood does not keep the polls waiting."""

VARBINDS_MAX = 100

BIND_AGAIN_S = 10.0
"""How long until a port that is taken, or an address that is not ours yet, is tried again."""


class Result(StrEnum):
    """What became of a datagram: the word in the metric."""

    TAKEN = "taken"
    HANDSHAKE = "handshake"
    UNKNOWN_SOURCE = "unknown_source"
    WRONG_CREDENTIAL = "wrong_credential"
    MALFORMED = "malformed"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class Town:
    """What the listener knows of its city, and what it may do there."""

    points_at: Callable[[str], Sequence[AccessPoint]]
    """The polled ones at an address as the kernel writes it."""

    candidates_at: Callable[[str], Sequence[SnmpCredential]]
    """The city's candidates for that address's network."""

    poke: Callable[[int], None]
    """Poll this one now."""

    note: Callable[[ApEvent], None]
    """Keep this event."""


class Traps:
    """Listens from `run` until cancelled."""

    def __init__(
        self,
        city: str,
        listen: str,
        town: Town,
        *,
        sockets: Sockets,
        count: Callable[[str], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._city = city
        self._listen = listen
        self._town = town
        self._sockets = sockets
        self._count = count
        self._clock = clock
        self._limits = Limits()
        self._users = TrapUsers(self._send)
        self._door: socket.socket | None = None

    async def run(self) -> None:
        """Until cancelled. A port that cannot be had is named, and tried again."""
        door = self._door = await self._bound()
        loop = asyncio.get_running_loop()
        loop.add_reader(door, self._readable, door)
        try:
            await loop.create_future()
        finally:
            loop.remove_reader(door)
            self._door = None
            self._sockets.close(door)

    async def _bound(self) -> socket.socket:
        host, _, port = self._listen.rpartition(":")
        host = host.strip("[]")
        told = ""
        while True:
            door = self._sockets.open(socket.AF_INET6 if ":" in host else socket.AF_INET)
            try:
                door.bind((host, int(port)))
                return door
            except OSError as error:
                self._sockets.close(door)
                if told != (told := error.strerror or "cannot listen"):
                    log.error("%s: monitor.trap_listen %s: cannot listen there (%s)", self._city, self._listen, told)
            await asyncio.sleep(BIND_AGAIN_S)

    def _readable(self, door: socket.socket) -> None:
        for _datagram in range(READS_MAX):
            try:
                data, source = door.recvfrom(DATAGRAM_BYTES_MAX + 1)
            except OSError:  # nothing more, or an ICMP error for an acknowledgement of ours
                return
            self._count(self.hear(data, source))

    def _send(self, octets: bytes, source: Any) -> None:
        if self._door is not None:
            with suppress(OSError):  # whoever sent it sends again
                self._door.sendto(octets, source)

    # One datagram -----------------------------------------------------------------------------------

    def hear(self, data: bytes, source: Any) -> Result:
        """Take it or leave it."""
        address = canonical(source[0])
        points = self._town.points_at(address)
        now = asyncio.get_running_loop().time()
        if not points:
            return Result.UNKNOWN_SOURCE
        if not self._limits.admit(address, now=now):
            return Result.TOO_MANY
        try:
            if len(data) > DATAGRAM_BYTES_MAX:
                return Result.MALFORMED
            if ber.version(data) == ber.VERSION_3:
                return self._hear_user(data, source, points, now)
            return self._hear_community(data, source, points)
        except ber.BerError as error:
            log.debug("%s: from %s: %s", self._city, address, error)
            return Result.MALFORMED

    def _hear_community(self, data: bytes, source: Any, points: Sequence[AccessPoint]) -> Result:
        message = ber.message(data)
        if message.kind not in (ber.TRAP, ber.INFORM) or message.status:
            return Result.MALFORMED
        owners = self._owners(points, source, lambda known: _has_community(known, message.community))
        if not owners:
            return Result.WRONG_CREDENTIAL
        said = notification(ber.varbinds(data, message.start, message.end, VARBINDS_MAX))
        if said is None:
            return Result.MALFORMED
        if message.kind == ber.INFORM:
            self._send(ber.acknowledgement(data, message), source)
        self._act(owners, said)
        return Result.TAKEN

    def _hear_user(self, data: bytes, source: Any, points: Sequence[AccessPoint], now: float) -> Result:
        claimed = ber.user_message(data)

        def fits(known: SnmpCredential) -> bool:
            return known.version == "v3" and claimed.user in (b"", known.user.encode())

        owners = self._owners(points, source, fits)
        for credential in dict.fromkeys(owners.values()):
            said = self._users.open(data, source, credential, claimed.engine_id, now=now)
            if isinstance(said, Notification):
                self._act([point for point, known in owners.items() if known == credential], said)
                return Result.TAKEN
            if said is Step.HANDSHAKE:
                return Result.HANDSHAKE
        return Result.WRONG_CREDENTIAL

    def _owners(
        self, points: Sequence[AccessPoint], source: Any, fits: Callable[[SnmpCredential], bool]
    ) -> dict[AccessPoint, SnmpCredential]:
        """The access points at that address that may have sent it, each with the credential that fits."""
        own = {point: point.credential for point in points if fits(point.credential)}
        if own:
            return own
        candidate = next(filter(fits, self._town.candidates_at(canonical(source[0]))), None)
        return dict.fromkeys(points, candidate) if candidate is not None else {}

    def _act(self, senders: Iterable[AccessPoint], said: Notification) -> None:
        senders = list(senders)
        if said.link is not None and len(senders) == 1:  # behind one address, several: nobody knows whose link
            self._town.note(ApEvent(senders[0].id, self._clock(), said.link, after=said.interface))
        for point in senders:
            if said.brings_a_poll(point.kind):
                self._town.poke(point.id)


def _has_community(known: SnmpCredential, community: bytes) -> bool:
    return known.version == "v2c" and hmac.compare_digest(known.community.encode(), community)
