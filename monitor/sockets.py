"""The monitor's UDP sockets: opened with a large buffer, and watched for what they lose and what is ignored."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from enum import StrEnum

from service import kernel

RECEIVE_BUFFER_BYTES = 4_194_304
"""Asked of the kernel; `net.core.rmem_max` may give less."""


def canonical(address: str) -> str:
    """An IP address as the kernel writes it of what comes from there; empty where it is none."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str((ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None) or ip)


class Ignored(StrEnum):
    """Why what came in at the socket of the polls was no answer."""

    UNASKED = "unasked"
    """No open question has its id: too late, or invented."""

    WRONG_SOURCE = "wrong_source"
    """The id of an open question, from an address that was not asked."""

    CROOKED = "crooked"
    """Unreadable, and nobody there was asked anything."""


class Sockets:
    """One city's. `count_drops` is told how many datagrams the kernel threw away since last told, `count_ignored` why
    one was ignored. Belongs to one loop."""

    def __init__(
        self,
        count_drops: Callable[[int], object] = lambda _count: None,
        count_ignored: Callable[[Ignored], object] = lambda _why: None,
    ) -> None:
        self._count_drops = count_drops
        self.ignore = count_ignored
        self._drops: dict[socket.socket, int] = {}

    def open(self, family: int) -> socket.socket:
        """A UDP socket, to be ended with `close`. OSError."""
        opened = socket.socket(family, socket.SOCK_DGRAM)
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._drops[opened] = 0
        return opened

    def close(self, opened: socket.socket) -> None:
        """What it lost is told."""
        self._look(opened)
        del self._drops[opened]
        opened.close()

    def look(self) -> None:
        """Tell what the kernel threw away before we read it; call it now and then."""
        for opened in self._drops:
            self._look(opened)

    def _look(self, opened: socket.socket) -> None:
        told = kernel.drops(opened)
        self._count_drops((told - self._drops[opened]) % kernel.COUNTS)
        self._drops[opened] = told
