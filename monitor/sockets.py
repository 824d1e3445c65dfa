"""The monitor's UDP sockets: opened with a large buffer, and watched for what they lose and what is ignored.

A scrape reads the figures on its own thread while the loop opens and closes sockets.
"""

from __future__ import annotations

import ipaddress
import socket
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from threading import Lock

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

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


class Sockets(Collector):
    """One city's. `registry` None: nobody reads the figures."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._lock = Lock()
        self._drops: dict[socket.socket, int] = {}
        self._dropped = 0
        self._ignored: Counter[str] = Counter(dict.fromkeys(Ignored, 0))
        if registry is not None:
            registry.register(self)

    def open(self, family: int) -> socket.socket:
        """A UDP socket, to be ended with `close`. OSError."""
        opened = socket.socket(family, socket.SOCK_DGRAM)
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        with self._lock:
            self._drops[opened] = 0
        return opened

    def close(self, opened: socket.socket) -> None:
        """What it lost stays counted."""
        with self._lock:
            self._look(opened)
            del self._drops[opened]
        opened.close()

    def ignore(self, why: Ignored) -> None:
        self._ignored[why] += 1

    def dropped(self) -> int:
        """Datagrams that the kernel threw away before we read them."""
        with self._lock:
            for opened in self._drops:
                self._look(opened)
            return self._dropped

    def ignored(self) -> dict[str, int]:
        return dict(self._ignored)

    def collect(self) -> Iterator[Metric]:
        """For a scrape."""
        yield CounterMetricFamily(
            "kogge_monitor_socket_drops",
            "Datagrams that the kernel threw away before the monitor read them.",
            value=self.dropped(),
        )
        ignored = CounterMetricFamily(
            "kogge_monitor_answers_ignored", "Datagrams that answered no open question, by reason.", labels=["reason"]
        )
        for reason, count in self.ignored().items():
            ignored.add_metric([reason], count)
        yield ignored

    def _look(self, opened: socket.socket) -> None:
        told = kernel.drops(opened)
        self._dropped += (told - self._drops[opened]) % kernel.COUNTS
        self._drops[opened] = told
